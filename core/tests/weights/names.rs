//! The names of timm's networks and torchvision's, side by side in the fixtures, in the order of the layers.

use super::{fixture, network, numbers, open, safetensors_file};
use tallow::models::weights::{LoadOptions, LoadReport};
use tallow::nn::Params;

/// Gives the network's names the file's values, tensor `i` of the file being `i`, and checks that each found its place.
fn check(pairs: &[(&str, &str)]) -> LoadReport {
    let tensors: Vec<(&str, &[usize], Vec<f32>)> =
        pairs.iter().enumerate().map(|(i, (theirs, _))| (*theirs, [].as_slice(), vec![i as f32])).collect();
    let params = network(pairs.iter().map(|(_, ours)| (*ours, [].as_slice())));
    let report = open(safetensors_file(&tensors)).unwrap().load_into(&params, &LoadOptions::strict()).unwrap();
    for (i, (theirs, ours)) in pairs.iter().enumerate() {
        assert_eq!(value(&params, ours), [i as f32], "{theirs} is {ours}");
    }
    report
}

fn value(params: &Params, name: &str) -> Vec<f32> {
    numbers(params.get(name).unwrap().var())
}

#[test]
fn timms_names_are_torchvisions() {
    for (model, count) in [("mobilenet_v3_small", 210), ("mobilenet_v3_large", 266), ("convnext_tiny", 182)] {
        let text = std::fs::read_to_string(fixture(&format!("{model}.txt"))).unwrap();
        let pairs: Vec<(&str, &str)> = text.lines().map(|line| line.split_once(' ').unwrap()).collect();
        assert_eq!(pairs.len(), count);
        assert_eq!(check(&pairs).renamed.len(), count);
        let wrapped: Vec<String> = pairs.iter().map(|(theirs, _)| format!("module.{theirs}")).collect();
        check(&wrapped.iter().map(String::as_str).zip(pairs.iter().map(|(_, ours)| *ours)).collect::<Vec<_>>());
        // And a file with the network's own names needs no rule.
        let own: Vec<(&str, &str)> = pairs.iter().map(|(_, ours)| (*ours, *ours)).collect();
        assert!(check(&own).renamed.is_empty());
    }
}

#[test]
fn old_dense_layers_and_vgg_heads_are_found() {
    let at = "features.denseblock1.denselayer12";
    let names = ["norm.1.weight", "norm.1.running_mean", "conv.1.weight", "norm.2.bias", "conv.2.weight"];
    let theirs = names.map(|name| format!("{at}.{name}"));
    let ours = names.map(|name| format!("{at}.{}", name.replacen(".1", "1", 1).replacen(".2", "2", 1)));
    let mut pairs: Vec<(&str, &str)> = theirs.iter().map(String::as_str).zip(ours.iter().map(String::as_str)).collect();
    assert_eq!(pairs[0].1, "features.denseblock1.denselayer12.norm1.weight");
    pairs.push(("features.norm0.weight", "features.norm0.weight"));
    assert_eq!(check(&pairs).renamed.len(), 5);
    let report = check(&[
        ("features.0.weight", "features.0.weight"),
        ("pre_logits.fc1.weight", "classifier.0.weight"),
        ("pre_logits.fc1.bias", "classifier.0.bias"),
        ("pre_logits.fc2.weight", "classifier.3.weight"),
        ("head.fc.weight", "classifier.6.weight"),
        ("head.fc.bias", "classifier.6.bias"),
    ]);
    assert_eq!(report.renamed[0], ("pre_logits.fc1.weight".to_string(), "classifier.0.weight".to_string()));
}

#[test]
fn renamed_tensors_are_reshaped_in_order() {
    let count = |n: usize| (0..n).map(|i| i as f32).collect::<Vec<_>>();
    let file = safetensors_file(&[
        ("pre_logits.fc1.weight", &[2, 3, 2, 2], count(24)),
        ("pre_logits.fc2.weight", &[2, 2, 1, 1], count(4)),
        ("stages.0.blocks.0.gamma", &[3], count(3)),
    ]);
    let tensors: [(&str, &[usize]); 3] =
        [("classifier.0.weight", &[2, 12]), ("classifier.3.weight", &[2, 2]), ("features.1.0.layer_scale", &[3, 1, 1])];
    let params = network(tensors);
    open(file).unwrap().load_into(&params, &LoadOptions::strict()).unwrap();
    for ((name, _), n) in tensors.iter().zip([24, 4, 3]) {
        assert_eq!(value(&params, name), count(n), "{name}");
    }
    // Under its own name a tensor has its own shape.
    let params = network([("a", [4].as_slice())]);
    assert!(
        open(safetensors_file(&[("a", &[2, 2], count(4))]))
            .unwrap()
            .load_into(&params, &LoadOptions::strict())
            .is_err()
    );
    // Neither may two dimensions change places under another.
    let params = network([("a", [3, 2].as_slice())]);
    let turned = open(safetensors_file(&[("module.a", &[2, 3], count(6))])).unwrap();
    assert!(turned.load_into(&params, &LoadOptions::strict()).is_err());
}

#[test]
fn an_equal_name_counts_before_a_similar_one() {
    let file = safetensors_file(&[("module.a", &[], vec![1.0]), ("a", &[], vec![2.0])]);
    let params = network([("a", [].as_slice())]);
    let weights = open(file).unwrap();
    let error = weights.load_into(&params, &LoadOptions::strict()).unwrap_err().to_string();
    assert_eq!(error, "a.file: does not fit the network: 1 unexpected: `module.a`");
    weights.load_into(&params, &LoadOptions::partial()).unwrap();
    assert_eq!(value(&params, "a"), [2.0]);
}
