//! From files to batches.

mod balance;
mod block;
mod folders;
mod image_dataset;
mod image_files;
mod image_folder;
mod image_loaders;
mod label;
mod loader;
pub mod mnist;
mod split;

pub use balance::{class_weights, warnings};
pub use block::DataBlock;
pub use folders::{LinkMode, make_train_valid};
pub use image_dataset::{BadFiles, ImageDataset};
pub use image_files::{BadFile, Resized, empty_folders, image_files, resize_images, verify_images};
pub use image_folder::{ImageFolder, Pixels, read_image};
pub use image_loaders::{Captioned, ImageDataLoaders, ImageLoader};
pub use label::{Vocab, name_label, parent_label, regex_label};
pub use loader::{Batch, Batches, DataLoader, DataLoaders, Dataset, TensorDataset, Throughput};
pub use split::{
    FileNameSplitter, FnSplitter, GrandparentSplitter, RandomSplitter, Split, Splitter, StratifiedSplitter,
};
