//! Segmentation: a class for each pixel.

use crate::fetched::{fetched, written};
use tallow::Result;
use tallow::cli::Session;
use tallow::data::{DataBlock, mask_beside, read_codes};
use tallow::interpret::{show_batch, show_results};
use tallow::samples;
use tallow::train::{FineTune, pixel_accuracy};
use tallow::unet_learner::{Arch, UnetConfig, unet_learner};
use tallow::vision::Resize;

// --- Segmentation ----------------------------------------------------------------------------------------------------

pub(crate) fn image_segmentation(s: &mut Session) -> Result<()> {
    s.section("Image segmentation");
    s.text(
        "
        Deep learning does more than say what an image shows. In **segmentation** each pixel gets a class of its own. A
        self-driving car must know where the road ends and the pedestrian begins. The source takes a hundred pictures of
        CamVid, filmed from a car in Cambridge. Until `cargo xtask fetch-data --only camvid_tiny` has fetched them, we
        use scenes composed of drawings on a textured background, whose pixels we know the class of, because we put them
        there.
        ",
    );
    let (path, suffix, void) = match fetched(s, "camvid_tiny")? {
        Some(folder) => {
            s.data("CamVid: 100 road scenes with masks, fetched (research and education)");
            (folder, "_P", "Void")
        }
        None => {
            let (n_train, n_valid) = if s.quick { (24, 8) } else { (96, 32) };
            s.data(format!("{} scenes composed of drawings, embedded (public domain)", n_train + n_valid));
            let scenes = samples::scenes(n_train, n_valid, s.seed)?;
            (written(s, &format!("{n_train}_scenes_of_seed_{}", s.seed), &scenes)?, "", "void")
        }
    };
    let codes = read_codes(path.join("codes.txt"))?;
    s.say(format!("{} codes: {}", codes.len(), codes.join(", ")));
    let dls = DataBlock::segmentation()
        .label(mask_beside("labels", suffix))
        .codes(codes)
        .void(void)
        .item_tfms([Resize::squish(0).size(128, 96)])
        .seed(s.seed)
        .workers(s.workers)
        .listener(s.listener())
        .dataloaders(&path, 8)?;
    s.figure("road_scenes", "Training pictures with their masks.", show_batch(&dls.train, 6)?)?;

    s.text(
        "
        The network is a **U-Net**: the body of a classifier shrinks the picture step by step while it works out what is
        in it; a second half enlarges it again, and connections across from the first half tell it where things were.
        Pixels of the void class, whose class is unknown, neither train nor count.
        ",
    );
    let config = UnetConfig::default()
        .metrics([pixel_accuracy(dls.void())])
        .device(&s.device)
        .listener(s.listener())
        .checkpoints(s.checkpoints("road_scenes"));
    let mut learn = unet_learner(&dls, Arch::EfficientNetLite0, config)?;
    learn.fine_tune(if s.quick { 1 } else { 8 }, FineTune::default())?;
    s.history("road_scenes", learn.recorder())?;
    s.check("segmentation: train_loss", &learn.recorder().train_losses())?;
    s.check("segmentation: valid_loss", &learn.recorder().valid_losses())?;
    let accuracy = learn.recorder().metric(0).last().copied().unwrap_or_default();
    s.metric("pixel_accuracy", accuracy);
    s.say(format!("{:.1} % of the pixels of the validation set are right", 100.0 * accuracy));
    s.figure("segmented", "Validation pictures, their masks, and the network's.", show_results(&learn, 3)?)
}
