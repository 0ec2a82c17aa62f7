//! Dropouts with masks that a formula gives, and those that are drawn.

use super::*;
use crate::common::{formula, params};
use tallow::autograd;
use tallow::models::LanguageModel;
use tallow::models::awd_lstm::{AwdLstm, AwdMasks};
use tallow::nn::{Module, losses};

/// The reference's mask: `(value > 2p - 1) / (1 - p)`.
fn mask(name: &str, dims: &[usize], p: f64) -> Tensor {
    let kept = |value: f64| if value > 2.0 * p - 1.0 { 1.0 / (1.0 - p) } else { 0.0 };
    let values: Vec<f64> = formula(name, dims.iter().product()).into_iter().map(kept).collect();
    f32s(&Tensor::from_vec(values, dims, &Device::Cpu).unwrap())
}

#[test]
fn weights_are_dropped_for_the_whole_sequence() {
    let json = &reference()["weight_dropout"];
    let store = params(1);
    let encoder = AwdLstm::new(50, &small(), &store).unwrap();
    fill(&store);
    let weights = [[128, 32], [128, 32], [80, 20]];
    let weights = weights.map(|[rows, columns]| Some(mask(&format!("mask{rows}x{columns}"), &[rows, columns], 0.5)));
    let masks = AwdMasks { weights: weights.to_vec(), ..AwdMasks::default() };
    let x = ids(&reference()["small"]["input"]);
    let (ys, _) = encoder.forward(&x, &encoder.zero_state(3).unwrap(), &masks).unwrap();
    assert_close("output", &values(&ys), &numbers(&json["output_train_fixed_mask"]), TOLERANCE);
    let grads = autograd::backward(&ys.sqr().unwrap().mean_all().unwrap()).unwrap();
    assert_gradients(&store, &grads, &json["gradients"]);
    let raw = store.get("rnns.0.weight_hh_l0_raw").unwrap().gradient(&grads).unwrap().unwrap();
    assert_close("a masked row", &values(&raw)[..32], &numbers(&json["raw_gradient_first_row"]), TOLERANCE);
}

#[test]
fn words_inputs_layers_and_outputs_are_dropped() {
    let json = &reference()["masks_in_call_order"];
    let store = params(1);
    let model = LanguageModel::new(50, &small(), &store).unwrap();
    fill(&store);
    let masks = AwdMasks {
        embed: Some(mask("dm0", &[50], 0.125)),
        input: Some(mask("dm1", &[3, 20], 0.5)),
        hidden: vec![Some(mask("dm2", &[3, 32], 0.25)), Some(mask("dm3", &[3, 32], 0.25))],
        weights: Vec::new(),
    };
    let x = &reference()["small"]["input"];
    let rows: Vec<Vec<u32>> = serde_json::from_value(x.clone()).unwrap();
    let next = rows.iter().flat_map(|row| row[1..].iter().chain(&row[..1])).copied().collect::<Vec<u32>>();
    let scores = model.forward_masked(&ids(x), &masks, Some(&mask("dm4", &[3, 20], 0.3))).unwrap();
    assert_close("logits", &values(&scores), &numbers(&json["logits"]), TOLERANCE);
    let outputs = model.take_outputs().unwrap();
    assert_brief("raw", &outputs.raw, &json["raw_out"], TOLERANCE);
    assert_brief("dropped", &outputs.dropped, &json["dropped_out"], TOLERANCE);
    let loss = losses::cross_entropy_of_each(&scores, &Tensor::new(next, &Device::Cpu).unwrap()).unwrap();
    let (ar, tar) = penalties(&outputs.raw, &outputs.dropped);
    for (part, name) in [(&loss, "loss"), (&ar, "ar_alpha2_of_dropped"), (&tar, "tar_beta1_of_raw")] {
        assert_close(name, &values(part), &[number(&json[name])], TOLERANCE);
    }
    let grads = autograd::backward(&total(&[&loss, &ar, &tar])).unwrap();
    assert_gradients(&store, &grads, &json["gradients"]);
}

#[test]
fn drawn_masks_have_their_shares_and_their_shapes() {
    let store = params(3);
    let config = AwdLstmConfig::classifier().size(40, 60, 2);
    let encoder = AwdLstm::new(2000, &config, &store).unwrap();
    let masks = encoder.draw_masks(500).unwrap();
    let shares = [
        (masks.embed.as_ref(), &[2000][..], 0.05),
        (masks.input.as_ref(), &[500, 40], 0.4),
        (masks.weights[0].as_ref(), &[240, 60], 0.5),
        (masks.weights[1].as_ref(), &[160, 40], 0.5),
        (masks.hidden[0].as_ref(), &[500, 60], 0.3),
    ];
    assert_eq!((masks.weights.len(), masks.hidden.len()), (2, 1));
    for (mask, dims, p) in shares {
        let mask = mask.unwrap();
        assert_eq!(mask.dims(), dims);
        let all = values(mask);
        let share = all.iter().filter(|&&v| v == 0.0).count() as f64 / all.len() as f64;
        let p: f64 = p;
        assert!((share - p).abs() < 5.0 * (p * (1.0 - p) / all.len() as f64).sqrt(), "{share} instead of {p}");
        assert!(all.iter().all(|&v| v == 0.0 || (v - 1.0 / (1.0 - p)).abs() < 1e-6));
    }
    // Other masks each time, and the same ones from the same place of the streams.
    let positions = store.stream_positions();
    let of = |masks: AwdMasks| values(&masks.weights[0].clone().unwrap());
    let next = of(encoder.draw_masks(500).unwrap());
    assert_ne!(next, of(masks));
    store.seek_streams(&positions);
    assert_eq!(next, of(encoder.draw_masks(500).unwrap()));
}

#[test]
fn training_without_weight_drop_goes_on_after_a_reset() {
    let model = LanguageModel::new(50, &small(), &params(1)).unwrap();
    let x = ids(&reference()["small"]["input"]);
    let first = values(&model.forward(&x, true).unwrap());
    model.reset();
    assert_eq!(values(&model.forward(&x, true).unwrap()), first);
    model.reset();
    assert_eq!(values(&model.forward(&x, false).unwrap()), first);
}
