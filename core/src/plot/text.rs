//! Text before it is drawn: the embedded font, how wide a string is, how it is cut or wrapped to fit.

use std::sync::OnceLock;

use ab_glyph::{Font, FontRef, GlyphId, PxScale, point};

/// The font family as an SVG viewer reads it. Verdana has DejaVu's widths, so where DejaVu is not installed the layout
/// still holds.
pub(super) const FAMILY: &str = "DejaVu Sans, Verdana, sans-serif";

/// Height of capitals and digits over the font size.
pub(super) const CAP_HEIGHT: f64 = 0.729;

static DEJAVU: &[u8] = include_bytes!("../../fonts/DejaVuSans.ttf");

/// The embedded font, which a test reads; none would mean text without letters.
fn font() -> Option<&'static FontRef<'static>> {
    static FONT: OnceLock<Option<FontRef<'static>>> = OnceLock::new();
    FONT.get_or_init(|| FontRef::try_from_slice(DEJAVU).ok()).as_ref()
}

/// The glyphs of a line of text, each with its start in font units, and where the last one ends.
fn laid_out(font: &FontRef<'_>, text: &str) -> (Vec<(GlyphId, f32)>, f32) {
    let (mut glyphs, mut at): (Vec<(GlyphId, f32)>, f32) = (Vec::new(), 0.0);
    for c in text.chars() {
        let glyph = font.glyph_id(c);
        at += glyphs.last().map_or(0.0, |&(before, _)| font.kern_unscaled(before, glyph));
        glyphs.push((glyph, at));
        at += font.h_advance_unscaled(glyph);
    }
    (glyphs, at)
}

/// The width of one line of text, in the units of `size`.
pub(super) fn width(text: &str, size: f64) -> f64 {
    font().map_or(0.0, |font| f64::from(laid_out(font, text).1) * size / units_per_em(font))
}

fn units_per_em(font: &FontRef<'_>) -> f64 {
    f64::from(font.units_per_em().unwrap_or(2048.0))
}

/// Goes through the pixels of a line of text of `size` pixels to an em, whose baseline begins at `start`: column, row,
/// and how much of the pixel is covered, from 0 to 1.
pub(super) fn draw<E>(
    text: &str,
    size: f64,
    start: (f64, f64),
    mut pixel: impl FnMut(i32, i32, f64) -> Result<(), E>,
) -> Result<(), E> {
    let Some(font) = font() else { return Ok(()) };
    let to_pixels = size / units_per_em(font);
    // ab_glyph's scale is the distance from ascender to descender.
    let scale = PxScale::from((f64::from(font.height_unscaled()) * to_pixels) as f32);
    for (glyph, at) in laid_out(font, text).0 {
        let place = point((start.0 + f64::from(at) * to_pixels) as f32, start.1 as f32);
        let Some(outline) = font.outline_glyph(glyph.with_scale_and_position(scale, place)) else { continue };
        let bounds = outline.px_bounds();
        let mut pixels = Vec::new();
        outline.draw(|x, y, covered| pixels.push((x, y, covered)));
        for (x, y, covered) in pixels {
            pixel(bounds.min.x as i32 + x as i32, bounds.min.y as i32 + y as i32, f64::from(covered.min(1.0)))?;
        }
    }
    Ok(())
}

/// Control characters become blanks: fonts have no picture of them, and XML forbids them.
pub(super) fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') { ' ' } else { c }).collect()
}

/// `text`, cut with an ellipsis where it is wider than `max`.
pub(super) fn fit(text: &str, size: f64, max: f64) -> String {
    if width(text, size) <= max {
        return text.to_string();
    }
    let chars: Vec<char> = text.chars().collect();
    // The longest prefix that fits, by bisection: labels can be arbitrarily long.
    let (mut fits, mut too_long) = (0, chars.len());
    while too_long - fits > 1 {
        let middle = (fits + too_long) / 2;
        if width(&with_ellipsis(&chars[..middle]), size) <= max { fits = middle } else { too_long = middle }
    }
    with_ellipsis(&chars[..fits])
}

fn with_ellipsis(chars: &[char]) -> String {
    let text: String = chars.iter().collect();
    format!("{}…", text.trim_end())
}

/// `text` broken between words (and at `\n`) into at most `max_lines` lines no wider than `max`; what does not fit is
/// cut with an ellipsis. Empty text has no lines.
pub(super) fn wrap(text: &str, size: f64, max: f64, max_lines: usize) -> Vec<String> {
    broken(text, size, max, max_lines).iter().map(|line| fit(line, size, max)).collect()
}

/// [`wrap`] before anything is cut: lines may be too wide. What follows a `\n` has a line of its own, however long that
/// is which stands before it.
pub(super) fn broken(text: &str, size: f64, max: f64, max_lines: usize) -> Vec<String> {
    let paragraphs: Vec<String> = text.split('\n').map(clean).filter(|text| !text.trim().is_empty()).collect();
    let mut lines: Vec<String> = Vec::new();
    for (i, paragraph) in paragraphs.iter().enumerate() {
        let later = paragraphs.len() - i - 1;
        let full = max_lines.saturating_sub(later).max(lines.len() + 1);
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            let longer = if line.is_empty() { word.to_string() } else { format!("{line} {word}") };
            let last = lines.len() + 1 >= full;
            if last || line.is_empty() || width(&longer, size) <= max {
                line = longer;
            } else {
                lines.push(std::mem::replace(&mut line, word.to_string()));
            }
        }
        lines.push(line);
    }
    lines.truncate(max_lines);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_font_is_read_and_measured() {
        // DejaVu's digits are 1303/2048 em wide.
        assert!((width("0000000000", 2048.0) - 13_030.0).abs() < 1e-3, "{}", width("0000000000", 2048.0));
        assert_eq!(width("", 12.0), 0.0);
        // The pair is kerned.
        assert!(width("AV", 12.0) < width("A", 12.0) + width("V", 12.0));
    }

    #[test]
    fn glyphs_stand_where_their_own_bearings_put_them() {
        // In DejaVu the stem of an `l` is from 193 to 377 of 569 units, from the baseline to 1556.
        let mut covered = Vec::new();
        draw("ll", 2048.0, (0.0, 2000.0), |x, y, c| {
            covered.extend((c > 0.5).then_some((x, y)));
            Ok::<(), ()>(())
        })
        .unwrap();
        let columns: Vec<i32> = covered.iter().filter(|(_, y)| *y == 1000).map(|(x, _)| *x).collect();
        assert_eq!(columns, (193..377).chain(569 + 193..569 + 377).collect::<Vec<i32>>());
        assert_eq!(covered.iter().map(|(_, y)| *y).min(), Some(2000 - 1556));
        assert_eq!(covered.iter().map(|(_, y)| *y).max(), Some(1999));
    }

    #[test]
    fn long_text_is_cut_and_short_text_is_not() {
        assert_eq!(fit("three", 12.0, 100.0), "three");
        let cut = fit(&"long ".repeat(5000), 12.0, 100.0);
        assert!(cut.ends_with('…') && width(&cut, 12.0) <= 100.0, "{cut}");
        assert_eq!(fit("anything", 12.0, 0.0), "…");
    }

    #[test]
    fn wrapping_breaks_between_words() {
        assert_eq!(wrap("", 12.0, 100.0, 2), Vec::<String>::new());
        assert_eq!(wrap("one\ntwo", 12.0, 100.0, 3), ["one", "two"]);
        let lines = wrap("what has many words and would fill all lines alone\n0.98", 12.0, 100.0, 3);
        assert!(lines.len() == 3 && lines[1].ends_with('…') && lines[2] == "0.98", "{lines:?}");
        let lines = wrap("a title of quite a few words that will not stop", 12.0, 120.0, 2);
        assert_eq!(lines.len(), 2);
        assert!(lines.iter().all(|line| width(line, 12.0) <= 120.0), "{lines:?}");
    }

    #[test]
    fn control_characters_become_blanks() {
        assert_eq!(clean("a\u{0}b\tc"), "a b c");
    }
}
