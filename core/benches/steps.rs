//! How long whole steps take: `cargo bench -p tallow --bench steps`, or `cargo xtask bench`.
#![allow(missing_docs, clippy::expect_used)] // a measurement that cannot be set up has nobody to report to

use candle_core::{Device, Tensor};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use tallow::kernels;
use tallow::models::Arch;
use tallow::nn::losses::cross_entropy;
use tallow::nn::{Module, Params};
use tallow::optim::{Hypers, Optimizer, Sgd};
use tallow::rng::Rng;

const BATCH: usize = 32;

fn training(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("train");
    group.sample_size(10);
    for (arch, side) in [(Arch::ResNet18, 64), (Arch::ResNet18, 128), (Arch::ResNet34, 64)] {
        let params = Params::new(&Rng::new(1), &Device::Cpu);
        let network = arch.build(10, &params).expect("memory");
        let xs = Rng::new(7).randn((BATCH, 3, side, side), 1.0, &Device::Cpu).expect("memory");
        let ys = Tensor::new((0..BATCH as u32).map(|i| i % 10).collect::<Vec<_>>(), &Device::Cpu).expect("memory");
        let (mut optimizer, hypers) = (Sgd::torch(0.9, 0.0), Hypers::lr(0.01));
        group.bench_function(BenchmarkId::new(arch.name(), side), |b| {
            b.iter(|| {
                let loss = cross_entropy(&network.forward(&xs, true)?, &ys)?;
                optimizer.step(&params.trainable(), &kernels::backward(&loss)?, &hypers)
            });
        });
    }
}

fn inference(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("infer");
    group.sample_size(10);
    for arch in [Arch::ResNet18, Arch::DenseNet121, Arch::EfficientNetLite0] {
        let params = Params::new(&Rng::new(1), &Device::Cpu);
        let network = arch.build(1000, &params).expect("memory");
        for batch in [1, 8] {
            let xs = Rng::new(7).randn((batch, 3, 224, 224), 1.0, &Device::Cpu).expect("memory");
            group.bench_function(BenchmarkId::new(arch.name(), batch), |b| {
                b.iter(|| kernels::no_grad(|| network.forward(&xs, false)));
            });
        }
    }
}

criterion_group!(benches, training, inference);
criterion_main!(benches);
