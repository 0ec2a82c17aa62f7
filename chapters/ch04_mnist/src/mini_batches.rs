//! SGD and mini-batches.

use candle_core::{Device, Tensor};
use tallow::Result;
use tallow::cli::Session;
use tallow::data::{DataLoader, TensorDataset};
use tallow::rng::Rng;

// --- 11. Mini-batches ------------------------------------------------------------------------------------------------

pub(crate) fn batches(s: &mut Session) -> Result<()> {
    s.section("SGD and mini-batches");
    s.text(
        "
        When to step? After all the pictures, each step would be exact and slow. After every single one, fast and
        erratic. In between lies the **mini-batch**: some pictures, averaged. Their number is the **batch size**; more
        give a steadier gradient and fewer steps an epoch. And it pays to vary what meets in a batch: a `DataLoader`
        shuffles the items anew in each epoch and cuts them into batches.
        ",
    );
    let rng = Rng::new(s.seed).stream("mini-batches");
    let coll = Tensor::arange(0u32, 15, &Device::Cpu)?;
    let dl = DataLoader::new(TensorDataset::new(&coll, &coll)?, 5)?.shuffle(&rng);
    for batch in dl.epoch(0) {
        s.say(format!("{:?}", batch?.xs.to_vec1::<u32>()?));
    }
    s.check("batches of 5 from range(15)", dl.n_batches())?;

    // A dataset gives pairs: here the letters of the alphabet and their numbers.
    s.text(
        "
        A **dataset** is a collection of pairs, an input and its target; a batch of it is a pair of tensors.
        ",
    );
    let numbers = Tensor::arange(0u32, 26, &Device::Cpu)?;
    let letters = Tensor::arange(b'a', b'z' + 1, &Device::Cpu)?;
    let dl = DataLoader::new(TensorDataset::new(&numbers, &letters)?, 6)?.shuffle(&rng);
    let mut sizes = Vec::new();
    for batch in dl.epoch(0) {
        let batch = batch?;
        let letters: Vec<char> = batch.ys.to_vec1::<u8>()?.into_iter().map(char::from).collect();
        s.say(format!("{:?} {letters:?}", batch.xs.to_vec1::<u32>()?));
        sizes.push(batch.len() as f64);
    }
    s.check("batches of 6 from 26 letters", &sizes)?;
    Ok(())
}
