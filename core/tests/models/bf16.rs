//! Mixed precision against PyTorch's, `torch.autocast("cpu", torch.bfloat16)`: see `fixtures/make_bf16.py`.

use super::reference::{fill, norm};
use crate::common::{params, reference_images_from, reference_labels, values};
use candle_core::{DType, Tensor};
use tallow::kernels;
use tallow::models::{Arch, NetworkOptions};
use tallow::nn::Module;
use tallow::nn::losses::cross_entropy;
use tallow::optim::{Hypers, Optimizer, Sgd};

/// Three steps of SGD: the losses, and the norms of the first gradients.
fn steps(arch: Arch, xs: &Tensor, lr: f64, dtype: DType) -> ([f64; 3], Vec<f64>) {
    let params = params(0);
    let network = arch.build_with(&NetworkOptions::new(1000).without_dropout(), &params).unwrap();
    fill(&params);
    let (xs, ys) = (kernels::to_dtype(xs, dtype).unwrap(), reference_labels(4, 1000));
    let (mut sgd, hypers, mut norms) = (Sgd::torch(0.9, 1e-4), Hypers::lr(lr), Vec::new());
    let losses = [0, 1, 2].map(|step| {
        let scores = network.forward(&xs, true).unwrap();
        assert_eq!(scores.dtype(), dtype, "{arch:?}");
        let loss = cross_entropy(&kernels::to_dtype(&scores, DType::F32).unwrap(), &ys).unwrap();
        let grads = kernels::backward(&loss).unwrap();
        if step == 0 {
            norms = params.trainable().iter().map(|p| norm(&values(grads.get(p.var()).unwrap()))).collect();
        }
        sgd.step(&params.trainable(), &grads, &hypers).unwrap();
        values(&loss)[0]
    });
    (losses, norms)
}

/// How far gradients' norms are from others, in the middle.
fn far(exact: &[f64], rounded: &[f64]) -> f64 {
    let largest = exact.iter().copied().fold(0.0, f64::max);
    let pairs = exact.iter().zip(rounded).filter(|(exact, _)| **exact > 1e-6 * largest);
    let mut far: Vec<f64> = pairs.map(|(exact, rounded)| (rounded / exact - 1.0).abs()).collect();
    far.sort_by(f64::total_cmp);
    far[far.len() / 2]
}

/// Rounding to 16 bits moves a loss by chance, and steps make much of little: ours has to be as near to the loss in f32
/// as PyTorch's is in the worst of five runs, give or take what eight binary places can tell apart.
#[test]
fn losses_and_gradients_in_bf16_are_as_near_to_f32_as_those_of_pytorch() {
    for line in include_str!("fixtures/bf16.txt").lines() {
        let (name, numbers) = line.split_once(' ').unwrap();
        let numbers: Vec<f64> = numbers.split(' ').map(|number| number.parse().unwrap()).collect();
        let [side, lr, ref rest @ ..] = numbers[..] else { panic!("{line}") };
        let ((exact, theirs), theirs_far) = (rest[..6].split_at(3), rest[6]);
        let (arch, side) = (name.parse().unwrap(), side as usize);
        let xs = reference_images_from("input", &[4, 3, side, side]);
        let (f32_losses, f32_norms) = steps(arch, &xs, lr, DType::F32);
        let (losses, norms) = steps(arch, &xs, lr, DType::BF16);
        let ours: Vec<f64> = losses.iter().zip(exact).map(|(loss, exact)| (loss - exact).abs()).collect();
        let ours_far = far(&f32_norms, &norms);
        eprintln!("{name}: losses {exact:.4?}, off by {ours:.4?}, PyTorch's by {theirs:.4?}");
        eprintln!("{name}: gradients off by {ours_far:.4}, PyTorch's by {theirs_far:.4}");
        assert!(losses != f32_losses, "{name}: nothing was rounded");
        for (step, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
            let allowed = theirs + exact[step] / 256.0;
            assert!(*ours <= allowed, "{name}, step {step}: off by {ours}, PyTorch's by {theirs}, allowed {allowed}");
        }
        let allowed = 1.5 * theirs_far + 1.0 / 256.0;
        assert!(ours_far <= allowed, "{name}: gradients are off by {ours_far}, PyTorch's by {theirs_far}");
    }
}
