//! The gradient by the input: again a product, whose rows are input pixels and whose pieces are the gradients of the
//! output pixels that saw them.
#![allow(unsafe_code)]

use super::geometry::{Geometry, raster};
use crate::blank::Blank;
use crate::shared::SharedMut;
use crate::tiles::{Element, Gemm, PADDING, PackedB, Place};

/// `dx` `[N, H, W, C]` from `dy` `[N, H', W', O]`.
///
/// With strides, input pixels fall into classes by their remainders: pixels of a class meet the same taps.
pub(super) fn gradient_by_input<E: Element>(g: &Geometry, dy: &[E], weight: &[f32]) -> Vec<E> {
    // Zeros, since there may be pixels that no output saw.
    let mut dx = vec![E::default(); g.n * g.h * g.w * g.channels()];
    for (group, weight) in weight.chunks_exact(weight.len() / g.groups).enumerate() {
        let panels = PackedB::backward::<E>(weight, g.co, g.ci, g.taps());
        for first_y in 0..g.stride[0].min(g.h) {
            for first_x in 0..g.stride[1].min(g.w) {
                let class = Class::new(g, first_y, first_x);
                if class.taps.is_empty() {
                    continue;
                }
                let place = |row: usize, pieces: &mut [usize]| {
                    let (image, y, x) = raster(g.n, class.h, class.w, row);
                    let (y, x) = (first_y + y * g.stride[0], first_x + x * g.stride[1]);
                    for (piece, tap) in pieces.iter_mut().zip(&class.taps) {
                        *piece = match (g.output(0, y, tap / g.kernel[1]), g.output(1, x, tap % g.kernel[1])) {
                            (Some(oy), Some(ox)) => ((image * g.oh + oy) * g.ow + ox) * g.outputs() + group * g.co,
                            _ => PADDING,
                        };
                    }
                    ((image * g.h + y) * g.w + x) * g.channels() + group * g.ci
                };
                let gemm = Gemm {
                    rows: g.n * class.h * class.w,
                    source: dy,
                    len: g.co,
                    segments: &class.taps,
                    panels: &panels,
                    place: Place::Each(&place),
                    bias: None,
                    accumulate: false,
                    epilogue: None,
                };
                // SAFETY: an input pixel is one row of one class, and of its channels a group has its own.
                unsafe { gemm.run(SharedMut::new(&mut Blank::from(&mut dx[..]))) };
            }
        }
    }
    dx
}

/// The input pixels whose row and column leave the same remainders.
struct Class {
    h: usize,
    w: usize,
    /// The taps through which they can be seen.
    taps: Vec<usize>,
}

impl Class {
    fn new(g: &Geometry, first_y: usize, first_x: usize) -> Class {
        let seen = |axis: usize, first: usize, k: &usize| {
            let size = [g.h, g.w][axis];
            (first..size).step_by(g.stride[axis]).any(|at| g.output(axis, at, *k).is_some())
        };
        let cols: Vec<usize> = (0..g.kernel[1]).filter(|k| seen(1, first_x, k)).collect();
        let rows = (0..g.kernel[0]).filter(|k| seen(0, first_y, k));
        let taps = rows.flat_map(|ky| cols.iter().map(move |kx| ky * g.kernel[1] + kx)).collect();
        Class { h: (g.h - first_y).div_ceil(g.stride[0]), w: (g.w - first_x).div_ceil(g.stride[1]), taps }
    }
}
