//! The language model: outputs, the state that it carries, gradients, groups.

use super::*;
use crate::common::params;
use tallow::autograd;
use tallow::models::LanguageModel;
use tallow::models::awd_lstm::{AwdLstm, AwdMasks};
use tallow::nn::{Module, losses};

#[test]
fn the_state_is_carried_from_batch_to_batch() {
    let json = &reference()["small"];
    let store = params(1);
    let encoder = AwdLstm::new(50, &small(), &store).unwrap();
    fill(&store);
    let mut state = encoder.zero_state(3).unwrap();
    let mut check = |ids: &Tensor, want: &str| {
        let before = state.resized(ids.dims()[0]).unwrap();
        let (ys, after) = encoder.forward(ids, &before, &AwdMasks::default()).unwrap();
        state = after;
        assert_close(want, &values(&ys), &numbers(&json[want]), TOLERANCE);
        state.clone()
    };
    let (first, second) = (ids(&json["input"]), ids(&json["input2"]));
    let after = check(&first, "output1");
    for (layer, want) in after.0.iter().zip(json["hidden1"].as_array().unwrap()) {
        assert_close("hidden", &values(&layer.hidden), &numbers(&want["h"]), TOLERANCE);
        assert_close("cell", &values(&layer.cell), &numbers(&want["c"]), TOLERANCE);
    }
    check(&second, "output2_carried");
    check(&first.narrow(0, 0, 1).unwrap(), "output3_batch_shrinks_to_1");
    check(&first, "output4_batch_grows_back");
    state = encoder.zero_state(3).unwrap();
    let (ys, _) = encoder.forward(&second, &state, &AwdMasks::default()).unwrap();
    assert_close("output2_after_reset", &values(&ys), &numbers(&json["output2_after_reset"]), TOLERANCE);
}

#[test]
fn losses_and_gradients_are_fastais() {
    let json = &reference()["small"];
    let store = params(1);
    let model = LanguageModel::new(50, &small(), &store).unwrap();
    assert_tensors(&store, &json["lm_parameters"]);
    model.split_groups(&store).unwrap();
    assert_groups(&store, &json["lm_groups"]);
    fill(&store);
    let (x, y) = (ids(&json["input"]), ids(&json["target"]));
    let scores = model.forward(&x, true).unwrap();
    assert_close("logits", &values(&scores), &numbers(&json["logits"]), TOLERANCE);
    let loss = losses::cross_entropy_of_each(&scores, &y).unwrap();
    let outputs = model.take_outputs().unwrap();
    let (ar, tar) = penalties(&outputs.raw, &outputs.dropped);
    let want = ["loss", "ar_alpha2", "tar_beta1"].map(|name| number(&json[name]));
    let got = [&loss, &ar, &tar].map(|part| values(part)[0]);
    assert_close("loss", &got[..1], &want[..1], TOLERANCE);
    assert_close("penalties", &got[1..], &want[1..], TOLERANCE);
    let grads = autograd::backward(&total(&[&loss, &ar, &tar])).unwrap();
    assert_gradients(&store, &grads, &json["gradients"]);
    let table = store.get("0.encoder.weight").unwrap().gradient(&grads).unwrap().unwrap();
    // The padding has none from the words' side, but from the decoder's.
    assert_brief("gradient of the padding", &table.get(1).unwrap(), &json["gradient_of_pad_row"], TOLERANCE);

    // The next batch goes on where this one ended.
    let scores = model.forward(&ids(&json["input2"]), true).unwrap();
    let loss = losses::cross_entropy_of_each(&scores, &ids(&json["target2"])).unwrap();
    let outputs = model.take_outputs().unwrap();
    let (ar, tar) = penalties(&outputs.raw, &outputs.dropped);
    let want = &json["second_batch_carried"];
    for (part, name) in [(&loss, "loss"), (&ar, "ar"), (&tar, "tar")] {
        assert_close(name, &values(part), &[number(&want[name])], TOLERANCE);
    }
    let grads = autograd::backward(&total(&[&loss, &ar, &tar])).unwrap();
    for (name, want) in want["gradient_norms"].as_object().unwrap() {
        let grad = store.get(name).unwrap().gradient(&grads).unwrap().unwrap();
        assert_close(name, &[norm(&values(&grad))], &[number(want)], TOLERANCE);
    }
    // Without training nothing is kept for penalties.
    model.reset();
    let scores = model.forward(&x, false).unwrap();
    assert_close("logits", &values(&scores), &numbers(&json["logits"]), TOLERANCE);
    assert!(model.take_outputs().is_none());
}

#[test]
fn so_they_are_at_full_size() {
    let json = &reference()["full"];
    let store = params(1);
    let config = AwdLstmConfig::language_model().drop_mult(0.0);
    let model = LanguageModel::new(1000, &config, &store).unwrap();
    fill(&store);
    let scores = model.forward(&ids(&json["input"]), true).unwrap();
    assert_brief("logits", &scores, &json["logits"], TOLERANCE);
    let outputs = model.take_outputs().unwrap();
    let loss = losses::cross_entropy_of_each(&scores, &ids(&json["target"])).unwrap();
    assert_close("loss", &values(&loss), &[number(&json["loss"])], TOLERANCE);
    let (ar, tar) = penalties(&outputs.raw, &outputs.dropped);
    let grads = autograd::backward(&total(&[&loss, &ar, &tar])).unwrap();
    assert_gradients(&store, &grads, &json["gradients"]);
    drop(grads);
    // An encoder alone has other names, and so other weights.
    let store = params(1);
    let encoder = AwdLstm::new(1000, &config, &store).unwrap();
    fill(&store);
    let mut state = encoder.zero_state(2).unwrap();
    for (input, output) in [("input", "output1"), ("input2", "output2_carried")] {
        let (ys, after) = encoder.forward(&ids(&json[input]), &state, &AwdMasks::default()).unwrap();
        assert_brief(output, &ys, &json[output], TOLERANCE);
        state = after;
    }
}

#[test]
fn wrong_sizes_and_words_are_errors() {
    assert!(LanguageModel::new(0, &small(), &params(1)).is_err());
    assert!(LanguageModel::new(50, &small().size(20, 32, 0), &params(1)).is_err());
    let mut config = small();
    config.dropouts.weight_p = 1.5;
    assert!(LanguageModel::new(50, &config, &params(1)).is_err());
    let model = LanguageModel::new(50, &small(), &params(1)).unwrap();
    let word = Tensor::new(&[[50u32]], &Device::Cpu).unwrap();
    assert!(model.forward(&word, false).unwrap_err().to_string().contains("50"));
}
