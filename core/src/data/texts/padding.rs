//! Texts of one length.

use crate::error::Result;
use crate::words::PAD_ID;
use candle_core::{Device, Tensor};

/// Texts as one tensor `[N, L]` of `u32`, where L is the length of the longest. A shorter text has whole chunks of
/// `seq_len` paddings in front, so that a network which goes through chunks begins with it at its first word, and the
/// few that are left behind it. fast.ai's `pad_chunk`.
///
/// ```
/// let batch = tallow::data::pad_chunks(&[&[2, 3, 4, 5, 6], &[7, 8]], 2)?;
/// assert_eq!(batch.to_vec2::<u32>()?, [[2, 3, 4, 5, 6], [1, 1, 7, 8, 1]]);
/// # Ok::<(), tallow::Error>(())
/// ```
///
/// # Errors
/// When there are no texts.
pub fn pad_chunks(texts: &[&[u32]], seq_len: usize) -> Result<Tensor> {
    let longest = texts.iter().map(|text| text.len()).max().unwrap_or(0);
    let mut ids = vec![PAD_ID; texts.len() * longest];
    for (row, text) in ids.chunks_exact_mut(longest.max(1)).zip(texts) {
        let front = (longest - text.len()) / seq_len.max(1) * seq_len;
        row[front..front + text.len()].copy_from_slice(text);
    }
    Ok(Tensor::from_vec(ids, (texts.len(), longest), &Device::Cpu)?)
}
