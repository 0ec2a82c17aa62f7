//! A pretrained network as it is: photos in, ImageNet's classes out.

use crate::network::{Published, build, probabilities, top};
use crate::photos::{Kind, Photos, tail};
use std::path::{Path, PathBuf};
use tallow::cli::Session;
use tallow::data::image_files;
use tallow::models::Arch;
use tallow::plot::ImageGrid;
use tallow::report::{Comparison, Expect};
use tallow::vision::{CenterCrop, Compose, Image, Normalize, Resize};
use tallow::{Error, Result};
use tallow_datasets::imagenet::CLASSES;

/// What the lecture's VGG-16 says of its photos: the file's name without ending, then classes and probabilities.
const PRINTED: [(&str, [(&str, &str); 4]); 7] = [
    ("12", [("cheetah", "0.983"), ("leopard", "0.012"), ("jaguar", "0.004"), ("snow leopard", "0.001")]),
    ("11", [("tiger cat", "0.353"), ("tabby", "0.207"), ("lynx", "0.050"), ("Pembroke", "0.046")]),
    ("669", [("Walker hound", "0.580"), ("English foxhound", "0.091"), ("EntleBucher", "0.080"), ("beagle", "0.065")]),
    ("apples", [("fig", "0.637"), ("pomegranate", "0.193"), ("grocery store", "0.041"), ("crate", "0.023")]),
    ("ubc_pic", [("toilet seat", "0.171"), ("safety pin", "0.060"), ("bannister", "0.039"), ("bubble", "0.035")]),
    ("UBC_fall_colours", [("worm fence", "0.202"), ("barn", "0.036"), ("sorrel", "0.033"), ("valley", "0.029")]),
    ("UBC_rose_garden", [("patio", "0.213"), ("fountain", "0.164"), ("lakeside", "0.097"), ("sundial", "0.088")]),
];

// --- 13. Transfer learning -------------------------------------------------------------------------------------------

pub(crate) fn transfer_learning(s: &mut Session) -> Result<()> {
    s.section("Transfer learning");
    s.text(
        "
        Hardly anybody trains a large network for images from scratch: that takes a large data set, strong computers,
        and much work. Instead one downloads a network that others have trained, most often on **ImageNet**: 1.2 million
        photos in 1,000 classes. There are three common ways to use it:

        - out of the box, as it is;
        - as a maker of features, for a model of one's own;
        - as a starting point, to be trained further (chapter 1).

        Here are the first two. Some of the thousand classes:
        ",
    );
    s.say(
        CLASSES[100..110].iter().enumerate().map(|(i, c)| format!("{}  {c}", 100 + i)).collect::<Vec<_>>().join("\n"),
    );
    Ok(())
}

// --- 14. Out of the box ----------------------------------------------------------------------------------------------

pub(crate) fn out_of_the_box(s: &mut Session, judge: &Published, folder: Option<&Path>, photos: &Photos) -> Result<()> {
    s.section("A pretrained network, out of the box");
    s.text(
        "
        Prepare a photo as the network was trained to see photos: shrink it, cut out the middle, normalise. Pass it
        through the network. A softmax turns the thousand scores into probabilities, and the four largest are shown. We
        have trained nothing here.
        ",
    );
    if let Some(remark) = judge.remark("--judge") {
        s.text(remark);
    }
    let files = demo(s, folder, photos)?;
    let network = build(s, &judge.weights)?;
    let tfms = tfms(judge);
    let mut grid = ImageGrid::new("", 4);
    let mut rows = Vec::new();
    for file in &files {
        let picture = Image::open(file)?;
        let xs = tfms.tensor(picture.clone())?.unsqueeze(0)?.to_device(&s.device)?; // [1, 3, H, W]
        let classes = top(&probabilities(&network, &xs)?[0], 4);
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let printed = PRINTED.iter().find(|(printed, _)| *printed == name).map(|(_, classes)| classes);
        for (rank, (class, p)) in classes.iter().enumerate() {
            let theirs = printed.map(|printed| format!("{} {}", printed[rank].0, printed[rank].1)).unwrap_or_default();
            let name = match (rank, printed) {
                (0, Some(_)) => name.clone(),
                (0, None) => tail(file, 2),
                _ => String::new(),
            };
            rows.push(vec![name, class.to_string(), format!("{p:.3}"), theirs]);
        }
        if let Some(printed) = printed {
            let expect = if judge.weights.arch == Arch::Vgg16 { Expect::Within(0.05) } else { Expect::Draw };
            let note = format!("the class: {} there, {} here ({})", printed[0].0, classes[0].0, judge.name());
            s.run.add(
                Comparison::new(format!("{name}, top probability"), printed[0].1, classes[0].1.into(), expect)
                    .note(note),
            );
        }
        let small = picture.resize(Resize::short_side(150))?;
        let small = CenterCrop::new(150).apply(&small)?;
        let (class, p) = classes[0];
        grid = grid.rgb(small.width(), small.height(), small.bytes()).caption(format!("{class}\n{p:.3}"));
    }
    let has_printed = rows.iter().any(|row| !row[3].is_empty());
    let heads = ["photo", "class", "probability", "the lecture's VGG-16"];
    let columns = if has_printed { 4 } else { 3 };
    s.table(&heads[..columns], &rows.iter().map(|row| row[..columns].to_vec()).collect::<Vec<_>>());
    s.figure("out_of_the_box", format!("What {} takes the photos for.", judge.name()), grid)?;
    let knows = if has_printed {
        "It knows cheetahs and tabbies. Of a campus sign or a rose garden it knows nothing, because ImageNet has no \
         class for them"
    } else {
        "It may recognise whatever ImageNet has a class for. Of anything else it knows nothing"
    };
    s.text(format!(
        "{knows}: it has to choose one of its thousand, and low probabilities are the only hint that none fits. For \
         classes of one's own something must be added."
    ));
    Ok(())
}

/// The lecture prepares photos for VGG-16 with 299 pixels; others get what they were trained with.
fn tfms(judge: &Published) -> Compose {
    match judge.weights.arch {
        Arch::Vgg16 => {
            Compose::new().then(Resize::short_side(299)).then(CenterCrop::new(299)).then(Normalize::imagenet())
        }
        _ => judge.weights.recipe.preprocess.transforms(),
    }
}

/// The photos to show: the reader's, the lecture's, or some of this chapter's validation set.
fn demo(s: &mut Session, folder: Option<&Path>, photos: &Photos) -> Result<Vec<PathBuf>> {
    const MOST: usize = 16;
    if let Some(folder) = folder {
        let files = image_files(folder)?;
        return Ok(files.into_iter().take(MOST).collect());
    }
    match s.data.find("lecture_photos") {
        Ok(folder) => image_files(&folder),
        Err(tallow_datasets::Error::Missing { .. }) => {
            s.say(
                "the lecture's own photos are not here, so some of the others are shown; `cargo xtask fetch-data \
                 --only lecture_photos` fetches them (0.9 MB)",
            );
            let files = &photos.valid.files;
            let n = if photos.kind == Kind::Clothes { 6 } else { 8 }.min(files.len());
            Ok((0..n).map(|i| files[i * files.len() / n].clone()).collect())
        }
        Err(error) => Err(Error::from(error)),
    }
}
