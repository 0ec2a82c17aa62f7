//! Masks in colours over their pictures.

use crate::data::Masked;
use crate::error::Result;
use crate::plot::{Figure, ImageGrid};
use crate::vision::{Image, Mask, class_colours};
use std::collections::BTreeSet;

/// How much of a mask's colour lies over a picture.
const OPACITY: f64 = 0.6;

/// A picture with what its pixels show, and what a network took them for.
#[derive(Debug, Clone)]
pub struct MaskResult {
    /// The picture.
    pub image: Image,
    /// What its pixels show.
    pub target: Mask,
    /// What they were taken for.
    pub predicted: Mask,
    /// What is written under the picture, such as the name of its file.
    pub caption: String,
}

impl MaskResult {
    /// The share of the pixels that were recognised; those of the class `void` do not count. None if no pixel does.
    pub fn accuracy(&self, void: Option<u32>) -> Option<f64> {
        let pixels = self.target.values().iter().zip(self.predicted.values());
        let counting = pixels.filter(|(target, _)| void != Some(u32::from(**target)));
        let (n, right) = counting.fold((0u64, 0u64), |(n, right), (a, b)| (n + 1, right + u64::from(a == b)));
        (n > 0).then(|| right as f64 / n as f64)
    }
}

/// Rows of picture, target and prediction, with a legend of the classes that occur; `void` is grey. fast.ai's
/// `show_results` for masks.
///
/// # Errors
/// When a mask has another size than its picture.
pub fn show_masks(title: &str, results: &[MaskResult], codes: &[String], void: Option<u32>) -> Result<Figure> {
    let colours = class_colours(codes.len(), void);
    let largest = results.iter().map(|result| result.image.width().max(result.image.height())).max();
    let times = ROW_IMAGE / largest.unwrap_or(1).max(1) as f64;
    // Half steps keep the pixels of one image equally large, since a PNG has two to a page unit.
    let mut grid = ImageGrid::new(title, 3).magnify(if times > 1.0 { (2.0 * times).floor() / 2.0 } else { times });
    for result in results {
        let over = |mask: &Mask| result.image.overlay(mask, &colours, OPACITY);
        let right = match result.accuracy(void) {
            Some(share) => format!("prediction: {:.1} % right", share * 100.0),
            None => "prediction".into(),
        };
        grid = add(grid, &result.image).caption(&result.caption);
        grid = add(grid, &over(&result.target)?).caption("target");
        grid = add(grid, &over(&result.predicted)?).caption(right);
    }
    let masks = results.iter().flat_map(|result| [&result.target, &result.predicted]);
    Ok(with_legend(grid, masks, codes, &colours).into())
}

/// Pictures with their masks over them.
pub(super) fn mask_grid(items: &[Masked], columns: usize, codes: &[String], void: Option<u32>) -> Result<ImageGrid> {
    let colours = class_colours(codes.len(), void);
    let mut grid = ImageGrid::new("", columns);
    for Masked { image, mask } in items {
        grid = add(grid, &image.overlay(mask, &colours, OPACITY)?);
    }
    Ok(with_legend(grid, items.iter().map(|item| &item.mask), codes, &colours))
}

fn add(grid: ImageGrid, image: &Image) -> ImageGrid {
    grid.rgb(image.width(), image.height(), image.bytes())
}

/// The grid with the names of the classes that are in these masks.
fn with_legend<'a>(
    grid: ImageGrid,
    masks: impl Iterator<Item = &'a Mask>,
    codes: &[String],
    colours: &[[u8; 3]],
) -> ImageGrid {
    let present: BTreeSet<u16> = masks.flat_map(|mask| mask.values().iter().copied()).collect();
    let named = codes.iter().zip(colours).enumerate().filter(|(class, _)| present.contains(&(*class as u16)));
    named.fold(grid, |grid, (_, (name, &colour))| grid.colour(name, colour))
}

/// The longer side of an image in a row of three, in page units.
const ROW_IMAGE: f64 = 240.0;
