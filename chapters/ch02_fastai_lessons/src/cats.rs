//! Is it a cat? A label from a file's name.

use crate::fetched::{drawings, fetched, written};
use std::path::{Path, PathBuf};
use tallow::Result;
use tallow::cli::Session;
use tallow::data::{DataBlock, ImageDataLoaders, RandomSplitter, image_files, parent_label};
use tallow::interpret::show_batch;
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

/// Images, and a question about each that is answered by its file's name.
pub(crate) struct Pets {
    path: PathBuf,
    label: fn(&Path) -> Result<String>,
    /// A side that images have in pixels.
    largest: usize,
    /// `Is it a cat?`
    pub(crate) question: &'static str,
}

impl Pets {
    /// The fetched pets, or the drawings.
    pub(crate) fn open(s: &mut Session) -> Result<Pets> {
        if let Some(folder) = fetched(s, "pets")? {
            s.data("Oxford-IIIT Pets: 7,390 photos of cats and dogs, fetched (CC BY-SA 4.0)");
            return Ok(Pets { path: folder.join("images"), label: is_cat, largest: 224, question: "Is it a cat?" });
        }
        s.data("Openclipart: 335 drawings of six kinds of things, embedded (public domain)");
        s.say("The pets are fetched by `cargo xtask fetch-data --only pets` (0.8 GB); here we ask: is it a mammal?");
        let path = written(s, if s.quick { "some_drawings" } else { "drawings" }, &drawings(s))?;
        Ok(Pets { path, label: is_mammal, largest: 160, question: "Is it a mammal?" })
    }

    /// Images of this side, a fifth of them for validation; no drawing is larger than 160 pixels.
    pub(crate) fn loaders(&self, s: &Session, side: usize) -> Result<ImageDataLoaders> {
        let side = if s.quick { 96 } else { side.min(self.largest) };
        DataBlock::images()
            .items(image_files)
            .split(RandomSplitter { valid: 0.2, seed: 42 })
            .label(self.label)
            .item_tfms([Resize::crop(side)])
            .seed(s.seed)
            .workers(s.workers)
            .listener(s.listener())
            .dataloaders(&self.path, 16)
    }
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
    let pets = Pets::open(s)?;
    let dls = pets.loaders(s, 160)?;
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

    let own = s.data.root().join("is_it_a_cat.jpg");
    let others = dls.valid.kept_files();
    for image in own.is_file().then_some(own).into_iter().chain(others).take(1) {
        let prediction = learn.predictor().predict_file(&image)?;
        let name = image.file_name().unwrap_or_default().display();
        s.say(format!("{name}: {} {}.\nProbability: {:.6}", pets.question, prediction.class, prediction.probability));
    }
    s.text(
        "
        The source asks about an uploaded photo. Ours is one of the validation images, unless there is an
        `is_it_a_cat.jpg` of yours in the data folder.

        The **error rate** is the share of validation images that were classified wrongly; accuracy is one minus it. It
        is a metric, a number for people. Training uses a different number, the loss, which changes whenever a weight
        changes a little.
        ",
    );
    Ok(())
}
