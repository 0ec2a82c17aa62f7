//! How much is the network worth: pixels, a network that has learnt nothing, and the zoo.

use crate::features::{extract, fit, squished};
use crate::flattened;
use crate::network::{build, here};
use crate::photos::{Part, Photos};
use std::time::Instant;
use tallow::Result;
use tallow::classic::{Classifier, DummyClassifier, Estimator, Matrix};
use tallow::cli::Session;
use tallow::models::{Arch, Network};
use tallow::nn::Params;
use tallow::plot::Bars;
use tallow::rng::Rng;

/// What came of one kind of features.
struct Row {
    name: String,
    features: usize,
    top1: String,
    valid: f64,
    seconds: f64,
}

// --- 18. The zoo -----------------------------------------------------------------------------------------------------

pub(crate) fn the_zoo(s: &mut Session, photos: &Photos) -> Result<()> {
    s.section("The networks of the zoo compared");
    s.text(
        "
        One pipeline, many sources of features: none at all (the dummy), the pixels, an EfficientNet-Lite0 with
        **random** weights, and every published network whose weights are on this machine, each with its own
        normalisation. What a network has learnt, not how it is built, makes the difference.
        ",
    );
    let ys = &photos.train.ys;
    let (xs, xs_valid) = (flattened::rows(s, photos, &photos.train)?, flattened::rows(s, photos, &photos.valid)?);
    let dummy = DummyClassifier::default().fit(&xs, ys)?.score(&xs_valid, &photos.valid.ys)?;
    let plain = |name: &str, features: usize, valid: f64, seconds: f64| Row {
        name: name.into(),
        features,
        top1: String::new(),
        valid,
        seconds,
    };
    let start = Instant::now();
    let train: (Matrix, Vec<u32>) = (xs, ys.clone());
    let pixels = fit(&train)?.score(&xs_valid, &photos.valid.ys)?;
    let pixels = plain("pixels", train.0.columns(), pixels, start.elapsed().as_secs_f64());
    let mut rows = vec![plain("dummy", 0, dummy, 0.0), pixels];

    let random = Arch::EfficientNetLite0;
    let params = Params::new(&Rng::new(s.seed).stream("random network"), &s.device);
    let network = random.build(1000, &params)?;
    let preprocess = random.facts().published.preprocess;
    rows.push(judged(s, photos, "efficientnet_lite0, random", &network, (preprocess.mean, preprocess.std))?);

    let mut absent = Vec::new();
    for arch in Arch::ALL {
        match here(&s.data, arch)? {
            Some(weights) => {
                let network = build(s, &weights)?;
                let normalisation = (weights.recipe.preprocess.mean, weights.recipe.preprocess.std);
                let row = judged(s, photos, arch.name(), &network, normalisation)?;
                let top1 = weights.top1.map(|top1| format!("{top1:.2}")).unwrap_or_default();
                rows.push(Row { top1, ..row });
            }
            None => absent.push(arch.name()),
        }
    }
    let table: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let seconds = format!("{:.1}", row.seconds);
            vec![row.name.clone(), row.features.to_string(), row.top1.clone(), format!("{:.4}", row.valid), seconds]
        })
        .collect();
    s.table(&["features by", "features", "ImageNet top-1", "valid", "seconds"], &table);
    let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    let values: Vec<f64> = rows.iter().map(|row| row.valid).collect();
    let bars = Bars::new("", &names, &values).horizontal().x_label("valid accuracy");
    s.figure("zoo", "Logistic regression on features of different origin.", bars)?;
    for row in &rows {
        s.metric(format!("valid_by_{}", row.name.replace([' ', ','], "_")), row.valid);
    }
    if !absent.is_empty() {
        let n = absent.len();
        s.say(format!("not on this machine: {n} networks ({}, ...)", absent[..n.min(4)].join(", ")));
        s.say("`--arch NAME` fetches one; once it is here it is compared");
    }
    Ok(())
}

fn judged(
    s: &Session,
    photos: &Photos,
    name: &str,
    network: &Network,
    (mean, std): ([f32; 3], [f32; 3]),
) -> Result<Row> {
    let start = Instant::now();
    let features = |part: &Part| extract(network, &photos.loader(s, part, squished(photos.side, mean, std))?, false);
    let (train, valid) = (features(&photos.train)?, features(&photos.valid)?);
    let score = fit(&train)?.score(&valid.0, &valid.1)?;
    let seconds = start.elapsed().as_secs_f64();
    Ok(Row { name: name.into(), features: train.0.columns(), top1: String::new(), valid: score, seconds })
}

// --- 19. Summary -----------------------------------------------------------------------------------------------------

pub(crate) fn summary(s: &mut Session) -> Result<()> {
    s.section("Summary");
    s.text(
        "
        - With more than two classes, most classifiers work as they are. Linear ones are made of many for two classes,
          or are multinomial; either way there is a coefficient for each feature **and class**.
        - Flattening an image throws away which pixels are neighbours.
        - Neural networks are sequences of transformations, hard to train and hard to interpret, and nothing is as
          strong for images.
        - Others have trained them. Use theirs as they are, or as makers of features; both take no training of your own.
        - Look at what a model gets wrong. An accuracy does not tell you that all its mistakes are of one kind.

        The lecturers' advice: do not use deep learning unless there is good reason to.
        ",
    );
    Ok(())
}
