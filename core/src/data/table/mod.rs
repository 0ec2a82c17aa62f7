//! Tables: from a CSV file to batches of categories and numbers.

mod block;
mod cells;
mod dataset;
mod date;
mod guess;
mod loaders;
mod near;
mod procs;
mod sides;
#[allow(clippy::module_inception)]
mod table;
mod table_row;
mod target;

pub use block::TableBlock;
pub use dataset::TableDataset;
pub use loaders::{TableLoader, TabularDataLoaders};
pub use procs::{CategoryColumn, EncodedRows, NA, NumberColumn, TableProcs};
pub(super) use sides::{Sides, Splitting};
pub use table::Table;
pub use table_row::TableRow;
pub use target::{NumberTarget, TableTarget, TargetKind, TargetValues};
