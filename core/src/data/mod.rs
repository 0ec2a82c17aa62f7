//! Data: from files to batches.
//!
//! A [`Dataset`] has items, a [`DataLoader`] makes batches of them, and [`DataBlock`] describes how files become both
//! (fast.ai's data block API). The items of an epoch, and their random transforms, depend on the seed only, not on the
//! number of workers.
//!
//! ```
//! use tallow::candle::{Device, Tensor};
//! use tallow::data::{DataLoader, RandomSplitter, TensorDataset, Vocab, parent_label};
//! # fn main() -> tallow::Result<()> {
//! // fast.ai's `parent_label` and `CategoryMap`: classes are sorted
//! let label = parent_label("train/seven/10.png".as_ref())?;
//! assert_eq!(Vocab::new(["three", "seven", "three"]).index(&label)?, 0);
//! // fast.ai's `RandomSplitter`: ⌊0.25 · 10⌋ items for validation
//! let split = RandomSplitter { valid: 0.25, seed: 42 }.split(10)?;
//! assert_eq!((split.train.len(), split.valid.len()), (8, 2));
//! // PyTorch's `TensorDataset` and `DataLoader(batch_size=2)`
//! let xs = Tensor::new(&[[1f32], [2.], [3.]], &Device::Cpu)?;
//! let loader = DataLoader::new(TensorDataset::new(&xs, &xs)?, 2)?;
//! let batches = loader.epoch(0).collect::<tallow::Result<Vec<_>>>()?;
//! assert_eq!(batches[0].xs.to_vec2::<f32>()?, [[1.0], [2.0]]);
//! assert_eq!(batches[1].xs.to_vec2::<f32>()?, [[3.0]]);
//! # Ok(())
//! # }
//! ```

mod balance;
mod block;
mod codes;
mod collect;
mod csv_text;
mod dataset;
mod duplicates;
mod encoding;
mod file_entries;
mod file_warnings;
mod find;
mod folders;
mod image_dataset;
mod image_files;
mod image_folder;
mod image_loaders;
mod inspect;
mod label;
mod label_table;
mod labelled;
mod layout;
mod loader;
mod mask_block;
mod mask_dataset;
mod mask_label;
mod mask_loaders;
pub mod mnist;
mod order;
mod ratings;
mod sampler;
mod show;
mod split;
mod table;
mod targets;
mod tensor_dataset;
mod texts;

pub use balance::{class_weights, read_class_weights, sample_weights, warnings};
pub use block::{CategoryBlock, DataBlock, ImageBlock, MultiCategoryBlock, TargetBlock};
pub use codes::read_codes;
pub use dataset::{Batch, Dataset};
pub use duplicates::{Duplicate, duplicates_across, duplicates_of, equal_files, find_duplicates};
pub use encoding::Encoding;
pub use file_warnings::file_warnings;
pub use find::{FoundImages, PassedOver, PassedOverReason, find_images};
pub use folders::{LinkMode, make_train_valid};
pub use image_dataset::{BadFiles, ImageDataset};
pub use image_files::{BadFile, Resized, empty_folders, image_files, resize_images, verify_images};
pub use image_folder::{ImageFolder, Pixels, read_image};
pub use image_loaders::{ImageDataLoaders, ImageLoader};
pub use inspect::{ImageFacts, files_with_pages, inspect_images};
pub use label::{Vocab, name_label, parent_label, path_label, regex_label};
pub use label_table::{LabelTable, TableColumns};
pub use labelled::{LabelledImage, LabelledImages, SidesColumn};
pub use layout::{FolderLayout, Placed, Side};
pub use loader::{Batches, DataLoader, DataLoaders, Throughput};
pub use mask_block::MaskBlock;
pub use mask_dataset::SegmentationDataset;
pub use mask_label::{mask_beside, mask_in};
pub use mask_loaders::{SegmentationDataLoaders, SegmentationLoader};
pub(crate) use ratings::check_range;
pub use ratings::{
    CollabDataLoaders, DrawnRatings, IdVocab, KnownRatings, Rating, RatingLoader, RatingsBlock, RatingsDataset,
};
pub use show::{Captioned, Masked, Show, Shown, ShownTable};
pub use split::{
    EveryClassSplitter, FileNameSplitter, FnSplitter, GrandparentSplitter, GroupSplitter, KFold, RandomSplitter, Split,
    Splitter, StratifiedSplitter,
};
pub use table::{
    CategoryColumn, EncodedRows, NA, NumberColumn, NumberTarget, Table, TableBlock, TableDataset, TableLoader,
    TableProcs, TableRow, TableTarget, TabularDataLoaders, TargetKind, TargetValues,
};
pub use tallow_datasets::DataFolder;
pub use targets::Targets;
pub use tensor_dataset::TensorDataset;
pub use texts::{
    LanguageModelDataLoaders, LanguageModelLoader, StreamDataset, TextBlock, TextDataLoaders, TextDataset, TextLoader,
    TextProcs, pad_chunks,
};
