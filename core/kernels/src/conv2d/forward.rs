//! The convolution itself: a row of the product is an output pixel, its pieces are the input pixels under the kernel's
//! taps.
#![allow(unsafe_code)]

use super::geometry::{Geometry, Reach, raster};
use crate::blank::{Blank, fill, filled};
use crate::shared::SharedMut;
use crate::tiles::{Element, Epilogue, Gemm, PADDING, PackedB, Place};
use rayon::prelude::*;
use std::borrow::Cow;

/// The weights of a convolution, ready for the product: one matrix for each group.
pub(crate) fn pack<E: Element>(g: &Geometry, weight: &[f32]) -> Vec<PackedB> {
    weight.chunks_exact(weight.len() / g.groups).map(|w| PackedB::forward::<E>(w, g.co, g.ci, g.taps())).collect()
}

/// The result `[N, H', W', O]`, with `epilogue` applied to each finished stretch of values.
pub(crate) fn forward<E: Element>(
    g: &Geometry,
    xs: &[E],
    weights: &[PackedB],
    bias: Option<&[f32]>,
    epilogue: Option<&Epilogue<'_, E>>,
) -> Vec<E> {
    let view = View::new(g, xs);
    filled(g.out_pixels() * g.outputs(), |mut out| {
        for (group, panels) in weights.iter().enumerate() {
            let place = |row: usize, pieces: &mut [usize]| {
                let (image, y, x) = raster(g.n, g.oh, g.ow, row);
                view.pieces(image, y, x, group * g.ci, pieces);
                ((image * g.oh + y) * g.ow + x) * g.outputs() + group * g.co
            };
            let bias = bias.map(|bias| &bias[group * g.co..][..g.co]);
            let place = if g.pointwise() { Place::Rows } else { Place::Each(&place) };
            let (segments, len) = (view.segments.as_slice(), view.len);
            let (rows, source) = (g.out_pixels(), view.source.as_ref());
            let gemm = Gemm { rows, source, len, segments, panels, place, bias, accumulate: false, epilogue };
            // SAFETY: an output pixel is one row, and of its outputs a group has its own.
            unsafe { gemm.run(SharedMut::new(&mut out)) };
        }
        // SAFETY: there is a matrix for each group, so each has written its outputs of each pixel.
        unsafe { out.assume_filled() }
    })
}

/// How a convolution looks at its input: through one piece for each tap, or, where pixels have few channels, one for
/// each row of the kernel, whose pixels lie side by side in a copy of the input with the padding written out.
pub(super) struct View<'a, E: Element> {
    g: Geometry,
    pub(super) source: Cow<'a, [E]>,
    /// Values of a pixel there: of whole lanes.
    pub(super) pixel: usize,
    /// Length of a piece.
    pub(super) len: usize,
    /// The taps, or the rows of the kernel, that meet the image. There is always one.
    pub(super) segments: Vec<usize>,
    /// What each tap sees.
    reaches: Vec<Reach>,
    by_rows: bool,
}

impl<E: Element> View<'_, E> {
    pub(super) fn new<'a>(g: &Geometry, xs: &'a [E]) -> View<'a, E> {
        let by_rows = g.by_rows();
        if by_rows {
            let pixel = g.ci.next_multiple_of(E::PER_LANE);
            let (source, len) = (Cow::Owned(padded(g, xs, pixel)), g.kernel[1] * pixel);
            let segments = (0..g.kernel[0]).collect();
            return View { g: *g, source, pixel, len, segments, reaches: Vec::new(), by_rows };
        }
        let mut segments = g.useful_taps();
        if segments.is_empty() {
            // All of the kernel lies in the padding: one tap is enough to come to 0.
            segments.push(0);
        }
        let reaches = segments.iter().map(|&tap| Reach::forward(g, tap)).collect();
        View { g: *g, source: Cow::Borrowed(xs), pixel: g.ci, len: g.ci, segments, reaches, by_rows }
    }

    /// Where the pieces begin that output pixel (y, x) of an image sees, from channel `first`.
    pub(super) fn pieces(&self, image: usize, y: usize, x: usize, first: usize, pieces: &mut [usize]) {
        if self.by_rows {
            // All of them are segments of the first one's column.
            let down = (self.g.w + self.g.padding[1][0] + self.g.padding[1][1]) * self.pixel * self.g.dilation[0];
            let start = self.piece(image, y, x, first, 0);
            pieces.iter_mut().enumerate().for_each(|(segment, piece)| *piece = start + segment * down);
            return;
        }
        for (i, piece) in pieces.iter_mut().enumerate() {
            *piece = self.piece(image, y, x, first, i);
        }
    }

    /// Where the piece of the `i`th of the segments begins.
    #[inline(always)]
    pub(super) fn piece(&self, image: usize, y: usize, x: usize, first: usize, i: usize) -> usize {
        let g = &self.g;
        if self.by_rows {
            let (h, w) = (g.h + g.padding[0][0] + g.padding[0][1], g.w + g.padding[1][0] + g.padding[1][1]);
            let row = y * g.stride[0] + self.segments[i] * g.dilation[0];
            return ((image * h + row) * w + x * g.stride[1]) * self.pixel;
        }
        match self.reaches[i].from((y * g.stride[0], x * g.stride[1]), (g.h, g.w)) {
            Some((iy, ix)) => ((image * g.h + iy) * g.w + ix) * g.channels() + first,
            None => PADDING,
        }
    }
}

/// A copy of the input with its border of zeros, and each pixel filled up to `pixel` values.
fn padded<E: Element>(g: &Geometry, xs: &[E], pixel: usize) -> Vec<E> {
    let [[top, bottom], [left, right]] = g.padding;
    let (h, w, row) = (g.h + top + bottom, (g.w + left + right) * pixel, g.w * g.ci);
    let zeros = vec![E::default(); left.max(right).max(1) * pixel];
    fill(g.n * h * w, w, (0..g.n * h).into_par_iter(), |index, out: Blank<'_, E>| {
        let (image, y) = (index / h, index % h);
        let Some(y) = y.checked_sub(top).filter(|y| *y < g.h) else {
            return out.fill(E::default());
        };
        let values = &xs[(image * g.h + y) * row..][..row];
        let (before, after) = (&zeros[..left * pixel], &zeros[..right * pixel]);
        if pixel == g.ci {
            return out.join([before, values, after]);
        }
        let pixels = values.chunks_exact(g.ci).flat_map(|values| [values, &zeros[..pixel - g.ci]]);
        out.join([before].into_iter().chain(pixels).chain([after]))
    })
}
