//! Text that comes from outside, as it may be shown.

use std::borrow::Cow;
use std::fmt::Write;
use std::path::Path;

/// Text as it may be shown: control characters, and those that change the direction of writing, are escaped as in Rust
/// (`\u{1b}`), so that a folder's name cannot colour a terminal, move its cursor or hide an ending. Line ends and tabs
/// stay.
///
/// ```
/// assert_eq!(tallow_io::text::visible("cats\u{1b}[31m"), "cats\\u{1b}[31m");
/// assert_eq!(tallow_io::text::visible("two\nlines"), "two\nlines");
/// ```
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_hidden(c) {
            let _ = write!(shown, "{}", c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// A text in JSON as it may be shown: what [`visible`] escapes is escaped as JSON does it, so that programs read the
/// characters back.
///
/// ```
/// assert_eq!(tallow_io::text::visible_json("[\"caf\u{85}\"]"), r#"["caf\u0085"]"#);
/// ```
pub fn visible_json(json: &str) -> Cow<'_, str> {
    if !json.chars().any(is_hidden) {
        return Cow::Borrowed(json);
    }
    let mut shown = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if is_hidden(c) {
            let _ = write!(shown, "\\u{:04x}", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// [`visible`] text of one line: line ends and tabs are escaped too. For names in tables, captions and bars.
///
/// ```
/// assert_eq!(tallow_io::text::visible_line("a\nb"), "a\\nb");
/// ```
pub fn visible_line(text: &str) -> Cow<'_, str> {
    match visible(text) {
        shown if shown.contains(['\n', '\t']) => Cow::Owned(shown.replace('\n', "\\n").replace('\t', "\\t")),
        shown => shown,
    }
}

/// A path in one line, in an error or a note: a name may have line ends in it, and what follows them could pass for
/// another message.
///
/// ```
/// let photo = std::path::Path::new("cat.jpg\nerror: none");
/// assert_eq!(tallow_io::text::visible_path(photo), "cat.jpg\\nerror: none");
/// ```
pub fn visible_path(path: &Path) -> String {
    visible_line(&path.to_string_lossy()).into_owned()
}

/// Unicode's bidirectional formatting characters, and all control characters but `\n` and `\t`.
fn is_hidden(c: char) -> bool {
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || (c.is_control() && c != '\n' && c != '\t')
}
