//! The list of all networks: what it says is so.

use crate::common::params;
use tallow::models::{Arch, summary};
use tallow::nn::Params;

#[test]
fn names_are_found_however_they_are_spelt() {
    for arch in Arch::ALL {
        assert_eq!(arch.name().parse::<Arch>().unwrap(), arch);
        assert_eq!(arch.name().to_uppercase().replace('_', "-").parse::<Arch>().unwrap(), arch);
    }
    let message = "resnet19".parse::<Arch>().unwrap_err().to_string();
    assert!(message.contains("`resnet19`") && message.contains("resnet18, resnet34"), "{message}");
}

/// Parameters and billions of multiply-adds are those that torchvision's weights state (`num_params`, `_ops`), so
/// this holds the networks to them. Building takes a while: initial values of 1.4 billion parameters are
/// drawn.
fn check(archs: &[Arch]) {
    for &arch in archs {
        let (facts, params): (_, Params) = (arch.facts(), params(0));
        let network = arch.build(1000, &params).unwrap();
        let side = facts.published.preprocess.size;
        let seen = summary(&network, &params, &[1, 3, side, side]).unwrap();
        assert_eq!(params.num_parameters(), facts.parameters, "{arch}");
        let giga = seen.multiply_adds as f64 / 1e9;
        assert!((giga - facts.gmacs).abs() < 0.006, "{arch}: {giga} instead of {}", facts.gmacs);
        assert_eq!(network.body().channels(), facts.channels, "{arch}");
    }
}

#[test]
fn resnets_cost_what_the_zoo_says() {
    check(&Arch::ALL[..5]);
}

#[test]
fn vggs_cost_what_the_zoo_says() {
    check(&Arch::ALL[5..13]);
}

#[test]
fn densenets_cost_what_the_zoo_says() {
    check(&Arch::ALL[13..17]);
}

#[test]
fn the_others_cost_what_the_zoo_says() {
    check(&Arch::ALL[17..]);
}

#[test]
fn weight_files_are_named_completely() {
    for arch in Arch::ALL {
        let facts = arch.facts();
        assert!(facts.published.file.contains('.') && facts.published.top1 > 50.0, "{arch}");
        for file in facts.files {
            let hexadecimal =
                |text: &str, length: usize| text.len() == length && text.bytes().all(|b| b.is_ascii_hexdigit());
            assert_eq!(file.repo.split('/').count(), 2, "{arch}");
            assert!(file.revision.is_none_or(|revision| hexadecimal(revision, 40)), "{arch}");
            assert!(file.sha256.is_none_or(|hash| hexadecimal(hash, 64)), "{arch}");
        }
    }
}
