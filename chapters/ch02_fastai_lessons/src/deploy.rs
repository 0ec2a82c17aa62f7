//! Lesson 2: a trained model becomes a part of another program.

use crate::cats::Pets;
use std::path::Path;
use std::process::Command;
use tallow::cli::Session;
use tallow::train::{FineTune, error_rate};
use tallow::vision_learner::{Arch, VisionConfig, load_learner, vision_learner};
use tallow::{Error, Result};

// --- A model for another program -------------------------------------------------------------------------------------

pub(crate) fn a_model_for_another_program(s: &mut Session) -> Result<()> {
    s.section("A model for another program");
    s.text(
        "
        A model is of use where people are, and there is no notebook there. So lesson 2 trains the classifier of lesson
        1 once more, for three epochs on images of 192 pixels, and puts it on the web. The source keeps the network
        small, a ResNet-18, since it has to run on a free server; ours is about as large.
        ",
    );
    let pets = Pets::open(s)?;
    let dls = pets.loaders(s, 192)?;
    let config = VisionConfig::default()
        .metrics([error_rate()])
        .device(&s.device)
        .listener(s.listener())
        .checkpoints(s.checkpoints("export"));
    let mut learn = vision_learner(&dls, Arch::EfficientNetLite0, config)?;
    learn.freeze_body_batch_norm(true); // an epoch of a few batches is too short to estimate new statistics
    learn.fine_tune(if s.quick { 1 } else { 3 }, FineTune::default())?;
    s.history("export", learn.recorder())?;
    s.check("model to export: error_rate", &learn.recorder().metric(0))?;

    s.text(
        "
        `export` writes a folder with two files: the weights, and a page of JSON that says which network they are of,
        how an image becomes numbers, and what the classes are called. fast.ai writes a `.pkl` file instead, which is a
        program that Python runs when it is loaded, so one should load such files only from people whom one trusts. In
        this folder there is no code.
        ",
    );
    for file in ["model/model.safetensors", "model/learner.json"] {
        s.run.claim(file)?;
    }
    let folder = s.run.folder().join("model");
    learn.export(&folder)?;

    s.text(
        "
        `load_learner` reads it. To see that nothing else is needed, this chapter starts itself a second time, as a
        program that has never seen the training, and asks it about one validation image:
        ",
    );
    let files = learn.image_dls().valid.kept_files();
    let image = files.first().ok_or_else(|| Error::Value("there is no validation image".into()))?;
    let answer = asked_elsewhere(&folder, image)?;
    s.say(format!("{} The other process says: {answer}", pets.question));
    let here = predict(&folder, image)?;
    s.say(format!("It says what this one does: {}", answer == here));

    s.text(
        "
        The source then writes a page for it with Gradio, in five lines, and Hugging Face runs it. In Rust a predictor
        can be shared by all threads of a web server, and one binary is the whole deployment: no Python on the server,
        and no GPU, which for one image at a time hardly helps. The command line does the same for files:
        ",
    );
    s.say(format!("tallow predict {} PHOTO", folder.display()));
    Ok(())
}

/// What another process says of an image, which has nothing but the exported model.
fn asked_elsewhere(model: &Path, image: &Path) -> Result<String> {
    let program = std::env::current_exe().map_err(Error::io("this program"))?;
    let output = Command::new(program).arg("--predict").args([model, image]).output().map_err(Error::io(image))?;
    if !output.status.success() {
        return Err(Error::file(model, String::from_utf8_lossy(&output.stderr).trim()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_string())
}

/// The class of an image and its probability, by an exported model: what `--predict` prints.
pub(crate) fn predict(model: &Path, image: &Path) -> Result<String> {
    let prediction = load_learner(model)?.predict_file(image)?;
    Ok(format!("{} ({:.4})", prediction.class, prediction.probability))
}
