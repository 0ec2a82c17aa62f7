//! Runs on photos: resumed they end as if nothing had been, and by the run that they are of alone.

use crate::{config, weights};
use std::fs;
use std::path::Path;
use std::time::Duration;
use tallow::data::{DataBlock, GrandparentSplitter, ImageDataLoaders};
use tallow::fingerprint::Fingerprint;
use tallow::models::weights::{Recipe, Weights, save};
use tallow::nn::Params;
use tallow::rng::Rng;
use tallow::train::{Callback, Checkpoints, EpochRow, TrainState, accuracy};
use tallow::vision::{Image, RandomHorizontalFlip, Resize, Transform};
use tallow::vision_learner::{Arch, HeadKind, Pretrained, vision_learner};
use tallow::{Error, Result};

/// Six small pictures of each of two classes in `root/train`, three in `root/valid`.
fn pictures(root: &Path) {
    for (side, n) in [("train", 6), ("valid", 3)] {
        for i in 0..n {
            for (class, tint) in [("cat", 10), ("dog", 140)] {
                let grey = |x: usize, y: usize| (tint + 9 * i + 2 * ((x * (i + 2) + y) % 40)) as u8;
                let picture = Image::from_fn(40, 36, |x, y| [grey(x, y), grey(y, x), 128]).unwrap();
                picture.save(root.join(side).join(class).join(format!("{i}.png"))).unwrap();
            }
        }
    }
}

/// What a program chooses.
struct Choice {
    seed: u64,
    size: usize,
    batch_size: usize,
    head: HeadKind,
    arch: Arch,
    weights: Option<Weights>,
    head_epochs: usize,
    more: Fingerprint,
}

fn choice() -> Choice {
    let (head, arch) = (HeadKind::FastAi, Arch::EfficientNetLite0);
    Choice {
        seed: 42,
        size: 32,
        batch_size: 4,
        head,
        arch,
        weights: Some(weights()),
        head_epochs: 2,
        more: Fingerprint::default(),
    }
}

fn loaders(root: &Path, choice: &Choice) -> Result<ImageDataLoaders> {
    let tfms: Vec<Transform> = vec![Resize::squish(choice.size).into(), RandomHorizontalFlip::default().into()];
    let block = DataBlock::images().split(GrandparentSplitter::default()).item_tfms(tfms).seed(choice.seed).workers(0);
    block.dataloaders(root, choice.batch_size)
}

/// Dies before a batch of the network's second epoch.
struct Die(bool);

impl Callback for Die {
    fn before_batch(&mut self, state: &mut TrainState) -> Result<()> {
        let due = self.0 && (state.epoch, state.batch) == (1, 1);
        if due { Err(Error::Value("killed".into())) } else { Ok(()) }
    }
}

type Story = (Vec<EpochRow>, Vec<EpochRow>);

/// Head, then network, as `tallow train` does it, with checkpoints in `run`.
fn story(root: &Path, run: &Path, choice: Choice, resume: bool, dies: bool) -> Result<Story> {
    let checkpoints =
        |name: &str| Checkpoints { file: run.join(format!("{name}.safetensors")), every: Duration::ZERO, resume };
    let dls = loaders(root, &choice)?;
    let pretrained = choice.weights.map_or(Pretrained::None, Pretrained::Weights);
    let config = config().pretrained(pretrained).head(choice.head).metrics([accuracy()]).fingerprint(choice.more);
    let mut learner =
        vision_learner(&dls, choice.arch, config.callback(Die(dies)).checkpoints(checkpoints("network")))?;
    let mut head = learner.head_learner(4)?.metrics([accuracy()]).checkpoints(checkpoints("head"));
    head.fit_one_cycle(choice.head_epochs, 5e-3)?;
    learner.unfreeze()?;
    learner.fit_one_cycle(2, 1e-3)?;
    // The times are those of the process that had the epoch.
    let rows = |rows: &[EpochRow]| rows.iter().map(|row| EpochRow { seconds: 0.0, ..row.clone() }).collect();
    Ok((rows(&head.recorder().rows), rows(&learner.recorder().rows)))
}

fn resumed(root: &Path, run: &Path, choice: Choice) -> Result<Story> {
    story(root, run, choice, true, false)
}

#[test]
fn an_unchanged_run_resumes_exactly_and_a_changed_one_is_refused_with_what_changed() {
    let folder = tempfile::tempdir().unwrap();
    let (root, run, whole) = (folder.path().join("photos"), folder.path().join("run"), folder.path().join("whole"));
    pictures(&root);
    let want = story(&root, &whole, choice(), false, false).unwrap();
    assert_eq!(story(&root, &run, choice(), false, true).unwrap_err().to_string(), "killed");

    let refuses = |choice: Choice, words: &[&str]| {
        let error = resumed(&root, &run, choice).unwrap_err();
        let message = error.to_string();
        assert!(matches!(error, Error::File { .. }) && message.contains("is of another run"), "{message}");
        assert!(words.iter().all(|word| message.contains(word)), "{message} does not say {words:?}");
        assert!(message.contains("run without resuming, to start anew"), "{message}");
    };
    refuses(Choice { seed: 43, ..choice() }, &["the seed was 42, now it is 43"]);
    refuses(Choice { size: 40, ..choice() }, &["the training set's list of transforms was ", "32", "40"]);
    refuses(Choice { head: HeadKind::Published, ..choice() }, &["the head was FastAi, now it is Published"]);
    refuses(Choice { weights: None, ..choice() }, &["the content of the weights was sha256", "now it is random"]);
    let words = ["the network was efficientnet_lite0, now it is resnet18"];
    refuses(Choice { arch: Arch::ResNet18, weights: None, ..choice() }, &words);
    let params = Params::new(&Rng::new(3), &candle_core::Device::Cpu);
    Arch::EfficientNetLite0.build(1000, &params).unwrap();
    let file = folder.path().join("others.safetensors");
    save(&params, &file, &Default::default()).unwrap();
    let others = Weights::open(&file).unwrap();
    assert_ne!(others.sha256(), weights().sha256());
    refuses(Choice { weights: Some(others), ..choice() }, &["the content of the weights was sha256"]);
    let mut recipe = Recipe::published(Arch::EfficientNetLite0);
    recipe.preprocess.mean = [0.25; 3];
    let recipe = Choice { weights: Some(weights().with_recipe(recipe)), ..choice() };
    refuses(recipe, &["the recipe of the weights was", "0.25", "the training set's list of transforms was"]);
    let more = Fingerprint::default().with("the smoothing", 0.1);
    refuses(Choice { more, ..choice() }, &["there was none of the smoothing, which now is 0.1"]);
    // Of the head's epochs the head's own checkpoint knows.
    let message = resumed(&root, &run, Choice { head_epochs: 3, ..choice() }).unwrap_err().to_string();
    assert!(message.contains("fit_one_cycle(2, 0.005)") && message.contains("fit_one_cycle(3, 0.005)"), "{message}");

    // Copied to another place, and so with other times, the run is the same.
    let copy = folder.path().join("elsewhere/deep/copy");
    pictures(&copy);
    assert_eq!(resumed(&copy, &run, choice()).unwrap(), want);
    assert_eq!(resumed(&root, &whole, choice()).unwrap(), want);
}

#[test]
fn other_photos_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let (root, run) = (folder.path().join("photos"), folder.path().join("run"));
    pictures(&root);
    story(&root, &run, choice(), false, true).unwrap_err();
    let swap = |a: &str, b: &str| {
        let (a, b, aside) = (root.join(a), root.join(b), folder.path().join("aside"));
        fs::rename(&a, &aside).and_then(|()| fs::rename(&b, &a)).and_then(|()| fs::rename(&aside, &b)).unwrap();
    };
    let refuses = |words: &[&str]| {
        let message = resumed(&root, &run, choice()).unwrap_err().to_string();
        assert!(words.iter().all(|word| message.contains(word)), "{message} does not say {words:?}");
    };
    // The names of two class folders, as in `mv cat x && mv dog cat && mv x dog`.
    swap("train/cat", "train/dog");
    refuses(&["the training set's photo train/cat/0.png was cat, ", "and 8 more"]);
    swap("train/cat", "train/dog");
    // One photo in the other class, with the number of photos as it was.
    fs::rename(root.join("train/cat/5.png"), root.join("train/dog/6.png")).unwrap();
    refuses(&[
        "photo train/cat/5.png was cat, ",
        "there was none of the training set's photo train/dog/6.png, which now is dog",
    ]);
    fs::rename(root.join("train/dog/6.png"), root.join("train/cat/5.png")).unwrap();
    // Another photo under a known name, of a photo that judges.
    swap("valid/cat/0.png", "valid/cat/1.png");
    refuses(&["the validation set's photo valid/cat/0.png was cat, ", "now it is cat, "]);
    swap("valid/cat/0.png", "valid/cat/1.png");
    // Classes with other names.
    for side in ["train", "valid"] {
        fs::rename(root.join(side).join("dog"), root.join(side).join("wolf")).unwrap();
    }
    refuses(&["the training set's list of classes was cat, dog, now it is cat, wolf"]);
    for side in ["train", "valid"] {
        fs::rename(root.join(side).join("wolf"), root.join(side).join("dog")).unwrap();
    }
    resumed(&root, &run, choice()).unwrap();
}
