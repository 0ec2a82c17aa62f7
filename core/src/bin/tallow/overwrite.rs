//! Keeps finished runs from being replaced by accident.

use std::fs;
use std::path::{Path, PathBuf};
use tallow::cli::CommonArgs;
use tallow::report::Run;
use tallow::{Error, Result};

/// What `tallow train` exports, in its run's folder.
pub(crate) const MODEL: [&str; 2] = ["model/model.safetensors", "model/learner.json"];

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::Args)]
pub(crate) struct OverwriteArgs {
    /// Replace the finished run that is in the folder of `--out`: its report, and its model if it has one
    #[arg(long, conflicts_with = "resume", help_heading = "Common options")]
    overwrite: bool,
}

impl OverwriteArgs {
    /// An error if training would replace a finished run or a model without having been told to. What a run that was
    /// killed or failed left is no obstacle. The photos come first: nothing is removed for a name that was mistyped.
    pub(crate) fn before_training(self, common: &CommonArgs, program: &str, photos: &Path) -> Result<()> {
        if !photos.is_dir() {
            return Err(Error::file(photos, "is not there, or no folder; expected a folder of photos"));
        }
        self.before_replacing(common, program)
    }

    /// The same, when the photos have been looked at already.
    pub(crate) fn before_replacing(self, common: &CommonArgs, program: &str) -> Result<()> {
        let folder = common.out_folder(program);
        self.refuse_finished(&folder, common.resume)?;
        // A model that no run wrote, or one of an older version, which did not list it.
        for file in MODEL.map(|name| folder.join(name)).iter().filter(|file| self.overwrite && file.is_file()) {
            fs::remove_file(file).map_err(Error::io(file))?;
        }
        Ok(())
    }

    /// The same for an evaluation, which never writes to where a model is.
    pub(crate) fn before_evaluating(self, common: &CommonArgs, program: &str) -> Result<()> {
        let folder = common.out_folder(program);
        if holds_model(&folder) || folder.join("learner.json").is_file() {
            let what = "holds a model, whose report this one would replace; choose another folder with `--out`";
            return Err(Error::Usage(format!("{}: {what}", folder.display())));
        }
        self.refuse_finished(&folder, common.resume)
    }

    fn refuse_finished(self, folder: &PathBuf, resume: bool) -> Result<()> {
        let strange_model = holds_model(folder) && !MODEL.iter().all(|name| Run::wrote(folder, name));
        let what = match (Run::is_finished(folder), strange_model) {
            _ if self.overwrite => return Ok(()),
            (true, _) if resume => "holds a finished run, which leaves nothing to resume",
            (true, _) => "holds a finished run",
            (false, true) => "holds a model",
            (false, false) => return Ok(()),
        };
        let remedy = "`--overwrite` replaces it, `--out` with another folder keeps it";
        Err(Error::Usage(format!("{}: {what}; {remedy}", folder.display())))
    }
}

fn holds_model(folder: &Path) -> bool {
    MODEL.iter().any(|name| folder.join(name).is_file())
}
