//! Text that comes from outside: names of files, folders and classes, answers of servers.

use std::borrow::Cow;
use std::fmt::Write;
use std::path::Path;

/// Text as it may be shown: control characters, and those that change the direction of writing, are escaped as in Rust
/// (`\u{1b}`), so that a folder's name cannot colour a terminal, move its cursor or hide an ending. Line ends and tabs
/// stay.
///
/// ```
/// assert_eq!(tallow::text::visible("cats\u{1b}[31m"), "cats\\u{1b}[31m");
/// assert_eq!(tallow::text::visible("two\nlines"), "two\nlines");
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

/// [`visible`] text of one line: line ends and tabs are escaped too. For names in tables, captions and bars.
///
/// ```
/// assert_eq!(tallow::text::visible_line("a\nb"), "a\\nb");
/// ```
pub fn visible_line(text: &str) -> Cow<'_, str> {
    match visible(text) {
        shown if shown.contains(['\n', '\t']) => Cow::Owned(shown.replace('\n', "\\n").replace('\t', "\\t")),
        shown => shown,
    }
}

/// A path as one types it into a POSIX shell: quoted where the shell would take it for something else, and not to be
/// taken for an option.
///
/// ```
/// use std::path::Path;
/// assert_eq!(tallow::text::shell_quoted(Path::new("runs/pets")), "runs/pets");
/// assert_eq!(tallow::text::shell_quoted(Path::new("my pets; v2")), "'my pets; v2'");
/// assert_eq!(tallow::text::shell_quoted(Path::new("-pets")), "./-pets");
/// ```
pub fn shell_quoted(path: &Path) -> String {
    let path = path.display().to_string();
    let path = if path.starts_with('-') { format!("./{path}") } else { path };
    // A path has no NUL, which is all that cannot be quoted.
    shlex::try_quote(&path).map(Cow::into_owned).unwrap_or(path)
}

/// Unicode's bidirectional formatting characters, and all control characters but `\n` and `\t`.
fn is_hidden(c: char) -> bool {
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || (c.is_control() && c != '\n' && c != '\t')
}
