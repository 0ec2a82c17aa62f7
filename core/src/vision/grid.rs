//! A grid of images.

use crate::error::{Error, Result};
use candle_core::Tensor;

/// Arranges a batch of images in a grid, with `n_row` images in each row and `padding` pixels of `pad_value` around
/// each. torchvision's `make_grid`.
///
/// # Shapes
/// `xs` `[N, C, H, W]` with `C` 1 or 3 → `[3, H', W']`
///
/// # Errors
/// When the tensor has another shape, or `n_row` is 0.
pub fn make_grid(xs: &Tensor, n_row: usize, padding: usize, pad_value: f64) -> Result<Tensor> {
    let (n, h, w) = match *xs.dims() {
        [n, 1 | 3, h, w] if n > 0 && n_row > 0 => (n, h, w),
        ref dims => {
            return Err(Error::shape(
                format!(
                    "make_grid takes a batch [N, 1 or 3, H, W] in rows of at least one, not {dims:?} in rows of {n_row}"
                ),
                dims,
            ));
        }
    };
    let xs = xs.broadcast_as((n, 3, h, w))?;
    if n == 1 {
        return Ok(xs.squeeze(0)?.contiguous()?);
    }
    let columns = n_row.min(n);
    let blank = |h: usize, w: usize| Ok::<_, Error>((Tensor::zeros((3, h, w), xs.dtype(), xs.device())? + pad_value)?);
    let mut rows = vec![blank(padding, columns * (w + padding) + padding)?];
    for start in (0..n).step_by(columns) {
        let mut row = vec![blank(h, padding)?];
        for i in start..start + columns {
            row.push(if i < n { xs.get(i)? } else { blank(h, w)? });
            row.push(blank(h, padding)?);
        }
        rows.push(Tensor::cat(&row, 2)?);
        rows.push(blank(padding, columns * (w + padding) + padding)?);
    }
    // Nothing can be joined to a tensor of no rows.
    rows.retain(|row| row.elem_count() > 0);
    Ok(Tensor::cat(&rows, 1)?)
}
