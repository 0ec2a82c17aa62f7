//! From files to batches.

mod image_folder;
mod label;
mod loader;
pub mod mnist;
mod split;

pub use image_folder::{ImageFolder, Pixels, image_files, read_image};
pub use label::{Vocab, name_label, parent_label};
pub use loader::{Batch, Batches, DataLoader, DataLoaders, Dataset, TensorDataset};
pub use split::{GrandparentSplitter, RandomSplitter, Split};
