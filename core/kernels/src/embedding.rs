//! Rows of a table by their numbers, with a gradient of those rows alone.

use super::blank::fill;
use super::graph::{collect_rows, record};
use super::row_gradient::RowSums;
use super::{fast, with_values};
use candle_core::{DType, Result, Tensor};
use rayon::prelude::*;

/// Rows that one task copies.
const BLOCK: usize = 1024;

/// The rows of `table` `[rows, width]` with the numbers `ids` (`u32`, any shape), `[..., width]`. PyTorch's
/// `F.embedding`.
///
/// With a `key`, any tensor that stands for nothing else, the gradient of a variable is **sparse** in what
/// [`backward`](super::backward) gives: under `table` are the gradients of the touched rows alone, `[touched, width]`,
/// and under `key` their numbers, rising, `u32`. Rows that came several times have the sum, added in the order of
/// `ids`. Where the table takes part in other operations too, and in candle's own `backward`, the gradient is dense.
///
/// # Errors
/// When `table` is not of rank 2, `ids` are not `u32`, or one of them is not the number of a row.
pub fn embedding(table: &Tensor, ids: &Tensor, key: Option<&Tensor>) -> Result<Tensor> {
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
        return table.index_select(&ids, 0)?.reshape(shape);
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
        let sums = with_values(grad, |grad| Ok(RowSums::of(&ids, grad, width)))?;
        let (id, is_variable, dims) = &of_table;
        let left = match &key {
            Some(key) if *is_variable => collect_rows(*id, key, sums),
            _ => Some(sums),
        };
        Ok(vec![left.map(|sums| sums.dense(dims)).transpose()?])
    })
}

fn in_range(largest: Option<u32>, rows: usize) -> Result<()> {
    match largest {
        Some(id) if id as usize >= rows => {
            candle_core::bail!("embedding: there is no row {id} in a table of {rows} rows, which are numbered from 0")
        }
        _ => Ok(()),
    }
}
