//! Is it a cat? A label from a file's name.

use crate::fetched::{fetched, written};
use std::path::{Path, PathBuf};
use tallow::Result;
use tallow::cli::Session;
use tallow::data::{DataBlock, RandomSplitter, image_files, parent_label};
use tallow::interpret::show_batch;
use tallow::samples;
use tallow::train::{FineTune, error_rate};
use tallow::vision::Resize;
use tallow::vision_learner::{Arch, VisionConfig, vision_learner};

/// In the pets' files, names of cats begin with a capital letter.
fn is_cat(file: &Path) -> Result<String> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    Ok(name.starts_with(char::is_uppercase).to_string())
}

/// The same question for the drawings: is it a mammal?
fn is_mammal(file: &Path) -> Result<String> {
    Ok((parent_label(file)? == "mammal").to_string())
}

// --- Is it a cat? ----------------------------------------------------------------------------------------------------

pub(crate) fn is_it_a_cat(s: &mut Session) -> Result<()> {
    s.section("Is it a cat?");
    s.text(
        "
        The book's first model. In the Oxford pets the names of cats begin with a capital letter, and those of dogs do
        not, so the label is a function of the file's name. Such small conventions decide how data are labelled more
        often than one would like: write a function, and test it on a few names.
        ",
    );
    let (path, label): (PathBuf, fn(&Path) -> Result<String>) = match fetched(s, "pets")? {
        Some(folder) => {
            s.data("Oxford-IIIT Pets: 7,390 photos of cats and dogs, fetched (CC BY-SA 4.0)");
            (folder.join("images"), is_cat)
        }
        None => {
            s.data("Openclipart: 335 drawings of six kinds of things, embedded (public domain)");
            s.say(
                "The pets are fetched by `cargo xtask fetch-data --only pets` (0.8 GB); here we ask: is it a mammal?",
            );
            (written(s, "drawings", &samples::drawings())?, is_mammal)
        }
    };
    let dls = DataBlock::images()
        .items(image_files)
        .split(RandomSplitter { valid: 0.2, seed: 42 })
        .label(label)
        .item_tfms([Resize::crop(if s.quick { 96 } else { 160 })])
        .seed(s.seed)
        .workers(s.workers)
        .listener(s.listener())
        .dataloaders(&path, 16)?;
    s.figure("cats_batch", "A training batch: true or false.", show_batch(&dls.train, 6)?)?;

    let config = VisionConfig::default()
        .metrics([error_rate()])
        .device(&s.device)
        .listener(s.listener())
        .checkpoints(s.checkpoints("cats"));
    let mut learn = vision_learner(&dls, Arch::EfficientNetLite0, config)?;
    learn.freeze_body_batch_norm(true); // an epoch of a few batches is too short to estimate new statistics
    learn.fine_tune(1, FineTune::default())?;
    s.history("cats", learn.recorder())?;
    s.check("is_cat: error_rate", &learn.recorder().metric(0))?;
    let error = learn.recorder().metric(0).last().copied().unwrap_or_default();
    s.metric("cats_error_rate", error);

    for image in dls.valid.kept_files().into_iter().take(1) {
        let prediction = learn.predictor().predict_file(image)?;
        s.say(format!("Is it one?: {}.\nProbability: {:.6}", prediction.class, prediction.probability));
    }
    s.text(
        "
        The **error rate** is the share of validation images that were classified wrongly; accuracy is one minus it. It
        is a metric, a number for people. The network was trained on another one, the loss, which changes with every
        small change of a weight.
        ",
    );
    Ok(())
}
