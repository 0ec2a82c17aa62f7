//! The U-Net against fast.ai's, with weights that a formula gives to both: see `fixtures/make_unet.py`.

use crate::common::{assert_close, params, reference_images, values};
use crate::reference::{Expected, Fixture, check_names, check_rows, fill, norm};
use candle_core::{DType, Device, Tensor};
use std::collections::BTreeMap;
use tallow::kernels;
use tallow::models::weights::Weights;
use tallow::models::{Arch, DynamicUnet};
use tallow::nn::{Module, Param, ParamKind, Params, SegmentationLoss};
use tallow::optim::{Hypers, Optimizer, Sgd};

const CLASSES: usize = 12;
const VOID: u32 = 11;

/// Outputs, gradients and running statistics, relative to the largest magnitude.
const TOLERANCE: f64 = 1e-4;

/// Losses of three steps of SGD, the same way.
const STEPS: f64 = 1e-3;

fn unet(arch: Arch, dtype: DType) -> (DynamicUnet, Params) {
    let params = params(0).with_dtype(dtype);
    (DynamicUnet::new(arch, CLASSES, &params).unwrap(), params)
}

fn masks(n: usize, h: usize, w: usize) -> Tensor {
    let pixels = (0..n * h * w).map(|i| (i / (h * w), i / w % h / 8, i % w / 8));
    let masks: Vec<u32> = pixels.map(|(k, y, x)| ((7 * k + 3 + 5 * y + 3 * x) % CLASSES) as u32).collect();
    Tensor::from_vec(masks, (n, h, w), &Device::Cpu).unwrap()
}

fn loss(void: bool) -> SegmentationLoss {
    SegmentationLoss { void: void.then_some(VOID), ..SegmentationLoss::default() }
}

fn check_eval(fixture: &Fixture, network: &DynamicUnet) {
    for [h, w] in [[96, 128], [90, 70]] {
        let of = |key: &str| &fixture[&format!("{key}_{h}x{w}")];
        let xs = reference_images(&[2, 3, h, w]);
        let with_graph = network.forward(&xs, false).unwrap();
        // Without gradients there are shorter ways.
        for scores in [with_graph, kernels::no_grad(|| network.forward(&xs, false)).unwrap()] {
            assert_eq!(scores.dims(), [2, CLASSES, h, w]);
            let first = scores.get(0).unwrap();
            let points = [(0, 0), (h / 2, w / 2), (h - 1, w - 1), (7, 11), (h - 1, 0), (h / 3, 2 * w / 3)];
            let shown: Vec<f64> = [0, 3, 11]
                .iter()
                .flat_map(|&class| {
                    let plane = values(&first.get(class).unwrap());
                    points.map(|(y, x)| plane[y * w + x])
                })
                .collect();
            assert_close("scores", &shown, of("values"), TOLERANCE);
            let norms: Vec<f64> = (0..CLASSES).map(|class| norm(&values(&first.get(class).unwrap()))).collect();
            assert_close("norms by class", &norms, of("class_l2"), TOLERANCE);
            let norms: Vec<f64> = (0..2).map(|image| norm(&values(&scores.get(image).unwrap()))).collect();
            assert_close("norms", &norms, of("l2"), TOLERANCE);
            assert_close("mean", &values(&scores.mean_all().unwrap()), of("mean"), TOLERANCE);
            let mut counts = vec![0.0; CLASSES];
            values(&first.argmax(0).unwrap()).iter().for_each(|&class| counts[class as usize] += 1.0);
            assert_eq!(&counts, of("argmax"));
            let losses = [false, true].map(|void| values(&loss(void).of(&scores, &masks(2, h, w)).unwrap())[0]);
            assert_close("losses", &losses, of("losses"), TOLERANCE);
        }
    }
}

/// Some steps; gives the first one's gradients by name.
fn train(fixture: &Fixture, arch: Arch, dtype: DType, steps: usize) -> BTreeMap<String, Vec<f64>> {
    let (network, params) = unet(arch, dtype);
    fill(&params);
    let (xs, ys) = (reference_images(&[2, 3, 96, 128]).to_dtype(dtype).unwrap(), masks(2, 96, 128));
    let (mut sgd, rates) = (Sgd::torch(0.9, 1e-4), Hypers::lr(fixture["lr"][0]));
    let (mut losses, mut first) = (Vec::new(), BTreeMap::new());
    for step in 0..steps {
        let scores = network.forward(&xs, true).unwrap();
        let cost = loss(true).of(&scores, &ys).unwrap();
        losses.extend(values(&cost));
        let grads = kernels::backward(&cost).unwrap();
        if step == 0 {
            let counted = values(&loss(false).of(&scores, &ys).unwrap());
            assert_close("loss with the void", &counted, &fixture["loss_void_counted"], TOLERANCE);
            check_rows("running statistic", fixture, TOLERANCE, &|t| {
                t.name.contains("running_").then(|| values(params.get(&t.name).unwrap().var()))
            });
            let of = |param: Param| (param.name().to_string(), values(grads.get(param.var()).unwrap()));
            first = params.trainable().into_iter().map(of).collect();
        }
        sgd.step(&params.trainable(), &grads, &rates).unwrap();
    }
    assert_close("first loss", &losses[..1], &fixture["losses"][..1], TOLERANCE);
    assert_close("losses", &losses, &fixture["losses"][..steps], STEPS);
    first
}

/// By how much a gradient differs from PyTorch's f32: in its norm, and in its first values, relative to the largest.
fn off(expected: &Expected, got: &[f64]) -> [f64; 2] {
    let largest = got.iter().fold(0.0, |largest: f64, v| largest.max(v.abs()));
    let values = got.iter().zip(&expected.first).map(|(got, want)| (got - want).abs() / largest);
    [(norm(got) / expected.norm - 1.0).abs(), values.fold(0.0, f64::max)]
}

/// PyTorch's gradients are of f32, which values near the kinks of ReLUs, and batch normalisations over few values, make
/// different in the third digit. By how much its f64 differs in norm, and where most, is known (`worst`), and our f64
/// has to say the same. Our f32 may be four times as far from PyTorch's as our f64 is, in the encoder and behind it.
fn check(arch: Arch, worst: [(&str, f64); 3]) {
    let fixture = Fixture::read(&format!("unet_{}", arch.name()), "96x128");
    let (network, params) = unet(arch, DType::F32);
    check_names(&fixture, &params);
    fill(&params);
    check_eval(&fixture, &network);
    let expected: Vec<&Expected> = fixture.tensors.iter().filter(|t| !t.name.contains("running_")).collect();
    let offs = |grads: &BTreeMap<String, Vec<f64>>| -> Vec<(&str, [f64; 2])> {
        expected.iter().map(|t| (t.name.as_str(), off(t, &grads[&t.name]))).collect()
    };
    let narrow = offs(&train(&fixture, arch, DType::F32, 3));
    let mut wide = offs(&train(&fixture, arch, DType::F64, 1));
    for in_encoder in [true, false] {
        let largest = |offs: &[(&str, [f64; 2])], which: usize| {
            let part = offs.iter().filter(|(name, _)| name.starts_with("layers.0.") == in_encoder);
            part.map(|(_, off)| off[which]).fold(0.0, f64::max)
        };
        for which in [0, 1] {
            let (narrow, wide) = (largest(&narrow, which), largest(&wide, which));
            eprintln!("in the encoder: {in_encoder}, f32 is off by {narrow:.1e}, f64 by {wide:.1e}");
            assert!(narrow < 4.0 * wide, "off by {narrow}, and PyTorch's f32 by {wide}");
        }
    }
    wide.sort_by(|(_, a), (_, b)| b[0].total_cmp(&a[0]));
    for ((name, [off, _]), (want_name, want_off)) in wide.into_iter().zip(worst) {
        assert_eq!((name, format!("{off:.0e}")), (want_name, format!("{want_off:.0e}")));
    }
}

#[test]
fn on_resnet18() {
    let worst = [("layers.0.4.1.bn1.bias", 2e-3), ("layers.0.4.0.bn1.weight", 1e-3), ("layers.0.4.0.bn2.bias", 1e-3)];
    check(Arch::ResNet18, worst);
}

#[test]
fn on_resnet34() {
    let worst = [("layers.0.4.1.bn2.bias", 2e-3), ("layers.0.4.1.bn1.weight", 2e-3), ("layers.0.4.1.bn1.bias", 1e-3)];
    check(Arch::ResNet34, worst);
}

#[test]
fn groups_and_what_stays_trainable_are_fastais() {
    for arch in [Arch::ResNet18, Arch::ResNet34] {
        let fixture = Fixture::read(&format!("unet_{}", arch.name()), "96x128");
        let (network, params) = unet(arch, DType::F32);
        network.split_groups(&params).unwrap();
        let mut counts = vec![0.0; 3];
        for param in params.all().iter().filter(|param| param.kind() != ParamKind::Buffer) {
            counts[param.group()] += param.elem_count() as f64;
        }
        assert_eq!(counts, fixture["groups"]);
        let encoder = params.pp("layers").pp(0).num_parameters();
        assert_eq!([params.num_parameters() as f64, encoder as f64], fixture["parameters"][..]);
        params.freeze();
        assert_eq!([params.trainable().len() as f64], fixture["trainable_after_freeze"][..]);
    }
}

/// What fast.ai's weights begin as; `unet.json` has the rules for each tensor.
#[test]
fn weights_begin_as_fastais() {
    let (_, params) = unet(Arch::ResNet18, DType::F32);
    for param in params.all() {
        let (name, dims, kind) = (param.name(), param.dims(), param.kind());
        let constant = match (kind, name.rsplit('.').next().unwrap()) {
            (ParamKind::Norm, "weight") | (_, "running_var") => Some(1.0),
            (ParamKind::Norm, _) if !name.starts_with("layers.0.") => Some(f64::from(1e-3_f32)),
            (ParamKind::Bias, _) if name == "layers.12.0.bias" => None,
            (ParamKind::Weight, _) => None,
            _ => Some(0.0),
        };
        let got = values(param.var());
        if let Some(constant) = constant {
            assert!(got.iter().all(|&value| value == constant), "{name}");
            continue;
        }
        let fan_in: usize = dims[1..].iter().product();
        let is_icnr = name.contains("shuf") || name == "layers.8.0.0.weight";
        let (want, independent) = match name {
            "layers.12.0.bias" => (0.01, got.len()),
            "layers.12.0.weight" => ((1.0 / (3.0 * fan_in as f64)).sqrt(), got.len()),
            _ if name.starts_with("layers.0.") => ((2.0 / (dims[0] * dims[2] * dims[3]) as f64).sqrt(), got.len()),
            _ => ((2.0 / fan_in as f64).sqrt(), if is_icnr { got.len() / 4 } else { got.len() }),
        };
        let deviation = (got.iter().map(|v| v * v).sum::<f64>() / got.len() as f64).sqrt();
        let allowed = 4.0 / (2.0 * independent as f64).sqrt();
        assert!((deviation / want - 1.0).abs() < allowed, "{name}: {deviation} instead of {want}");
        if is_icnr {
            let alike = |block: &[f64]| (0..4).all(|k| block[k * fan_in..][..fan_in] == block[..fan_in]);
            assert!(got.chunks_exact(4 * fan_in).all(alike), "{name}");
        }
    }
}

#[test]
fn every_resnet_and_the_embedded_network_have_one() {
    for (arch, skips) in [(Arch::ResNet50, [64, 256, 512, 1024]), (Arch::EfficientNetLite0, [16, 24, 40, 112])] {
        let params = params(0);
        let network = DynamicUnet::new(arch, 3, &params).unwrap();
        for (layer, channels) in (4..8).rev().zip(skips) {
            assert_eq!(params.get(&format!("layers.{layer}.bn.weight")).unwrap().dims(), [channels], "{arch}");
        }
        // Any size: even, odd, smaller than the strides together.
        for [h, w] in [[64, 32], [45, 37], [7, 9]] {
            let xs = reference_images(&[1, 3, h, w]);
            let scores = kernels::no_grad(|| network.forward(&xs, false)).unwrap();
            assert_eq!(scores.dims(), [1, 3, h, w], "{arch}");
        }
    }
    for arch in [Arch::ResNet101, Arch::ResNet152] {
        assert_eq!(arch.encoder(&params(0)).unwrap().channels(), 2048);
    }
    let message = DynamicUnet::new(Arch::Vgg16, 3, &params(0)).err().unwrap().to_string();
    assert!(message.contains("vgg16") && message.contains("resnet34"), "{message}");
    assert!(DynamicUnet::new(Arch::ResNet18, 0, &params(0)).is_err());
}

#[test]
fn weights_of_a_classifier_go_into_the_encoder() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("resnet18.safetensors");
    let whole = params(7);
    Arch::ResNet18.build(10, &whole).unwrap();
    tallow::models::weights::save(&whole, &file, &Default::default()).unwrap();
    let (_, params) = unet(Arch::ResNet18, DType::F32);
    let weights = Weights::open(&file).unwrap();
    let report = weights.load_body_into(Arch::ResNet18, &params.pp("layers").pp(0)).unwrap();
    assert_eq!((report.loaded.len(), report.missing.len()), (100, 0));
    let pairs =
        [("0.weight", "conv1.weight"), ("1.running_var", "bn1.running_var"), ("7.1.bn2.bias", "layer4.1.bn2.bias")];
    for (ours, theirs) in pairs {
        let ours = values(params.get(&format!("layers.0.{ours}")).unwrap().var());
        assert_eq!(ours, values(whole.get(theirs).unwrap().var()));
    }
    let (_, larger) = unet(Arch::ResNet34, DType::F32);
    assert!(weights.load_body_into(Arch::ResNet34, &larger.pp("layers").pp(0)).is_err());
}
