//! Training gives the same weights, to the last bit, for any number of threads.
//!
//! The number of threads is fixed when a process first uses them, so each number gets a process of its own: this test
//! program again, told by an environment variable to be a worker.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, missing_docs)]

mod common;

use candle_core::{DType, Tensor};
use common::{formula_tensor, params, reference_labels, values};
use std::process::{Child, Command, Stdio};
use tallow::Result;
use tallow::kernels;
use tallow::models::Arch;
use tallow::nn::losses::{bce_with_logits, cross_entropy};
use tallow::nn::{GlobalAvgPool2d, Module, Params, Sequential};
use tallow::optim::{Adam, Hypers, Optimizer};

const WORKER: &str = "TALLOW_TEST_WORKER";

/// A few steps of Adam and a prediction, and then a hash of all losses, weights and scores.
fn train(
    name: &str,
    network: &dyn Module,
    params: &Params,
    xs: &[usize],
    steps: usize,
    loss: &dyn Fn(&Tensor) -> Result<Tensor>,
) {
    let (mut adam, rates) = (Adam::fastai(), Hypers::lr(1e-3));
    let xs = formula_tensor("input", xs).to_dtype(DType::F32).unwrap();
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    let mut mix = |v: f64| hash = (hash ^ v.to_bits()).wrapping_mul(0x0100_0000_01b3).rotate_left(23);
    for _ in 0..steps {
        let loss = loss(&network.forward(&xs, true).unwrap()).unwrap();
        values(&loss).into_iter().for_each(&mut mix);
        adam.step(&params.trainable(), &loss.backward().unwrap(), &rates).unwrap();
    }
    params.all().iter().flat_map(|p| values(p.var())).for_each(&mut mix);
    values(&kernels::no_grad(|| network.forward(&xs, false)).unwrap()).into_iter().for_each(&mut mix);
    println!("hash {name} {hash:016x}");
}

#[test]
fn worker() {
    if std::env::var_os(WORKER).is_none() {
        return;
    }
    println!("hash threads {}", rayon::current_num_threads());
    let labels = |n: usize, classes: usize| reference_labels(n, classes);

    let p = params(1);
    let cnn = Sequential::new(&p).conv2d(1, 16, 3, 1, true).unwrap().batch_norm(16).unwrap().relu().max_pool2d(3, 2, 1);
    let cnn = cnn.conv2d(16, 32, 3, 2, false).unwrap().batch_norm(32).unwrap().relu().dropout(0.2).unwrap();
    let cnn = cnn.conv2d(32, 160, 5, 2, false).unwrap().batch_norm(160).unwrap().relu().concat_pool2d();
    let cnn = cnn.linear(320, 10).unwrap();
    train("cnn", &cnn, &p, &[50, 1, 28, 28], 4, &|ys| cross_entropy(ys, &labels(50, 10)));

    let p = params(2);
    let plain = Sequential::new(&p).conv2d(3, 8, 3, 2, true).unwrap().relu().max_pool2d(2, 2, 0).flatten();
    let plain = plain.linear(8 * 8 * 8, 10).unwrap();
    train("flattened", &plain, &p, &[33, 3, 32, 32], 4, &|ys| cross_entropy(ys, &labels(33, 10)));

    let p = params(3);
    let mlp = Sequential::new(&p).linear(784, 30).unwrap().relu().linear(30, 1).unwrap();
    let targets = formula_tensor("targets", &[256, 1]).gt(0.0).unwrap().to_dtype(DType::F32).unwrap();
    train("mlp", &mlp, &p, &[256, 784], 8, &|ys| bce_with_logits(ys, &targets));

    let p = params(4);
    let wide = Sequential::new(&p).linear(1000, 700).unwrap().relu().batch_norm(700).unwrap().linear(700, 501).unwrap();
    train("wide", &wide, &p, &[300, 1000], 4, &|ys| cross_entropy(ys, &labels(300, 501)));

    for (arch, shape) in [
        (Arch::ResNet18, [5, 3, 48, 40]),
        (Arch::EfficientNetLite0, [3, 3, 40, 48]),
        (Arch::DenseNet121, [2, 3, 64, 64]),
    ] {
        let p = params(5);
        let network = arch.build(10, &p).unwrap();
        train(arch.name(), &network, &p, &shape, 2, &|ys| cross_entropy(ys, &labels(shape[0], 10)));
    }

    let p = params(6);
    let pooled = Sequential::new(&p).conv2d(3, 70, 3, 1, false).unwrap().add(|_| Ok(GlobalAvgPool2d)).unwrap();
    let pooled = pooled.linear(70, 3).unwrap();
    train("pooled", &pooled, &p, &[7, 3, 41, 23], 3, &|ys| cross_entropy(ys, &labels(7, 3)));
}

fn start(threads: usize) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "worker", "--nocapture"])
        .env(WORKER, "1")
        .env("RAYON_NUM_THREADS", threads.to_string())
        .env_remove("CANDLE_NUM_THREADS")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The lines that a worker prints.
fn hashes(worker: Child) -> Vec<String> {
    let output = worker.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    // The test harness may print its own words before the first hash on the same line.
    text.lines().filter_map(|line| line.find("hash ").map(|at| line[at..].to_string())).collect()
}

#[test]
fn any_number_of_threads_gives_the_same_weights() {
    // All at once, so that no core waits while the worker with one thread is busy.
    let mut runs: Vec<Vec<String>> = [1, 2, 4, 3].map(start).map(hashes).to_vec();
    let threads: Vec<String> = runs.iter_mut().map(|run| run.remove(0)).collect();
    assert_eq!(threads, ["hash threads 1", "hash threads 2", "hash threads 4", "hash threads 3"]);
    assert_eq!(runs[0].len(), 8, "{runs:?}");
    for (run, threads) in runs.iter().zip(&threads) {
        assert_eq!(*run, runs[0], "{threads} against 1");
    }
}
