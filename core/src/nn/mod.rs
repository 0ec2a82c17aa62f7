//! Layers, their parameters and initialisation, and losses: PyTorch's `torch.nn`.
//!
//! A layer is made from [`Params`], where its tensors have the names that PyTorch gives them, and computes by
//! [`Module::forward`].
//!
//! ```
//! use tallow::candle::{Device, Tensor};
//! use tallow::nn::{Module, Params, Sequential, losses};
//! use tallow::rng::Rng;
//! # fn main() -> tallow::Result<()> {
//! let params = Params::new(&Rng::new(42), &Device::Cpu);
//! let net = Sequential::new(&params).linear(2, 2)?.relu().linear(2, 3)?;
//! for param in params.all() {
//!     param.var().set(&param.tensor().ones_like()?.affine(0.5, 0.0)?)?;
//! }
//! let logits = net.forward(&Tensor::new(&[[1f32, 2.], [3., 4.]], &Device::Cpu)?, true)?; // [2, 3]
//! assert_eq!(logits.to_vec2::<f32>()?, [[2.5; 3], [4.5; 3]]);
//! let loss = losses::cross_entropy(&logits, &Tensor::new(&[0u32, 2], &Device::Cpu)?)?;
//! assert!((loss.to_scalar::<f32>()? - 3f32.ln()).abs() < 1e-6); // three equal probabilities
//! # Ok(())
//! # }
//! ```
//!
//! Making a layer fails, besides the reasons that its constructor gives, when the device cannot allocate its
//! parameters, or when `Params` already has parameters of the same name.

pub mod init;
mod layers;
pub mod losses;
mod observe;
mod param;
mod params;
mod segmentation_loss;
mod sequential;

pub(crate) use layers::Prepared;
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
use candle_core::{Device, Tensor};

/// A layer or a network: a function from a batch to a batch. PyTorch's `nn.Module`, except that the parameters live in
/// [`Params`].
pub trait Module: Send + Sync {
    /// Computes the module's result. `train` is PyTorch's `model.train()`: dropout drops, and batch normalisation uses
    /// the batch's own statistics.
    ///
    /// # Shapes
    /// Images are `[N, C, H, W]`, features `[N, F]`, sequences `[N, T, F]`.
    ///
    /// # Errors
    /// When the module cannot take an input of this shape.
    fn forward(&self, xs: &Tensor, train: bool) -> Result<Tensor>;

    /// Computes the result of [`Module::forward`] for channels-last images `[N, H, W, C]`; a result of rank 4 is
    /// channels-last too. Image layers compute in this layout, and containers keep it from layer to layer. Inputs of
    /// another rank go to [`Module::forward`].
    ///
    /// # Errors
    /// When the module cannot take an input of this shape.
    fn forward_channels_last(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        if xs.rank() != 4 {
            return self.forward(xs, train);
        }
        let ys = self.forward(&kernels::channels_first(xs)?, train)?;
        Ok(if ys.rank() == 4 { kernels::channels_last(&ys)? } else { ys })
    }
}

/// A function without parameters, used as a network.
impl<F: Fn(&Tensor) -> Result<Tensor> + Send + Sync> Module for F {
    fn forward(&self, xs: &Tensor, _train: bool) -> Result<Tensor> {
        self(xs)
    }
}

/// A network shared by several owners, such as a learner and a predictor.
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
    with_channels_last(xs, train, |xs| module.forward_channels_last(xs, train))
}

/// Converts images to channels-last, computes `f` of them on a tape, and converts a result of rank 4 back. In inference
/// all threads stay awake meanwhile.
pub(crate) fn with_channels_last(
    xs: &Tensor,
    train: bool,
    f: impl FnOnce(&Tensor) -> Result<Tensor> + Send,
) -> Result<Tensor> {
    let compute = || {
        let ys = kernels::recorded(|| f(&kernels::channels_last(xs)?))?;
        Ok(if ys.rank() == 4 { kernels::channels_first(&ys)? } else { ys })
    };
    if train || kernels::grad_enabled() { compute() } else { on_computing_threads(xs.device(), compute) }
}

/// Runs what has many operations one after the other on a thread that computes, while the others stay awake: an
/// operation of a small network is shorter than the way to another thread and back. What watches this thread would not
/// see it there: then, as on a graphics card, `f` just runs.
pub(crate) fn on_computing_threads<T: Send>(device: &Device, f: impl FnOnce() -> T + Send) -> T {
    let watched = observe::observed() || kernels::trace::tracing();
    if watched || !device.is_cpu() { f() } else { kernels::awake(|| observe::unobserved(f)) }
}
