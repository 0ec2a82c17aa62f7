//! Rows of a table by number, with a sparse gradient.

use super::blank::fill;
use super::graph::{collect_rows, record};
use super::row_gradient::RowSums;
use super::trace::{Operation, traced};
use super::{fast, with_values};
use candle_core::{DType, Result, Tensor};
use rayon::prelude::*;

/// Rows that one task copies.
const BLOCK: usize = 1024;

/// Looks up rows of a table. PyTorch's `F.embedding`.
///
/// With a `key`, a tensor that is used for nothing else, [`backward`](super::backward) returns a **sparse** gradient:
/// under `table` the gradients of the rows that were looked up, `[touched, width]`, and under `key` their numbers in
/// ascending order (`u32`). The gradients of repeated rows are added in the order of `ids`. If the table takes part in
/// other operations too, and with candle's own `backward`, the gradient is dense.
///
/// The row `padding`, if given, gets no gradient: PyTorch's `padding_idx`.
///
/// # Shapes
/// `table` `[rows, width]`, `ids` `[..]` (`u32`) → `[.., width]`
///
/// # Errors
/// When `table` is not of rank 2, `ids` are not `u32`, or one of them is not the number of a row.
pub fn embedding(table: &Tensor, ids: &Tensor, key: Option<&Tensor>, padding: Option<u32>) -> Result<Tensor> {
    traced(
        || Operation::Embedding { table: table.clone(), ids: ids.clone() },
        || {
            let (rows, width) = table.dims2()?;
            if ids.dtype() != DType::U32 {
                candle_core::bail!("embedding: the numbers of rows are {:?}, which should be u32", ids.dtype());
            }
            let ids_shape = ids.dims().to_vec();
            let shape: Vec<usize> = ids_shape.iter().copied().chain([width]).collect();
            let ids = ids.flatten_all()?;
            if !(fast(table) && ids.device().is_cpu()) {
                let largest = if ids.elem_count() == 0 { None } else { Some(ids.max(0)?.to_scalar::<u32>()?) };
                in_range(largest, rows)?;
                let ys = table.index_select(&ids, 0)?;
                let Some(padding) = padding else { return ys.reshape(shape) };
                let padded = ids.eq(padding)?.unsqueeze(1)?.broadcast_as(ys.shape())?;
                return padded.where_cond(&ys.detach(), &ys)?.reshape(shape);
            }
            let ids = ids.to_vec1::<u32>()?;
            in_range(ids.iter().copied().max(), rows)?;
            let values = with_values(table, |table| {
                let row = |&id: &u32| &table[id as usize * width..][..width];
                if ids.len() <= BLOCK || width == 0 {
                    return Ok(ids.iter().flat_map(row).copied().collect());
                }
                let blocks = ids.par_chunks(BLOCK);
                Ok(fill(ids.len() * width, BLOCK * width, blocks, |ids, out| out.join(ids.iter().map(row))))
            })?;
            // Not the table itself: the way back would hold it, and a table that is held cannot be written.
            let of_table = (table.id(), table.is_variable(), table.dims().to_vec());
            let key = key.cloned();
            record(&[table], values, shape, move |_, grad, _| {
                let mut sums = with_values(grad, |grad| Ok(RowSums::of(&ids, grad, width)))?;
                padding.into_iter().for_each(|row| sums.forget(row));
                let (id, is_variable, dims) = &of_table;
                let left = match &key {
                    Some(key) if *is_variable => collect_rows(*id, key, sums),
                    _ => Some(sums),
                };
                Ok(vec![left.map(|sums| sums.dense(dims)).transpose()?])
            })
        },
    )
}

fn in_range(largest: Option<u32>, rows: usize) -> Result<()> {
    match largest {
        Some(id) if id as usize >= rows => {
            candle_core::bail!("embedding: there is no row {id} in a table of {rows} rows, which are numbered from 0")
        }
        _ => Ok(()),
    }
}
