//! ONNX files in other programs: `rten`, and ONNX Runtime where Python has it.

use rten::{Model, Value};
use rten_tensor::NdTensor;
use rten_tensor::prelude::*;
use std::path::Path;
use std::process::Command;
use tallow::candle::{Device, Tensor};
use tallow::kernels;
use tallow::models::{Arch, DynamicUnet, NetworkOptions};
use tallow::nn::{Module, Params, Sequential};
use tallow::onnx;
use tallow::rng::Rng;

/// Weights that let every layer be seen in the scores, as training leaves them and random ones do not: normalisations
/// that do something, and layers that keep the size of what goes through them.
fn as_if_trained(params: &Params) {
    let mut rng = Rng::new(7);
    for param in params.all() {
        let mut values = |mean: f64, spread: f64| {
            let values: Vec<f32> =
                (0..param.elem_count()).map(|_| rng.uniform(mean - spread, mean + spread) as f32).collect();
            param.var().set(&Tensor::from_vec(values, param.dims(), &Device::Cpu).unwrap()).unwrap();
        };
        match param.name().rsplit('.').next().unwrap() {
            "running_mean" => values(0.1, 0.2),
            "running_var" => values(1.0, 0.5),
            // Factors of residual branches that begin at a millionth would hide them.
            "layer_scale" => values(0.5, 0.3),
            "weight" if param.dims().len() == 1 => values(0.7, 0.2),
            "weight" => {
                let inputs: usize = param.dims()[1..].iter().product();
                values(0.0, (6.0 / inputs as f64).sqrt());
            }
            "bias" => values(0.0, 0.2),
            _ => {}
        }
    }
}

fn random(dims: &[usize], seed: u64) -> Tensor {
    let mut rng = Rng::new(seed);
    let values: Vec<f32> = (0..dims.iter().product()).map(|_| rng.normal() as f32).collect();
    Tensor::from_vec(values, dims, &Device::Cpu).unwrap()
}

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

fn inferred(network: &dyn Module, xs: &Tensor) -> Vec<f32> {
    values(&kernels::no_grad(|| network.forward(xs, false)).unwrap())
}

/// The largest difference of probabilities, from scores of images one after the other.
fn largest_difference(found: &[f32], expected: &[f32], classes: usize) -> f32 {
    assert_eq!(found.len(), expected.len());
    let probabilities = |scores: &[f32]| {
        let most = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let each: Vec<f32> = scores.iter().map(|score| (score - most).exp()).collect();
        let sum: f32 = each.iter().sum();
        each.into_iter().map(|e| e / sum).collect::<Vec<f32>>()
    };
    let pairs = found.chunks_exact(classes).zip(expected.chunks_exact(classes));
    let pairs = pairs.flat_map(|(a, b)| probabilities(a).into_iter().zip(probabilities(b)));
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// Images of a size at which each network has something to average.
fn images(arch: Arch, n: usize) -> Tensor {
    let side = if arch == Arch::InceptionV3 { 107 } else { 75 };
    random(&[n, 3, side, side], 5)
}

fn network(arch: Arch) -> tallow::models::Network {
    let params = Params::new(&Rng::new(1), &Device::Cpu);
    let network = arch.build_with(&NetworkOptions::new(10), &params).unwrap();
    as_if_trained(&params);
    network
}

/// One of each family. VGG networks have nothing that AlexNet has not.
const FAMILIES: [Arch; 8] = [
    Arch::ResNet50,
    Arch::AlexNet,
    Arch::SqueezeNet1_0,
    Arch::DenseNet121,
    Arch::InceptionV3,
    Arch::MobileNetV3Small,
    Arch::ConvNextTiny,
    Arch::EfficientNetLite0,
];

#[test]
fn another_runtime_says_what_each_family_says() {
    let folder = tempfile::tempdir().unwrap();
    for arch in FAMILIES {
        let network = network(arch);
        let file = folder.path().join(format!("{arch}.onnx"));
        let summary = onnx::export(&network, &images(arch, 1), &file).unwrap();
        assert!(summary.difference < 1e-4, "{arch}: {summary:?}");
        let xs = images(arch, 2);
        let (found, expected) = (in_rten(&file, &xs), inferred(&network, &xs));
        let off = largest_difference(&found, &expected, 10);
        assert!(off < 1e-4, "{arch}: probabilities differ by {off}");
        // Two images differ far more than two programs: scores that hardly depend on the image would show nothing.
        let furthest = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        let (one, other) = expected.split_at(10);
        let (programs, images) = (furthest(&found, &expected), furthest(one, other));
        assert!(programs < 1e-2 * images, "{arch}: scores differ by {programs}, from image to image by {images}");
        std::fs::remove_file(file).unwrap();
    }
}

fn in_rten(file: &Path, xs: &Tensor) -> Vec<f32> {
    let model = Model::load_file(file).unwrap();
    let dims: [usize; 4] = xs.dims().try_into().unwrap();
    let input = NdTensor::from_data(dims, values(xs));
    let [output] =
        model.run_n([(model.input_ids()[0], input.view().into())].into(), [model.output_ids()[0]], None).unwrap();
    let Value::FloatTensor(output) = output else { panic!("an output of another type") };
    output.to_vec()
}

#[test]
fn normalisation_is_folded_into_convolutions_and_linear_layers() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("net.onnx");
    let network = network(Arch::ResNet18);
    onnx::export(&network, &images(Arch::ResNet18, 1), &file).unwrap();
    let text = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
    assert!(!text.contains("BatchNormalization") && !text.contains("running_mean"));
    // fast.ai's head has its normalisations before the linear layers.
    let params = Params::new(&Rng::new(1), &Device::Cpu);
    let head = Sequential::new(&params).batch_norm(6).unwrap().linear(6, 3).unwrap();
    as_if_trained(&params);
    let summary = onnx::export(&head, &random(&[1, 6], 1), &file).unwrap();
    assert_eq!((summary.operators, summary.difference < 1e-5), (1, true), "{summary:?}");
}

#[test]
fn a_u_net_is_exported_at_odd_sizes_too() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("unet.onnx");
    let params = Params::new(&Rng::new(1), &Device::Cpu);
    let network = DynamicUnet::new(Arch::ResNet18, 4, &params).unwrap();
    as_if_trained(&params);
    let xs = random(&[2, 3, 75, 50], 5);
    onnx::export(&network, &xs, &file).unwrap();
    let expected = inferred(&network, &xs);
    let largest = expected.iter().copied().map(f32::abs).fold(0.0, f32::max);
    let off = in_rten(&file, &xs).iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(off / largest < 1e-4, "scores differ by {off} of {largest}");
}

#[test]
fn what_is_computed_out_of_sight_is_refused_and_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("net.onnx");
    let params = Params::new(&Rng::new(1), &Device::Cpu);
    let net = Sequential::new(&params).linear(6, 3).unwrap();
    let hidden = |xs: &Tensor| -> tallow::Result<Tensor> { net.forward(&xs.sqr()?, false) };
    let error = onnx::export(&hidden, &random(&[1, 6], 1), &file).unwrap_err().to_string();
    assert!(error.contains("Linear") && error.contains("out of our sight"), "{error}");
    let scaled = |xs: &Tensor| -> tallow::Result<Tensor> { Ok(net.forward(xs, false)?.sqr()?) };
    assert!(onnx::export(&scaled, &random(&[1, 6], 1), &file).is_err());
    let by_batch = |xs: &Tensor| -> tallow::Result<Tensor> {
        let ys = net.forward(xs, false)?;
        Ok(if xs.dims()[0] > 2 { kernels::relu(&ys)? } else { ys })
    };
    assert!(onnx::export(&by_batch, &random(&[1, 6], 1), &file).is_err());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// Compares the scores of `onnxruntime` with those in a file beside each network.
const IN_PYTHON: &str = "
import sys, pathlib, numpy, onnxruntime
worst = 0.0
for file in sorted(pathlib.Path(sys.argv[1]).glob('*.onnx')):
    shape = [int(n) for n in file.with_suffix('.shape').read_text().split()]
    xs = numpy.fromfile(file.with_suffix('.xs'), numpy.float32).reshape(shape)
    session = onnxruntime.InferenceSession(file, providers=['CPUExecutionProvider'])
    found = session.run(None, {'xs': xs})[0].astype(numpy.float64)
    expected = numpy.fromfile(file.with_suffix('.ys'), numpy.float32).reshape(found.shape).astype(numpy.float64)
    exp = lambda x: numpy.exp(x - x.max(1, keepdims=True))
    off = abs(exp(found) / exp(found).sum(1, keepdims=True) - exp(expected) / exp(expected).sum(1, keepdims=True)).max()
    print(file.stem, off, flush=True)
    worst = max(worst, off) if off == off else 1.0
sys.exit(0 if worst < 1e-4 else 1)
";

#[test]
fn onnx_runtime_says_what_the_whole_zoo_says() {
    let python = std::env::var("TALLOW_PYTHON").unwrap_or_else(|_| "python3".into());
    let there = Command::new(&python).args(["-c", "import onnxruntime"]).output();
    if !there.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: {python} has no onnxruntime; TALLOW_PYTHON names one that has");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for arch in Arch::ALL {
        let network = network(arch);
        let file = folder.path().join(format!("{arch}.onnx"));
        onnx::export(&network, &images(arch, 1), &file).unwrap();
        let xs = images(arch, 2);
        let bytes = |values: Vec<f32>| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
        let shape: Vec<String> = xs.dims().iter().map(usize::to_string).collect();
        std::fs::write(file.with_extension("shape"), shape.join(" ")).unwrap();
        std::fs::write(file.with_extension("xs"), bytes(values(&xs))).unwrap();
        std::fs::write(file.with_extension("ys"), bytes(inferred(&network, &xs))).unwrap();
        let output = Command::new(&python).args(["-c", IN_PYTHON]).arg(folder.path()).output().unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{said}");
        eprint!("{said}");
        for extension in ["onnx", "shape", "xs", "ys"] {
            std::fs::remove_file(file.with_extension(extension)).unwrap();
        }
    }
}
