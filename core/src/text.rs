//! Text that comes from outside: names of files, folders and classes, answers of servers.

use std::borrow::Cow;
use std::path::Path;

pub use tallow_io::text::{visible, visible_json, visible_line};

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
