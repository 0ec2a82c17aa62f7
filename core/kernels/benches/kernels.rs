//! How fast the kernels are, one by one: `cargo bench -p tallow-kernels`, or `cargo xtask bench`.
#![allow(missing_docs, clippy::expect_used)] // a measurement that cannot be set up has nobody to report to

use candle_core::{Device, Tensor, Var};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tallow_kernels::{self as kernels, Activation, BatchNormOptions, ConvParams, Pool, PreparedConv};

fn random(dims: &[usize]) -> Tensor {
    let mut state = 3;
    // SplitMix64 (Steele, Lea and Flood, 2014), as numbers in -1..1.
    let mut next = || {
        state = u64::wrapping_add(state, 0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    let values: Vec<f32> = (0..dims.iter().product()).map(|_| next()).collect();
    Tensor::from_vec(values, dims, &Device::Cpu).expect("memory")
}

/// Batch, side of the image, channels in and out, side of the kernel, stride, groups: layers of the networks that are
/// trained most.
const LAYERS: [(&str, [usize; 7]); 9] = [
    ("resnet stem", [32, 64, 3, 64, 7, 2, 1]),
    ("resnet layer1", [32, 16, 64, 64, 3, 1, 1]),
    ("resnet layer2.0", [32, 16, 64, 128, 3, 2, 1]),
    ("resnet layer3", [32, 4, 256, 256, 3, 1, 1]),
    ("resnet layer4", [32, 2, 512, 512, 3, 1, 1]),
    ("resnet50 1x1", [8, 56, 64, 256, 1, 1, 1]),
    ("densenet growth", [8, 28, 128, 32, 3, 1, 1]),
    ("vgg", [1, 112, 128, 128, 3, 1, 1]),
    ("depthwise", [8, 56, 144, 144, 3, 1, 144]),
];

fn convolutions(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("conv2d");
    group.sample_size(10);
    for (name, [n, side, from, to, kernel, stride, groups]) in LAYERS {
        let conv = ConvParams { groups, ..ConvParams::new(stride, kernel / 2) };
        let (xs, weight) = (random(&[n, side, side, from]), random(&[to, from / groups, kernel, kernel]));
        let ys = kernels::conv2d(&xs, &weight, None, &conv).expect("shapes");
        group.throughput(Throughput::Elements((ys.elem_count() * from / groups * kernel * kernel) as u64));
        group.bench_function(BenchmarkId::new("forward", name), |b| {
            b.iter(|| kernels::conv2d(&xs, &weight, None, &conv));
        });
        let prepared = PreparedConv::new(&weight, None).expect("weights");
        group.bench_function(BenchmarkId::new("prepared", name), |b| {
            b.iter(|| prepared.run(&xs, &conv, None, Activation::Relu));
        });
        let (x, w) = (Var::from_tensor(&xs).expect("memory"), Var::from_tensor(&weight).expect("memory"));
        for (what, xs, weight) in
            [("gradient by input", x.as_tensor(), &weight), ("gradient by weight", &xs, w.as_tensor())]
        {
            let sum = kernels::conv2d(xs, weight, None, &conv).and_then(|ys| ys.sum_all()).expect("shapes");
            group.bench_function(BenchmarkId::new(what, name), |b| b.iter(|| kernels::backward(&sum)));
        }
    }
}

fn memory_bound(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("memory bound");
    group.sample_size(20);
    let xs = random(&[32, 56, 56, 64]);
    let (weight, bias) = (random(&[64]), random(&[64]));
    group.throughput(Throughput::Bytes(4 * xs.elem_count() as u64));
    let stats = kernels::batch_stats(&xs).expect("values");
    let options = BatchNormOptions { eps: 1e-5, training: true, activation: Activation::Relu };
    group.bench_function("batch_stats", |b| b.iter(|| kernels::batch_stats(&xs)));
    group.bench_function("batch_norm, sum, relu", |b| {
        b.iter(|| kernels::batch_norm(&xs, &weight, &bias, &stats, &options, Some(&xs)));
    });
    let x = Var::from_tensor(&xs).expect("memory");
    let ys = kernels::batch_norm(&x, &weight, &bias, &stats, &options, None).and_then(|ys| ys.sum_all());
    let ys = ys.expect("shapes");
    group.bench_function("batch_norm backward", |b| b.iter(|| kernels::backward(&ys)));
    group.bench_function("max_pool2d", |b| b.iter(|| kernels::max_pool2d(&xs, &Pool::new(3, 2, 1))));
    group.bench_function("layer_norm", |b| b.iter(|| kernels::layer_norm(&xs, &weight, &bias, 1e-6)));
    for activation in [Activation::Relu, Activation::Silu, Activation::Gelu] {
        group.bench_function(format!("{activation:?}"), |b| b.iter(|| kernels::activate(&xs, activation)));
    }
}

criterion_group!(benches, convolutions, memory_bound);
criterion_main!(benches);
