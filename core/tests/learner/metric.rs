//! Metrics that are not means over batches.

use crate::common::{assert_close, values};
use crate::{images, loaders, network};
use candle_core::{D, DType, Tensor};
use tallow::metrics::{self, Averaging, Confusion};
use tallow::nn::losses::cross_entropy;
use tallow::train::{Learner, Metric, f1_score, precision, recall, roc_auc, top_k_accuracy};

#[test]
fn they_are_computed_from_all_predictions_at_once() {
    let (network, params) = network(1);
    let all = [precision(), recall(), f1_score(), roc_auc(), top_k_accuracy(2)];
    let mut learner = Learner::new(loaders(1, 0), network, &params, cross_entropy).metrics(all);
    learner.fit(1, 0.01).unwrap();
    let (xs, ys) = images();
    let scores = learner.predict(&xs).unwrap();
    let labels: Vec<u32> = ys.to_vec1().unwrap();
    let predicted: Vec<u32> = scores.argmax(D::Minus1).unwrap().to_vec1().unwrap();
    let average = Confusion::new(3, &predicted, &labels).unwrap().average(Averaging::Macro);
    let probabilities = values(&candle_nn::ops::softmax(&scores.to_dtype(DType::F64).unwrap(), 1).unwrap());
    let want = [
        average.precision,
        average.recall,
        average.f1,
        metrics::roc_auc_ovr(&probabilities, 3, &labels).unwrap(),
        metrics::top_k_accuracy(&values(&scores), 3, &labels, 2).unwrap(),
    ];
    assert_close("validate", &learner.validate().unwrap().1, &want, 1e-6);
    assert_eq!(learner.recorder().metric_names, ["precision", "recall", "f1_score", "roc_auc", "top_2_accuracy"]);
    assert_close("recorded", &learner.recorder().rows[0].metrics, &want, 1e-6);
    // A mean over the batches would be something else.
    let batchwise = Metric::new("batchwise", |preds: &Tensor, ys: &Tensor| precision().of(preds, ys));
    let means = learner.metrics([batchwise]).validate().unwrap().1;
    assert!((means[0] - want[0]).abs() > 1e-3, "{means:?} {want:?}");
}

#[test]
fn the_area_of_two_classes_is_that_of_the_second() {
    // roc_auc_score([0, 0, 1, 1], [.1, .4, .35, .8]) = 0.75; logits of these probabilities
    let p = [0.1f64, 0.4, 0.35, 0.8];
    let logits: Vec<f64> = p.iter().flat_map(|p| [0.3, 0.3 + (p / (1.0 - p)).ln()]).collect();
    let logits = Tensor::from_vec(logits, (4, 2), &candle_core::Device::Cpu).unwrap();
    let labels = Tensor::new(&[0u32, 0, 1, 1], logits.device()).unwrap();
    assert_close("area", &[roc_auc().of(&logits, &labels).unwrap()], &[0.75], 1e-12);
    let one_class = Tensor::new(&[1u32, 1, 1, 1], logits.device()).unwrap();
    assert!(roc_auc().of(&logits, &one_class).unwrap_err().to_string().contains("0 samples of class 0"));
}
