//! Drawings in colour with an alpha channel: 335 of them in six classes, up to 160 pixels wide and high.
//!
//! They are of Debian's package `openclipart-png` 0.18, whose authors gave them to the public domain. The classes are
//! the collection's folders, and some drawings are in the wrong one, a pie among the fruit: real label noise.

use include_dir::{Dir, include_dir};

/// A drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drawing {
    /// `bird`, `bug`, `flower`, `fruit`, `mammal` or `vehicle`.
    pub class: &'static str,
    /// The file's name.
    pub name: &'static str,
    /// The file: WebP, red, green, blue and alpha.
    pub bytes: &'static [u8],
}

/// All drawings, by class and name. Embedded in the program.
pub fn all() -> Vec<Drawing> {
    static FOLDER: Dir = include_dir!("$CARGO_MANIFEST_DIR/embedded/drawings");
    let name = |path: &'static std::path::Path| path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let drawings = |class: &'static Dir| {
        class.files().map(|file| Drawing { class: name(class.path()), name: name(file.path()), bytes: file.contents() })
    };
    let mut all: Vec<Drawing> = FOLDER.dirs().flat_map(drawings).collect();
    all.sort_by_key(|drawing| (drawing.class, drawing.name));
    all
}
