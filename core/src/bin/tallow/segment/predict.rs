//! `tallow segment predict`: masks of photos.

use crate::model::{self, Named};
use crate::{say_json, say_line};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tallow::unet_learner::{SegmentationPrediction, load_segmenter_on};
use tallow::vision::Image;
use tallow::{Error, Result, device};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "For each photo a file `NAME_mask.png` is written, a palette of the classes' colours whose numbers \
                  are those of the classes, and `NAME_overlay.png`, the photo with the classes over it. The photos of \
                  a folder keep their places below it."
)]
pub(crate) struct PredictArgs {
    /// The folder of a run of `tallow segment`, or the model in it
    #[arg(value_name = "MODEL")]
    model: PathBuf,

    /// Photos, or folders of photos
    #[arg(value_name = "PHOTO", required = true)]
    photos: Vec<PathBuf>,

    /// The folder to write to
    #[arg(long, value_name = "DIR", default_value = "masks")]
    out: PathBuf,

    /// How much of the classes' colours lies over a photo, from 0 to 1
    #[arg(long, value_name = "PART", default_value_t = 0.5, value_parser = crate::values::opacity)]
    opacity: f64,

    /// Replace files that are there
    #[arg(long)]
    overwrite: bool,

    /// Print one JSON object for each photo, a line each
    #[arg(long)]
    json: bool,

    /// Where to compute: auto, cpu, cuda, cuda:N or metal
    #[arg(long, env = "TALLOW_DEVICE", default_value = "auto", value_name = "DEVICE")]
    device: String,
}

/// Photos that go through the network before the first is written.
const CHUNK: usize = 8;

/// Unreadable files and folders without photos are reported, the masks of the others written; then the end is an error.
pub(crate) fn run(args: &PredictArgs) -> Result<()> {
    let folder = model::folder_for(model::MASKS, &args.model)?;
    let segmenter = load_segmenter_on(folder, &device::parse(&args.device)?)?;
    let Named { files, without, notes } = model::photos(&args.photos);
    for note in notes {
        eprintln!("note: {}", tallow::text::visible_line(&note));
    }
    let targets = targets(args, &files)?;
    let n = files.len() + without.len();
    let mut bad = Vec::new();
    for (files, targets) in files.chunks(CHUNK).zip(targets.chunks(CHUNK)) {
        for ((file, target), prediction) in files.iter().zip(targets).zip(segmenter.predict(files)?) {
            match prediction.and_then(|prediction| write(args, file, target, &prediction)) {
                Ok(()) => {}
                Err(error @ Error::File { .. }) => bad.push((file.clone(), error)),
                Err(error @ Error::Io { .. }) if !file.is_file() => bad.push((file.clone(), error)),
                Err(error) => return Err(error),
            }
        }
    }
    bad.extend(without);
    for (file, error) in &bad {
        if args.json {
            say_json(&serde_json::json!({ "file": file.display().to_string(), "error": error.to_string() }))?;
        }
        eprintln!("{}", tallow::cli::report_error(error));
    }
    match bad.first() {
        None => Ok(()),
        Some((first, _)) => {
            let bad = bad.len();
            Err(Error::file(first, format!("{bad} of {n} photos or folders could not be read; the reasons are above")))
        }
    }
}

/// The two files of a photo.
struct Target {
    mask: PathBuf,
    overlay: PathBuf,
}

/// Where the files of each photo go. No two may share a place, and nothing that is there is replaced unasked.
fn targets(args: &PredictArgs, files: &[PathBuf]) -> Result<Vec<Target>> {
    let mut taken: BTreeMap<PathBuf, &Path> = BTreeMap::new();
    let mut all = Vec::with_capacity(files.len());
    for file in files {
        let folder = args.photos.iter().find(|named| named.is_dir() && file.starts_with(named));
        let below = folder.and_then(|folder| file.strip_prefix(folder).ok()).and_then(Path::parent);
        let place = args.out.join(below.unwrap_or(Path::new("")));
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let [mask, overlay] = ["mask", "overlay"].map(|what| place.join(format!("{name}_{what}.png")));
        if let Some(other) = taken.insert(mask.clone(), file) {
            let (one, other) = (file.display(), other.display());
            let what = format!("{one} and {other} would both become {}: predict them apart", mask.display());
            return Err(Error::Usage(what));
        }
        if let Some(there) = [&mask, &overlay].into_iter().find(|path| !args.overwrite && path.exists()) {
            let what = "is there already; `--overwrite` replaces it, `--out` with another folder keeps it";
            return Err(Error::Usage(format!("{}: {what}", there.display())));
        }
        all.push(Target { mask, overlay });
    }
    Ok(all)
}

/// Writes both files of a photo, and says what it shows.
fn write(args: &PredictArgs, file: &Path, target: &Target, prediction: &SegmentationPrediction) -> Result<()> {
    prediction.save(&target.mask)?;
    prediction.overlay(&Image::open(file)?, args.opacity)?.save(&target.overlay)?;
    if args.json {
        let classes: Vec<serde_json::Value> = prediction
            .largest()
            .into_iter()
            .map(|(class, share)| serde_json::json!({ "class": class, "share": share }))
            .collect();
        let shown = |path: &Path| path.display().to_string();
        let json = serde_json::json!({
            "file": shown(file), "mask": shown(&target.mask), "overlay": shown(&target.overlay), "classes": classes,
        });
        return say_json(&json);
    }
    say_line(format!("{}: {prediction} -> {}", file.display(), target.mask.display()))
}
