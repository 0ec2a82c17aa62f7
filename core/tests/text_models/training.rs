//! Steps of training as fast.ai takes them: one cycle, its momenta, weight decay, groups, penalties.

use super::classifier::{classifier, texts};
use super::*;
use crate::common::params;
use std::sync::Arc;
use tallow::data::{Batch, DataLoader, DataLoaders, Dataset};
use tallow::models::LanguageModel;
use tallow::nn::{Module, losses};
use tallow::optim::{Adam, slice};
use tallow::rng::Rng;
use tallow::text_learner::{ModelResetter, RnnRegularizer};
use tallow::train::Learner;

/// Losses and parameters after three steps.
const STEPS: f64 = 1e-3;

/// Batches that are there already: an item is a whole one.
struct Whole(Vec<(Tensor, Tensor)>);

impl Dataset for Whole {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn item(&self, index: usize, _: &mut Rng) -> tallow::Result<(Tensor, Tensor)> {
        Ok(self.0[index].clone())
    }

    fn batch(&self, indices: &[usize], _: &Rng) -> tallow::Result<Batch> {
        let (xs, ys) = self.0[indices[0]].clone();
        Ok(Batch::new(xs, ys))
    }
}

fn loaders(batches: &[(Tensor, Tensor)]) -> DataLoaders {
    let loader = || DataLoader::new(Whole(batches.to_vec()), 1).unwrap();
    DataLoaders { train: loader(), valid: loader() }
}

fn check(what: &str, learner: &Learner, model: &dyn Module, batch: &(Tensor, Tensor), json: &Value) {
    let steps = json["steps"].as_array().unwrap();
    let losses_of = |training: bool| {
        let rows = steps.iter().filter(move |row| row["training"] == training);
        rows.map(|row| number(&row["loss"])).collect::<Vec<f64>>()
    };
    assert_close(&format!("losses of {what}"), &learner.recorder().losses, &losses_of(true), STEPS);
    let valid = losses_of(false);
    let mean = valid.iter().sum::<f64>() / valid.len() as f64;
    assert_close(&format!("validation of {what}"), &[learner.recorder().rows[0].valid_loss], &[mean], STEPS);
    for (name, want) in json["parameters_after"].as_object().unwrap() {
        assert_brief(&format!("{name} after {what}"), learner.params().get(name).unwrap().var(), want, STEPS);
    }
    let loss = losses::cross_entropy_of_each(&model.forward(&batch.0, false).unwrap(), &batch.1).unwrap();
    assert_close(what, &values(&loss), &[number(&json["loss_on_first_batch_after_in_eval_mode"])], STEPS);
}

#[test]
fn a_language_model_trains_as_fastais() {
    let json = &reference()["small_training"];
    let pairs = json["inputs"].as_array().unwrap().iter().zip(json["targets"].as_array().unwrap());
    let batches: Vec<(Tensor, Tensor)> = pairs.map(|(x, y)| (ids(x), ids(y))).collect();
    for (name, want) in json["lm"].as_object().unwrap() {
        let store = params(1);
        let model = Arc::new(LanguageModel::new(50, &small(), &store).unwrap());
        model.split_groups(&store).unwrap();
        fill(&store);
        let outputs = model.clone();
        let mut adam = Adam::fastai();
        if name.contains("wd.1") {
            adam.wd = 0.1;
        }
        let mut learner = Learner::new(loaders(&batches), model.clone(), &store, losses::cross_entropy_of_each)
            .opt(adam)
            .moms(0.8, 0.7, 0.8)
            .callback(ModelResetter(model.clone()))
            .callback(RnnRegularizer::new(2.0, 1.0, move || outputs.take_outputs()));
        match name.as_str() {
            "fit_1_lr.01_constant" => learner.fit(1, 1e-2).unwrap(),
            "fit_one_cycle_1_slice_1e-4_1e-2" => learner.fit_one_cycle(1, slice(1e-4, 1e-2)).unwrap(),
            _ => learner.fit_one_cycle(1, 1e-2).unwrap(),
        }
        model.reset();
        check(name, &learner, &*model, &batches[0], want);
    }
}

#[test]
fn a_classifier_trains_as_fastais() {
    let json = &reference()["classifier_small"]["training"];
    let x = texts(&[150, 73, 72, 3]);
    let labels = |labels: [u32; 4]| Tensor::new(&labels, &Device::Cpu).unwrap();
    let (y, other) = (labels([0, 1, 0, 1]), labels([1, 0, 1, 0]));
    let batches = [(x.clone(), y.clone()), (x.clone(), other), (x, y)];
    for (name, want) in json.as_object().unwrap() {
        let store = params(1);
        let model = Arc::new(classifier(Some(1440), &store));
        model.split_groups(&store).unwrap();
        let outputs = model.clone();
        let mut learner = Learner::new(loaders(&batches), model.clone(), &store, losses::cross_entropy)
            .moms(0.8, 0.7, 0.8)
            .callback(RnnRegularizer::new(2.0, 1.0, move || outputs.take_outputs()));
        match name.as_str() {
            "fit_one_cycle_1_slice_1e-3_1e-2" => learner.fit_one_cycle(1, slice(1e-3, 1e-2)).unwrap(),
            "frozen_fit_one_cycle_1_lr.01" => {
                learner.freeze().unwrap();
                learner.fit_one_cycle(1, 1e-2).unwrap();
            }
            "freeze_to_-2_slice" => {
                learner.freeze_to(-2).unwrap();
                learner.fit_one_cycle(1, slice(1e-2 / 2.6f64.powi(4), 1e-2)).unwrap();
            }
            other => panic!("{other} is not known"),
        }
        check(name, &learner, &*model, &batches[0], want);
    }
}
