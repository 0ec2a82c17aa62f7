//! A user's program: it trains the head of the embedded network on the embedded drawings, and reads the model back.

use tallow::data::DataBlock;
use tallow::train::{FineTune, accuracy};
use tallow::vision::Resize;
use tallow::vision_learner::{Arch, VisionConfig, load_learner, vision_learner};

fn main() -> tallow::Result<()> {
    tallow::samples::drawings().write("drawings")?;
    for class in ["bird", "bug", "flower", "mammal"] {
        std::fs::remove_dir_all(format!("drawings/{class}")).map_err(tallow::Error::io("drawings"))?;
    }
    let dls = DataBlock::images().item_tfms([Resize::squish(96)]).dataloaders("drawings", 16)?;
    let config = VisionConfig::default().metrics([accuracy()]);
    let mut learner = vision_learner(&dls, Arch::EfficientNetLite0, config)?;
    learner.fine_tune(0, FineTune::default())?;
    learner.export("model")?;
    let files = dls.valid.files();
    let mut right = 0;
    for (file, prediction) in files.iter().zip(load_learner("model")?.predict(files)?) {
        let prediction = prediction?;
        right += usize::from(file.parent().is_some_and(|class| class.ends_with(&prediction.class)));
    }
    println!("{right} of {} drawings are told right", files.len());
    assert!(10 * right > 6 * files.len(), "a pretrained network does better than that");
    Ok(())
}
