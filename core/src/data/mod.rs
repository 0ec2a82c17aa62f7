//! From files to batches.

mod balance;
mod block;
mod dataset;
mod folders;
mod image_dataset;
mod image_files;
mod image_folder;
mod image_loaders;
mod label;
mod loader;
pub mod mnist;
mod sampler;
mod show;
mod split;
mod tensor_dataset;

pub use balance::{class_weights, read_class_weights, sample_weights, warnings};
pub use block::{CategoryBlock, DataBlock, ImageBlock};
pub use dataset::{Batch, Dataset};
pub use folders::{LinkMode, make_train_valid};
pub use image_dataset::{BadFiles, ImageDataset};
pub use image_files::{BadFile, Resized, empty_folders, image_files, resize_images, verify_images};
pub use image_folder::{ImageFolder, Pixels, read_image};
pub use image_loaders::{ImageDataLoaders, ImageLoader};
pub use label::{Vocab, name_label, parent_label, regex_label};
pub use loader::{Batches, DataLoader, DataLoaders, Throughput};
pub use show::{Captioned, Show, Shown};
pub use split::{
    FileNameSplitter, FnSplitter, GrandparentSplitter, RandomSplitter, Split, Splitter, StratifiedSplitter,
};
pub use tallow_datasets::DataFolder;
pub use tensor_dataset::TensorDataset;
