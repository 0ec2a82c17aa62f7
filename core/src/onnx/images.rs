//! What the files of image networks have in common.

use super::export::OnnxOptions;
use crate::error::{Error, Result};
use crate::rng::Rng;
use crate::vision::{Compose, Image, Normalize, Transform};
use candle_core::{Device, Tensor};
use std::collections::BTreeMap;

/// The height and width of the images that a file takes.
///
/// # Errors
/// When none are given and the transforms make different ones of different photos.
pub(crate) fn size_of_images(tfms: &Compose, given: Option<[usize; 2]>) -> Result<[usize; 2]> {
    if let Some(size) = given {
        if size.contains(&0) {
            return Err(Error::config("size", format!("images need a height and a width, got {size:?}")));
        }
        return Ok(size);
    }
    // A photo in landscape format, and one in portrait format.
    let sizes = [(400, 300), (300, 500)].map(|(width, height)| {
        let (_, h, w) = tfms.tensor(Image::new(width, height, vec![0; 3 * width * height])?)?.dims3()?;
        Ok::<_, Error>([h, w])
    });
    let [one, other] = sizes;
    match (one?, other?) {
        (one, other) if one == other => Ok(one),
        _ => Err(Error::config("size", "the model takes images of any size: say for which size the file is to be")),
    }
}

/// What a graph of pixels does to values between 0 and 1.
pub(crate) fn normalization(tfms: &Compose) -> Normalize {
    tfms.normalization().unwrap_or(Normalize { mean: [0.0; 3], std: [1.0; 3] })
}

/// Numbers like those of images that were normalised.
pub(crate) fn random_images(n: usize, [h, w]: [usize; 2], rng: &mut Rng, device: &Device) -> Result<Tensor> {
    let values: Vec<f32> = (0..n * 3 * h * w).map(|_| rng.normal() as f32).collect();
    Ok(Tensor::from_vec(values, (n, 3, h, w), device)?)
}

/// The notes of a file that takes images.
///
/// # Errors
/// When they cannot be written as JSON.
pub(crate) fn image_notes(
    task: &str,
    tfms: &Compose,
    [h, w]: [usize; 2],
    options: &OnnxOptions,
    classes: &[String],
) -> Result<BTreeMap<String, String>> {
    let json =
        |value: serde_json::Result<String>| value.map_err(|e| Error::Value(format!("a note cannot be written: {e}")));
    // What the graph does itself is not the caller's work.
    let kept = |transform: &&Transform| !(options.pixels && matches!(transform, Transform::Normalize(_)));
    let transforms: Vec<&Transform> = tfms.transforms().iter().filter(kept).collect();
    let mut steps = vec!["decode to 8-bit RGB and apply the EXIF orientation".to_string()];
    steps.extend(transforms.iter().map(|transform| transform.to_string()));
    steps.push(match options.pixels {
        true => format!("bytes from 0 to 255, shape [N, {h}, {w}, 3]"),
        false => format!("channels first, shape [N, 3, {h}, {w}]"),
    });
    let notes = [
        ("task", task.to_string()),
        ("classes", json(serde_json::to_string(classes))?),
        ("preprocessing", steps.join("; ")),
        ("transforms", json(serde_json::to_string(&transforms))?),
    ];
    Ok(notes.into_iter().map(|(key, value)| (key.to_string(), value)).collect())
}
