//! Sparse gradients of tables.

use super::{fast, with_values};
use candle_core::{DType, Device, Result, Tensor};
use rayon::prelude::*;

/// A sparse gradient of a table: that of some rows, while all others are 0.
#[derive(Debug, Clone, Copy)]
pub struct RowGradient<'a> {
    /// The numbers of the rows in ascending order, each once, `[touched]` (`u32`).
    pub rows: &'a Tensor,
    /// The gradients of these rows, `[touched, width]`.
    pub values: &'a Tensor,
}

impl RowGradient<'_> {
    /// The dense gradient of the whole table, whose shape is `dims`.
    ///
    /// # Errors
    /// When the table has no such row, or another width.
    pub fn dense(&self, dims: &[usize]) -> Result<Tensor> {
        let zeros = Tensor::zeros(dims, self.values.dtype(), self.values.device())?;
        zeros.index_add(self.rows, self.values, 0)
    }
}

/// Gradients of rows, added up.
pub(crate) struct RowSums {
    rows: Vec<u32>,
    values: Vec<f32>,
    width: usize,
}

/// Values above which several threads add.
const BLOCK: usize = 1 << 14;

impl RowSums {
    /// The gradients `grad` (one row of `width` values for each of `ids`) added up by row, in the order of `ids`.
    pub(crate) fn of(ids: &[u32], grad: &[f32], width: usize) -> RowSums {
        // Row and place in one number: sorted, places of a row are in their order.
        let mut places: Vec<u64> = ids.iter().enumerate().map(|(i, &id)| u64::from(id) << 32 | i as u64).collect();
        places.sort_unstable();
        let groups: Vec<&[u64]> = places.chunk_by(|a, b| a >> 32 == b >> 32).collect();
        let mut values = vec![0.0; groups.len() * width];
        let add = |sum: &mut [f32], places: &[u64]| {
            for place in places {
                let grad = &grad[(place & u64::from(u32::MAX)) as usize * width..][..width];
                sum.iter_mut().zip(grad).for_each(|(sum, grad)| *sum += grad);
            }
        };
        if width == 0 || ids.len() * width <= BLOCK {
            values.chunks_mut(width.max(1)).zip(&groups).for_each(|(sum, places)| add(sum, places));
        } else {
            let rows = (BLOCK / width).max(1);
            values.par_chunks_mut(rows * width).zip(groups.par_chunks(rows)).for_each(|(sums, groups)| {
                sums.chunks_mut(width).zip(groups).for_each(|(sum, places)| add(sum, places));
            });
        }
        RowSums { rows: groups.iter().map(|places| (places[0] >> 32) as u32).collect(), values, width }
    }

    /// Sets the gradient of a row to 0.
    pub(crate) fn forget(&mut self, row: u32) {
        if let Ok(place) = self.rows.binary_search(&row) {
            self.values[place * self.width..][..self.width].fill(0.0);
        }
    }

    /// Both together.
    pub(crate) fn plus(self, other: &RowSums) -> RowSums {
        let ids = [self.rows.as_slice(), &other.rows].concat();
        RowSums::of(&ids, &[self.values.as_slice(), &other.values].concat(), self.width)
    }

    /// The gradient of the whole table, whose shape is `dims`.
    pub(crate) fn dense(&self, dims: &[usize]) -> Result<Tensor> {
        let mut dense = vec![0.0; dims.iter().product()];
        self.add_into(&mut dense);
        Tensor::from_vec(dense, dims, &Device::Cpu)
    }

    /// The sum with a gradient of the whole table.
    pub(crate) fn plus_dense(&self, dense: &Tensor) -> Result<Tensor> {
        if !fast(dense) {
            return dense + self.dense(dense.dims())?.to_device(dense.device())?.to_dtype(dense.dtype())?;
        }
        let mut sum = with_values(dense, |dense| Ok(dense.to_vec()))?;
        self.add_into(&mut sum);
        Tensor::from_vec(sum, dense.shape(), &Device::Cpu)
    }

    /// Numbers and values of the rows, as tensors.
    pub(crate) fn tensors(self) -> Result<(Tensor, Tensor)> {
        let touched = self.rows.len();
        let rows = Tensor::from_vec(self.rows, touched, &Device::Cpu)?;
        debug_assert_eq!(rows.dtype(), DType::U32);
        Ok((rows, Tensor::from_vec(self.values, (touched, self.width), &Device::Cpu)?))
    }

    fn add_into(&self, dense: &mut [f32]) {
        if self.width == 0 {
            return;
        }
        for (&row, values) in self.rows.iter().zip(self.values.chunks_exact(self.width)) {
            let place = &mut dense[row as usize * self.width..][..self.width];
            place.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
        }
    }
}
