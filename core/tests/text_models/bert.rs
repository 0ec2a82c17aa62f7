//! BERT against transformers': `bert.json` holds what it gives for weights that a formula gives to both.

use crate::common::{assert_close, formula_tensor, hash, numbers, params, values};
use crate::fill;
use candle_core::{Device, Tensor};
use tallow::autograd;
use tallow::models::{BertConfig, BertModel};

const TOLERANCE: f64 = 1e-5;

fn tiny() -> BertConfig {
    BertConfig {
        vocab_size: 50,
        hidden_size: 24,
        num_hidden_layers: 2,
        num_attention_heads: 3,
        intermediate_size: 40,
        max_position_embeddings: 16,
        hidden_dropout_prob: 0.0,
        attention_probs_dropout_prob: 0.0,
        ..BertConfig::minilm_l6()
    }
}

/// Texts of these lengths, filled up with zeros.
fn texts(lengths: &[usize]) -> (Tensor, Vec<bool>) {
    let longest = lengths.iter().copied().max().unwrap();
    let id = |row: usize, at: usize| 2 + hash(&format!("text {row}"), at) % 48;
    let places = lengths.iter().enumerate().flat_map(|(row, &n)| (0..longest).map(move |at| (row, at, at < n)));
    let (ids, mask): (Vec<u32>, Vec<bool>) =
        places.map(|(row, at, is_text)| (if is_text { id(row, at) } else { 0 }, is_text)).unzip();
    (Tensor::from_vec(ids, (lengths.len(), longest), &Device::Cpu).unwrap(), mask)
}

#[test]
fn vectors_and_gradients_are_those_of_transformers() {
    let json: serde_json::Value = serde_json::from_str(include_str!("bert.json")).unwrap();
    let store = params(0);
    let model = BertModel::new(&tiny(), &store).unwrap();
    fill(&store);
    let lengths: Vec<usize> = numbers(&json["lengths"]).into_iter().map(|n| n as usize).collect();
    let (ids, mask) = texts(&lengths);
    for train in [false, true] {
        let hidden = model.forward(&ids, &mask, train).unwrap();
        for (row, &length) in lengths.iter().enumerate() {
            let own = hidden.get(row).unwrap().narrow(0, 0, length).unwrap();
            assert_close(&format!("text {row}"), &values(&own), &numbers(&json["hidden"][row]), TOLERANCE);
        }
    }
    let pooled = model.pooled(&ids, &mask, true).unwrap();
    assert_close("means", &values(&pooled), &numbers(&json["pooled"]), TOLERANCE);
    let dy = formula_tensor("dy", pooled.dims()).to_dtype(candle_core::DType::F32).unwrap();
    let grads = autograd::backward(&(pooled * dy).unwrap().sum_all().unwrap()).unwrap();
    let names: Vec<&str> = json["gradients"].as_array().unwrap().iter().map(|row| row[0].as_str().unwrap()).collect();
    assert_eq!(names, store.all().iter().map(|param| param.name()).collect::<Vec<_>>());
    for row in json["gradients"].as_array().unwrap() {
        let param = store.get(row[0].as_str().unwrap()).unwrap();
        let grad = values(&param.gradient(&grads).unwrap().unwrap());
        let norm = grad.iter().map(|g| g * g).sum::<f64>().sqrt();
        let brief: Vec<f64> = grad.iter().take(3).copied().chain([norm]).collect();
        if row[0].as_str().unwrap().ends_with("key.bias") {
            // Softmax does not see what is added to all scores of a place: what is left is rounding.
            assert!(norm < 1e-5 && row[1].as_f64().unwrap() < 1e-5, "{row}");
            continue;
        }
        let want: Vec<f64> = numbers(&row[2]).into_iter().chain([row[1].as_f64().unwrap()]).collect();
        assert_close(&format!("gradient of {}", row[0]), &brief, &want, TOLERANCE);
    }
}

#[test]
fn a_text_is_what_it_is_beside_longer_ones_too() {
    let store = params(1);
    let model = BertModel::new(&BertConfig { hidden_dropout_prob: 0.1, ..tiny() }, &store).unwrap();
    let (ids, mask) = texts(&[3, 16]);
    let (alone, alone_mask) = texts(&[3]);
    let beside = model.pooled(&ids, &mask, false).unwrap().narrow(0, 0, 1).unwrap();
    let alone = model.pooled(&alone, &alone_mask, false).unwrap();
    assert_close("alone", &values(&alone), &values(&beside), 1e-6);
}

#[test]
fn what_does_not_fit_is_refused() {
    let store = params(0);
    let model = BertModel::new(&tiny(), &store).unwrap();
    let (ids, mask) = texts(&[17]);
    let error = model.forward(&ids, &mask, false).unwrap_err().to_string();
    assert!(error.contains("17 pieces for a network that knows 16 places"), "{error}");
    let (ids, mask) = texts(&[4]);
    assert!(model.forward(&ids, &mask[1..], false).is_err());
    let strange = Tensor::new(&[[50u32, 1]], &Device::Cpu).unwrap();
    assert!(model.forward(&strange, &[true; 2], false).is_err());
    for (config, what) in [
        (BertConfig { num_attention_heads: 5, ..tiny() }, "5 heads do not divide 24"),
        (BertConfig { hidden_act: "relu".into(), ..tiny() }, "expected `gelu`"),
        (BertConfig { num_hidden_layers: 0, ..tiny() }, "above 0"),
        (BertConfig { vocab_size: usize::MAX, ..tiny() }, "at most"),
        (BertConfig { layer_norm_eps: f64::NAN, ..tiny() }, "between 0 and 1"),
    ] {
        let error = BertModel::new(&config, &params(0)).err().map(|e| e.to_string()).unwrap();
        assert!(error.contains(what), "{error}");
    }
}
