//! The optimizers' arithmetic on a table of which a step touches some rows: the mathematics of the dense step, without
//! reading rows that it does not change.
//!
//! Rows outside of a batch have no gradient, but they shrink by weight decay, and running averages that they have from
//! earlier batches decay and go on moving them. An average that is so small that even a step at a learning rate of 1
//! would change no value of its row counts as 0: the row rests until it is touched again, and its second average
//! is brought up to date then. So each step reads the rows that move and, where there is weight decay, shrinks the
//! others; without decay these are not read.

use super::in_place::{mutate, mutate_all};
use super::row_gradient::RowGradient;
use super::simd::dispatch;
use super::step::{AdamStep, Decay, SgdStep};
use super::with_values;
use candle_core::{Result, Var};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

/// Values that one task works through.
const BLOCK: usize = 1 << 14;

/// Marks the step in which a row came to rest.
const RESTS: u32 = 1 << 31;

/// A share of a value that makes no difference when it is taken away: a quarter of the distance to the next number.
const NOTICED: f32 = f32::EPSILON / 4.0;

/// Averages below are 0: further down numbers lose their digits, and processors their speed.
const TINY: f32 = 1e-30;

/// Takes a step of Adam on the rows of `table` `[rows, width]`. `grad_avg` and `sqr_avg` are its averages, of the same
/// shape; `row_steps` `[rows]` (`u32`, zeros at first) records the step at which each row was last updated.
///
/// # Errors
/// When a tensor is not a contiguous one of `f32` in CPU memory, or shapes differ.
pub fn adam_rows(
    table: &Var,
    [grad_avg, sqr_avg]: [&Var; 2],
    row_steps: &Var,
    grad: RowGradient<'_>,
    decay: Decay,
    adam: &AdamStep,
) -> Result<()> {
    walk(table, [grad_avg, sqr_avg], row_steps, grad, decay, adam.step, adam)
}

impl RowRule<2> for AdamStep {
    #[inline(always)]
    fn step(&self, row: Row<'_, 2>) -> bool {
        let Row { values, averages: [m, v], grad, slept, keep, l2 } = row;
        let (mom, sqr_mom) = (self.mom as f32, self.sqr_mom as f32);
        let (take, sqr_take) = ((1.0 - self.mom) as f32, (1.0 - self.sqr_mom) as f32);
        let (rate, corrects, eps) = (self.rate as f32, (1.0 / self.debias) as f32, self.eps as f32);
        if slept > 0 {
            let decayed = self.sqr_mom.powi(slept.min(i32::MAX as u32) as i32) as f32;
            v.iter_mut().for_each(|v| *v *= decayed);
        }
        let mut moves = false;
        for (((p, m), v), g) in values.iter_mut().zip(m).zip(v).zip(grad) {
            let kept = *p * keep;
            let g = g + l2 * *p;
            let average = mom * *m + take * g;
            *m = if average.abs() < TINY { 0.0 } else { average };
            *v = sqr_mom * *v + sqr_take * g * g;
            let denominator = (*v * corrects).sqrt() + eps;
            *p = kept - rate * *m / denominator;
            moves |= m.abs() > NOTICED * kept.abs() * denominator;
        }
        moves
    }
}

/// Takes a step of SGD with momentum on the rows of `table` `[rows, width]`, with the running `average` of the same
/// shape and `row_steps` `[rows]` (`u32`, zeros at first).
///
/// # Errors
/// When a tensor is not a contiguous one of `f32` in CPU memory, or shapes differ.
pub fn momentum_rows(
    table: &Var,
    average: &Var,
    row_steps: &Var,
    grad: RowGradient<'_>,
    decay: Decay,
    sgd: &SgdStep,
) -> Result<()> {
    walk(table, [average], row_steps, grad, decay, 1, sgd)
}

impl RowRule<1> for SgdStep {
    #[inline(always)]
    fn step(&self, row: Row<'_, 1>) -> bool {
        let Row { values, averages: [m], grad, keep, l2, .. } = row;
        let (lr, mom) = (self.lr as f32, self.mom as f32);
        let mut moves = false;
        for ((p, m), g) in values.iter_mut().zip(m).zip(grad) {
            let kept = *p * keep;
            let g = g + l2 * *p;
            let average = mom * *m + g;
            *m = if average.abs() < TINY { 0.0 } else { average };
            let direction = if self.nesterov { g + mom * *m } else { *m };
            *p = kept - lr * direction;
            moves |= direction.abs() > NOTICED * kept.abs();
        }
        moves
    }
}

/// Takes a step of plain gradient descent on the rows of `table` `[rows, width]`. Without weight decay it reads only
/// the rows that have a gradient.
///
/// # Errors
/// When a tensor is not a contiguous one of `f32` in CPU memory, or shapes differ.
pub fn descend_rows(table: &Var, grad: RowGradient<'_>, decay: Decay, lr: f64) -> Result<()> {
    // A gradient of `l2` times the value is a decay too.
    let (keep, lr) = ((decay.keep - lr * decay.l2) as f32, lr as f32);
    let (rows, width) = checked(table, grad)?;
    with_values(grad.values, |grads| {
        mutate(table, |values: &mut [f32]| {
            if keep != 1.0 {
                values.par_chunks_mut(BLOCK).for_each(|values| values.iter_mut().for_each(|p| *p *= keep));
            }
            for (&row, grad) in rows.iter().zip(grads.chunks_exact(width.max(1))) {
                let row = &mut values[row as usize * width..][..width];
                row.iter_mut().zip(grad).for_each(|(p, g)| *p -= lr * g);
            }
            Ok(())
        })
    })
}

/// One row that moves.
struct Row<'a, const A: usize> {
    values: &'a mut [f32],
    averages: [&'a mut [f32]; A],
    /// Zeros, if the batch did not touch it.
    grad: &'a [f32],
    /// Steps for which its averages were left alone.
    slept: u32,
    keep: f32,
    l2: f32,
}

/// How a row moves.
trait RowRule<const A: usize>: Sync {
    /// Moves a row, and says whether it would be noticed if it went on without a gradient.
    fn step(&self, row: Row<'_, A>) -> bool;
}

/// Steps all rows that move, and lets the others decay.
fn walk<const A: usize>(
    table: &Var,
    averages: [&Var; A],
    row_steps: &Var,
    grad: RowGradient<'_>,
    decay: Decay,
    step: u32,
    rule: &impl RowRule<A>,
) -> Result<()> {
    let (rows, width) = checked(table, grad)?;
    if averages.iter().any(|average| average.shape() != table.shape()) || row_steps.dims() != &table.dims()[..1] {
        candle_core::bail!("an optimizer's averages are of another shape than the table {:?}", table.dims());
    }
    if width == 0 {
        return Ok(());
    }
    with_values(grad.values, |grads| {
        let walk = Walk { rows: &rows, grads, zeros: &vec![0.0; width], step, decay };
        mutate(table, |table| {
            mutate(row_steps, |row_steps: &mut [u32]| {
                mutate_all(&averages, Vec::with_capacity(A), &mut |averages| {
                    walk.all(table, averages, row_steps, rule);
                    Ok(())
                })
            })
        })
    })
}

struct Walk<'a> {
    rows: &'a [u32],
    grads: &'a [f32],
    zeros: &'a [f32],
    step: u32,
    decay: Decay,
}

/// Some rows one after the other, for one task.
struct Block<'a> {
    first: usize,
    table: &'a mut [f32],
    averages: Vec<&'a mut [f32]>,
    row_steps: &'a mut [u32],
}

impl Walk<'_> {
    fn all<const A: usize>(
        &self,
        table: &mut [f32],
        averages: Vec<&mut [f32]>,
        row_steps: &mut [u32],
        rule: &impl RowRule<A>,
    ) {
        let width = self.zeros.len();
        let rows = (BLOCK / width).max(1);
        let mut averages: Vec<_> = averages.into_iter().map(|average| average.chunks_mut(rows * width)).collect();
        let parts = table.chunks_mut(rows * width).zip(row_steps.chunks_mut(rows)).enumerate();
        let blocks: Vec<Block<'_>> = parts
            .map(|(i, (table, row_steps))| {
                let averages = averages.iter_mut().filter_map(Iterator::next).collect();
                Block { first: i * rows, table, averages, row_steps }
            })
            .collect();
        let work = |block: Block<'_>| dispatch(Work { walk: self, block, rule });
        // One block is done sooner than another thread is awake.
        if blocks.len() == 1 {
            blocks.into_iter().for_each(work);
        } else {
            blocks.into_par_iter().for_each(work);
        }
    }

    #[inline(always)]
    fn block<const A: usize>(&self, mut block: Block<'_>, rule: &impl RowRule<A>) {
        let width = self.zeros.len();
        let (keep, l2) = (self.decay.keep as f32, self.decay.l2 as f32);
        let mut next = self.rows.partition_point(|&row| (row as usize) < block.first);
        for (i, (values, last)) in block.table.chunks_exact_mut(width).zip(block.row_steps).enumerate() {
            let touched = self.rows.get(next).is_some_and(|&row| row as usize == block.first + i);
            let awake = *last != 0 && *last & RESTS == 0;
            if !touched && !awake && l2 == 0.0 {
                if keep != 1.0 {
                    values.iter_mut().for_each(|p| *p *= keep);
                }
                continue;
            }
            let grad = if touched { &self.grads[next * width..][..width] } else { self.zeros };
            next += usize::from(touched);
            let mut parts = block.averages.iter_mut().map(|average| &mut average[i * width..][..width]);
            let averages: [&mut [f32]; A] = std::array::from_fn(|_| parts.next().unwrap_or_default());
            let slept = if *last & RESTS == 0 { 0 } else { self.step.saturating_sub(1 + (*last & !RESTS)) };
            let moves = rule.step(Row { values, averages, grad, slept, keep, l2 });
            *last = self.step;
            if !moves && !touched && l2 == 0.0 {
                block.averages[0][i * width..][..width].fill(0.0);
                *last |= RESTS;
            }
        }
    }
}

/// A block to be stepped. Not a closure, which might stay a function of its own, without the vector instructions.
struct Work<'a, 'b, R, const A: usize> {
    walk: &'a Walk<'a>,
    block: Block<'b>,
    rule: &'a R,
}

impl<R: RowRule<A>, const A: usize> WithSimd for Work<'_, '_, R, A> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        self.walk.block(self.block, self.rule);
    }
}

/// The numbers of a gradient's rows, and the table's width.
fn checked(table: &Var, grad: RowGradient<'_>) -> Result<(Vec<u32>, usize)> {
    let (n, width) = table.dims2()?;
    let rows = grad.rows.to_vec1::<u32>()?;
    let rising = rows.windows(2).all(|pair| pair[0] < pair[1]);
    if grad.values.dims() != [rows.len(), width] || !rising || rows.last().is_some_and(|&row| row as usize >= n) {
        candle_core::bail!(
            "a gradient of shape {:?} for {} rows is none of a table of shape {:?}",
            grad.values.dims(),
            rows.len(),
            table.dims()
        );
    }
    Ok((rows, width))
}
