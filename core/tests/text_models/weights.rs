//! fast.ai's files (`fixtures/make.py` wrote them), and weights for other words.

use super::*;
use crate::common::params;
use std::path::{Path, PathBuf};
use tallow::models::awd_lstm::{encoder_params, load_fastai, matched};
use tallow::models::weights::Weights;
use tallow::models::{LanguageModel, TextClassifier};
use tallow::nn::Module;

/// What fastai says of the words [[2, 5, 9], [3, 1, 0]]: the first word's scores.
const SCORES: [f64; 10] =
    [-0.5666898, 0.7752948, 0.6450288, 0.0741428, -0.4791521, 0.9041427, 0.4006236, -0.7614449, 0.9429262, 0.7555285];
/// The last word's.
const LAST: [f64; 10] =
    [-0.5568076, 0.7762673, 0.6485043, 0.073966, -0.4845895, 0.8915493, 0.3937676, -0.7635707, 0.9311955, 0.7514861];

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/text_models/fixtures").join(name)
}

fn file(name: &str) -> Weights {
    Weights::open(path(name)).unwrap()
}

fn config() -> AwdLstmConfig {
    AwdLstmConfig::language_model().size(3, 4, 2)
}

fn words() -> Tensor {
    Tensor::new(&[[2u32, 5, 9], [3, 1, 0]], &Device::Cpu).unwrap()
}

#[test]
fn fastais_files_load() {
    let store = params(1);
    let model = LanguageModel::new(10, &config(), &store).unwrap();
    load_fastai(&file("lm.pth"), &store, None).unwrap();
    let scores = values(&model.forward(&words(), false).unwrap());
    assert_close("the first word", &scores[..10], &SCORES, 1e-6);
    assert_close("the last word", &scores[50..], &LAST, 1e-6);
}

/// The optimizer's state holds fast.ai's own objects, which only Python can make.
#[test]
fn a_file_with_an_optimizer_is_refused_with_a_remedy() {
    let message = Weights::open(path("lm_with_opt.pth")).err().unwrap().to_string();
    assert!(message.contains("fastcore") && message.contains("state_dict"), "{message}");
}

#[test]
fn an_encoder_goes_into_either_network() {
    let (of_model, of_classifier) = (params(1), params(2));
    let model = LanguageModel::new(10, &config(), &of_model).unwrap();
    let classifier = TextClassifier::new(10, 2, &config(), &Default::default(), &of_classifier).unwrap();
    let head = values(of_classifier.get("1.layers.1.2.weight").unwrap().var());
    for store in [&of_model, &of_classifier] {
        load_fastai(&file("encoder.pth"), &encoder_params(store), None).unwrap();
    }
    assert_eq!(values(of_classifier.get("1.layers.1.2.weight").unwrap().var()), head);
    let (out, _) = classifier.encode(&words().narrow(0, 0, 1).unwrap(), false).unwrap();
    let state = model.encoder().zero_state(2).unwrap();
    let (same, _) = model.encoder().forward(&words(), &state, &Default::default()).unwrap();
    assert_close("both", &values(&out), &values(&same)[..9], 1e-6);
}

#[test]
fn other_words_begin_with_their_own_or_with_the_mean() {
    let store = params(1);
    LanguageModel::new(3, &config(), &store).unwrap();
    load_fastai(&file("lm.pth"), &store, Some(&[Some(9), None, Some(2)])).unwrap();
    let (table, bias) = (file("lm.pth").tensor("0.encoder.weight").unwrap(), file("lm.pth").tensor("1.decoder.bias"));
    let (table, bias) = (values(&table), values(&bias.unwrap()));
    let mean: Vec<f64> = (0..3).map(|i| table.iter().skip(i).step_by(3).sum::<f64>() / 10.0).collect();
    let want = [&table[27..], &mean, &table[6..9]].concat();
    assert_close("vectors", &values(store.get("0.encoder.weight").unwrap().var()), &want, 1e-6);
    let want = [bias[9], bias.iter().sum::<f64>() / 10.0, bias[2]];
    assert_close("biases", &values(store.get("1.decoder.bias").unwrap().var()), &want, 1e-6);

    // fast.ai's match_embeds: words xxunk, xxpad, xxbos, the, film, good, bad; now xxunk, xxpad, xxbos, xxeos, film,
    // the, wonderful, bad.
    let old = [0.02161815, 0.010434976, -0.6309604, -0.023447286, -0.46870792, 0.84185636, -0.2014669];
    let rows = [Some(0), Some(1), Some(2), None, Some(4), Some(3), None, Some(6)];
    let mean = old.iter().sum::<f64>() / 7.0;
    let new = values(&matched(&f32s(&Tensor::new(&old, &Device::Cpu).unwrap()), &rows).unwrap());
    assert_close("match_embeds", &new, &[old[0], old[1], old[2], mean, old[4], old[3], mean, old[6]], 1e-6);
    assert!(matched(&Tensor::new(&[1f32], &Device::Cpu).unwrap(), &[Some(2)]).is_err());
}

#[test]
fn a_file_of_another_size_changes_nothing() {
    let store = params(1);
    LanguageModel::new(10, &config().size(3, 5, 2), &store).unwrap();
    let before = values(store.get("0.encoder.weight").unwrap().var());
    let message = load_fastai(&file("lm.pth"), &store, None).unwrap_err().to_string();
    assert!(message.contains("weight_hh_l0_raw") && message.contains("expected [20, 5]"), "{message}");
    assert_eq!(values(store.get("0.encoder.weight").unwrap().var()), before);
    let deeper = params(1);
    LanguageModel::new(10, &config().size(3, 4, 3), &deeper).unwrap();
    assert!(load_fastai(&file("lm.pth"), &deeper, None).unwrap_err().to_string().contains("rnns.2"));
}
