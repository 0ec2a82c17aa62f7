//! Lesson 3: thirty-seven breeds, two networks, and the parts of a network by their names.

use crate::fetched::{drawings, emptied, fetched};
use std::path::{Path, PathBuf};
use tallow::Result;
use tallow::cli::Session;
use tallow::data::{DataBlock, ImageDataLoaders, RandomSplitter, image_files, regex_label};
use tallow::event::Event;
use tallow::interpret::{Interpretation, show_batch};
use tallow::models::hub::{self, HubConfig};
use tallow::models::weights::Weights;
use tallow::nn::Params;
use tallow::samples::Sample;
use tallow::train::{FineTune, error_rate};
use tallow::vision::Resize;
use tallow::vision_learner::{Arch, Pretrained, VisionConfig, VisionLearner, vision_learner};

/// A breed is what stands before the last underscore and the number: `great_pyrenees` of `great_pyrenees_173.jpg`.
const BREED: &str = r"^([^/]+)_\d+";

// --- Thirty-seven breeds ---------------------------------------------------------------------------------------------

pub(crate) fn thirty_seven_breeds(s: &mut Session) -> Result<()> {
    s.section("Thirty-seven breeds");
    s.text(
        "
        Lesson 3 begins with a harder question about the same photos: not cat or dog, but which of 37 breeds. The answer
        is in the file's name again, and a **regular expression** reads it: `^([^/]+)_\\d+` matches a name up to the
        last underscore that a number follows, and what its brackets enclose is the label. `great_pyrenees_173.jpg`
        shows a great pyrenees.
        ",
    );
    let (path, is_fetched) = photos(s)?;
    let side = match (s.quick, is_fetched) {
        (true, _) => 96,
        (false, true) => 224,
        (false, false) => 160, // no drawing is larger
    };
    let dls = loaders(s, &path, side)?;
    s.say(format!("{} training images, {} classes", dls.train.n_items(), dls.vocab().n_classes()));
    s.figure("breeds_batch", "Four images with the labels from their names.", show_batch(&dls.train, 4)?)?;

    s.text(
        "
        The source trains two networks in the same way and compares. The first is a ResNet-34 of 2015. The second is a
        ConvNeXt of 2022, which the comparison of image models below recommends: about as fast, and more accurate on
        ImageNet. Will it also be better on breeds? Its error rate there is 0.048 where the ResNet has 0.060, a fifth
        less, for changing one name.
        ",
    );
    let mut trained = Vec::new();
    for arch in [Arch::ResNet34, Arch::ConvNextTiny] {
        match weights(s, arch, is_fetched)? {
            Some(weights) => {
                let learn = one_network(s, &dls, arch, weights)?;
                measured(s, arch, &learn)?;
                trained.push(learn);
            }
            None => {
                s.say(format!("{arch} is left out: its weights are not on this machine, and fetched for pets only"))
            }
        }
    }
    if trained.is_empty() {
        s.say("In their place, the network that is part of this program learns the classes of the drawings.");
        let arch = Arch::EfficientNetLite0;
        let weights = hub::weights(arch, &HubConfig::from_env(&s.data).or_offline(true), &s.listener())?.open()?;
        let learn = one_network(s, &dls, arch, weights)?;
        measured(s, arch, &learn)?;
        trained.push(learn);
    }
    s.text(
        "
        Two things differ. The source's ConvNeXt comes from timm and has seen ImageNet's 22,000 classes; the one here
        has torchvision's weights and has seen 1,000. And the source trains it in half precision, `to_fp16`, which saves
        time and memory on a GPU, while here all numbers are 32 bits wide.
        ",
    );
    let Some(learn) = trained.last() else { return Ok(()) };
    confused(s, learn)?;
    inside(s, learn)
}

/// Trains as the source does: the new head for an epoch, then everything for three.
fn one_network(s: &Session, dls: &ImageDataLoaders, arch: Arch, weights: Weights) -> Result<VisionLearner> {
    let name = arch.to_string();
    let config = VisionConfig::default()
        .pretrained(Pretrained::Weights(weights))
        .metrics([error_rate()])
        .device(&s.device)
        .listener(s.listener())
        .checkpoints(s.checkpoints(&format!("breeds_{name}")));
    let mut learn = vision_learner(dls, arch, config)?;
    learn.freeze_body_batch_norm(true); // an epoch of a few batches is too short to estimate new statistics
    learn.fine_tune(if s.quick { 1 } else { 3 }, FineTune::default())?;
    Ok(learn)
}

/// The epochs, beside those of the source.
fn measured(s: &mut Session, arch: Arch, learn: &VisionLearner) -> Result<()> {
    s.history(&format!("breeds_{arch}"), learn.recorder())?;
    let errors = learn.recorder().metric(0);
    s.metric(format!("breeds_error_rate_{arch}"), errors.last().copied().unwrap_or_default());
    match arch {
        Arch::ConvNextTiny => s.check("convnext_tiny_in22k: error_rate", &errors),
        Arch::ResNet34 => s.check("resnet34: error_rate", &errors),
        _ => s.check_with_note("resnet34: error_rate", &errors, format!("{arch} on drawings of six kinds")),
    }
}

/// Which classes are taken for which, the pairs that are hard to tell apart first.
fn confused(s: &mut Session, learn: &VisionLearner) -> Result<()> {
    let interp = Interpretation::from_learner(learn)?;
    let rows: Vec<Vec<String>> = interp
        .most_confused(1)
        .into_iter()
        .take(5)
        .map(|pair| vec![pair.actual, pair.predicted, pair.count.to_string()])
        .collect();
    s.text(
        "
        With many classes a confusion matrix is large and nearly empty. `most_confused` lists what is off its diagonal;
        experts hesitate over many of these pairs too:
        ",
    );
    s.table(&["actual", "taken for", "times"], &rows);
    Ok(())
}

/// What a trained model is made of.
fn inside(s: &mut Session, learn: &VisionLearner) -> Result<()> {
    s.text(
        "
        What is in a trained model? Layers that contain layers that contain layers. `learn.model` prints them all in
        Python; the parts at the top, and how many parameters each has, are enough to see that the first layers are
        small and the last large:
        ",
    );
    let params = learn.params();
    show_parts(s, params, &params.children())?;
    let body = params.children().into_iter().filter(|name| name != "head");
    let blocks = body.max_by_key(|name| params.pp(name).num_parameters()).unwrap_or_default();
    s.text(format!(
        "
        `get_submodule` finds a part by a dotted name, which leads down the hierarchy. `{blocks}` has these parts:
        "
    ));
    let part = params.get_submodule(&blocks)?;
    show_parts(s, &part, &part.children())?;
    let dotted = format!("{blocks}.{}", part.children().first().map_or("0", String::as_str));
    s.text(format!(
        "
        And `{dotted}` holds tensors of numbers, which is all that a network is. They come from a million photos of
        ImageNet, and were changed a little by the images above:
        "
    ));
    let tensors = params.get_submodule(&dotted)?.all();
    let rows: Vec<Vec<String>> = tensors
        .iter()
        .take(6)
        .map(|tensor| vec![tensor.name().to_string(), format!("{:?}", tensor.var().dims())])
        .collect();
    s.table(&["parameter", "shape"], &rows);
    Ok(())
}

fn show_parts(s: &mut Session, params: &Params, parts: &[String]) -> Result<()> {
    let row = |name: &String| Ok(vec![name.clone(), params.get_submodule(name)?.num_parameters().to_string()]);
    let rows = parts.iter().map(row).collect::<Result<Vec<_>>>()?;
    s.table(&["part", "parameters"], &rows);
    Ok(())
}

fn loaders(s: &Session, path: &Path, side: usize) -> Result<ImageDataLoaders> {
    DataBlock::images()
        .items(image_files)
        .split(RandomSplitter { valid: 0.2, seed: 42 })
        .label(regex_label(BREED)?)
        .item_tfms([Resize::crop(side)])
        .seed(s.seed)
        .workers(s.workers)
        .listener(s.listener())
        .dataloaders(path, 16)
}

/// The pets, or the drawings under names of the same kind; and whether it is the pets.
fn photos(s: &mut Session) -> Result<(PathBuf, bool)> {
    if let Some(folder) = fetched(s, "pets")? {
        s.data("Oxford-IIIT Pets: 7,390 photos of 37 breeds, fetched (CC BY-SA 4.0)");
        return Ok((folder.join("images"), true));
    }
    s.data("Openclipart: 335 drawings of six kinds of things, embedded (public domain), named as the pets are");
    let drawings = drawings(s);
    let renamed = |(i, (name, bytes)): (usize, (String, Vec<u8>))| {
        let (kind, extension) = (name.split('/').next()?, name.rsplit('.').next()?);
        name.contains('/').then(|| (format!("{kind}_{i}.{extension}"), bytes))
    };
    let files = drawings.files.into_iter().enumerate().filter_map(renamed).collect();
    let folder = emptied(s.run.folder().join("data/by_name"))?;
    Sample { about: drawings.about, files }.write(&folder)?;
    Ok((folder, false))
}

/// Weights that are on this machine, or, for the pets, may be fetched.
fn weights(s: &Session, arch: Arch, may_fetch: bool) -> Result<Option<Weights>> {
    let config = HubConfig::from_env(&s.data).or_offline(s.offline || !may_fetch);
    match hub::weights(arch, &config, &s.listener()) {
        Ok(found) => found.open().map(Some),
        Err(error @ tallow::Error::Hub { .. }) => {
            if may_fetch {
                s.listener().tell(Event::Note(&error.to_string()));
            }
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
