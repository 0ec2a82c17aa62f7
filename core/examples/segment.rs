//! Fine-tunes a U-Net on a folder of road scenes, `camvid`, with `train|valid/{images,labels}` and masks of numbers:
//! `cargo run -p tallow --example segment -- camvid 10`.
#![allow(clippy::print_stdout)] // a program: its results are for stdout

use tallow::data::{DataBlock, mask_beside};
use tallow::interpret::{SegmentationInterpretation, show_batch, show_results};
use tallow::train::{FineTune, foreground_accuracy, jaccard_multi, pixel_accuracy};
use tallow::unet_learner::{Arch, UnetConfig, load_segmenter, unet_learner};
use tallow::vision::{Resize, aug_transforms};

const CODES: [&str; 12] = [
    "Sky",
    "Building",
    "Pole",
    "Road",
    "Pavement",
    "Tree",
    "SignSymbol",
    "Fence",
    "Car",
    "Pedestrian",
    "Bicyclist",
    "Void",
];

fn main() -> tallow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().unwrap_or_else(|| "camvid".into());
    let n_epochs = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(10);
    let block = DataBlock::segmentation().label(mask_beside("labels", "")).codes(CODES).void("Void");
    let block = block.item_tfms([Resize::squish(0).size(120, 90)]).batch_tfms(aug_transforms());
    let dls = block.listener(tallow::cli::console()).dataloaders(folder, 8)?;
    show_batch(&dls.train, 8)?.save("batch.png")?;
    let void = dls.void();
    let metrics = [pixel_accuracy(void), foreground_accuracy(0, void), jaccard_multi(void)];
    let config = UnetConfig::default().metrics(metrics).listener(tallow::cli::console());
    let mut learner = unet_learner(&dls, Arch::EfficientNetLite0, config)?; // its weights are part of the library
    learner.fine_tune(n_epochs, FineTune::default())?;
    let seen = SegmentationInterpretation::from_learner(&learner)?;
    seen.plot_per_class().save("classes.png")?;
    seen.plot_top_losses(&learner, &learner.segmentation_dls().valid, 4)?.save("top_losses.png")?;
    show_results(&learner, 4)?.save("results.png")?;
    learner.export("model")?;
    let photo = &dls.valid.files()[0];
    let prediction = load_segmenter("model")?.predict_file(photo)?;
    prediction.save("mask.png")?;
    println!("{prediction}");
    Ok(())
}
