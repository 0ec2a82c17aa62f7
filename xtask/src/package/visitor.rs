//! A user's program: it trains the last layer of the embedded network on the embedded drawings, and reads the model back.

use tallow::data::DataBlock;
use tallow::train::{FineTune, accuracy};
use tallow::vision::Resize;
use tallow::vision_learner::{Arch, VisionConfig, load_learner, vision_learner};

fn main() -> tallow::Result<()> {
    tallow::samples::drawings().write("drawings")?;
    for class in ["bird", "bug", "flower", "mammal"] {
        std::fs::remove_dir_all(format!("drawings/{class}")).map_err(tallow::Error::io("drawings"))?;
    }
    let dls = DataBlock::images().item_tfms([Resize::squish(64)]).dataloaders("drawings", 16)?;
    let config = VisionConfig::default().metrics([accuracy()]);
    let mut learner = vision_learner(&dls, Arch::EfficientNetLite0, config)?;
    learner.fine_tune(0, FineTune::default())?;
    learner.export("model")?;
    println!("{}", load_learner("model")?.predict_file("drawings/fruit/apple.webp")?);
    Ok(())
}
