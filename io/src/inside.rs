//! Paths inside of a folder that others may have prepared.

use std::fs;
use std::path::{Path, PathBuf};

/// The first folder between `root` and the file `inside` of it that is a link: what is written or removed there would
/// be somewhere else. `root` itself may be one.
pub fn link_on_the_way(root: impl AsRef<Path>, inside: impl AsRef<Path>) -> Option<PathBuf> {
    let mut path = root.as_ref().to_path_buf();
    let mut parts = inside.as_ref().components().peekable();
    while let Some(part) = parts.next() {
        path.push(part);
        if parts.peek().is_some() && fs::symlink_metadata(&path).is_ok_and(|found| found.is_symlink()) {
            return Some(path);
        }
    }
    None
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_found_wherever_it_is() {
        let root = std::env::temp_dir().join(format!("tallow-inside-{}", std::process::id()));
        fs::create_dir_all(root.join("a/b")).unwrap();
        std::os::unix::fs::symlink("b", root.join("a/c")).unwrap();
        assert_eq!(link_on_the_way(&root, "a/b/file"), None);
        assert_eq!(link_on_the_way(&root, "a/c/deep/file"), Some(root.join("a/c")));
        assert_eq!(link_on_the_way(&root, "a/c"), None, "the file itself may be one: it is replaced");
        fs::remove_dir_all(&root).unwrap();
    }
}
