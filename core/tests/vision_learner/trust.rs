//! Calibrated probabilities, and images unlike any in training.

use crate::{learner, stripes};
use tallow::interpret::Interpretation;
use tallow::vision::Image;
use tallow::vision_learner::load_learner;

#[test]
fn temperature_and_remembered_images_travel_with_the_model() {
    let folder = tempfile::tempdir().unwrap();
    let mut learner = learner(&stripes(folder.path()));
    let file = learner.image_dls().valid.files()[0].clone();
    let before = learner.predictor().predict_file(&file).unwrap();
    assert_eq!((before.strangeness, before.is_stranger(), learner.temperature()), (None, false, None));
    assert!(learner.set_temperature(0.0).is_err() && learner.set_temperature(f64::NAN).is_err());
    learner.set_temperature(4.0).unwrap();
    learner.remember_images().unwrap();
    let model = folder.path().join("model");
    learner.export(&model).unwrap();
    let loaded = load_learner(&model).unwrap();
    assert_eq!((loaded.temperature(), loaded.knows_strangers()), (Some(4.0), true));
    let after = loaded.predict_file(&file).unwrap();
    assert_eq!(after, learner.predictor().predict_file(&file).unwrap());
    // The softmax of a quarter of the scores: the fourth root of the odds.
    let odds = |p: &[f64]| p[0] / p[1];
    let (a, b) = (odds(&before.probabilities).powf(0.25), odds(&after.probabilities));
    assert!((a / b - 1.0).abs() < 1e-6 && after.class == before.class, "{a} {b}");
    // A photo of the training set is where training photos are; noise in colours is not.
    let known = loaded.predict_file(&learner.image_dls().train.files()[0]).unwrap();
    let noise = |x: usize, y: usize| [(x * 97 + y * 31) as u8, (x * 13 + y * 211) as u8, (x * y * 7) as u8];
    let strange = loaded.predict_image(&Image::from_fn(80, 80, noise).unwrap()).unwrap();
    assert!(!known.is_stranger() && strange.is_stranger(), "{:?} {:?}", known.strangeness, strange.strangeness);

    // A model whose tensor was lost says so.
    let notes = std::fs::read_to_string(model.join("learner.json")).unwrap();
    assert!(notes.contains("\"strangers\""));
    let odd = notes.replace("\"k\": 1", "\"k\": 1000");
    assert_ne!(odd, notes);
    std::fs::write(model.join("learner.json"), odd).unwrap();
    assert!(load_learner(&model).err().unwrap().to_string().contains("strangers.features"));
}

#[test]
fn calibration_is_judged_on_items_that_it_has_not_seen() {
    // A network that is always 99 per cent sure and right three times out of four.
    let rows: Vec<Vec<f64>> = (0..400).map(|_| vec![0.99, 0.01]).collect();
    let labels: Vec<u32> = (0..400).map(|i| u32::from(i % 4 == 0)).collect();
    let judged = Interpretation::from_probabilities(&rows, &labels, &["a", "b"]).unwrap();
    let calibration = judged.calibration().unwrap();
    assert!(calibration.helps() && (calibration.ece_before - 0.24).abs() < 1e-9, "{calibration:?}");
    assert!(calibration.ece_after < 0.01 && calibration.log_loss_after < calibration.log_loss_before);
    let set_right = judged.at_temperature(calibration.temperature).unwrap();
    assert!((set_right.probabilities(0)[0] - 0.75).abs() < 0.01, "{:?}", set_right.probabilities(0));
    assert_eq!(set_right.predicted(), judged.predicted());
    assert!(judged.plot_reliability(&calibration).is_ok());
    // Four mistakes in sixteen are too few to learn from, whatever they say.
    let some = Interpretation::from_probabilities(&rows[..16], &labels[..16], &["a", "b"]).unwrap();
    let some = some.calibration().unwrap();
    assert!(some.n_mistakes == 4 && !some.is_informed() && !some.helps());
    let few = Interpretation::from_probabilities(&rows[..3], &labels[..3], &["a", "b"]).unwrap();
    assert!(few.calibration().unwrap_err().to_string().contains("4 or more"));
}
