//! From files to batches.

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
pub use labelled::{LabelledImage, LabelledImages};
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
