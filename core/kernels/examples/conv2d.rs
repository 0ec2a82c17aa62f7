//! A small convolutional network of these kernels, trained with candle-nn's `VarMap` and `AdamW`: is the bar upright?
#![allow(clippy::print_stdout)]

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::init::DEFAULT_KAIMING_NORMAL;
use candle_nn::{AdamW, Init, Optimizer, VarBuilder, VarMap};
use tallow_kernels::{
    Activation, BatchNormOptions, ConvParams, backward, batch_norm, batch_stats, conv2d, cross_entropy,
    global_avg_pool2d, linear, recorded, relu,
};

/// Images `[16, 8, 8, 1]` with one bar each, and whether it is upright.
fn bars() -> Result<(Tensor, Tensor)> {
    let pixel = |i: usize| {
        let (image, y, x) = (i / 64, i / 8 % 8, i % 8);
        let place = if image < 8 { x } else { y };
        if place == image % 8 { 1.0 } else { 0.0 }
    };
    let xs: Vec<f32> = (0..16 * 64).map(pixel).collect();
    let ys: Vec<u32> = (0..16).map(|image| u32::from(image < 8)).collect();
    Ok((Tensor::from_vec(xs, (16, 8, 8, 1), &Device::Cpu)?, Tensor::new(ys, &Device::Cpu)?))
}

/// Trains, and gives the loss of each step.
pub(crate) fn losses(steps: usize) -> Result<Vec<f32>> {
    let (xs, ys) = bars()?;
    let varmap = VarMap::new();
    let vb = VarBuilder::from_varmap(&varmap, DType::F32, &Device::Cpu);
    let conv1 = vb.get_with_hints((8, 1, 3, 3), "conv1", DEFAULT_KAIMING_NORMAL)?;
    let scale = vb.get_with_hints(8, "scale", Init::Const(1.0))?;
    let shift = vb.get_with_hints(8, "shift", Init::Const(0.0))?;
    let conv2 = vb.get_with_hints((16, 8, 3, 3), "conv2", DEFAULT_KAIMING_NORMAL)?;
    let head = vb.get_with_hints((2, 16), "head", DEFAULT_KAIMING_NORMAL)?;
    let mut optimizer = AdamW::new_lr(varmap.all_vars(), 0.01)?;
    let same_size = ConvParams::new(1, 1);
    let norm = BatchNormOptions { eps: 1e-5, training: true, activation: Activation::Relu };
    let step = |_| {
        let scores = recorded(|| {
            let hs = conv2d(&xs, &conv1, None, &same_size)?; // [16, 8, 8, 8]
            let hs = batch_norm(&hs, &scale, &shift, &batch_stats(&hs)?, &norm, None)?;
            let hs = relu(&conv2d(&hs, &conv2, None, &same_size)?)?; // [16, 8, 8, 16]
            linear(&global_avg_pool2d(&hs)?, &head, None) // [16, 2]
        })?;
        let loss = cross_entropy(&scores, &ys)?.mean_all()?;
        optimizer.step(&backward(&loss)?)?;
        loss.to_scalar()
    };
    (0..steps).map(step).collect()
}

#[allow(dead_code)] // the test runs `losses`
fn main() -> Result<()> {
    for (step, loss) in losses(60)?.iter().enumerate().step_by(10) {
        println!("step {step:2}: loss {loss:.4}");
    }
    Ok(())
}
