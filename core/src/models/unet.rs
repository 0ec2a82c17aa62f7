//! fast.ai's U-Net for segmentation.

use super::network::{Body, Skip};
use super::zoo::Arch;
use crate::error::{Error, Result};
use crate::kernels::{self, Activation};
use crate::nn::init::{FanMode, Init};
use crate::nn::{BatchNorm, Conv2d, Conv2dConfig, Module, Params, PixelShuffleIcnr, through_channels_last};
use candle_core::Tensor;

/// A U-Net (Ronneberger et al., 2015) on the body of a classifier: fast.ai's `DynamicUnet` (Howard and Gugger, 2020) as
/// `unet_learner` makes it, with its parameters' names; `layers.0` is the encoder.
///
/// The encoder, the body of a classifier, computes small maps of many features. The decoder doubles their size step by
/// step, and at each step concatenates the batch-normalised features of the encoder at that size, and at last the image
/// itself. Where an odd size was halved, the nearest pixel fills in. The decoder's convolutions have biases and no
/// normalisation.
///
/// # Shapes
/// Images `[N, 3, H, W]` of any size → scores `[N, n_classes, H, W]`
pub struct DynamicUnet {
    encoder: Body,
    /// Of the encoder's result.
    norm: BatchNorm,
    middle: [Conv2d; 2],
    /// From the smallest images to the largest.
    blocks: Vec<UnetBlock>,
    last_up: PixelShuffleIcnr,
    /// A residual block on features and image together.
    path: [Conv2d; 2],
    judge: Conv2d,
}

/// How the shift of fast.ai's own batch normalisations begins.
const SHIFT: f32 = 1e-3;

impl DynamicUnet {
    /// A network with random weights. `params` must be empty; pretrained weights can be loaded into
    /// `params.pp("layers.0")` ([`crate::models::weights::Weights::load_body_into`]).
    ///
    /// # Errors
    /// [`Error::Config`] when the architecture has no encoder ([`Arch::encoder`]) or there are no classes.
    pub fn new(arch: Arch, n_classes: usize, params: &Params) -> Result<DynamicUnet> {
        if n_classes == 0 {
            return Err(Error::config("n_classes", "a U-Net without classes has nothing to tell apart"));
        }
        let layers = params.pp("layers");
        let encoder = arch.encoder(&layers.pp(0))?;
        let mut channels = encoder.channels();
        let norm = BatchNorm::with_shift(channels, SHIFT, &layers.pp(1))?;
        let middle = layers.pp(3);
        let middle =
            [conv(channels, 2 * channels, &middle.pp(0).pp(0))?, conv(2 * channels, channels, &middle.pp(1).pp(0))?];
        let mut blocks = Vec::new();
        for (number, skip) in encoder.skips().iter().rev().enumerate() {
            let joined = channels / 2 + skip.channels;
            // The block at the largest size is half as wide.
            let width = if number + 1 < encoder.skips().len() { joined } else { joined / 2 };
            blocks.push(UnetBlock::new([channels, skip.channels, width], &layers.pp(4 + number))?);
            channels = width;
        }
        // Numbers 9 and 10 of fast.ai's layers have no parameters, as 2 has none.
        let next = layers.pp(4 + blocks.len());
        let last_up = PixelShuffleIcnr::new(channels, channels, &next)?;
        let joined = channels + 3;
        let path = layers.pp(7 + blocks.len()).pp("convpath");
        let path = [conv(joined, joined, &path.pp(0).pp(0))?, conv(joined, joined, &path.pp(1).pp(0))?];
        let judge = Conv2dConfig::new(joined, n_classes, 1).bias(Init::Normal(0.01));
        let judge = Conv2d::new(&judge, &layers.pp(8 + blocks.len()).pp(0))?;
        Ok(DynamicUnet { encoder, norm, middle, blocks, last_up, path, judge })
    }

    /// The encoder.
    pub fn encoder(&self) -> &Body {
        &self.encoder
    }

    /// Assigns the parameters to fast.ai's groups: the encoder's first half, its second half, and the decoder; two
    /// groups if the encoder is not split.
    ///
    /// # Errors
    /// When `params` has parameters of another network too.
    pub fn split_groups(&self, params: &Params) -> Result<()> {
        let encoder = |names: Vec<String>| names.iter().map(|name| format!("layers.0.{name}")).collect();
        let mut groups: Vec<Vec<String>> = self.encoder.groups().into_iter().map(encoder).collect();
        groups.push((1..=8 + self.blocks.len()).map(|layer| format!("layers.{layer}")).collect());
        let groups: Vec<Vec<&str>> = groups.iter().map(|group| group.iter().map(String::as_str).collect()).collect();
        params.split_groups(&groups.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }
}

impl Module for DynamicUnet {
    fn forward(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        through_channels_last(self, xs, train)
    }

    fn forward_channels_last(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        let mut stored = Vec::with_capacity(self.blocks.len());
        let ys = self.encoder.forward_each(xs, train, &mut |child, ys| {
            if self.encoder.skips().iter().any(|&Skip { child: at, .. }| at == child) {
                stored.push(ys.clone());
            }
            Ok(())
        })?;
        let ys = self.norm.forward_with(&ys, train, Activation::Relu, None)?; // [N, H/32, W/32, C]
        let ys = self.middle.iter().try_fold(ys, |ys, conv| conv.forward_with(&ys, train, Activation::Relu))?;
        let pairs = self.blocks.iter().zip(stored.into_iter().rev());
        let ys = pairs.into_iter().try_fold(ys, |ys, (block, skip)| block.forward(&ys, skip, train))?;
        let ys = to_size_of(xs, self.last_up.forward_channels_last(&ys, train)?)?;
        let ys = kernels::cat(&[&ys, xs])?; // [N, H, W, C' + 3]
        let hidden = self.path[0].forward_with(&ys, train, Activation::Relu)?;
        let ys = self.path[1].forward_with_shortcut(&hidden, train, Some(&ys), Activation::Relu)?;
        self.judge.forward_channels_last(&ys, train) // [N, H, W, classes]
    }
}

/// A step up: twice as large, next to what the encoder saw at that size.
struct UnetBlock {
    shuf: PixelShuffleIcnr,
    bn: BatchNorm,
    conv1: Conv2d,
    conv2: Conv2d,
}

impl UnetBlock {
    fn new([below, skip, width]: [usize; 3], params: &Params) -> Result<UnetBlock> {
        Ok(UnetBlock {
            shuf: PixelShuffleIcnr::new(below, below / 2, &params.pp("shuf"))?,
            bn: BatchNorm::with_shift(skip, SHIFT, &params.pp("bn"))?,
            conv1: conv(below / 2 + skip, width, &params.pp("conv1").pp(0))?,
            conv2: conv(width, width, &params.pp("conv2").pp(0))?,
        })
    }

    fn forward(&self, below: &Tensor, skip: Tensor, train: bool) -> Result<Tensor> {
        let ys = to_size_of(&skip, self.shuf.forward_channels_last(below, train)?)?;
        // fast.ai takes the ReLU of both together; what comes from below has had its own.
        let skip = self.bn.forward_with(&skip, train, Activation::Relu, None)?;
        let ys = kernels::cat(&[&ys, &skip])?;
        let ys = self.conv1.forward_with(&ys, train, Activation::Relu)?;
        self.conv2.forward_with(&ys, train, Activation::Relu)
    }
}

/// A 3 x 3 convolution as fast.ai's `ConvLayer` without normalisation begins.
fn conv(from: usize, to: usize, params: &Params) -> Result<Conv2d> {
    let config = Conv2dConfig::new(from, to, 3).init(Init::KaimingNormal { mode: FanMode::FanIn }).bias(Init::Zeros);
    Conv2d::new(&config, params)
}

/// `ys` in the height and width of `xs`, by the nearest pixel.
fn to_size_of(xs: &Tensor, ys: Tensor) -> Result<Tensor> {
    let (_, h, w, _) = xs.dims4()?;
    if ys.dims()[1..3] == [h, w] {
        return Ok(ys);
    }
    Ok(kernels::upsample_nearest2d(&ys, [h, w])?)
}
