//! The pretrained network and its new final layer.

use crate::data::Task;
use std::path::Path;
use tallow::Result;
use tallow::cli::Session;
use tallow::models::Arch;
use tallow::models::hub::{self, HubConfig};
use tallow::models::weights::Weights;
use tallow::train::accuracy;
use tallow::vision_learner::{HeadKind, Pretrained, VisionConfig, VisionLearner, vision_learner};

/// The pretrained weights: from a file, or the published ones, from wherever they are.
pub(crate) fn weights(s: &Session, arch: Arch, file: Option<&Path>) -> Result<Weights> {
    match file {
        Some(file) => Weights::open(file),
        None => {
            let config = HubConfig::from_env(&s.data).or_offline(s.offline);
            hub::weights(arch, &config, &s.listener())?.open()
        }
    }
}

/// How the source sets a network up: pretrained, with a new final layer.
pub(crate) fn config(s: &Session, weights: &Weights) -> VisionConfig {
    VisionConfig::default()
        .pretrained(Pretrained::Weights(weights.clone()))
        .head(HeadKind::Published)
        .device(&s.device)
        .metrics([accuracy()])
        .listener(s.listener())
}

/// A learner of this configuration, all of it trainable.
pub(crate) fn learner(task: &Task, config: VisionConfig) -> Result<VisionLearner> {
    let mut learner = vision_learner(&task.dls, task.arch, config)?;
    learner.unfreeze()?;
    Ok(learner)
}

/// The number of trainable parameters.
pub(crate) fn trained_parameters(learner: &VisionLearner) -> usize {
    learner.params().trainable().iter().map(|param| param.elem_count()).sum()
}

// --- 3. A new final layer --------------------------------------------------------------------------------------------

pub(crate) fn a_new_final_layer(s: &mut Session, task: &Task, weights: &Weights) -> Result<()> {
    s.section("A pretrained network with a new final layer");
    s.text(
        "
        The network was trained to tell the 1,000 classes of ImageNet apart. All its layers but the last turn a photo
        into **features**, and those are of use for other classes too. So we keep them with their weights, and put a new
        last layer on top, from the features to as many scores as there are classes. It starts at random. These are the
        parts that have weights:
        ",
    );
    let learner = learner(task, config(s, weights))?;
    let params = learner.params();
    let rows: Vec<Vec<String>> = params
        .children()
        .iter()
        .map(|child| {
            let n: usize = params.pp(child).trainable().iter().map(|param| param.elem_count()).sum();
            let new = if child == learner.head_name() { "the new final layer" } else { "pretrained" };
            vec![child.clone(), n.to_string(), new.to_string()]
        })
        .collect();
    s.table(&["named child", "parameters", ""], &rows);
    s.say(format!("{}: {} parameters, {} classes", task.arch, trained_parameters(&learner), learner.vocab().len()));
    s.text(
        "
        The source's ResNet-34 has `conv1`, `bn1`, `layer1` to `layer4` and `fc`, and between them parts without
        weights: `relu`, `maxpool`, `avgpool`. `--arch resnet34` shows them.
        ",
    );
    Ok(())
}
