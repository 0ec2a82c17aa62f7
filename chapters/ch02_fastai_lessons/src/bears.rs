//! Lesson 2: see what transforms do, train, look at the mistakes, clean the data, train again, deploy.

use crate::fetched::written;
use std::path::{Path, PathBuf};
use tallow::cli::Session;
use tallow::data::{DataBlock, ImageDataLoaders, RandomSplitter, image_files, parent_label, verify_images};
use tallow::interpret::{Interpretation, show_batch};
use tallow::samples::{self, Sample};
use tallow::train::{FineTune, error_rate};
use tallow::vision::{Compose, PadMode, RandomResizedCrop, Resize, Transform, aug_transforms};
use tallow::vision_learner::{Arch, VisionConfig, VisionLearner, load_learner, vision_learner};
use tallow::{Error, Result};

/// The kinds of drawings that stand in for the source's three kinds of bears.
const KINDS: [&str; 3] = ["fruit", "mammal", "vehicle"];

/// A loader of the images under `path` with other transforms, fast.ai's `bears.new(item_tfms=...)`.
fn loaders(s: &Session, path: &Path, item: Transform, augmented: bool) -> Result<ImageDataLoaders> {
    let block = DataBlock::images()
        .items(image_files)
        .split(RandomSplitter { valid: 0.2, seed: 42 })
        .label(parent_label)
        .item_tfms([item])
        .seed(s.seed)
        .workers(s.workers)
        .listener(s.listener());
    let block = if augmented { block.batch_tfms(aug_transforms()) } else { block };
    block.dataloaders(path, 16)
}

// --- From data to DataLoaders ----------------------------------------------------------------------------------------

pub(crate) fn from_data_to_data_loaders(s: &mut Session) -> Result<()> {
    s.section("From data to DataLoaders");
    s.text(
        "
        Lesson 2 goes from images to a program that others can use. The source searches the web for grizzly, black and
        teddy bears; put yours into `bears/grizzly`, `bears/black` and `bears/teddy` in the data folder. Here the three
        kinds of things are drawings of fruit, mammals and vehicles.
        ",
    );
    let path = photos(s)?;
    let files = image_files(&path)?;
    s.say(format!("{} images, of which {} cannot be opened", files.len(), verify_images(&files).len()));

    s.text(
        "
        All images of a batch must have one size, and each way to get there has a price. A **crop** loses what is near
        the edges:
        ",
    );
    let crop = loaders(s, &path, Resize::crop(128).into(), false)?;
    s.figure("crop", "Resized to 128 pixels by cropping.", show_batch(&crop.valid, 4)?)?;
    s.text(
        "
        **Squishing** keeps everything and makes it thin or fat:
        ",
    );
    let squish = loaders(s, &path, Resize::squish(128).into(), false)?;
    s.figure("squish", "Resized by squishing.", show_batch(&squish.valid, 4)?)?;
    s.text(
        "
        **Padding** keeps everything in proportion, and spends pixels on black bars:
        ",
    );
    let pad = loaders(s, &path, Resize::pad(128, PadMode::Zeros).into(), false)?;
    s.figure("pad", "Resized by padding with zeros.", show_batch(&pad.valid, 4)?)?;
    s.text(
        "
        A **random crop** shows another part of each training image in each epoch, at least 30 % of it here, as
        photographs of one thing differ too. Validation images are cropped in the middle.
        ",
    );
    let random = RandomResizedCrop::new(128).min_scale(0.3);
    let random = loaders(s, &path, random.into(), false)?;
    s.figure("random_crop", "Random parts of training images.", show_batch(&random.train, 4)?)?;
    s.text(
        "
        **Data augmentation** goes on from there: images are flipped, rotated, zoomed, warped, and their brightness and
        contrast change. One image, eight times, twice as strongly as usual:
        ",
    );
    eight_versions(s, &files[0])
}

/// One image, changed in eight ways.
fn eight_versions(s: &mut Session, file: &Path) -> Result<()> {
    let tfms = Compose::new().then(Resize::crop(128)).then(aug_transforms().mult(2.0));
    let image = tallow::vision::Image::open(file)?;
    let rng = tallow::rng::Rng::new(s.seed).stream("eight versions");
    let mut grid = tallow::plot::ImageGrid::new("", 4);
    for version in 0..8 {
        let shown = tfms.apply_with(image.clone(), &mut rng.substream(version))?.to_image();
        grid = grid.rgb(shown.width(), shown.height(), shown.bytes());
    }
    s.figure("eight_versions", "One drawing, eight times.", grid)
}

/// The reader's bears, or drawings of three kinds.
fn photos(s: &mut Session) -> Result<PathBuf> {
    let own = s.data.root().join("bears");
    if own.is_dir() {
        s.data(format!("bears in {}", own.display()));
        return Ok(own);
    }
    s.data("Openclipart: drawings of fruit, mammals and vehicles, embedded (public domain)");
    drawings(s, "three_kinds", |_| true)
}

/// The drawings of the three kinds that are to stay, as files.
fn drawings(s: &Session, folder: &str, stays: impl Fn(&str) -> bool) -> Result<PathBuf> {
    let all = samples::drawings();
    let wanted = |name: &str| KINDS.iter().any(|kind| name.starts_with(kind)) && stays(name);
    let files = all.files.into_iter().filter(|(name, _)| wanted(name)).collect();
    written(s, folder, &Sample { about: all.about, files })
}

// --- Training a model, and using it to clean the data ----------------------------------------------------------------

pub(crate) fn training_and_cleaning(s: &mut Session) -> Result<()> {
    s.section("Training a model, and using it to clean the data");
    s.text(
        "
        It sounds backwards, but the best way to find bad data is to train a model on them. What it gets wrong with
        great confidence is either hard, or labelled wrongly, or does not belong there at all.
        ",
    );
    let path = photos(s)?;
    let learn = trained(s, &path, "before_cleaning")?;
    let interp = Interpretation::from_learner(&learn)?;
    s.figure(
        "bears_confusion",
        "Rows are what the images are, columns what they were taken for.",
        interp.plot_confusion_matrix(),
    )?;
    s.text(
        "
        The largest losses are where to look. A loss is large if the model was sure and wrong, or right and unsure:
        ",
    );
    s.figure("bears_top_losses", "Prediction, actual, loss, probability.", interp.plot_top_losses(5)?)?;
    if path.starts_with(s.data.root()) {
        s.say(
            "Of your own images only you know which are bad: delete or move those above that are, and run this again.",
        );
        return deployed(s, &learn);
    }
    let before = interp.losses().len();

    s.text(
        "
        Among the fruit are a juice box, a glass of juice and pies: they were filed there because they are made of
        fruit. That is honest noise, as every collection has it. We delete them and train again. fast.ai's widget does
        that by mouse; a list of names is enough here.
        ",
    );
    let bad = |name: &str| name.contains("juice") || name.contains("pie_");
    let clean = drawings(s, "three_kinds_cleaned", |name| !bad(name))?;
    let removed = image_files(&path)?.len().saturating_sub(image_files(&clean)?.len());
    s.say(format!("{removed} drawings deleted"));
    let learn = trained(s, &clean, "after_cleaning")?;
    let interp = Interpretation::from_learner(&learn)?;
    s.figure("cleaned_confusion", "The same after cleaning.", interp.plot_confusion_matrix())?;
    s.text(format!(
        "Did it help? The source cleaned its bears and found the error rate *higher* than before, and wondered. Ours \
         may go either way too. {before} validation images are few: one more mistake is {:.1} points. And cleaning \
         changes how the random split falls, so that before and after are measured on different images. To know, \
         compare on one fixed test set.",
        100.0 / before as f64
    ));
    deployed(s, &learn)
}

fn trained(s: &mut Session, path: &Path, name: &str) -> Result<VisionLearner> {
    let side = if s.quick { 96 } else { 128 };
    let crop = RandomResizedCrop::new(side).min_scale(0.5);
    let dls = loaders(s, path, crop.into(), true)?;
    let config = VisionConfig::default()
        .metrics([error_rate()])
        .device(&s.device)
        .listener(s.listener())
        .checkpoints(s.checkpoints(name));
    let mut learn = vision_learner(&dls, Arch::EfficientNetLite0, config)?;
    learn.freeze_body_batch_norm(true); // an epoch of a few batches is too short to estimate new statistics
    learn.fine_tune(if s.quick { 1 } else { 4 }, FineTune::default())?;
    s.history(name, learn.recorder())?;
    s.check(&format!("{}: error_rate", name.replace('_', " ")), &learn.recorder().metric(0))?;
    Ok(learn)
}

// --- Turning the model into an application ---------------------------------------------------------------------------

fn deployed(s: &mut Session, learn: &VisionLearner) -> Result<()> {
    s.section("Turning the model into an application");
    s.text(
        "
        A trained model is a folder: the weights, and a page of JSON that says how images become numbers and which
        classes there are. There is no code in it. Another program loads it and predicts; so does `tallow predict`.
        ",
    );
    for file in ["model/model.safetensors", "model/learner.json"] {
        s.run.claim(file)?;
    }
    let folder = s.run.folder().join("model");
    learn.export(&folder)?;
    let predictor = load_learner(&folder)?;
    let files = learn.image_dls().valid.kept_files();
    let image = files.first().ok_or_else(|| Error::Value("there is no validation image".into()))?;
    let prediction = predictor.predict_file(image)?;
    s.say(format!(
        "{}: {} ({:.4})",
        image.file_name().unwrap_or_default().display(),
        prediction.class,
        prediction.probability
    ));
    s.say(format!("tallow predict {} PHOTO", folder.display()));
    s.text(
        "
        The source goes on to put its model on the web with Gradio. A predictor is `Send` and `Sync`, so any Rust web
        framework can serve it from one thread pool.
        ",
    );
    Ok(())
}
