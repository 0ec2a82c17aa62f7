//! Models that tell what photos show.

use super::served::{Answer, Answered, Asked, Body, Refused, Served, check_image, classes, failed, unreadable};
use rayon::prelude::*;
use serde_json::{Value, json};
use tallow::vision::{Image, Limits};
use tallow::vision_learner::{Prediction, Predictor};

pub(super) struct Photos {
    predictor: Predictor,
    limits: Limits,
}

impl Photos {
    pub(super) fn new(predictor: Predictor, limits: Limits) -> Photos {
        Photos { predictor, limits }
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
        json!({ "kind": "photos", "network": self.predictor.arch().name(), "classes": self.predictor.vocab() })
    }

    fn takes(&self) -> &'static str {
        "an image as the body, or as the field `image` of a form"
    }

    fn is_taken(&self, kind: &str) -> bool {
        kind.starts_with("image/") || kind == "multipart/form-data"
    }

    fn check(&self, body: &Body) -> Result<(), Refused> {
        check_image(body, &self.limits)
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
}

/// A result in two parts, one of which is there.
fn apart<T, E>(result: Result<T, E>) -> (Option<T>, Option<E>) {
    match result {
        Ok(value) => (Some(value), None),
        Err(error) => (None, Some(error)),
    }
}
