//! `tallow export`: a model for other programs, as ONNX, with a card that says what it is.

use crate::{model, say, shown};
use std::path::{Path, PathBuf};
use tallow::card::model_card;
use tallow::collab_learner::load_collab_on;
use tallow::onnx::{OnnxOptions, OnnxSummary};
use tallow::tabular_learner::load_tabular_on;
use tallow::text_learner::load_text_classifier_on;
use tallow::unet_learner::load_segmenter_on;
use tallow::vision_learner::load_learner_on;
use tallow::{Error, Result, device};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "The file is read back and run beside the model before it gets its name. Its notes (`metadata_props`) \
                        have the classes and what has to be done to an input; the card beside it, FILE with the \
                        ending .md, says the same to people, and how the file is used from Python."
)]
pub(crate) struct Args {
    /// The folder of a run of `tallow train`, `segment`, `table`, `ratings` or `text --encoder`, or the model in it
    #[arg(value_name = "MODEL")]
    model: PathBuf,

    /// The file to write, such as pets.onnx
    #[arg(long, value_name = "FILE")]
    onnx: PathBuf,

    /// The height and width of the images, one number if they are the same, else HEIGHTxWIDTH [default: the model's]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    size: Option<[usize; 2]>,

    /// Take the bytes of images, [N, height, width, 3], and normalise them inside of the file
    #[arg(long)]
    pixels: bool,

    /// Keep weights with 16 bits: half the size, less exact
    #[arg(long)]
    half: bool,

    /// Replace the file and its card if they are there
    #[arg(long)]
    overwrite: bool,
}

fn size(text: &str) -> std::result::Result<[usize; 2], String> {
    const MOST: usize = 1 << 14;
    let side = |text: &str| text.parse().ok().filter(|side| (1..=MOST).contains(side));
    let (height, width) = text.split_once('x').unwrap_or((text, text));
    side(height)
        .zip(side(width))
        .map(|(height, width)| [height, width])
        .ok_or_else(|| format!("expected a number of pixels from 1 to {MOST}, such as 224, or two, such as 360x480"))
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let folder = model::folder(&args.model);
    let card = args.onnx.with_extension("md");
    for file in [&args.onnx, &card] {
        if file.exists() && !args.overwrite {
            return Err(Error::Usage(format!("{} is there already; `--overwrite` replaces it", file.display())));
        }
    }
    let summary = write(args, &folder)?;
    tallow_io::atomic::write(&card, model_card(&folder)? + &usage(args, &summary))?;
    say(format!(
        "{}: {:.1} MB, {} operators, checked: it differs from the model by at most {:.1e}",
        shown(&summary.file).display(),
        summary.bytes as f64 / 1e6,
        summary.operators,
        summary.difference
    ))?;
    say(format!("takes {}", summary.inputs.join(", ")))?;
    say(format!("makes {}", summary.outputs.join(", ")))?;
    say(format!("{}: what it is, how good it is, and how it is used", shown(&card).display()))
}

/// Writes the ONNX file of whatever kind of model it is.
fn write(args: &Args, folder: &Path) -> Result<OnnxSummary> {
    let device = device::parse("cpu")?;
    let options = OnnxOptions { size: args.size, pixels: args.pixels, half: args.half };
    let kind = model::kind(folder);
    let is_image =
        matches!(kind.as_deref(), None | Some("image_classifier" | "multi_label_image_classifier" | "image_segmenter"));
    if (args.pixels || args.size.is_some()) && !is_image {
        return Err(Error::Usage("`--size` and `--pixels` are for models of images".into()));
    }
    match kind.as_deref() {
        Some("image_segmenter") => load_segmenter_on(folder, &device)?.export_onnx(&args.onnx, options),
        Some("tabular") => load_tabular_on(folder, &device)?.export_onnx(&args.onnx, options),
        Some("collab") => load_collab_on(folder, &device)?.export_onnx(&args.onnx, options),
        Some("text_classifier" | "transformer_classifier") => {
            load_text_classifier_on(folder, &device)?.export_onnx(&args.onnx, options)
        }
        _ => load_learner_on(folder, &device)?.export_onnx(&args.onnx, options),
    }
}

/// The part of the card on the file.
fn usage(args: &Args, summary: &OnnxSummary) -> String {
    let file = args.onnx.file_name().unwrap_or_default().to_string_lossy();
    let list = |ports: &[String]| ports.iter().map(|port| format!("- `{port}`\n")).collect::<String>();
    let feeds = summary.inputs.iter().filter_map(|port| port.split(' ').next());
    let feeds: Vec<String> = feeds.map(|name| format!("\"{name}\": {name}")).collect();
    format!(
        "\n## The ONNX file\n\n`{file}` takes\n\n{}\nand makes\n\n{}\nIts largest difference from the model on random \
         inputs is {:.1e}. What has to be done to an input stands in its notes:\n\n```python\nimport \
         onnxruntime\n\nsession = onnxruntime.InferenceSession(\"{file}\")\nnotes = \
         session.get_modelmeta().custom_metadata_map\nprint(notes)\noutputs = session.run(None, {{{}}})\n```\n",
        list(&summary.inputs),
        list(&summary.outputs),
        summary.difference,
        feeds.join(", ")
    )
}
