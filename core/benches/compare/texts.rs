//! The epochs that `texts.py`, beside this file, measures beside fastai's.
//!
//! Usage: `texts FOLDER EVERY [ENCODER]`, where the folder holds the sentence-polarity reviews. Reads `classifier` or
//! `language model` from each line of standard input, trains and validates for an epoch on every so-manieth review, and
//! writes how many seconds it took; `features` has these reviews read by the published encoder in the folder ENCODER.
#![allow(clippy::print_stdout)] // a program: its results are for stdout

use std::io::BufRead;
use std::path::Path;
use std::time::Instant;
use tallow::candle::Device;
use tallow::data::TextBlock;
use tallow::text_learner::{
    PublishedEncoder, TextConfig, TransformerConfig, language_model_learner, text_classifier_learner,
    transformer_classifier_learner,
};
use tallow::train::{accuracy, perplexity};
use tallow::{Error, Result, kernels};

fn main() -> Result<()> {
    // As the chapters do.
    kernels::keep_freed_memory();
    eprintln!("{} instructions, {} threads", kernels::simd_level(), rayon::current_num_threads());
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let usage = || {
        Error::Value(
            "expected a folder with rt-polarity.neg and .pos, a number, and perhaps a folder of an encoder".into(),
        )
    };
    let (folder, every, encoder) = match arguments.as_slice() {
        [folder, every] => (folder, every, None),
        [folder, every, encoder] => (folder, every, Some(PublishedEncoder::open(encoder)?)),
        _ => return Err(usage()),
    };
    let reviews = reviews(Path::new(folder))?;
    // The words of all reviews, so that the networks are as large.
    let all = TextBlock::labelled(reviews.iter().cloned()).valid_pct(0.1).language_model(64)?;
    let every = every.parse().map_err(|_| usage())?;
    let sentences: Vec<String> = reviews.iter().step_by(every).map(|(text, _)| text.clone()).collect();
    let some = TextBlock::labelled(reviews.into_iter().step_by(every)).vocab(all.procs().vocab.clone());
    let config = || TextConfig::default().size(100, 256, 3).device(&Device::Cpu);
    let texts = some.clone().valid_pct(0.1).language_model(64)?;
    let mut model = language_model_learner(&texts, config().drop_mult(0.3).metrics([accuracy(), perplexity()]))?;
    let classes = some.valid_pct(0.2).dataloaders(64)?;
    let mut classifier = text_classifier_learner(&classes, config().metrics([accuracy()]))?;
    let transformer = |encoder| {
        transformer_classifier_learner(&classes, encoder, TransformerConfig::default().normalize().device(&Device::Cpu))
    };
    let transformer = encoder.as_ref().map(transformer).transpose()?;
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(|error| Error::Value(format!("standard input: {error}")))?;
        let start = Instant::now();
        match (line.as_str(), &transformer) {
            ("features", Some(transformer)) => drop(transformer.features(&sentences)?),
            ("language model", _) => model.fit_one_cycle(1, 1e-2)?,
            ("classifier", _) => classifier.fit_one_cycle(1, 1e-2)?,
            (other, _) => return Err(Error::Value(format!("cannot do `{other}`; see the source of this program"))),
        }
        println!("{:.6}", start.elapsed().as_secs_f64());
    }
    Ok(())
}

fn reviews(folder: &Path) -> Result<Vec<(String, &'static str)>> {
    let mut reviews = Vec::new();
    for class in ["neg", "pos"] {
        let path = folder.join(format!("rt-polarity.{class}"));
        let text =
            std::fs::read_to_string(&path).map_err(|error| Error::Value(format!("{}: {error}", path.display())))?;
        reviews.extend(text.trim_end_matches('\n').split('\n').map(|line| (line.to_string(), class)));
    }
    Ok(reviews)
}
