//! The gradient by the input: again a product, whose rows are input pixels and whose pieces are the gradients of the
//! output pixels that saw them.
#![allow(unsafe_code)]

use super::geometry::{Geometry, Reach, raster};
use crate::blank::filled;
use crate::shared::SharedMut;
use crate::tiles::{Element, Gemm, PADDING, PackedB, Place};

/// `dx` `[N, H, W, C]` from `dy` `[N, H', W', O]`.
///
/// With strides, input pixels fall into classes by their remainders: pixels of a class meet the same taps.
pub(super) fn gradient_by_input<E: Element>(g: &Geometry, dy: &[E], weight: &[f32]) -> Vec<E> {
    let firsts = (0..g.stride[0].min(g.h)).flat_map(|y| (0..g.stride[1].min(g.w)).map(move |x| (y, x)));
    let classes: Vec<Class> = firsts.map(|(y, x)| Class::new(g, y, x)).collect();
    let all_seen = classes.iter().all(|class| !class.taps.is_empty());
    filled(g.n * g.h * g.w * g.channels(), |mut dx| {
        if !all_seen {
            dx = dx.fill(E::default()).into();
        }
        for (group, weight) in weight.chunks_exact(weight.len() / g.groups).enumerate() {
            let panels = PackedB::backward::<E>(weight, g.co, g.ci, g.taps());
            for class in classes.iter().filter(|class| !class.taps.is_empty()) {
                let place = |row: usize, pieces: &mut [usize]| {
                    let (image, y, x) = raster(g.n, class.h, class.w, row);
                    for (piece, reach) in pieces.iter_mut().zip(&class.reaches) {
                        *piece = match reach.from((y, x), (g.oh, g.ow)) {
                            Some((oy, ox)) => ((image * g.oh + oy) * g.ow + ox) * g.outputs() + group * g.co,
                            None => PADDING,
                        };
                    }
                    let (y, x) = (class.first[0] + y * g.stride[0], class.first[1] + x * g.stride[1]);
                    ((image * g.h + y) * g.w + x) * g.channels() + group * g.ci
                };
                let place = if g.pointwise() { Place::Rows } else { Place::Each(&place) };
                let gemm = Gemm {
                    rows: g.n * class.h * class.w,
                    source: dy,
                    len: g.co,
                    segments: &class.taps,
                    panels: &panels,
                    place,
                    bias: None,
                    accumulate: false,
                    epilogue: None,
                };
                // SAFETY: an input pixel is one row of one class, and of its channels a group has its own.
                unsafe { gemm.run(SharedMut::new(&mut dx)) };
            }
        }
        // SAFETY: pixels of a class with taps have been written, all groups of them, and others are zeros.
        unsafe { dx.assume_filled() }
    })
}

/// The input pixels whose row and column leave the same remainders.
struct Class {
    /// The remainders.
    first: [usize; 2],
    h: usize,
    w: usize,
    /// The taps through which they can be seen, and where from.
    taps: Vec<usize>,
    reaches: Vec<Reach>,
}

impl Class {
    fn new(g: &Geometry, first_y: usize, first_x: usize) -> Class {
        let seen = |axis: usize, first: usize, k: &usize| {
            let size = [g.h, g.w][axis];
            (first..size).step_by(g.stride[axis]).any(|at| g.output(axis, at, *k).is_some())
        };
        let cols: Vec<usize> = (0..g.kernel[1]).filter(|k| seen(1, first_x, k)).collect();
        let rows = (0..g.kernel[0]).filter(|k| seen(0, first_y, k));
        let taps: Vec<usize> = rows.flat_map(|ky| cols.iter().map(move |kx| ky * g.kernel[1] + kx)).collect();
        let first = [first_y, first_x];
        Class {
            first,
            reaches: taps.iter().map(|&tap| Reach::back(g, tap, first)).collect(),
            h: (g.h - first_y).div_ceil(g.stride[0]),
            w: (g.w - first_x).div_ceil(g.stride[1]),
            taps,
        }
    }
}
