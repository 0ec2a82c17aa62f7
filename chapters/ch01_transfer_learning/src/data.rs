//! The images: where they come from, how they are split, and how they are transformed.

use crate::Args;
use std::path::{Path, PathBuf};
use tallow::cli::Session;
use tallow::data::{BadFiles, DataBlock, ImageDataLoaders, RandomSplitter, image_files, parent_label};
use tallow::interpret::show_batch;
use tallow::models::Arch;
use tallow::models::weights::Weights;
use tallow::samples;
use tallow::vision::{CenterCrop, Compose, RandomHorizontalFlip, RandomResizedCrop, RandomRotation, Resize, Transform};
use tallow::{Error, Result};

/// What is to be learnt, and by which network.
pub(crate) struct Task {
    pub(crate) dls: ImageDataLoaders,
    pub(crate) arch: Arch,
    pub(crate) epochs: usize,
    /// The source's photos, or other ones.
    pub(crate) own_photos: bool,
}

// --- 1. The data and its split ---------------------------------------------------------------------------------------

pub(crate) fn the_data_and_its_split(s: &mut Session, args: &Args, weights: &Weights) -> Result<Task> {
    s.section("The data and its split");
    s.text(
        "
        All we need is a folder of images with a subfolder for each class. The source moves some of the files to a
        second folder, `val`. Here a **random fifth** of them becomes the validation set, chosen by the seed, and the
        files stay where they are. The network never trains on an image that it is validated on.
        ",
    );
    let (folder, most) = match &args.data {
        Some(folder) => {
            s.data(format!("photos in {}", folder.display()));
            (folder.clone(), usize::MAX)
        }
        None => match s.data.find("cats_dogs") {
            Ok(folder) => {
                s.data(format!("cats and dogs (Asirra, CDLA-Permissive-2.0) in {}", folder.display()));
                (folder.join("PetImages"), 2000)
            }
            Err(tallow_datasets::Error::Missing { .. }) => (drawings(s)?, usize::MAX),
            Err(error) => return Err(error.into()),
        },
    };
    let own_photos = !folder.starts_with(s.run.folder());
    let side = match (s.quick, own_photos) {
        (true, _) => 96,
        (false, false) => 128, // The drawings are not larger than 160 pixels.
        (false, true) => 224,
    };
    let size = args.size.map_or(side, usize::from);
    let most = args.limit.unwrap_or(if s.quick { 120 } else { most });

    // The source's transforms: random crops, turns and mirror images for training, nothing random for validation. How
    // to resize and normalise is what the weights want.
    let wanted = weights.recipe(args.arch).preprocess;
    let (interpolation, normalize) = (wanted.interpolation, wanted.normalize());
    let train: Vec<Transform> = vec![
        RandomResizedCrop { interpolation, ..RandomResizedCrop::new(size) }.into(),
        RandomRotation::new(15.0).into(),
        RandomHorizontalFlip::default().into(),
        normalize.into(),
    ];
    let shrink = Resize::short_side(size * 8 / 7).interpolation(interpolation);
    let valid = Compose::new().then(shrink).then(CenterCrop::new(size)).then(normalize);
    let list = |tfms: &Compose| tfms.transforms().iter().map(|t| format!("  {t}")).collect::<Vec<_>>().join("\n");
    let train = Compose::from(train);
    s.say(format!("train:\n{}\nvalid:\n{}", list(&train), list(&valid)));

    let block = DataBlock::images().items(move |path: &Path| some(image_files(path)?, most));
    // Your own folder may be split already, by the names of the folders in it.
    let block = match args.data {
        Some(_) => block,
        None => block.label(parent_label).split(RandomSplitter { valid: 0.2, seed: s.seed }),
    };
    let dls = block
        .item_tfms(train)
        .valid_tfms(valid)
        .bad_files(BadFiles::Skip)
        .seed(s.seed)
        .workers(s.workers)
        .listener(s.listener())
        .dataloaders(&folder, 16)?; // [16, 3, size, size]
    if dls.n_classes() < 2 {
        let class = dls.vocab().classes().join("");
        let what =
            format!("holds photos of one class only, `{class}`; a classifier needs two folders of photos or more");
        return Err(Error::file(&folder, what));
    }
    s.class_table(&dls);
    let epochs = if s.quick { 1 } else { args.epochs.into() };
    Ok(Task { dls, arch: args.arch, epochs, own_photos })
}

/// At most `most` files, evenly from all of them.
fn some(files: Vec<PathBuf>, most: usize) -> Result<Vec<PathBuf>> {
    let step = files.len().div_ceil(most).max(1);
    Ok(files.into_iter().step_by(step).collect())
}

/// Writes the embedded drawings as files, unless an earlier run has, so that the chapter reads them as it reads your
/// photos.
fn drawings(s: &mut Session) -> Result<PathBuf> {
    s.data("Openclipart: 142 drawings of fruit and vehicles, embedded (public domain)");
    s.say(
        "Drawings of fruit and of vehicles. They are part of the program and stand in for the source's cats and \
         dogs, which `cargo xtask fetch-data --only cats_dogs` fetches; `--data FOLDER` takes your own.",
    );
    let folder = s.run.folder().join("fruit_and_vehicles");
    if !folder.exists() {
        let mut sample = samples::drawings();
        sample.files.retain(|(name, _)| name.starts_with("fruit/") || name.starts_with("vehicle/"));
        sample.write(&folder)?;
    }
    Ok(folder)
}

// --- 2. A grid of training images ------------------------------------------------------------------------------------

pub(crate) fn training_images(s: &mut Session, task: &Task) -> Result<()> {
    s.section("Some training images");
    s.text(
        "
        Always look at what the network will see. Each image is cropped, rotated and flipped at random, differently in
        each epoch. Whatever stays the same must be what makes it a fruit or a vehicle. For display the normalisation is
        undone.
        ",
    );
    s.figure("training_images", "Eight training images as the network sees them.", show_batch(&task.dls.train, 8)?)
}
