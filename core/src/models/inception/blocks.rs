//! Inception's blocks: several branches over the same features, side by side.

use crate::error::Result;
use crate::kernels::{Activation, Pool, cat};
use crate::nn::init::Init;
use crate::nn::{AvgPool2d, Conv2dConfig, ConvNorm, MaxPool2d, Module, Params};
use candle_core::Tensor;

/// A convolution that begins as torchvision's Inception does.
pub(super) fn conv(from: usize, to: usize, kernel: usize) -> Conv2dConfig {
    Conv2dConfig::new(from, to, kernel).init(Init::Normal(0.1))
}

/// torchvision's `BasicConv2d`.
pub(super) fn conv_norm(config: &Conv2dConfig, params: &Params) -> Result<ConvNorm> {
    Ok(ConvNorm::new(config, Activation::Relu, &params.pp("conv"), &params.pp("bn"))?.with_norm(1e-3, 0.1))
}

/// What a block is going to be made of: named convolutions, in the order of their parameters, and how they are joined.
pub(super) struct Mixed {
    convs: Vec<(&'static str, Conv2dConfig)>,
    /// For each branch which convolutions it runs through, before or after what pooling.
    branches: Vec<Branch>,
}

#[derive(Debug, Clone)]
enum Branch {
    /// One convolution after the other.
    Chain(Vec<usize>),
    /// The same, and at its end two convolutions side by side.
    Fork(Vec<usize>, [usize; 2]),
    /// A mean over 3 x 3 windows, then a convolution.
    AvgPool(usize),
    /// A maximum over 3 x 3 windows with stride 2.
    MaxPool,
}

fn oblong(from: usize, to: usize, kernel: [usize; 2]) -> Conv2dConfig {
    Conv2dConfig::oblong(from, to, kernel).init(Init::Normal(0.1))
}

fn halving(from: usize, to: usize) -> Conv2dConfig {
    conv(from, to, 3).stride(2).padding(0)
}

impl Mixed {
    /// 35 x 35 pixels.
    pub(super) fn a(from: usize, pooled: usize) -> Mixed {
        let convs = vec![
            ("branch1x1", conv(from, 64, 1)),
            ("branch5x5_1", conv(from, 48, 1)),
            ("branch5x5_2", conv(48, 64, 5)),
            ("branch3x3dbl_1", conv(from, 64, 1)),
            ("branch3x3dbl_2", conv(64, 96, 3)),
            ("branch3x3dbl_3", conv(96, 96, 3)),
            ("branch_pool", conv(from, pooled, 1)),
        ];
        let chains = [vec![0], vec![1, 2], vec![3, 4, 5]].map(Branch::Chain);
        Mixed { convs, branches: chains.into_iter().chain([Branch::AvgPool(6)]).collect() }
    }

    /// From 35 x 35 pixels to 17 x 17.
    pub(super) fn b(from: usize) -> Mixed {
        let convs = vec![
            ("branch3x3", halving(from, 384)),
            ("branch3x3dbl_1", conv(from, 64, 1)),
            ("branch3x3dbl_2", conv(64, 96, 3)),
            ("branch3x3dbl_3", halving(96, 96)),
        ];
        Mixed { convs, branches: vec![Branch::Chain(vec![0]), Branch::Chain(vec![1, 2, 3]), Branch::MaxPool] }
    }

    /// 17 x 17 pixels, with `narrow` channels inside.
    pub(super) fn c(from: usize, narrow: usize) -> Mixed {
        let (row, column) = ([1, 7], [7, 1]);
        let convs = vec![
            ("branch1x1", conv(from, 192, 1)),
            ("branch7x7_1", conv(from, narrow, 1)),
            ("branch7x7_2", oblong(narrow, narrow, row)),
            ("branch7x7_3", oblong(narrow, 192, column)),
            ("branch7x7dbl_1", conv(from, narrow, 1)),
            ("branch7x7dbl_2", oblong(narrow, narrow, column)),
            ("branch7x7dbl_3", oblong(narrow, narrow, row)),
            ("branch7x7dbl_4", oblong(narrow, narrow, column)),
            ("branch7x7dbl_5", oblong(narrow, 192, row)),
            ("branch_pool", conv(from, 192, 1)),
        ];
        let chains = [vec![0], vec![1, 2, 3], vec![4, 5, 6, 7, 8]].map(Branch::Chain);
        Mixed { convs, branches: chains.into_iter().chain([Branch::AvgPool(9)]).collect() }
    }

    /// From 17 x 17 pixels to 8 x 8.
    pub(super) fn d(from: usize) -> Mixed {
        let convs = vec![
            ("branch3x3_1", conv(from, 192, 1)),
            ("branch3x3_2", halving(192, 320)),
            ("branch7x7x3_1", conv(from, 192, 1)),
            ("branch7x7x3_2", oblong(192, 192, [1, 7])),
            ("branch7x7x3_3", oblong(192, 192, [7, 1])),
            ("branch7x7x3_4", halving(192, 192)),
        ];
        Mixed { convs, branches: vec![Branch::Chain(vec![0, 1]), Branch::Chain(vec![2, 3, 4, 5]), Branch::MaxPool] }
    }

    /// 8 x 8 pixels.
    pub(super) fn e(from: usize) -> Mixed {
        let convs = vec![
            ("branch1x1", conv(from, 320, 1)),
            ("branch3x3_1", conv(from, 384, 1)),
            ("branch3x3_2a", oblong(384, 384, [1, 3])),
            ("branch3x3_2b", oblong(384, 384, [3, 1])),
            ("branch3x3dbl_1", conv(from, 448, 1)),
            ("branch3x3dbl_2", conv(448, 384, 3)),
            ("branch3x3dbl_3a", oblong(384, 384, [1, 3])),
            ("branch3x3dbl_3b", oblong(384, 384, [3, 1])),
            ("branch_pool", conv(from, 192, 1)),
        ];
        let branches = vec![
            Branch::Chain(vec![0]),
            Branch::Fork(vec![1], [2, 3]),
            Branch::Fork(vec![4, 5], [6, 7]),
            Branch::AvgPool(8),
        ];
        Mixed { convs, branches }
    }

    pub(super) fn build(self, params: &Params) -> Result<Block> {
        let convs =
            self.convs.iter().map(|(name, config)| conv_norm(config, &params.pp(name))).collect::<Result<_>>()?;
        Ok(Block { convs, branches: self.branches })
    }
}

/// Branches, joined along the channels.
pub(super) struct Block {
    convs: Vec<ConvNorm>,
    branches: Vec<Branch>,
}

impl Block {
    pub(super) fn forward(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        let conv = |xs: &Tensor, i: usize| self.convs[i].forward_channels_last(xs, train);
        let chain = |chain: &[usize]| chain.iter().try_fold(xs.clone(), |xs, &i| conv(&xs, i));
        let mut parts = Vec::new();
        for branch in &self.branches {
            match branch {
                Branch::Chain(convs) => parts.push(chain(convs)?),
                Branch::Fork(convs, ends) => {
                    let xs = chain(convs)?;
                    for &end in ends {
                        parts.push(conv(&xs, end)?);
                    }
                }
                Branch::AvgPool(i) => {
                    let pooled = AvgPool2d(Pool::new(3, 1, 1)).forward_channels_last(xs, train)?;
                    parts.push(conv(&pooled, *i)?);
                }
                Branch::MaxPool => parts.push(MaxPool2d(Pool::new(3, 2, 0)).forward_channels_last(xs, train)?),
            }
        }
        Ok(cat(&parts.iter().collect::<Vec<_>>())?)
    }
}
