//! Models that tell the class of each pixel of a photo.

use super::served::{Answer, Answered, Asked, Refused, Served, Takes, failed, unreadable};
use serde_json::{Value, json};
use std::path::Path;
use tallow::Error;
use tallow::unet_learner::{SegmentationPrediction, Segmenter, load_segmenter_on};
use tallow::vision::{Image, Limits, class_colours};

/// How much of the classes' colours lies over a photo.
const OPACITY: f64 = 0.5;

pub(super) struct Masks {
    segmenter: Segmenter,
    limits: Limits,
}

impl Masks {
    pub(super) fn open(folder: &Path, device: &candle_core::Device, limits: Limits) -> tallow::Result<Masks> {
        Ok(Masks { segmenter: load_segmenter_on(folder, device)?, limits })
    }

    fn segmented(&self, asked: &Asked) -> Result<(Image, SegmentationPrediction), Refused> {
        let picture = Image::decode(&asked.body.bytes, self.limits).map_err(unreadable)?;
        // A picture that comes to the network too large is the client's affair.
        let refused = |error| if matches!(error, Error::Value(_)) { unreadable(error) } else { failed(error) };
        let prediction = self.segmenter.predict_image(&picture).map_err(refused)?;
        Ok((picture, prediction))
    }
}

impl Served for Masks {
    fn about(&self) -> Value {
        let codes = self.segmenter.codes();
        let hex = |[r, g, b]: [u8; 3]| format!("#{r:02x}{g:02x}{b:02x}");
        let colours: Vec<String> = class_colours(codes.len(), self.segmenter.void()).into_iter().map(hex).collect();
        json!({ "kind": "masks", "network": self.segmenter.arch().name(), "classes": codes, "colours": colours })
    }

    fn takes(&self) -> Takes {
        Takes::Image(self.limits)
    }

    fn predict(&self, asked: &[Asked]) -> Vec<Answered> {
        // A photo at its own size fills the cores by itself.
        let answer = |asked: &Asked| {
            let (_, prediction) = self.segmented(asked)?;
            let class = |(class, share): (&str, f64)| json!({ "class": class, "share": share });
            let classes: Value =
                prediction.largest().into_iter().take(asked.top.unwrap_or(usize::MAX)).map(class).collect();
            let (width, height) = (prediction.mask.width(), prediction.mask.height());
            Ok(Answer::Json(json!({ "width": width, "height": height, "classes": classes })))
        };
        asked.iter().map(answer).collect()
    }

    /// The photo with the classes over it.
    fn explain(&self, asked: &Asked) -> Answered {
        let (picture, prediction) = self.segmented(asked)?;
        prediction.overlay(&picture, OPACITY).map(Answer::Picture).map_err(failed)
    }

    fn mask(&self, asked: &Asked) -> Answered {
        let (_, prediction) = self.segmented(asked)?;
        prediction.mask.to_png(self.segmenter.void()).map(Answer::Png).map_err(failed)
    }
}
