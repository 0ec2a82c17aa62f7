//! The work that `cargo xtask bench` measures.
//!
//! Reads the name of a piece of work from each line of standard input, does it once, and writes how many seconds it
//! took:
//!
//! ```text
//! train resnet18 64 32        one step of SGD with momentum, images of 64 x 64, batches of 32
//! train-bf16 resnet18 64 32   the same in mixed precision
//! infer vgg16 224 1           scores of one image
//! mlp                         an epoch of the digit chapter's network, 784-30-1, on 12,396 digits
//! head                        a hundred steps of AdamW with a head on cached features, 2560-512-2, batches of 32
//! first efficientnet_lite0    from nothing to the first prediction, with the embedded weights
//! about                       which instructions this machine has
//! memory                      the most memory this process has had, in bytes
//! ```
//!
//! What is needed for a piece of work is made when it is first asked for, and done once without being counted.
#![allow(clippy::print_stdout)] // a program: its results are for stdout

use candle_core::{DType, Device, Tensor};
use std::collections::HashMap;
use std::io::BufRead;
use std::time::Instant;
use tallow::Result;
use tallow::models::Arch;
use tallow::models::weights::{LoadOptions, Weights};
use tallow::nn::losses::{bce_with_logits, cross_entropy};
use tallow::nn::{Module, Params, Sequential};
use tallow::optim::{Adam, Hypers, Optimizer, Sgd};
use tallow::rng::Rng;
use tallow::{Error, kernels};

type Work = Box<dyn FnMut() -> Result<()> + Send>;

fn main() -> Result<()> {
    // As the chapters do.
    kernels::keep_freed_memory();
    eprintln!("{} instructions, {} threads", kernels::simd_level(), rayon::current_num_threads());
    let mut ready: HashMap<String, Work> = HashMap::new();
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(|error| Error::Value(format!("standard input: {error}")))?;
        if line == "memory" {
            println!("{}", peak_memory());
            continue;
        }
        if line == "about" {
            println!("{}", kernels::simd_level());
            continue;
        }
        if !ready.contains_key(&line) {
            let mut work = prepare(&line)?;
            if !line.starts_with("first ") {
                work()?;
            }
            ready.insert(line.clone(), work);
        }
        if let Some(work) = ready.get_mut(&line) {
            let start = Instant::now();
            // As a learner's step and a predictor's answer do.
            kernels::awake(work)?;
            println!("{:.6}", start.elapsed().as_secs_f64());
        }
    }
    Ok(())
}

fn prepare(line: &str) -> Result<Work> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let number =
        |word: &str| word.parse::<usize>().map_err(|_| Error::Value(format!("`{line}`: {word} is not a number")));
    match words[..] {
        ["train", arch, side, batch] => train(arch.parse()?, number(side)?, number(batch)?, DType::F32),
        ["train-bf16", arch, side, batch] => train(arch.parse()?, number(side)?, number(batch)?, DType::BF16),
        ["infer", arch, side, batch] => infer(arch.parse()?, number(side)?, number(batch)?),
        ["mlp"] => mlp(),
        ["head"] => head(),
        ["first", arch] => Ok(first(arch.parse()?)),
        _ => Err(Error::Value(format!("`{line}` is not a piece of work; see the head of this program"))),
    }
}

fn images(batch: usize, side: usize) -> Result<Tensor> {
    Rng::new(7).randn((batch, 3, side, side), 1.0, &Device::Cpu)
}

fn train(arch: Arch, side: usize, batch: usize, dtype: DType) -> Result<Work> {
    let params = Params::new(&Rng::new(1), &Device::Cpu);
    let network = arch.build(10, &params)?;
    let xs = images(batch, side)?;
    let ys = Tensor::from_vec((0..batch as u32).map(|i| i % 10).collect::<Vec<_>>(), batch, &Device::Cpu)?;
    let (mut optimizer, hypers) = (Sgd::torch(0.9, 0.0), Hypers::lr(0.01));
    Ok(Box::new(move || {
        let scores = kernels::to_dtype(&network.forward(&kernels::to_dtype(&xs, dtype)?, true)?, DType::F32)?;
        optimizer.step(&params.trainable(), &kernels::backward(&cross_entropy(&scores, &ys)?)?, &hypers)
    }))
}

fn infer(arch: Arch, side: usize, batch: usize) -> Result<Work> {
    let params = Params::new(&Rng::new(1), &Device::Cpu);
    let network = arch.build(1000, &params)?;
    let xs = images(batch, side)?;
    Ok(Box::new(move || kernels::no_grad(|| network.forward(&xs, false)).map(drop)))
}

fn mlp() -> Result<Work> {
    const DIGITS: usize = 12_396;
    let params = Params::new(&Rng::new(1), &Device::Cpu);
    let network = Sequential::new(&params).linear(784, 30)?.relu().linear(30, 1)?;
    let xs = Rng::new(7).randn((DIGITS, 784), 1.0, &Device::Cpu)?;
    let ys: Vec<f32> = (0..DIGITS).map(|i| (i % 2) as f32).collect();
    let ys = Tensor::from_vec(ys, (DIGITS, 1), &Device::Cpu)?;
    let (mut optimizer, hypers) = (Sgd::new(), Hypers::lr(0.1));
    Ok(Box::new(move || {
        for start in (0..DIGITS).step_by(256) {
            let n = 256.min(DIGITS - start);
            let loss = bce_with_logits(&network.forward(&xs.narrow(0, start, n)?, true)?, &ys.narrow(0, start, n)?)?;
            optimizer.step(&params.trainable(), &kernels::backward(&loss)?, &hypers)?;
        }
        Ok(())
    }))
}

fn head() -> Result<Work> {
    const ROWS: usize = 3200;
    let params = Params::new(&Rng::new(1), &Device::Cpu);
    let network = Sequential::new(&params).batch_norm(2560)?.dropout(0.25)?.linear_no_bias(2560, 512)?.relu();
    let network = network.batch_norm(512)?.dropout(0.5)?.linear_no_bias(512, 2)?;
    let xs = Rng::new(7).randn((ROWS, 2560), 1.0, &Device::Cpu)?;
    let ys = Tensor::from_vec((0..ROWS as u32).map(|i| i % 2).collect::<Vec<_>>(), ROWS, &Device::Cpu)?;
    let (mut optimizer, hypers) = (Adam::adamw(0.01), Hypers::lr(1e-3));
    Ok(Box::new(move || {
        for start in (0..ROWS).step_by(32) {
            let loss = cross_entropy(&network.forward(&xs.narrow(0, start, 32)?, true)?, &ys.narrow(0, start, 32)?)?;
            optimizer.step(&params.trainable(), &kernels::backward(&loss)?, &hypers)?;
        }
        Ok(())
    }))
}

fn first(arch: Arch) -> Work {
    Box::new(move || {
        let params = Params::new(&Rng::new(1), &Device::Cpu);
        let network = arch.build(1000, &params)?;
        let weights = Weights::from_bytes(arch.name(), tallow_datasets::efficientnet_lite0::weights())?;
        weights.load_into(&params, &LoadOptions::strict())?;
        kernels::no_grad(|| network.forward(&images(1, 224)?, false)).map(drop)
    })
}

/// Linux keeps it; elsewhere 0.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix("kB")).and_then(|kb| kb.trim().parse::<u64>().ok()).unwrap_or(0)
        * 1024
}
