//! Observing the layers of a network during a forward pass.

use crate::nn::Param;
use candle_core::Tensor;
use std::cell::RefCell;

/// A record of one layer's forward pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// PyTorch's name of the layer's type, such as `Conv2d`.
    pub layer: &'static str,
    /// The names of its parameters.
    pub params: Vec<String>,
    /// The shape of its result; `[N, C, H, W]` for images.
    pub output: Vec<usize>,
    /// The number of multiply-adds with a weight.
    pub multiply_adds: u64,
}

thread_local! {
    static SEEN: RefCell<Option<Vec<Observation>>> = const { RefCell::new(None) };
}

/// Runs `f` and returns, beside its result, a record of each layer that ran in it on this thread, in order.
///
/// ```
/// use tallow::candle::{DType, Device, Tensor};
/// use tallow::nn::{Module, Params, linear, observe};
/// # fn main() -> tallow::Result<()> {
/// let layer = linear(784, 30, &Params::new(&tallow::rng::Rng::new(42), &Device::Cpu))?;
/// let xs = Tensor::zeros((64, 784), DType::F32, &Device::Cpu)?;
/// let (_, seen) = observe(|| layer.forward(&xs, false));
/// assert_eq!((seen[0].layer, &seen[0].output[..]), ("Linear", &[64, 30][..]));
/// assert_eq!(seen[0].multiply_adds, 64 * 784 * 30);
/// # Ok(())
/// # }
/// ```
pub fn observe<T>(f: impl FnOnce() -> T) -> (T, Vec<Observation>) {
    let _restore = Restore(SEEN.replace(Some(Vec::new())));
    let result = f();
    (result, SEEN.take().unwrap_or_default())
}

/// Puts the observer back that there was before, even after a panic.
struct Restore(Option<Vec<Observation>>);

impl Drop for Restore {
    fn drop(&mut self) {
        SEEN.set(self.0.take());
    }
}

/// Runs `f` without the observer that there may be on this thread.
pub(crate) fn unobserved<T>(f: impl FnOnce() -> T) -> T {
    let _restore = Restore(SEEN.take());
    f()
}

/// Whether there is an observer. Layers that fuse several steps run them one by one for it.
pub(crate) fn observed() -> bool {
    SEEN.with_borrow(Option::is_some)
}

/// Records a layer's forward pass if there is an observer. `ys` is its result, channels-last if an image, and
/// `per_value` the number of multiply-adds for each of its values.
pub(crate) fn report(layer: &'static str, params: &[&Param], ys: &Tensor, per_value: usize) {
    SEEN.with_borrow_mut(|seen| {
        let Some(seen) = seen else { return };
        let mut output = ys.dims().to_vec();
        if output.len() == 4 {
            output[1..].rotate_right(1);
        }
        let params = params.iter().map(|param| param.name().to_string()).collect();
        let multiply_adds = (ys.elem_count() * per_value) as u64;
        seen.push(Observation { layer, params, output, multiply_adds });
    });
}
