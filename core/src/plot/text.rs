//! Text before it is drawn: the embedded font, how wide a string is, how it is cut or wrapped to fit.

use std::sync::OnceLock;

use plotters::style::{FontDesc, FontFamily, FontStyle, register_font};

/// The font family as an SVG viewer reads it. Verdana has DejaVu's widths, so where DejaVu is not installed the layout
/// still holds.
pub(super) const FAMILY: &str = "DejaVu Sans, Verdana, sans-serif";

/// Height of capitals and digits over the font size.
pub(super) const CAP_HEIGHT: f64 = 0.729;

/// plotters asks for the distance from ascender to descender, which in DejaVu is this many times the font size.
pub(super) const ASCENT_TO_DESCENT: f64 = 2384.0 / 2048.0;

static DEJAVU: &[u8] = include_bytes!("../../fonts/DejaVuSans.ttf");

/// The embedded font at `size` font units, registered with plotters on first use.
pub(super) fn font(size: f64) -> FontDesc<'static> {
    static REGISTERED: OnceLock<bool> = OnceLock::new();
    REGISTERED.get_or_init(|| register_font(FAMILY, FontStyle::Normal, DEJAVU).is_ok());
    FontDesc::new(FontFamily::Name(FAMILY), size, FontStyle::Normal)
}

/// The width of one line of text, in the units of `size`.
pub(super) fn width(text: &str, size: f64) -> f64 {
    // plotters rounds to whole pixels: measure large, then scale.
    const EM: f64 = 1000.0;
    match font(EM * ASCENT_TO_DESCENT).layout_box(text) {
        Ok(((x0, _), (x1, _))) => f64::from(x1 - x0) / EM * size,
        Err(_) => text.chars().count() as f64 * 0.6 * size,
    }
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
    let mut lines: Vec<String> = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            let longer = if line.is_empty() { word.to_string() } else { format!("{line} {word}") };
            let last = lines.len() + 1 >= max_lines;
            if last || line.is_empty() || width(&longer, size) <= max {
                line = longer;
            } else {
                lines.push(std::mem::replace(&mut line, word.to_string()));
            }
        }
        if !line.is_empty() {
            lines.push(line);
        }
    }
    lines.truncate(max_lines);
    lines.iter().map(|line| fit(&clean(line), size, max)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_font_is_registered_and_measured() {
        // DejaVu's digits are 1303/2048 em wide.
        assert!((width("0000000000", 100.0) - 636.2).abs() < 1.0, "{}", width("0000000000", 100.0));
        assert_eq!(width("", 12.0), 0.0);
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
        let lines = wrap("a title of quite a few words that will not stop", 12.0, 120.0, 2);
        assert_eq!(lines.len(), 2);
        assert!(lines.iter().all(|line| width(line, 12.0) <= 120.0), "{lines:?}");
    }

    #[test]
    fn control_characters_become_blanks() {
        assert_eq!(clean("a\u{0}b\tc"), "a b c");
    }
}
