//! Which pixels a convolution brings together.

use super::params::ConvParams;
use candle_core::Result;

/// A convolution's sizes, checked. Channels are those of one group.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Geometry {
    pub(super) n: usize,
    pub(super) h: usize,
    pub(super) w: usize,
    /// Channels of a group, in and out.
    pub(super) ci: usize,
    pub(super) co: usize,
    pub(super) groups: usize,
    pub(super) kernel: [usize; 2],
    pub(super) stride: [usize; 2],
    pub(super) padding: [[usize; 2]; 2],
    pub(super) dilation: [usize; 2],
    pub(super) oh: usize,
    pub(super) ow: usize,
}

impl Geometry {
    /// # Errors
    /// When the sizes do not fit together or the result would be empty.
    pub(crate) fn new(xs: &[usize], weight: &[usize], conv: &ConvParams) -> Result<Geometry> {
        let (&[n, h, w, channels], &[outputs, ci, kh, kw]) = (xs, weight) else {
            candle_core::bail!(
                "conv2d: expected an input [N, H, W, C] and a weight [O, C / groups, kh, kw], got shapes {xs:?} and \
                 {weight:?}"
            )
        };
        let &ConvParams { stride, padding, dilation, groups } = conv;
        if [n, h, w, channels, outputs, ci, kh, kw, groups, stride[0], stride[1], dilation[0], dilation[1]].contains(&0)
        {
            candle_core::bail!("conv2d: input {xs:?}, weight {weight:?} and {conv:?} hold a size of 0");
        }
        if channels != ci.saturating_mul(groups) || outputs % groups != 0 {
            candle_core::bail!(
                "conv2d: weight {weight:?} in {groups} groups wants {} channels and outputs in multiples of {groups}, \
                 the input [N, H, W, C] {xs:?} has {channels} channels",
                ci.saturating_mul(groups)
            );
        }
        let out = |axis: usize, size: usize, kernel: usize| {
            let padded = size.checked_add(padding[axis][0])?.checked_add(padding[axis][1])?;
            let reach = dilation[axis].checked_mul(kernel - 1)?.checked_add(1)?;
            Some(padded.checked_sub(reach)? / stride[axis] + 1)
        };
        let (Some(oh), Some(ow)) = (out(0, h, kh), out(1, w, kw)) else {
            candle_core::bail!(
                "conv2d: the kernel of weight {weight:?} is larger than the padded input {xs:?}, {conv:?}"
            );
        };
        let co = outputs / groups;
        Ok(Geometry { n, h, w, ci, co, groups, kernel: [kh, kw], stride, padding, dilation, oh, ow })
    }

    /// Whether each output pixel is made of the input pixel at the same place alone.
    pub(super) fn pointwise(&self) -> bool {
        self.kernel == [1, 1] && self.stride == [1, 1] && self.padding == [[0; 2]; 2] && self.groups == 1
    }

    /// Whether pixels have so few channels that the kernel's rows are looked at as one piece each.
    pub(super) fn by_rows(&self) -> bool {
        self.ci < 16 && self.groups == 1 && self.dilation[1] == 1 && self.kernel[1] > 1
    }

    pub(super) fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// Channels of all groups.
    pub(super) fn channels(&self) -> usize {
        self.ci * self.groups
    }

    /// Outputs of all groups.
    pub(super) fn outputs(&self) -> usize {
        self.co * self.groups
    }

    pub(super) fn out_pixels(&self) -> usize {
        self.n * self.oh * self.ow
    }

    /// The input row (axis 0) or column (axis 1) that output `out` sees through tap `k`, if it is inside the image.
    pub(super) fn input(&self, axis: usize, out: usize, k: usize) -> Option<usize> {
        let at = (out * self.stride[axis] + k * self.dilation[axis]).checked_sub(self.padding[axis][0])?;
        (at < [self.h, self.w][axis]).then_some(at)
    }

    /// The output row or column that sees input `at` through tap `k`, if there is one.
    pub(super) fn output(&self, axis: usize, at: usize, k: usize) -> Option<usize> {
        let out = (at + self.padding[axis][0]).checked_sub(k * self.dilation[axis])?;
        let out = out.is_multiple_of(self.stride[axis]).then_some(out / self.stride[axis])?;
        (out < [self.oh, self.ow][axis]).then_some(out)
    }

    /// The taps (row by row) that meet the image at all. Under a 1 x 1 image only the middle of a padded 3 x 3 kernel
    /// does.
    pub(super) fn useful_taps(&self) -> Vec<usize> {
        let meets =
            |axis: usize, k: &usize| (0..[self.oh, self.ow][axis]).any(|out| self.input(axis, out, *k).is_some());
        let cols: Vec<usize> = (0..self.kernel[1]).filter(|k| meets(1, k)).collect();
        let rows = (0..self.kernel[0]).filter(|k| meets(0, k));
        rows.flat_map(|ky| cols.iter().map(move |kx| ky * self.kernel[1] + kx)).collect()
    }
}

/// How far a tap looks from the pixel that steps of the stride lead to: rows down and columns across, up and to the
/// left by wrapping around. Worked out once, since products over few channels take no longer than to find their pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Reach(usize, usize);

impl Reach {
    /// From output pixels to the input: a tap's, which are counted row by row.
    pub(super) fn forward(g: &Geometry, tap: usize) -> Reach {
        let tap = [tap / g.kernel[1], tap % g.kernel[1]];
        let [down, across] = [0, 1].map(|axis| (tap[axis] * g.dilation[axis]).wrapping_sub(g.padding[axis][0]));
        Reach(down, across)
    }

    /// From input pixels back to the output, of those that `first` and steps of the stride lead to, if they are seen
    /// through the tap at all.
    pub(super) fn back(g: &Geometry, tap: usize, first: [usize; 2]) -> Reach {
        let tap = [tap / g.kernel[1], tap % g.kernel[1]];
        let [down, across] = [0, 1].map(|axis| {
            let (from, by) = (first[axis] + g.padding[axis][0], tap[axis] * g.dilation[axis]);
            match from.checked_sub(by) {
                Some(ahead) => ahead / g.stride[axis],
                None => ((by - from) / g.stride[axis]).wrapping_neg(),
            }
        });
        Reach(down, across)
    }

    /// The pixel's row and column in an image of `h` x `w`, if it is inside.
    #[inline(always)]
    pub(super) fn from(self, (y, x): (usize, usize), (h, w): (usize, usize)) -> Option<(usize, usize)> {
        let (y, x) = (y.wrapping_add(self.0), x.wrapping_add(self.1));
        (y < h && x < w).then_some((y, x))
    }
}

/// Image, row and column of a place in a raster of `n` images of `h` x `w`. F2x2 images are gone through image by
/// image at the same place, so that neighbours fall outside of the image together, and their work can be left out.
pub(super) fn raster(n: usize, h: usize, w: usize, index: usize) -> (usize, usize, usize) {
    if h * w <= 16 { (index % n, index / n / w, index / n % w) } else { (index / (h * w), index / w % h, index % w) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reaches_lead_where_the_definition_does() {
        for (kernel, stride, pad, dilation) in
            [(3, 1, 1, 1), (3, 2, 1, 1), (5, 3, 2, 1), (2, 2, 0, 3), (1, 2, 0, 1), (4, 1, 3, 2)]
        {
            let params = ConvParams { dilation: [dilation; 2], ..ConvParams::new(stride, pad) };
            let Ok(g) = Geometry::new(&[1, 13, 11, 1], &[1, 1, kernel, kernel], &params) else { continue };
            for tap in 0..g.taps() {
                let (ky, kx) = (tap / kernel, tap % kernel);
                let reach = Reach::forward(&g, tap);
                for (y, x) in (0..g.oh).flat_map(|y| (0..g.ow).map(move |x| (y, x))) {
                    let want = g.input(0, y, ky).zip(g.input(1, x, kx));
                    assert_eq!(reach.from((y * stride, x * stride), (g.h, g.w)), want, "{g:?}, tap {tap}, {y}, {x}");
                }
                for (y, x) in (0..g.h).flat_map(|y| (0..g.w).map(move |x| (y, x))) {
                    let (first, steps) = ([y % stride, x % stride], (y / stride, x / stride));
                    // Of pixels with one remainder all are seen through a tap, but for the borders, or none.
                    let is_seen =
                        |first: usize, k: usize| (first + pad + k * dilation * (stride - 1)).is_multiple_of(stride);
                    if is_seen(first[0], ky) && is_seen(first[1], kx) {
                        let want = g.output(0, y, ky).zip(g.output(1, x, kx));
                        let found = Reach::back(&g, tap, first).from(steps, (g.oh, g.ow));
                        assert_eq!(found, want, "{g:?}, tap {tap}, {y}, {x}");
                    }
                }
            }
        }
    }
}
