//! The classifier: stretches, padding, pooling, head, gradients, groups.

use super::*;
use crate::common::params;
use tallow::autograd;
use tallow::kernels::masked_concat_pool;
use tallow::models::TextClassifier;
use tallow::models::awd_lstm::ClassifierOptions;
use tallow::nn::{Module, losses};

const BPTT: usize = 72;

pub(super) fn classifier(max_len: Option<usize>, params: &Params) -> TextClassifier {
    let options = ClassifierOptions { max_len, dropouts: vec![0.0], as_fastai: true, ..ClassifierOptions::default() };
    let model = TextClassifier::new(50, 2, &small(), &options, params).unwrap();
    fill(params);
    model
}

/// Texts of these lengths, the longest first: padding in front in whole stretches, what is left behind.
pub(super) fn texts(lengths: &[usize]) -> Tensor {
    let longest = lengths[0];
    let text = |&len: &usize| {
        let missing = longest - len;
        let mut ids = vec![1; missing / BPTT * BPTT];
        ids.extend(formula_ids(&format!("seq{len}"), len, 50));
        ids.resize(longest, 1);
        ids
    };
    Tensor::new(lengths.iter().map(text).collect::<Vec<_>>(), &Device::Cpu).unwrap()
}

fn check(what: &str, model: &TextClassifier, x: &Tensor, json: &Value) {
    let (out, padding) = model.encode(x, false).unwrap();
    let dims: Vec<usize> = numbers(&json["encoder_shape"]).into_iter().map(|n| n as usize).collect();
    assert_eq!(out.dims(), dims, "{what}");
    let counts: Vec<f64> =
        padding.chunks(dims[1]).map(|row| row.iter().filter(|&&padding| padding).count() as f64).collect();
    assert_eq!(counts, numbers(&json["mask_true_per_row"]), "{what}");
    let pooled = masked_concat_pool(&out, &padding, Some(BPTT)).unwrap();
    for (row, want) in json["pooled"].as_array().unwrap().iter().enumerate() {
        assert_brief(&format!("{what}, row {row}"), &pooled.get(row).unwrap(), want, TOLERANCE);
    }
    let norms: Vec<f64> = (0..dims[0])
        .flat_map(|row| values(&pooled.get(row).unwrap()).chunks(20).map(norm).collect::<Vec<_>>())
        .collect();
    assert_close(what, &norms, &numbers(&json["pooled_last_max_mean_norms"]), TOLERANCE);
    assert_close(what, &values(&model.forward(x, false).unwrap()), &numbers(&json["logits"]), TOLERANCE);
}

#[test]
fn texts_are_read_in_stretches() {
    let json = reference()["classifier_small"].clone();
    let store = params(1);
    let model = classifier(Some(1440), &store);
    assert_tensors(&store, &json["parameters"]);
    model.split_groups(&store).unwrap();
    assert_groups(&store, &json["groups"]);
    for (name, want) in json["single"].as_object().unwrap() {
        let (len, max_len) = name.split_once("_max_len_").unwrap_or((name, "1440"));
        let model = classifier(max_len.parse().ok(), &params(1));
        check(name, &model, &texts(&[len.parse().unwrap()]), want);
    }
    for (name, want) in json["batches"].as_object().unwrap() {
        let lengths: Option<Vec<usize>> = name.split('_').map(|len| len.parse().ok()).collect();
        let Some(lengths) = lengths else { continue };
        check(name, &model, &texts(&lengths), want);
    }
}

#[test]
fn losses_and_gradients_are_fastais() {
    let json = &reference()["classifier_small"]["train"];
    let store = params(1);
    let model = classifier(Some(1440), &store);
    let labels: Vec<u32> = numbers(&json["labels"]).into_iter().map(|label| label as u32).collect();
    let scores = model.forward(&texts(&[150, 73, 72, 3]), true).unwrap();
    assert_close("logits", &values(&scores), &numbers(&json["logits"]), TOLERANCE);
    let loss = losses::cross_entropy(&scores, &Tensor::new(labels, &Device::Cpu).unwrap()).unwrap();
    let outputs = model.take_outputs().unwrap();
    let (ar, tar) = penalties(&outputs.raw, &outputs.dropped);
    for (part, name) in [(&loss, "loss"), (&ar, "ar_alpha2"), (&tar, "tar_beta1")] {
        assert_close(name, &values(part), &[number(&json[name])], TOLERANCE);
    }
    let grads = autograd::backward(&total(&[&loss, &ar, &tar])).unwrap();
    assert_gradients(&store, &grads, &json["gradients"]);
    for (name, want) in json["running_after"].as_object().unwrap() {
        assert_brief(name, store.get(name).unwrap().var(), want, TOLERANCE);
    }
}

/// In fast.ai the text of 3 words is not read here, since that of 72 ends where the last stretch begins.
#[test]
fn every_text_is_read_to_its_end() {
    let scores = |model: &TextClassifier, lengths: &[usize]| values(&model.forward(&texts(lengths), false).unwrap());
    let options = ClassifierOptions { dropouts: vec![0.0], ..ClassifierOptions::default() };
    let store = params(1);
    let ours = TextClassifier::new(50, 2, &small(), &options, &store).unwrap();
    fill(&store);
    let lengths = [150, 73, 72, 3];
    let all = scores(&ours, &lengths);
    let fastais = scores(&classifier(Some(1440), &params(1)), &lengths);
    assert_close("the longest", &all[..2], &fastais[..2], 1e-5);
    assert!((all[7] - fastais[7]).abs() > 1e-3);
    // Others in the batch make no difference.
    for (row, len) in lengths.iter().enumerate() {
        assert_close("alone and among others", &all[2 * row..][..2], &scores(&ours, &[*len]), 1e-5);
    }
}

#[test]
fn what_cannot_be_read_is_an_error() {
    let options = ClassifierOptions::default();
    let model = TextClassifier::new(50, 2, &small(), &options, &params(1)).unwrap();
    let [long, short] = [0, 1].map(|row| texts(&[150, 3]).narrow(0, row, 1).unwrap());
    let unsorted = Tensor::cat(&[&short, &long], 0).unwrap();
    assert!(model.forward(&unsorted, false).unwrap_err().to_string().contains("longest first"));
    let empty = Tensor::ones((1, 3), DType::U32, &Device::Cpu).unwrap();
    assert!(model.forward(&empty, false).is_err());
    assert!(classifier(Some(3), &params(1)).forward(&long, false).is_err());
    let options = ClassifierOptions { bptt: 0, ..ClassifierOptions::default() };
    assert!(TextClassifier::new(50, 2, &small(), &options, &params(1)).is_err());
}

#[test]
fn a_frozen_encoder_has_no_gradient() {
    let store = params(1);
    let model = classifier(Some(1440), &store);
    model.split_groups(&store).unwrap();
    store.freeze();
    let grads = autograd::backward(&model.forward(&texts(&[150, 3]), true).unwrap().sqr().unwrap().sum_all().unwrap());
    let grads = grads.unwrap();
    for param in store.all() {
        assert_eq!(
            grads.get(param.var()).is_some(),
            param.trainable() && param.name().starts_with('1'),
            "{}",
            param.name()
        );
    }
}
