//! Cleaning a folder of photos by a model: find what is probably wrong, decide, apply, and undo.
//!
//! The best way to find bad data is to train a model on them and to look at what it gets wrong. [`Cleaner`] reads a
//! folder with a subfolder for each class, says of each photo how well its label fits the others ([`Photo`]), and lists
//! what is probably wrong with a reason for each ([`Finding`]): labels that confident learning doubts, copies, photos
//! in two classes or on both sides of the split, blank, tiny and odd ones. It is what fast.ai's
//! `ImageClassifierCleaner` is there for, without a notebook.
//!
//! Nothing on disk changes until [`Cleaner::apply`]. What is deleted goes to a hidden folder inside of the photos'
//! folder, beside a list of all moves that is written before the first of them, so that [`undo`] restores everything,
//! also after a crash in the middle.
//!
//! ```no_run
//! use tallow::clean::{Cleaner, Problem};
//! # fn main() -> tallow::Result<()> {
//! let predictor = tallow::vision_learner::load_learner("pets/model")?;
//! let mut cleaner = Cleaner::open("photos")?;
//! cleaner.judge(&predictor)?;
//! for finding in cleaner.findings().iter().filter(|finding| finding.problem == Problem::Label) {
//!     println!("{}", finding.words);
//! }
//! cleaner.relabel("photos/cat/rex.jpg", "dog")?;
//! cleaner.delete("photos/dog/menu.png")?;
//! println!("{} moves", cleaner.apply()?);
//! println!("{} moves undone", tallow::clean::undo("photos")?);
//! # Ok(())
//! # }
//! ```

mod cleaner;
mod finding;
mod judge;
mod plan;
mod trash;

pub use cleaner::{Cleaner, Judged, Photo};
pub use finding::{Finding, Problem};
pub use judge::nearest;
pub use plan::Change;
pub use trash::undo;
