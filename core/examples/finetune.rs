//! Fine-tunes a pretrained network on a folder of photos, with a folder for each class:
//! `cargo run -p tallow --example finetune` where there is a folder `pets`.
#![allow(clippy::print_stdout)] // a program: its results are for stdout

use tallow::data::DataBlock;
use tallow::interpret::{Interpretation, show_batch};
use tallow::train::{FineTune, accuracy};
use tallow::vision::{Resize, aug_transforms};
use tallow::vision_learner::{Arch, VisionConfig, load_learner, vision_learner};

fn main() -> tallow::Result<()> {
    let dls =
        DataBlock::images().item_tfms([Resize::squish(192)]).batch_tfms(aug_transforms()).dataloaders("pets", 8)?;
    show_batch(&dls.train, 8)?.save("batch.png")?;
    let config = VisionConfig::default().metrics([accuracy()]).listener(tallow::cli::console());
    let mut learner = vision_learner(&dls, Arch::EfficientNetLite0, config)?; // its weights are part of the library
    learner.fine_tune(2, FineTune::default())?;
    Interpretation::from_learner(&learner)?.plot_confusion_matrix().save("confusion.png")?;
    learner.export("model")?;
    println!("{}", load_learner("model")?.predict_file("photo.jpg")?);
    Ok(())
}
