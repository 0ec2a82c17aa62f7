//! `tallow explain`: a photo as the network sees it, and which parts of it decide.

use crate::model;
use crate::say;
use std::path::PathBuf;
use tallow::plot::{Figure, ImageGrid};
use tallow::vision::{Image, Resize};
use tallow::vision_learner::Predictor;
use tallow::{Result, cli};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder of a run of `tallow train`, or the model in it
    #[arg(value_name = "MODEL")]
    model: PathBuf,

    /// The photo
    #[arg(value_name = "PHOTO")]
    photo: PathBuf,

    /// Where to draw it, as .png or .svg
    #[arg(long, value_name = "FILE", default_value = "explained.png")]
    out: PathBuf,

    /// Parts on each side of the photo that are covered one after the other
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u8).range(2..=40))]
    parts: u8,

    /// Where to compute: auto, cpu, cuda, cuda:N or metal
    #[arg(long, env = "TALLOW_DEVICE", default_value = "auto", value_name = "DEVICE")]
    device: String,
}

/// Prints the probabilities, and draws the photo after each step of its way into the network, and where it matters.
pub(crate) fn run(args: &Args) -> Result<()> {
    let predictor = model::open(&args.model, &args.device)?;
    let photo = Image::open(&args.photo)?;
    let prediction = predictor.predict_image(&photo)?;
    say(format!("{}: {}", args.photo.display(), prediction.class))?;
    for (class, p) in predictor.vocab().iter().zip(&prediction.probabilities) {
        say(format!("  {class}: {p:.4}"))?;
    }

    let normalization = predictor.tfms().normalization();
    let small = within(&photo, FOR_THE_NETWORK)?;
    let cam = predictor.grad_cam(&photo, prediction.index)?;
    let mut grid = ImageGrid::new(format!("{} ({:.3})", prediction.class, prediction.probability), 3);
    let steps = predictor.tfms().explain(photo)?;
    for step in &steps {
        let seen = for_people(&step.image(normalization))?;
        grid = grid.rgb(seen.width(), seen.height(), seen.bytes()).caption(step.description.clone());
    }
    if let Some(last) = steps.last() {
        let seen = for_people(&cam.drawn_on(&last.image(normalization))?)?;
        let caption = format!("Grad-CAM: orange is what speaks for {}", prediction.class);
        grid = grid.rgb(seen.width(), seen.height(), seen.bytes()).caption(caption);
    }
    let (whole, covered) = occlusion(&predictor, &small, prediction.index, args.parts.into())?;
    let drops: Vec<f64> = covered.iter().map(|p| whole - p).collect();
    let heat = for_people(&heat_map(&small, &drops, args.parts.into())?)?;
    let caption = effect(whole, &covered, &prediction.class);
    let grid = grid.rgb(heat.width(), heat.height(), heat.bytes()).caption(caption);
    Figure::from(grid).save(&args.out)?;
    say(format!("drawn: {}", args.out.display()))?;
    Ok(())
}

/// Pixels of a photo that is shown to the network again and again: 320 rows of 480, or any other shape.
const FOR_THE_NETWORK: f64 = 320.0 * 480.0;

/// The picture with its proportions and at most so many pixels.
fn within(picture: &Image, most: f64) -> Result<Image> {
    scaled(picture, (most / (picture.width() * picture.height()) as f64).sqrt())
}

/// The picture as large as a page has room for, however long and narrow it is.
fn for_people(picture: &Image) -> Result<Image> {
    scaled(picture, 448.0 / picture.width().max(picture.height()) as f64)
}

/// The picture at `times` its size, if that is smaller.
fn scaled(picture: &Image, times: f64) -> Result<Image> {
    if times >= 1.0 {
        return Ok(picture.clone());
    }
    let side = |side: usize| ((side as f64 * times).round() as usize).max(1);
    picture.resize(Resize::squish(1).size(side(picture.width()), side(picture.height())))
}

/// The part, of `parts`, in which the pixel `at` of a side lies, with a fraction.
fn part_of(at: usize, size: usize, parts: usize) -> f64 {
    (at as f64 + 0.5) / size as f64 * parts as f64
}

/// The class's probability of the whole photo, and when a part of it is covered with grey, part by part: Zeiler and
/// Fergus, *Visualizing and Understanding Convolutional Networks*, 2013.
fn occlusion(predictor: &Predictor, photo: &Image, class: usize, parts: usize) -> Result<(f64, Vec<f64>)> {
    let whole = predictor.predict_image(photo)?.probabilities[class];
    let (w, h) = (photo.width(), photo.height());
    let mut probabilities = Vec::with_capacity(parts * parts);
    for part in 0..parts * parts {
        cli::stop_if_interrupted()?;
        // A cover is two parts wide, so that it hides what lies on a border.
        let (row, column) = ((part / parts) as f64, (part % parts) as f64);
        let inside = |at: usize, size: usize, place: f64| {
            let at = part_of(at, size, parts);
            at > place - 0.5 && at < place + 1.5
        };
        let is_covered = |x, y| inside(x, w, column) && inside(y, h, row);
        let covered = Image::from_fn(w, h, |x, y| if is_covered(x, y) { [128; 3] } else { photo.pixel(x, y) })?;
        probabilities.push(predictor.predict_image(&covered)?.probabilities[class]);
    }
    Ok((whole, probabilities))
}

/// What the colours of the heat map mean, and how much: the strongest colour stands for the largest change, which of a
/// network that is sure may be next to nothing.
fn effect(whole: f64, covered: &[f64], class: &str) -> String {
    let (least, most) = (covered.iter().copied().fold(whole, f64::min), covered.iter().copied().fold(whole, f64::max));
    format!("covered, orange parts make {class} less likely (down to {least:.4}), blue ones more (up to {most:.4})")
}

/// The photo in grey, orange where covering it costs probability, blue where it gains some.
fn heat_map(photo: &Image, drops: &[f64], parts: usize) -> Result<Image> {
    let most = drops.iter().fold(1e-9_f64, |most, drop| most.max(drop.abs()));
    let (w, h) = (photo.width(), photo.height());
    Image::from_fn(w, h, |x, y| {
        let (row, column) = (part_of(y, h, parts) as usize, part_of(x, w, parts) as usize);
        let drop = drops[row * parts + column] / most;
        let [r, g, b] = photo.pixel(x, y).map(f64::from);
        let grey = 0.299 * r + 0.587 * g + 0.114 * b;
        let color = if drop > 0.0 { [213.0, 94.0, 0.0] } else { [0.0, 114.0, 178.0] };
        let strength = 0.65 * drop.abs();
        color.map(|c| (grey + (c - grey) * strength).round() as u8)
    })
}
