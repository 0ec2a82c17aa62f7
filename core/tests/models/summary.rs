//! The table of layers.

use crate::common::params;
use tallow::models::{Arch, summary};

#[test]
fn resnet18s_layers_as_torchvision_has_them() {
    let params = params(0);
    let network = Arch::ResNet18.build(1000, &params).unwrap();
    network.split_groups(&params).unwrap();
    let all = summary(&network, &params, &[64, 3, 224, 224]).unwrap();
    // 20 convolutions and as many normalisations, a max pooling, a mean pooling, a linear layer.
    let count = |layer: &str| all.rows.iter().filter(|row| row.layer == layer).count();
    assert_eq!([count("Conv2d"), count("BatchNorm"), count("Linear")], [20, 20, 1]);
    // Sums over torchvision's `resnet18().parameters()`; its weights' meta data say 1.814 GFLOPS.
    assert_eq!((all.parameters, all.trainable), (11_689_512, 11_689_512));
    assert_eq!(all.rows.iter().map(|row| row.parameters).sum::<usize>(), 11_689_512);
    assert!((all.multiply_adds as f64 / 64e9 - 1.814).abs() < 0.0005, "{}", all.multiply_adds);
    let row = |name: &str| all.rows.iter().find(|row| row.name == name).unwrap();
    assert_eq!(row("conv1").output, [64, 64, 112, 112]);
    assert_eq!(
        (row("layer2.0.downsample.0").output.as_slice(), row("layer2.0.downsample.0").parameters),
        (&[64, 128, 28, 28][..], 8192)
    );
    assert_eq!(row("fc").output, [64, 1000]);

    params.freeze();
    let frozen = summary(&network, &params, &[1, 3, 224, 224]).unwrap();
    // The head, 512 x 1000 + 1000, and the normalisations: 9,600 scales and shifts.
    assert_eq!(frozen.trainable, 513_000 + 9_600);
    let text = frozen.to_string();
    for line in ["Input: 1 x 3 x 224 x 224", "Parameters: 11,689,512", "Trainable:  522,600", "Frozen:     11,166,912"]
    {
        assert!(text.contains(line), "{line} is missing in\n{text}");
    }
    let line = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap().split_whitespace().last();
    assert_eq!((line("layer1.0.conv1"), line("layer1.0.bn1"), line("fc")), (Some("no"), Some("yes"), Some("yes")));
}

#[test]
fn watching_changes_nothing_and_a_wrong_shape_is_an_error() {
    let params = params(0);
    let network = Arch::SqueezeNet1_1.build(10, &params).unwrap();
    assert!(summary(&network, &params, &[1, 4, 64, 64]).unwrap_err().to_string().contains("takes 3 channels"));
    assert!(summary(&network, &params, &[1, 3, 2, 2]).is_err());
    assert_eq!(
        summary(&network, &params, &[1, 3, 64, 64]).unwrap(),
        summary(&network, &params, &[1, 3, 64, 64]).unwrap()
    );
}
