//! Ratings: who rated what, and how, from a CSV file to batches.

mod block;
mod columns;
mod dataset;
mod ids;
mod known;
mod loaders;

pub use block::RatingsBlock;
pub(crate) use block::check_range;
pub use dataset::{Rating, RatingsDataset};
pub use ids::IdVocab;
pub use known::{DrawnRatings, KnownRatings};
pub use loaders::{CollabDataLoaders, RatingLoader};
