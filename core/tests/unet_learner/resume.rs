//! Killed and resumed, a run ends as if nothing had been.

use crate::{block, config, pictures};
use std::path::Path;
use std::time::Duration;
use tallow::nn::{PixelLoss, SegmentationLoss};
use tallow::train::{Callback, Checkpoints, EpochRow, FineTune, TrainState, dice_multi};
use tallow::unet_learner::{Arch, unet_learner};
use tallow::{Error, Result};

/// Dies before a batch of the second fit.
struct Die(bool);

impl Callback for Die {
    fn before_batch(&mut self, state: &mut TrainState) -> Result<()> {
        let due = self.0 && state.recorder.losses.len() == 5;
        if due { Err(Error::Value("killed".into())) } else { Ok(()) }
    }
}

/// Fine-tunes with checkpoints after each batch; gives the rows and all weights.
fn story(root: &Path, run: &Path, loss: PixelLoss, resume: bool, dies: bool) -> Result<(Vec<EpochRow>, Vec<f32>)> {
    let checkpoints = Checkpoints { file: run.join("checkpoint.safetensors"), every: Duration::ZERO, resume };
    let dls = block().dataloaders(root, 4)?;
    let loss = SegmentationLoss { of: loss, ..SegmentationLoss::default() };
    let config = config().loss(loss).metrics([dice_multi(dls.void())]).callback(Die(dies)).checkpoints(checkpoints);
    let mut learner = unet_learner(&dls, Arch::EfficientNetLite0, config)?;
    learner.fine_tune(1, FineTune::default())?;
    let rows = learner.recorder().rows.iter().map(|row| EpochRow { seconds: 0.0, ..row.clone() }).collect();
    let weights = learner.params().all().into_iter().map(|p| p.var().flatten_all()?.to_vec1::<f32>());
    Ok((rows, weights.collect::<Result<Vec<_>, _>>()?.concat()))
}

#[test]
fn killed_and_resumed_it_ends_bit_for_bit_as_undisturbed() {
    let folder = tempfile::tempdir().unwrap();
    let (root, run, whole) = (folder.path().join("pictures"), folder.path().join("run"), folder.path().join("whole"));
    pictures(&root);
    let focal = PixelLoss::focal();
    let undisturbed = story(&root, &whole, focal, false, false).unwrap();
    assert!(story(&root, &run, focal, false, true).unwrap_err().to_string().contains("killed"));
    // Another loss is another run.
    let message = story(&root, &run, PixelLoss::dice(), true, false).unwrap_err().to_string();
    assert!(message.contains("Dice") && message.contains("Focal"), "{message}");
    let resumed = story(&root, &run, focal, true, false).unwrap();
    assert_eq!(resumed.0, undisturbed.0);
    assert!(resumed.1.iter().zip(&undisturbed.1).all(|(a, b)| a.to_bits() == b.to_bits()));
    assert_eq!(resumed.1.len(), undisturbed.1.len());
}
