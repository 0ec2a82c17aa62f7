//! Watching layers at work: what a network is made of, seen from one forward pass.

use crate::nn::Param;
use candle_core::Tensor;
use std::cell::RefCell;

/// What one layer did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// PyTorch's name of the layer's type, such as `Conv2d`.
    pub layer: &'static str,
    /// The parameters it used.
    pub params: Vec<String>,
    /// The shape of its result, images as `[N, C, H, W]`.
    pub output: Vec<usize>,
    /// Multiplications with a weight, each with its addition.
    pub multiply_adds: u64,
}

thread_local! {
    static SEEN: RefCell<Option<Vec<Observation>>> = const { RefCell::new(None) };
}

/// Runs `f` and gives, besides its result, what the layers of this thread did in it, in order.
pub fn observe<T>(f: impl FnOnce() -> T) -> (T, Vec<Observation>) {
    struct Restore(Option<Vec<Observation>>);
    impl Drop for Restore {
        fn drop(&mut self) {
            SEEN.set(self.0.take());
        }
    }
    let _restore = Restore(SEEN.replace(Some(Vec::new())));
    let result = f();
    (result, SEEN.take().unwrap_or_default())
}

/// Whether anyone watches. Layers that compute several steps as one do not while they are watched.
pub(crate) fn observed() -> bool {
    SEEN.with_borrow(Option::is_some)
}

/// A layer tells what it did, should anyone watch. `ys` is its result, channels-last if an image, and `per_value` the
/// multiply-adds behind each of its values.
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
