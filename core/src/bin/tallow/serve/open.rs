//! Models of every kind, as they are served.

use super::served::Served;
use super::{masks, photos, ratings, rows, texts};
use crate::model;
use std::path::Path;
use tallow::vision::Limits;
use tallow::{Result, device};

/// Reads a model of any kind. A model of photos takes the folder in which it is to look for similar ones.
pub(super) fn open(
    folder: &Path,
    device: &str,
    limits: Limits,
    similar: &mut Option<&Path>,
) -> Result<Box<dyn Served>> {
    let inside = model::folder(folder);
    let device_of = device::parse(device)?;
    Ok(match model::kind(&inside).as_deref() {
        Some("image_segmenter") => Box::new(masks::Masks::open(&inside, &device_of, limits)?),
        Some("tabular") => Box::new(rows::Rows::open(&inside, &device_of)?),
        Some("text_classifier" | "transformer_classifier") => Box::new(texts::Texts::open(&inside, &device_of)?),
        Some("collab") => Box::new(ratings::Ratings::open(&inside, &device_of)?),
        _ => Box::new(photos::Photos::new(model::open(folder, device)?, limits, similar.take())?),
    })
}
