//! Convolutions that follow each other, computed together, some rows at a time.
//!
//! A mobile network widens its images sixfold, convolves each channel by itself, and narrows them again. One layer
//! after the other, the wide images go out to memory and come back, which takes longer than the arithmetic. Here a band
//! of a few rows goes through all layers while it is in the cache, and what the next band needs of it stays there.
#![allow(unsafe_code)]

use super::geometry::Geometry;
use super::{ConvParams, PreparedConv, check_residual, depthwise};
use crate::activation::Activation;
use crate::blank::{Blank, filled};
use crate::shared::SharedMut;
use crate::tiles::{Epilogue, Gemm, PackedB, Place};
use crate::{fast, with_optional, with_values};
use candle_core::{Device, Result, Tensor};
use rayon::prelude::*;
use std::ops::Range;

/// Values of all layers' bands that stay in the second cache: half a megabyte.
const BAND: usize = 1 << 17;

/// A convolution of a chain, and what follows it.
pub struct ConvStep<'a> {
    /// The convolution.
    pub conv: &'a PreparedConv,
    /// How its windows move.
    pub windows: ConvParams,
    /// Applied to its result.
    pub activation: Activation,
}

/// Convolutions one after the other, `residual` being added before the last activation. Where images are large and
/// layers see one pixel, or one channel, at a time, bands of rows go through all layers at once; the result is the
/// same, bit for bit. Gradients do not flow through it.
///
/// # Shapes
/// `xs` `[N, H, W, C]` and `residual` in the shape of the result, `[N, H', W', O]`
///
/// # Errors
/// When there is no step, or a step does not fit what comes before it, and when `residual` has not the result's shape.
pub fn conv_chain(xs: &Tensor, steps: &[ConvStep<'_>], residual: Option<&Tensor>) -> Result<Tensor> {
    let mut dims = xs.dims4()?;
    let mut stages = Vec::with_capacity(steps.len());
    for step in steps {
        let g = Geometry::new(&[dims.0, dims.1, dims.2, dims.3], step.conv.weight().dims(), &step.windows)?;
        dims = (g.n, g.oh, g.ow, g.outputs());
        stages.push(g);
    }
    let last = steps.len().checked_sub(1);
    let (true, Some(last), Some(parts)) = (fast(xs), last, parts(&stages)) else {
        let Some((last, first)) = steps.split_last() else { candle_core::bail!("a chain of no convolutions") };
        let run = |xs: Tensor, step: &ConvStep<'_>| step.conv.run(&xs, &step.windows, None, step.activation);
        let xs = first.iter().try_fold(xs.clone(), run)?;
        return last.conv.run(&xs, &last.windows, residual, last.activation);
    };
    let shape = [dims.0, dims.1, dims.2, dims.3];
    check_residual(residual, &shape)?;
    let stages = stages.into_iter().zip(steps).map(|(g, step)| Stage::new(g, step)).collect::<Result<Vec<_>>>()?;
    let values = with_values(xs, |xs| {
        with_optional(residual, |residual| {
            let chain = Chain { xs, stages: &stages, residual };
            let (oh, row) = (shape[1], shape[2] * shape[3]);
            let rows = oh.div_ceil(parts);
            Ok(filled(shape.iter().product(), |mut out| {
                let shared = SharedMut::new(&mut out);
                let tasks = (0..shape[0] * parts).into_par_iter();
                tasks.for_each_init(
                    || vec![Band::default(); last],
                    |bands, task| {
                        let (image, first) = (task / parts, task % parts * rows);
                        let rows = first.min(oh)..(first + rows).min(oh);
                        // SAFETY: each task has rows of its own.
                        let out = unsafe { shared.part((image * oh + rows.start) * row, rows.len() * row) };
                        chain.run(image, rows, bands, out);
                    },
                );
                // SAFETY: the tasks have written all rows of all images.
                unsafe { out.assume_filled() }
            }))
        })
    })?;
    Tensor::from_vec(values, shape.as_slice(), &Device::Cpu)
}

/// Into how many parts images are cut, if a chain of these is worth it. The results do not depend on it.
fn parts(stages: &[Geometry]) -> Option<usize> {
    let (last, inner) = stages.split_last()?;
    let suits = |g: &Geometry| g.pointwise() || g.depthwise();
    // What stays in the cache has to be more than the weights, which are read anew for each part.
    let kept: usize = inner.iter().map(|g| g.oh * g.ow * g.outputs()).sum();
    let weights: usize = stages.iter().map(|g| g.ci * g.taps() * g.outputs()).sum();
    if inner.is_empty() || !stages.iter().all(suits) || kept < weights {
        return None;
    }
    let threads = rayon::current_num_threads();
    let parts =
        (1..=last.oh).find(|parts| last.n * parts >= 4 * threads || (last.n * parts).is_multiple_of(threads))?;
    // Rows that two parts need are computed twice: at most an eighth of all.
    let twice: usize = stages.iter().map(|g| g.reach().saturating_sub(g.stride[0])).sum();
    let rows = (last.oh / parts) * stages.iter().map(|g| g.stride[0]).product::<usize>();
    (parts == 1 || rows >= 8 * twice).then_some(parts)
}

impl Geometry {
    /// Rows that a row of the result sees.
    fn reach(&self) -> usize {
        self.dilation[0] * (self.kernel[0] - 1) + 1
    }

    /// The input rows that these output rows see.
    fn rows_seen(&self, rows: &Range<usize>) -> Range<usize> {
        // Rows that lie in the padding alone see nothing.
        if rows.is_empty() {
            return 0..0;
        }
        let from = (rows.start * self.stride[0]).saturating_sub(self.padding[0][0]);
        let to = ((rows.end - 1) * self.stride[0] + self.reach()).saturating_sub(self.padding[0][0]);
        from.min(self.h)..to.min(self.h).max(from.min(self.h))
    }
}

/// A layer.
struct Stage<'a> {
    g: Geometry,
    kind: Kind<'a>,
    bias: Option<&'a [f32]>,
    activation: Activation,
}

enum Kind<'a> {
    Pointwise(&'a PackedB),
    Depthwise(depthwise::Rows<'a>),
}

impl<'a> Stage<'a> {
    fn new(g: Geometry, step: &ConvStep<'a>) -> Result<Stage<'a>> {
        let kind = if g.depthwise() {
            Kind::Depthwise(depthwise::Rows::new(&g, step.conv.by_tap(&g)?))
        } else {
            let [panels] = step.conv.direct(&g)? else { candle_core::bail!("a pointwise convolution in groups") };
            Kind::Pointwise(panels)
        };
        Ok(Stage { g, kind, bias: step.conv.bias()?, activation: step.activation })
    }

    /// Values of a row of the result.
    fn row(&self) -> usize {
        self.g.ow * self.g.outputs()
    }

    /// Computes some rows of an image from the input's rows from `first` on.
    fn run(&self, rows: Range<usize>, input: &[f32], first: usize, residual: Option<&[f32]>, mut out: Blank<'_>) {
        let epilogue = Epilogue { residual, activation: self.activation };
        let from = self.g.w * self.g.channels();
        match &self.kind {
            Kind::Pointwise(panels) => {
                let pixels = rows.len() * self.g.ow;
                let gemm = Gemm {
                    rows: pixels,
                    source: &input[(rows.start - first) * from..][..rows.len() * from],
                    len: self.g.ci,
                    segments: &[0],
                    panels,
                    place: Place::Rows,
                    bias: self.bias,
                    accumulate: false,
                    epilogue: Some(&epilogue),
                };
                // SAFETY: rows follow each other, and nobody else has this memory.
                unsafe { gemm.run_part(0..pixels, 0..panels.count(), SharedMut::new(&mut out)) };
            }
            Kind::Depthwise(depthwise) => {
                let bias = self.bias.map(|bias| &bias[..self.g.outputs()]);
                for (i, row) in rows.enumerate() {
                    let out = out.part(i * self.row(), self.row());
                    depthwise.run(row, input, first, bias, &epilogue, i * self.row(), out);
                }
            }
        }
    }
}

/// The rows of a layer's result that are there.
#[derive(Clone, Default)]
struct Band {
    rows: Range<usize>,
    values: Vec<f32>,
}

impl Band {
    /// Keeps what is needed of what is there, and gives the memory of the other rows that are needed.
    fn advance(&mut self, needed: &Range<usize>, row: usize) -> (Range<usize>, &mut [f32]) {
        if self.values.len() < needed.len() * row {
            self.values.resize(needed.len() * row, 0.0);
        }
        let there = self.rows.start <= needed.start && needed.start < self.rows.end;
        let kept = needed.start..if there { self.rows.end.min(needed.end) } else { needed.start };
        if there {
            let at = (kept.start - self.rows.start) * row;
            self.values.copy_within(at..at + kept.len() * row, 0);
        }
        self.rows = needed.clone();
        (kept.end..needed.end, &mut self.values[kept.len() * row..needed.len() * row])
    }
}

struct Chain<'a> {
    xs: &'a [f32],
    stages: &'a [Stage<'a>],
    residual: Option<&'a [f32]>,
}

impl Chain<'_> {
    /// Some rows of an image; `bands` are the memory of all layers but the last.
    fn run(&self, image: usize, rows: Range<usize>, bands: &mut [Band], mut out: Blank<'_>) {
        let (Some(first), Some(last)) = (self.stages.first(), self.stages.last()) else { return };
        let size = first.g.h * first.g.w * first.g.channels();
        let xs = &self.xs[image * size..][..size];
        bands.iter_mut().for_each(|band| band.rows = 0..0);
        let per_row: usize = self.stages.iter().map(Stage::row).sum::<usize>() * last.g.stride[0];
        let height = (BAND / per_row).max(1);
        for from in rows.clone().step_by(height) {
            let band = from..(from + height).min(rows.end);
            // From the last layer back, what each has to have.
            let mut needed = vec![band.clone(); self.stages.len()];
            for i in (1..self.stages.len()).rev() {
                needed[i - 1] = self.stages[i].g.rows_seen(&needed[i]);
            }
            for (i, stage) in self.stages[..self.stages.len() - 1].iter().enumerate() {
                let (before, rest) = bands.split_at_mut(i);
                let Some(band) = rest.first_mut() else { return };
                let (rows, memory) = band.advance(&needed[i], stage.row());
                let (input, first) = before.last().map_or((xs, 0), |band| (&band.values[..], band.rows.start));
                if !rows.is_empty() {
                    stage.run(rows, input, first, None, Blank::from(memory));
                }
            }
            let (input, first) = bands.last().map_or((xs, 0), |band| (&band.values[..], band.rows.start));
            let start = (image * last.g.oh + band.start) * last.row();
            let residual = self.residual.map(|residual| &residual[start..][..band.len() * last.row()]);
            let at = (band.start - rows.start) * last.row();
            let out = out.part(at, band.len() * last.row());
            last.run(band, input, first, residual, out);
        }
    }
}
