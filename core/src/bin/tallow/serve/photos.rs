//! Models that tell what photos show.

use super::served::{Answer, Answered, Asked, Refused, Served, Takes, classes, failed, no_folder, unreadable};
use crate::{similar, web};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use rayon::prelude::*;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use tallow::Error;
use tallow::vision::{Image, Limits};
use tallow::vision_learner::{ImageIndex, Prediction, Predictor};

/// Similar photos that are shown.
const SHOWN: usize = 8;

/// The longer side of one, in pixels.
const SIDE: usize = 200;

pub(super) struct Photos {
    predictor: Predictor,
    limits: Limits,
    /// A folder whose photos are compared, and what the network sees in them.
    index: Option<(PathBuf, ImageIndex)>,
}

impl Photos {
    pub(super) fn new(predictor: Predictor, limits: Limits, similar: Option<&Path>) -> tallow::Result<Photos> {
        let indexed = |folder: &Path| Ok::<_, Error>((folder.to_path_buf(), similar::open(folder, &predictor)?));
        Ok(Photos { index: similar.map(indexed).transpose()?, predictor, limits })
    }

    fn json(&self, found: &Prediction, top: Option<usize>) -> Value {
        let mut json = json!({
            "class": found.class,
            "probability": found.probability,
            "labels": found.labels,
            "classes": classes(self.predictor.vocab(), &found.probabilities, top),
        });
        if let Some(strangeness) = found.strangeness {
            json["strangeness"] = strangeness.into();
            json["is_stranger"] = found.is_stranger().into();
        }
        json
    }
}

impl Served for Photos {
    fn about(&self) -> Value {
        let (network, classes) = (self.predictor.arch().name(), self.predictor.vocab());
        json!({ "kind": "photos", "network": network, "classes": classes, "similar": self.index.is_some() })
    }

    fn takes(&self) -> Takes {
        Takes::Image(self.limits)
    }

    fn predict(&self, asked: &[Asked]) -> Vec<Answered> {
        let read = |asked: &Asked| Image::decode(&asked.body.bytes, self.limits).map_err(unreadable);
        let decoded: Vec<Result<Image, Refused>> = asked.par_iter().map(read).collect();
        let (images, refused): (Vec<Option<Image>>, Vec<Option<Refused>>) = decoded.into_iter().map(apart).unzip();
        let found = self.predictor.predict_images(images.into_iter().flatten().collect());
        let mut found = found.map(Vec::into_iter);
        let answer = |(refused, asked): (Option<Refused>, &Asked)| match (refused, &mut found) {
            (Some(refused), _) => Err(refused),
            (None, Ok(found)) => {
                let found = found.next().map(|found| Answer::Json(self.json(&found, asked.top)));
                found.ok_or_else(|| failed("the network gave no prediction"))
            }
            (None, Err(error)) => Err(failed(error)),
        };
        refused.into_iter().zip(asked).map(answer).collect()
    }

    /// The image as the network sees it, with what speaks for the class in colour (Grad-CAM).
    fn explain(&self, asked: &Asked) -> Answered {
        let image = Image::decode(&asked.body.bytes, self.limits).map_err(unreadable)?;
        let prediction = self.predictor.predict_image(&image).map_err(failed)?;
        let cam = self.predictor.grad_cam(&image, prediction.index).map_err(failed)?;
        let normalization = self.predictor.tfms().normalization();
        let steps = self.predictor.tfms().explain(image).map_err(unreadable)?;
        let seen = steps.last().map(|step| step.image(normalization));
        let seen = seen.ok_or_else(|| failed("the network has no view of it"))?;
        cam.drawn_on(&seen).map(Answer::Picture).map_err(failed)
    }

    /// Names below the folder, cosines, and small pictures. Photos that are gone meanwhile have no picture.
    fn similar(&self, asked: &Asked) -> Answered {
        let (folder, index) = self.index.as_ref().ok_or_else(no_folder)?;
        let image = Image::decode(&asked.body.bytes, self.limits).map_err(unreadable)?;
        let features = self.predictor.image_features(&image).map_err(failed)?;
        let found = index.nearest(&features, asked.top.unwrap_or(SHOWN).clamp(1, SHOWN)).map_err(failed)?;
        let json = |(file, cosine): &(PathBuf, f64)| {
            let name = file.strip_prefix(folder).unwrap_or(file).display().to_string();
            let small = Image::open_with(file, self.limits).and_then(|image| web::png(&web::no_larger(&image, SIDE)?));
            json!({ "file": name, "cosine": cosine, "png": small.ok().map(|png| BASE64.encode(png)) })
        };
        Ok(Answer::Json(json!({ "images": found.par_iter().map(json).collect::<Vec<Value>>() })))
    }
}

/// A result in two parts, one of which is there.
fn apart<T, E>(result: Result<T, E>) -> (Option<T>, Option<E>) {
    match result {
        Ok(value) => (Some(value), None),
        Err(error) => (None, Some(error)),
    }
}
