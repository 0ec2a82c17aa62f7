//! The code of a chapter on its page, cut from the sources that were compiled.
//!
//! Reading order: `tokens` splits Rust into tokens, `items` finds functions and their statements, `cells` puts
//! statements between the results that they led to, and `highlight` makes HTML of them.

mod cells;
mod highlight;
mod items;
mod tokens;

pub(super) use cells::{Piece, interleave};
pub(super) use highlight::{cell, folded};

/// A source file of a chapter, as it was compiled: [`sources!`](crate::sources) makes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// The file that names this one, by its path from the root of the workspace, as the compiler calls it.
    pub beside: &'static str,
    /// The file's name.
    pub name: &'static str,
    /// Its contents.
    pub text: &'static str,
}

impl Source {
    /// The file's path, as the compiler calls it.
    fn path(&self) -> String {
        match self.beside.rfind(['/', '\\']) {
            Some(end) => format!("{}{}", &self.beside[..=end], self.name),
            None => String::from(self.name),
        }
    }
}

/// The named source files, which lie beside the file that says this, for the page of a chapter:
///
/// ```ignore
/// const CHAPTER: Chapter = Chapter { name: "ch04_mnist", title: "…", sources: tallow::sources!["lib.rs", "loss.rs"] };
/// ```
#[macro_export]
macro_rules! sources {
    ($($name:literal),* $(,)?) => {
        &[$($crate::report::Source { beside: file!(), name: $name, text: include_str!($name) }),*]
    };
}
