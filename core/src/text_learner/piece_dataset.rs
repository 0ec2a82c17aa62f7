//! Texts as pieces of words, and the batches that they become.

use crate::data::{Batch, DataLoader, Dataset, Targets, TextLoader};
use crate::error::{Error, Result};
use crate::fingerprint::Fingerprint;
use crate::kernels;
use crate::rng::Rng;
use crate::words::{Pieces, WordPiece};
use candle_core::{DType, Device, Tensor};
use tallow_io::hash;

/// Texts in pieces with a class each. A batch is `[N, T]` numbers (`u32`), with 0 behind a text's end, and `[N]`
/// classes.
pub(super) struct PieceDataset {
    texts: Vec<Pieces>,
    targets: Targets,
}

/// One side's texts for an encoder, how many of them are cut, and their loader.
pub(super) struct PieceLoader {
    pub(super) loader: DataLoader,
    pub(super) cut: usize,
}

impl PieceLoader {
    /// The texts of a side, to train with if there is a random stream, else the longest first.
    pub(super) fn new(
        side: &TextLoader,
        pieces: &WordPiece,
        batch_size: usize,
        rng: Option<&Rng>,
        device: &Device,
    ) -> Result<PieceLoader> {
        let texts = pieces.encode_each(side.dataset().texts())?;
        let cut = texts.iter().map(|text| text.cut).sum();
        let lengths: Vec<usize> = texts.iter().map(|text| text.places).collect();
        let dataset = PieceDataset { texts, targets: side.dataset().targets().clone() };
        let loader = DataLoader::new(dataset, batch_size)?.device(device);
        let loader = match rng {
            Some(rng) => loader.shuffle_sorted(&lengths, rng)?,
            None => loader.sorted(&lengths)?,
        };
        Ok(PieceLoader { loader, cut })
    }
}

/// Several texts as one tensor `[N, T]`.
pub(super) fn tensor_of(texts: &[&Pieces], device: &Device) -> Result<Tensor> {
    let Pieces { ids, texts, places, .. } = Pieces::batch(texts)?;
    Ok(Tensor::from_vec(ids, (texts, places), device)?)
}

/// What a network makes of texts, a row of numbers for each in their order. Texts of about one length are read
/// together, the longest first; `read` is also told how many are done.
pub(super) fn in_batches(
    texts: &[Pieces],
    device: &Device,
    read: impl Fn(&Tensor, usize) -> Result<Tensor>,
) -> Result<Vec<Vec<f64>>> {
    /// Texts at once: so many that all threads have rows enough, so few that a layer's results stay in the cache.
    const BATCH: usize = 64;
    let mut order: Vec<usize> = (0..texts.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(texts[i].places));
    let mut rows = vec![Vec::new(); texts.len()];
    for (number, indices) in order.chunks(BATCH).enumerate() {
        let some: Vec<&Pieces> = indices.iter().map(|&i| &texts[i]).collect();
        let ids = tensor_of(&some, device)?;
        let made = kernels::no_grad(|| read(&ids, number * BATCH))?.to_dtype(DType::F64)?.to_vec2::<f64>()?;
        indices.iter().zip(made).for_each(|(&i, row)| rows[i] = row);
    }
    Ok(rows)
}

impl Dataset for PieceDataset {
    fn len(&self) -> usize {
        self.texts.len()
    }

    fn item(&self, index: usize, rng: &mut Rng) -> Result<(Tensor, Tensor)> {
        let batch = self.batch(&[index], rng)?;
        Ok((batch.xs.squeeze(0)?, batch.ys.squeeze(0)?))
    }

    fn batch(&self, indices: &[usize], _rng: &Rng) -> Result<Batch> {
        let missing = |i: usize| Error::Value(format!("there is no text {i} among {}", self.len()));
        let texts = indices.iter().map(|&i| self.texts.get(i).ok_or_else(|| missing(i))).collect::<Result<Vec<_>>>()?;
        Ok(Batch::new(tensor_of(&texts, &Device::Cpu)?, self.targets.tensor(indices)?))
    }

    fn fingerprint(&self) -> Result<Fingerprint> {
        let digest = |numbers: &mut dyn Iterator<Item = u32>| {
            hash::bytes(&numbers.flat_map(u32::to_le_bytes).collect::<Vec<u8>>()).sha256[..16].to_string()
        };
        // Each text after its length, so that no two collections look alike.
        let all =
            &mut self.texts.iter().flat_map(|text| [text.places as u32].into_iter().chain(text.ids.iter().copied()));
        let classes = &mut (0..self.len()).flat_map(|i| self.targets.of(i).iter().copied());
        Ok(Fingerprint::default()
            .with("texts", format!("{}, sha256 {}", self.len(), digest(all)))
            .with("classes", format!("sha256 {}", digest(classes))))
    }
}
