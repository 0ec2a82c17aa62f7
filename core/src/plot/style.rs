//! One look for every picture: white paper, dark grey ink, a palette that colour-blind readers can tell apart.

use plotters::style::RGBAColor;

/// An opaque or translucent colour.
pub(super) type Color = RGBAColor;

const fn rgb(r: u8, g: u8, b: u8) -> Color {
    RGBAColor(r, g, b, 1.0)
}

pub(super) const PAPER: Color = rgb(255, 255, 255);
pub(super) const INK: Color = rgb(34, 34, 34);
pub(super) const MUTED: Color = rgb(95, 95, 95);
pub(super) const GRID: Color = rgb(228, 228, 228);
pub(super) const FAINT_GRID: Color = rgb(242, 242, 242);
pub(super) const SPINE: Color = rgb(130, 130, 130);
/// Paper laid under a label, so that grid lines do not run through its letters.
pub(super) const VEIL: Color = RGBAColor(255, 255, 255, 0.8);
/// A cell without a number (NaN).
pub(super) const MISSING: [u8; 3] = [236, 236, 236];

pub(super) const BLUE: Color = rgb(0, 114, 178);
pub(super) const VERMILLION: Color = rgb(213, 94, 0);
pub(super) const GREEN: Color = rgb(0, 122, 86);

/// Series colours in order, after Okabe and Ito's "Color Universal Design"; their yellow is too pale for thin lines.
const PALETTE: [Color; 7] =
    [BLUE, VERMILLION, rgb(0, 158, 115), rgb(204, 121, 167), rgb(230, 159, 0), rgb(86, 180, 233), rgb(80, 80, 80)];

pub(super) const TITLE_SIZE: f64 = 14.0;
pub(super) const LABEL_SIZE: f64 = 12.0;
pub(super) const TICK_SIZE: f64 = 11.0;

/// The colour of the `index`-th series. After the seven of the palette come their dark and then their pale relatives.
pub(super) fn series_color(index: usize) -> Color {
    let RGBAColor(r, g, b, _) = PALETTE[index % PALETTE.len()];
    let toward = |end: u8, part: f64| {
        let mix = |c: u8| (f64::from(c) + (f64::from(end) - f64::from(c)) * part).round() as u8;
        rgb(mix(r), mix(g), mix(b))
    };
    match index / PALETTE.len() % 3 {
        0 => rgb(r, g, b),
        1 => toward(0, 0.4),
        _ => toward(255, 0.45),
    }
}

/// `part` of a colour on white paper: 0 is white, 1 the colour.
pub(super) fn tint(RGBAColor(r, g, b, _): Color, part: f64) -> [u8; 3] {
    let part = part.clamp(0.0, 1.0);
    [r, g, b].map(|c| (255.0 + (f64::from(c) - 255.0) * part).round() as u8)
}

/// White or dark ink, whichever is easier to read on `background`.
pub(super) fn ink_on([r, g, b]: [u8; 3]) -> Color {
    let luminance = 0.299 * f64::from(r) + 0.587 * f64::from(g) + 0.114 * f64::from(b);
    if luminance < 140.0 { PAPER } else { INK }
}

/// ColorBrewer's "Blues", from nothing to much; `t` in 0..=1.
pub(super) fn blues(t: f64) -> [u8; 3] {
    mix(&[[255, 255, 255], [222, 235, 247], [158, 202, 225], [66, 146, 198], [8, 81, 156], [8, 48, 107]], t)
}

/// ColorBrewer's "RdBu": -1 is red, 0 is white, 1 is blue.
pub(super) fn red_blue(t: f64) -> [u8; 3] {
    let stops = [[178, 24, 43], [239, 138, 98], [253, 219, 199], [255, 255, 255], [209, 229, 240], [103, 169, 207]];
    let mut all = stops.to_vec();
    all.push([33, 102, 172]);
    mix(&all, (t + 1.0) / 2.0)
}

/// The colour at `t` in 0..=1 on a scale of evenly spaced stops.
fn mix(stops: &[[u8; 3]], t: f64) -> [u8; 3] {
    let place = t.clamp(0.0, 1.0) * (stops.len() - 1) as f64;
    let below = (place.floor() as usize).min(stops.len() - 2);
    let part = place - below as f64;
    std::array::from_fn(|c| {
        let (from, to) = (f64::from(stops[below][c]), f64::from(stops[below + 1][c]));
        (from + (to - from) * part).round() as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_scales_start_white_and_end_dark() {
        assert_eq!(blues(0.0), [255, 255, 255]);
        assert_eq!(blues(1.0), [8, 48, 107]);
        assert_eq!(blues(7.0), [8, 48, 107]);
        assert_eq!(red_blue(0.0), [255, 255, 255]);
        assert_eq!(red_blue(-1.0), [178, 24, 43]);
        assert_eq!(red_blue(1.0), [33, 102, 172]);
    }

    #[test]
    fn ink_is_white_on_dark_cells_only() {
        assert_eq!(ink_on([255, 255, 255]), INK);
        assert_eq!(ink_on([0, 0, 0]), PAPER);
    }
}
