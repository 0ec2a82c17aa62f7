//! How many pictures a second come out of the loader: decoded, cropped, flipped, normalised, in batches of 50.
//!
//! `pipeline FOLDER WORKERS` reads the name of a pipeline from each line of standard input (`decode`, `valid`, `train`,
//! `augment`), goes once through the folder, and prints the pictures per second. `pipeline.py` asks PyTorch in turn.

use std::io::BufRead;
use tallow::data::{BadFiles, DataLoader, ImageDataset, image_files};
use tallow::rng::Rng;
use tallow::vision::{CenterCrop, Compose, Normalize, RandomHorizontalFlip, RandomResizedCrop, Resize, aug_transforms};

/// Any error will do here.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn tfms(name: &str) -> Result<Compose> {
    Ok(match name {
        "decode" => Compose::new().then(CenterCrop::new(8)),
        "valid" => Compose::new().then(Resize::short_side(256)).then(CenterCrop::new(224)).then(Normalize::imagenet()),
        "train" => Compose::new()
            .then(RandomResizedCrop::new(224))
            .then(RandomHorizontalFlip::default())
            .then(Normalize::imagenet()),
        "augment" => Compose::new().then(Resize::squish(224)).then(aug_transforms()).then(Normalize::imagenet()),
        other => return Err(format!("no pipeline is called `{other}`").into()),
    })
}

#[allow(clippy::print_stdout)] // a program, not the library
fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let [_, folder, workers] = &args[..] else { return Err("usage: pipeline FOLDER WORKERS".into()) };
    let files = image_files(folder.as_ref())?;
    let workers = workers.parse::<usize>()?;
    for (epoch, name) in std::io::stdin().lock().lines().enumerate() {
        let dataset = ImageDataset::new(files.clone(), vec![0; files.len()], tfms(name?.trim())?)?;
        let loader = DataLoader::new(dataset.bad_files(BadFiles::Skip), 50)?.rng(&Rng::new(0)).workers(workers);
        println!("{:.1}", loader.measure(epoch)?.per_second());
    }
    Ok(())
}
