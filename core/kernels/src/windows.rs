//! Windows of pooling.

use candle_core::{Result, Tensor};
use std::ops::Range;

/// The windows of pooling. Pairs are (vertical, horizontal), lengths are in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool {
    /// The height and width of a window.
    pub kernel: [usize; 2],
    /// Pixels from one window to the next.
    pub stride: [usize; 2],
    /// The border on each side, at most half a window.
    pub padding: [usize; 2],
    /// Whether windows that extend beyond the end count too, as long as they begin inside. PyTorch's `ceil_mode`.
    pub ceil_mode: bool,
}

impl Pool {
    /// Square windows, without those that extend beyond the end.
    pub fn new(kernel: usize, stride: usize, padding: usize) -> Pool {
        Pool { kernel: [kernel; 2], stride: [stride; 2], padding: [padding; 2], ceil_mode: false }
    }

    /// The windows along both axes of an image of `h` x `w`.
    pub(super) fn windows(&self, name: &str, xs: &Tensor) -> Result<[Vec<Window>; 2]> {
        let (n, h, w, c) = xs.dims4()?;
        let (Some(rows), Some(cols)) = (self.axis(0, h), self.axis(1, w)) else {
            candle_core::bail!("{name}: {self:?} does not fit input [N, H, W, C] {:?}", xs.dims())
        };
        if n * c == 0 {
            candle_core::bail!("{name}: an empty input {:?}", xs.dims());
        }
        Ok([rows, cols])
    }

    fn axis(&self, axis: usize, size: usize) -> Option<Vec<Window>> {
        let (kernel, stride, padding) = (self.kernel[axis], self.stride[axis], self.padding[axis]);
        let padded = size.checked_add(padding.checked_mul(2)?)?;
        if stride == 0 || size == 0 || padding > kernel / 2 || kernel == 0 {
            return None;
        }
        let room = padded.checked_sub(kernel)?;
        let mut count = if self.ceil_mode { room.div_ceil(stride) } else { room / stride } + 1;
        // The last window must begin in the image or the border before it.
        if self.ceil_mode && (count - 1) * stride >= size + padding {
            count -= 1;
        }
        let window = |i: usize| {
            let (start, end) = (i * stride, (i * stride + kernel).min(padded));
            let inside = start.saturating_sub(padding)..(end.min(size + padding) - padding);
            Window { inside, length: end - start }
        };
        Some((0..count).map(window).collect())
    }
}

/// A window along one axis.
#[derive(Debug, Clone)]
pub(super) struct Window {
    /// The pixels in it.
    pub(super) inside: Range<usize>,
    /// Its length with the border that it covers.
    pub(super) length: usize,
}

/// Windows that divide an axis of `size` into `count` parts as equal as can be: PyTorch's adaptive pools.
fn adaptive(size: usize, count: usize) -> Vec<Window> {
    let window = |i: usize| {
        let inside = i * size / count..((i + 1) * size).div_ceil(count);
        Window { length: inside.len(), inside }
    };
    (0..count).map(window).collect()
}

pub(super) fn adaptive_windows(name: &str, xs: &Tensor, size: [usize; 2]) -> Result<[Vec<Window>; 2]> {
    let (_, h, w, _) = xs.dims4()?;
    if xs.elem_count() == 0 || size.contains(&0) {
        candle_core::bail!("{name}: from input [N, H, W, C] {:?} to a grid of {size:?}", xs.dims());
    }
    Ok([adaptive(h, size[0]), adaptive(w, size[1])])
}
