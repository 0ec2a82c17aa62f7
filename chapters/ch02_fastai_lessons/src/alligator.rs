//! Is it an alligator? A classifier of images from a search.

use crate::fetched::{drawings, emptied, written};
use std::path::PathBuf;
use tallow::Result;
use tallow::cli::Session;
use tallow::data::{DataBlock, RandomSplitter, image_files, parent_label, resize_images, verify_images};
use tallow::interpret::show_batch;
use tallow::samples::Sample;
use tallow::train::{FineTune, error_rate};
use tallow::vision::Resize;
use tallow::vision_learner::{Arch, VisionConfig, vision_learner};

// --- Is it an alligator? ---------------------------------------------------------------------------------------------

pub(crate) fn is_it_an_alligator(s: &mut Session) -> Result<()> {
    s.section("Is it an alligator?");
    s.text(
        "
        In 2015 recognising a bird in a photo was a research project. Today it takes two minutes and no mathematics. The
        lesson's first exercise is to tell any two things apart: the reader whose notes we retell chose alligators and
        swamps. Images come from a web search. Save the addresses that it finds, one on a line, and let

        `cargo xtask download-images alligators.txt datasets/downloads/alligator_or_not/alligator`

        fetch them, then the same for `swamp`. This section uses that folder if it is there. Until then it tells
        drawings of birds from drawings of bugs, which are part of the program.
        ",
    );
    let path = photos(s)?;
    let files = image_files(&path)?;
    for first in files.iter().take(1) {
        s.say(format!("{} images; the first is of the class `{}`", files.len(), parent_label(first)?));
    }

    s.text(
        "
        Some files that come from the web are not images, or are cut short. `verify_images` tries to open each of them,
        and those that fail are not copied. Large photos take long to open, and the network sees 192 pixels: copies of
        at most 400 pixels are enough. Your files stay as they are.
        ",
    );
    let failed = verify_images(&files);
    s.say(format!("{} cannot be opened", failed.len()));
    let small = emptied(s.run.folder().join("data/at_most_400"))?;
    resize_images(&path, &small, 400)?;

    s.text(
        "
        A **`DataBlock`** says all that has to be known about the data: what goes in (images) and what comes out (a
        category), how to find the items, how to hold some of them out for validation, how to label them, and what to do
        with each. All images of a batch must have the same size. `squish` changes their proportions rather than losing
        a part of them. Then look at a batch: always look at your data, at every step.
        ",
    );
    let dls = DataBlock::images()
        .items(image_files)
        .split(RandomSplitter { valid: 0.2, seed: s.seed })
        .label(parent_label)
        .item_tfms([Resize::squish(192)])
        .seed(s.seed)
        .workers(s.workers)
        .listener(s.listener())
        .dataloaders(&small, 16)?;
    s.figure("alligator_batch", "Six images of a training batch.", show_batch(&dls.train, 6)?)?;

    s.text(
        "
        A network that has learnt a thousand classes from a million photos is **fine-tuned**: a new head learns first,
        then everything. The source's network is ResNet-18; ours is EfficientNet-Lite0, which is part of the program.
        ",
    );
    let config = VisionConfig::default()
        .metrics([error_rate()])
        .device(&s.device)
        .listener(s.listener())
        .checkpoints(s.checkpoints("alligator"));
    let mut learn = vision_learner(&dls, Arch::EfficientNetLite0, config)?;
    learn.freeze_body_batch_norm(true); // an epoch of a few batches is too short to estimate new statistics
    learn.fine_tune(if s.quick { 1 } else { 3 }, FineTune::default())?;
    s.history("alligator", learn.recorder())?;
    s.check("alligator: valid_loss", &learn.recorder().valid_losses())?;
    s.check("alligator: error_rate", &learn.recorder().metric(0))?;

    for image in dls.valid.kept_files().into_iter().take(1) {
        let prediction = learn.predictor().predict_file(image)?;
        s.say(format!("This is a: {}.\nProbability: {:.4}", prediction.class, prediction.probability));
    }
    s.text(
        "
        `predict` is the one line that a program needs once the model is trained. It returns the class and how sure the
        network is. The source's error rate here is 0. On some twenty validation images that says less than it seems to,
        and one image more or less moves it by several points: look at where the mistakes are before you believe it.
        ",
    );
    Ok(())
}

/// The reader's photos of alligators and swamps, or drawings of birds and bugs.
fn photos(s: &mut Session) -> Result<PathBuf> {
    let own = s.data.root().join("alligator_or_not");
    if own.is_dir() {
        s.data(format!("images of a search in {}", own.display()));
        return Ok(own);
    }
    s.data("Openclipart: drawings of birds and bugs, embedded (public domain)");
    let drawings = drawings(s);
    let kept = |(name, _): &(String, Vec<u8>)| name.starts_with("bird") || name.starts_with("bug");
    let files = drawings.files.into_iter().filter(kept).collect();
    written(s, if s.quick { "some_birds_and_bugs" } else { "birds_and_bugs" }, &Sample { about: drawings.about, files })
}
