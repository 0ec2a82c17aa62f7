//! Batches as figures.

use super::masks::mask_grid;
use crate::data::{Captioned, ImageLoader, SegmentationLoader, Show, Shown, ShownTable};
use crate::error::Result;
use crate::plot::{Figure, ImageGrid, TextTable};

/// Columns of a grid of images.
const COLUMNS: usize = 4;

/// The first `n` items of a loader as the network sees them, with their targets, as a figure to save or to put on a
/// page: `show_batch(&dls.train, 8)?.save("batch.png")?`. fast.ai's `show_batch`.
///
/// # Errors
/// When an item cannot be read.
pub fn show_batch(loader: &impl Show, n: usize) -> Result<Figure> {
    Ok(match loader.shown(n)? {
        Shown::Images(images) => image_grid(&images).into(),
        Shown::Table(table) => table_figure(&table),
        Shown::Masks { items, codes, void } => mask_grid(&items, COLUMNS, &codes, void)?.into(),
    })
}

/// Image number `index` of a loader in `n` epochs, which shows its augmentation. fast.ai's `show_batch(unique=True)`.
///
/// # Errors
/// When the image cannot be read.
pub fn show_augmented(loader: &ImageLoader, index: usize, n: usize) -> Result<Figure> {
    Ok(image_grid(&loader.captioned_augmented(index, n)?).into())
}

/// Columns of a table that a figure shows.
const SHOWN_COLUMNS: usize = 60;

/// Rows of a table as a figure, such as those of
/// [`TabularLearner::show_results`](crate::tabular_learner::TabularLearner::show_results). Of more than 60 columns it
/// shows the first and the last, and says so.
pub fn table_figure(ShownTable { columns, rows }: &ShownTable) -> Figure {
    let n = columns.len();
    if n <= SHOWN_COLUMNS {
        return TextTable::new("", columns, rows).into();
    }
    let kept = |cells: &Vec<String>| -> Vec<String> {
        cells.iter().take(SHOWN_COLUMNS - 1).chain(cells.last()).cloned().collect()
    };
    let title = format!("the first {} of {n} columns, and the last", SHOWN_COLUMNS - 1);
    TextTable::new(title, &kept(columns), &rows.iter().map(kept).collect::<Vec<_>>()).into()
}

/// Picture number `index` of a loader with its mask in `n` epochs: how augmentation varies both alike.
///
/// # Errors
/// When the picture or the mask cannot be read.
pub fn show_augmented_mask(loader: &SegmentationLoader, index: usize, n: usize) -> Result<Figure> {
    let dataset = loader.dataset();
    Ok(mask_grid(&loader.masked_augmented(index, n)?, COLUMNS, dataset.codes(), dataset.void())?.into())
}

fn image_grid(images: &[Captioned]) -> ImageGrid {
    images.iter().fold(ImageGrid::new("", COLUMNS), |grid, Captioned { image, caption }| {
        grid.rgb(image.width(), image.height(), image.bytes()).caption(caption)
    })
}
