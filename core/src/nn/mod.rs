//! Layers, their parameters and initialisation, and losses.

pub mod init;
mod layers;
pub mod losses;
mod observe;
mod param;
mod params;
mod segmentation_loss;
mod sequential;

pub use layers::{
    AdaptiveAvgPool2d, AdaptiveConcatPool2d, AdaptiveMaxPool2d, AvgPool2d, BatchNorm, Conv2d, Conv2dConfig, ConvNorm,
    DropPath, Dropout, Embedding, Flatten, GlobalAvgPool2d, LayerNorm, Linear, Lstm, LstmState, MaxPool2d, Padding,
    PixelShuffle, PixelShuffleIcnr, Relu, Upsample, linear,
};
pub use observe::{Observation, observe};
pub use param::{Param, ParamKind};
pub(crate) use params::lock;
pub use params::{Params, Stream};
pub use segmentation_loss::{PixelLoss, SegmentationLoss};
pub use sequential::Sequential;

use crate::error::Result;
use crate::kernels;
use candle_core::Tensor;

/// Something that maps a batch to a batch: a layer, or a whole network. PyTorch's `nn.Module`, without the parameters,
/// which live in [`Params`].
pub trait Module: Send + Sync {
    /// Images are `[N, C, H, W]` and features `[N, F]`, here and wherever a user looks. `train` is true while
    /// training: dropout drops, and batch normalisation uses the batch's own statistics.
    ///
    /// # Errors
    /// When the shape does not suit the module.
    fn forward(&self, xs: &Tensor, train: bool) -> Result<Tensor>;

    /// [`Module::forward`] for images that are channels-last, `[N, H, W, C]`, to a result that still is if it has rank
    /// 4. Image layers compute in this form, and containers stay in it from layer to layer. Inputs of rank 2 pass
    /// through unchanged.
    ///
    /// # Errors
    /// As [`Module::forward`].
    fn forward_channels_last(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        if xs.rank() != 4 {
            return self.forward(xs, train);
        }
        let ys = self.forward(&kernels::channels_first(xs)?, train)?;
        Ok(if ys.rank() == 4 { kernels::channels_last(&ys)? } else { ys })
    }
}

/// A plain function can be a network.
impl<F: Fn(&Tensor) -> Result<Tensor> + Send + Sync> Module for F {
    fn forward(&self, xs: &Tensor, _train: bool) -> Result<Tensor> {
        self(xs)
    }
}

/// A network with several owners, such as a learner and a predictor.
impl<M: Module + ?Sized> Module for std::sync::Arc<M> {
    fn forward(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        (**self).forward(xs, train)
    }

    fn forward_channels_last(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        (**self).forward_channels_last(xs, train)
    }
}

/// `forward` of a module that computes channels-last: convert, compute on a tape, convert back.
pub(crate) fn through_channels_last(module: &dyn Module, xs: &Tensor, train: bool) -> Result<Tensor> {
    let xs = kernels::channels_last(xs)?;
    let ys = kernels::recorded(|| module.forward_channels_last(&xs, train))?;
    Ok(if ys.rank() == 4 { kernels::channels_first(&ys)? } else { ys })
}
