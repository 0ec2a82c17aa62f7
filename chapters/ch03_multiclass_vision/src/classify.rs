//! `classify PHOTO...`: what photos show, in ImageNet's classes.

use crate::network::{build_on, probabilities, top};
use clap::Parser;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tallow::data::find_images;
use tallow::event::Listener;
use tallow::models::Arch;
use tallow::models::hub::{self, HubConfig};
use tallow::text::visible;
use tallow::vision::{Image, Limits};
use tallow::{Error, Result, cli, device};
use tallow_datasets::DataFolder;

/// Say what photos show.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  cargo run -p ch03_multiclass_vision -- classify cat.jpg\n  \
                        cargo run -p ch03_multiclass_vision -- classify holiday/ --top 1\n  \
                        cargo run -p ch03_multiclass_vision -- classify --json - < cat.jpg")]
pub(crate) struct Args {
    /// Photos, folders of photos, or `-` for a photo on standard input
    #[arg(required = true, value_name = "PHOTO")]
    photos: Vec<PathBuf>,

    /// How many classes to show
    #[arg(long, default_value_t = 4, value_name = "K", value_parser = clap::value_parser!(u16).range(1..=1000))]
    top: u16,

    /// Print one JSON object per photo, a line each
    #[arg(long)]
    json: bool,

    /// The network; any but the default is fetched if it is not here
    #[arg(long, value_name = "NAME", default_value = "efficientnet_lite0")]
    arch: Arch,

    /// Where to compute: auto, cpu, cuda, cuda:N or metal
    #[arg(long, env = "TALLOW_DEVICE", default_value = "auto", value_name = "DEVICE")]
    device: String,

    /// The folder that holds datasets and weights [default: datasets/downloads]
    #[arg(long, env = "TALLOW_DATA_DIR", value_name = "DIR")]
    data_dir: Option<PathBuf>,

    /// Never open a network connection
    #[arg(long)]
    offline: bool,
}

/// Runs `classify` if the command line asks for it; else nothing, and the chapter is to run.
pub fn classify_command() -> Option<ExitCode> {
    let Some(crate::Command::Classify(args)) = crate::Args::try_parse().ok()?.command else { return None };
    tallow::kernels::keep_freed_memory();
    Some(match classify(&args, &mut std::io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        // The reader of our lines has had enough of them.
        Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            complain(&cli::report_error(&error));
            ExitCode::from(cli::exit_code(&error))
        }
    })
}

fn complain(message: &str) {
    let _ = writeln!(std::io::stderr(), "{message}");
}

/// A photo that cannot be read is named, the others are judged, and the end is an error.
fn classify(args: &Args, out: &mut impl Write) -> Result<()> {
    let device = device::parse(&args.device)?;
    let mut files = Vec::new();
    for photo in &args.photos {
        if photo.is_dir() {
            let found = find_images(photo)?.require_pictures(photo)?;
            found.passed_over_notes().iter().for_each(|note| complain(&format!("note: {}", visible(note))));
            files.extend(found.files);
        } else {
            files.push(photo.clone());
        }
    }
    let config = HubConfig::from_env(&DataFolder::resolve(args.data_dir.as_deref())).or_offline(args.offline);
    let weights = hub::weights(args.arch, &config, &Listener::default())?;
    let network = build_on(&device, &weights)?;
    let tfms = weights.recipe.preprocess.transforms();

    let mut bad = Vec::new();
    for (i, file) in files.iter().enumerate() {
        let classes = read(file).and_then(|picture| {
            let xs = tfms.tensor(picture)?.unsqueeze(0)?.to_device(&device)?; // [1, 3, H, W]
            Ok(top(&probabilities(&network, &xs)?[0], args.top.into()))
        });
        let text = match (&classes, args.json) {
            (Ok(classes), true) => as_json(file, classes).to_string(),
            (Ok(classes), false) => as_text(file, classes, i > 0),
            (Err(error), true) => json!({ "file": file, "error": error.to_string() }).to_string(),
            (Err(_), false) => String::new(),
        };
        if let Err(error) = &classes {
            complain(&cli::report_error(error));
            bad.push(file);
        }
        if !text.is_empty() {
            writeln!(out, "{text}").map_err(Error::io("standard output"))?;
        }
    }
    match bad.first() {
        None => Ok(()),
        Some(first) => {
            let n = files.len();
            Err(Error::file(first, format!("{} of {n} photos could not be read; the reasons are above", bad.len())))
        }
    }
}

/// A photo from a file, or from standard input.
fn read(file: &Path) -> Result<Image> {
    if file.as_os_str() != "-" {
        return Image::open(file);
    }
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes).map_err(Error::io("standard input"))?;
    Image::decode(&bytes, Limits::default()).map_err(|error| Error::file("standard input", error.to_string()))
}

fn as_json(file: &Path, classes: &[(&str, f32)]) -> Value {
    let classes: Vec<Value> = classes.iter().map(|(class, p)| json!({ "class": class, "probability": p })).collect();
    json!({ "file": file, "classes": classes })
}

fn as_text(file: &Path, classes: &[(&str, f32)], gap: bool) -> String {
    let width = classes.iter().map(|(class, _)| class.chars().count()).max().unwrap_or(0);
    let mut text = format!("{}{}", if gap { "\n" } else { "" }, file.display());
    for (class, p) in classes {
        text.push_str(&format!("\n  {class:width$}  {p:.3}  {}", bar(*p)));
    }
    text
}

/// A bar of at most 30 characters, to an eighth of one.
fn bar(p: f32) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (p.clamp(0.0, 1.0) * 240.0).round() as usize;
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
}

#[cfg(test)]
mod tests {
    use super::bar;

    #[test]
    fn bars_grow_by_eighths() {
        assert_eq!(bar(0.0), "");
        assert_eq!(bar(1.0).chars().count(), 30);
        assert_eq!(bar(0.5), "█".repeat(15));
        assert_eq!(bar(1.0 / 240.0), "▏");
    }
}
