//! Mixed precision in the training loop.

use crate::common::assert_same_bits;
use crate::common::training::{images, learner, network, weights, written};
use candle_core::{DType, Tensor};
use std::time::Duration;
use tallow::data::{DataLoader, DataLoaders, TensorDataset};
use tallow::nn::losses::mse;
use tallow::train::{Callback, Checkpoints, Learner, Model, TrainState};
use tallow::{Error, Result};

/// Looks at what the loss and the optimizer get.
struct AllIsF32;

impl Callback for AllIsF32 {
    fn after_backward(&mut self, state: &mut TrainState) -> Result<()> {
        let grads = state.grads.as_ref().expect("there are gradients");
        let of_params = state.params.trainable().into_iter().map(|p| grads.get(p.var()).expect("a gradient").dtype());
        let mut all = of_params.chain(state.preds.as_ref().map(Tensor::dtype));
        assert!(all.all(|dtype| dtype == DType::F32));
        Ok(())
    }
}

#[test]
fn training_in_bf16_is_near_to_f32_and_another() {
    let (mut exact, mut rounded) = (learner(1, 0), learner(1, 0).to_bf16().callback(AllIsF32));
    exact.fit_one_cycle(3, 0.01).unwrap();
    rounded.fit_one_cycle(3, 0.01).unwrap();
    let (exact, rounded) = (exact.recorder().train_losses(), rounded.recorder().train_losses());
    assert_ne!(exact, rounded);
    for (exact, rounded) in exact.iter().zip(&rounded) {
        assert!((exact - rounded).abs() < 0.03 * exact, "{rounded} is far from {exact}");
    }
}

#[test]
fn validation_is_in_f32() {
    let (exact, rounded) = (learner(1, 0), learner(1, 0).to_bf16());
    assert_eq!(exact.validate().unwrap(), rounded.validate().unwrap());
}

#[test]
fn a_resumed_run_in_bf16_ends_as_one_that_was_not_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = |resume| Checkpoints { file: folder.path().join("c.safetensors"), every: Duration::ZERO, resume };
    let mut whole = learner(1, 0).to_bf16();
    whole.fit(1, 0.01).unwrap();
    whole.fit(2, 0.01).unwrap();
    learner(1, 0).to_bf16().checkpoints(checkpoints(false)).fit(1, 0.01).unwrap();
    let mut resumed = learner(1, 0).to_bf16().checkpoints(checkpoints(true));
    resumed.fit(1, 0.01).unwrap();
    resumed.fit(2, 0.01).unwrap();
    assert_same_bits("history", &written(resumed.recorder()), &written(whole.recorder()));
    assert_same_bits("weights", &weights(resumed.params()), &weights(whole.params()));
}

/// A network whose input is not of `f32`, such as the words of a text.
struct OfNumbers<M>(M);

impl<M: Model> Model for OfNumbers<M> {
    fn forward_inputs(&self, xs: &Tensor, more_xs: &[Tensor], train: bool) -> Result<Tensor> {
        self.0.forward_inputs(&xs.to_dtype(DType::F32)?, more_xs, train)
    }
}

#[test]
fn inputs_that_cannot_be_rounded_are_refused() {
    let (xs, ys) = images();
    let dataset = TensorDataset::new(&xs.to_dtype(DType::U32).unwrap(), &ys).unwrap();
    let loader = DataLoader::new(dataset, 8).unwrap();
    let (network, params) = network(1);
    let dls = DataLoaders { train: loader.clone(), valid: loader };
    let mut learner = Learner::new(dls, OfNumbers(network), &params, |preds: &Tensor, _: &Tensor| mse(preds, preds));
    learner = learner.to_bf16();
    let error = learner.fit(1, 0.01).unwrap_err();
    assert!(matches!(error, Error::Value(_)), "{error:?}");
    assert!(error.to_string().contains("of U32 on Cpu: train without it"), "{error}");
}
