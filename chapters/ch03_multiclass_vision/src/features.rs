//! A pretrained network as a maker of features for logistic regression.

use crate::network::{Published, build, probabilities, top};
use crate::photos::{Kind, Part, Photos, thumbnail};
use candle_core::{DType, Device, Tensor};
use std::collections::BTreeMap;
use tallow::classic::{
    Classifier, Estimator, LogisticModel, LogisticRegression, Matrix, Pipeline, PipelineModel, Probabilities,
    StandardScaler,
};
use tallow::cli::Session;
use tallow::data::DataLoader;
use tallow::interpret::Interpretation;
use tallow::models::Network;
use tallow::plot::{Bars, ImageGrid};
use tallow::report::{Comparison, Expect};
use tallow::rng::Rng;
use tallow::vision::{Compose, Normalize, Resize};
use tallow::{Result, kernels};

type Model = PipelineModel<tallow::classic::FittedScaler, LogisticModel>;

/// Features of all photos, and the model on top of them.
pub(crate) struct Features {
    train: (Matrix, Vec<u32>),
    valid: (Matrix, Vec<u32>),
    model: Model,
}

/// Features of a loader's photos, and their classes: `[N, F]` and `[N]`.
pub(crate) fn extract(network: &Network, loader: &DataLoader, train: bool) -> Result<(Matrix, Vec<u32>)> {
    let (mut values, mut ys, mut width) = (Vec::new(), Vec::new(), 0);
    for batch in loader.epoch(0) {
        let batch = batch?;
        let zs = kernels::no_grad(|| network.features(&batch.xs, train))?.flatten_from(1)?; // [N, F]
        width = zs.dim(1)?;
        values.extend(zs.to_device(&Device::Cpu)?.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()?);
        ys.extend(batch.ys.to_vec1::<u32>()?);
        tallow::cli::stop_if_interrupted()?;
    }
    Ok((Matrix::from_f32(width, &values)?, ys))
}

/// A scaler and logistic regression, as in the lecture.
pub(crate) fn fit((zs, ys): &(Matrix, Vec<u32>)) -> Result<Model> {
    Pipeline::new(StandardScaler, LogisticRegression::new().max_iter(2000)).fit(zs, ys)
}

/// torchvision's `Resize((side, side))`, and a normalisation.
pub(crate) fn squished(side: usize, mean: [f32; 3], std: [f32; 3]) -> Compose {
    Compose::new().then(Resize::squish(side)).then(Normalize { mean, std })
}

const HALF: [f32; 3] = [0.5; 3];

// --- 15. A feature extractor -----------------------------------------------------------------------------------------

pub(crate) fn feature_extractor(s: &mut Session, maker: &Published, photos: &Photos) -> Result<Features> {
    s.section("A pretrained network as feature extractor");
    s.text(
        "
        Before its last layer a network has turned a photo into a row of numbers, its **features**, in which the
        thousand classes are easy to tell apart. Perhaps other classes are too. So take the last layer away, let each
        photo through once, and give what comes out to a scaler and logistic regression: the same model as before, on
        other columns.
        ",
    );
    if let Some(remark) = maker.remark("--arch") {
        s.text(remark);
    }
    let grid = photos.grid(16, |picture| picture)?;
    s.figure("training_images_in_colour", "Training images again, now in colour.", grid)?;
    let network = build(s, &maker.weights)?;
    let preprocess = &maker.weights.recipe.preprocess;
    let tfms = squished(photos.side, preprocess.mean, preprocess.std);
    let loader = |part: &Part| photos.loader(s, part, tfms.clone());
    let train = extract(&network, &loader(&photos.train)?, false)?;
    let valid = extract(&network, &loader(&photos.valid)?, false)?;
    s.say(format!("Z_train: [{}, {}], by {}", train.0.rows(), train.0.columns(), maker.name()));
    if maker.stands_in_for.is_none() && photos.kind == Kind::Faces && !s.quick {
        let shape = [train.0.rows() as f64, train.0.columns() as f64];
        s.check("Z_train.shape", shape)?;
    }
    let width = train.0.columns();
    let shown: Vec<usize> = (0..width.min(6)).chain(width.saturating_sub(4).max(6)..width).collect();
    let heads: Vec<String> = [String::new()].into_iter().chain(shown.iter().map(|i| i.to_string())).collect();
    let rows: Vec<Vec<String>> = (0..train.0.rows().min(5))
        .map(|i| {
            let row = train.0.row(i);
            [i.to_string()].into_iter().chain(shown.iter().map(|&j| format!("{:.6}", row[j]))).collect()
        })
        .collect();
    s.table(&heads, &rows);
    s.text(
        "
        Nobody could say what column 3 stands for. But see what logistic regression makes of these columns.
        ",
    );
    let model = fit(&train)?;
    let (on_train, on_valid) = (model.score(&train.0, &train.1)?, model.score(&valid.0, &valid.1)?);
    s.say(format!("scaler and logistic regression on features: train {on_train:.4}, valid {on_valid:.4}"));
    s.metric("features_train", on_train);
    s.metric("features_valid", on_valid);
    if photos.kind == Kind::Faces && !s.quick {
        s.target("valid accuracy on features", on_valid, 0.873);
    }
    let who = match maker.stands_in_for {
        Some(lectures) => format!("{} stands in for {lectures}", maker.name()),
        None => maker.name().to_string(),
    };
    let note = [photos.note(), &who].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ");
    let goal = match photos.kind {
        Kind::Faces => Expect::AtLeastGoal(0.873),
        _ => Expect::Draw,
    };
    // Python prints the shortest digits that mean the number: its 1.0 and 0.9 are 150 and 135 of 150.
    s.run.add(Comparison::new("features train", "1.0000", on_train, goal).note(note.clone()));
    s.run.add(Comparison::new("features valid", "0.9000", on_valid, goal).note(note));
    Ok(Features { train, valid, model })
}

// --- 16. Doing it right ----------------------------------------------------------------------------------------------

pub(crate) fn doing_it_right(s: &mut Session, maker: &Published, photos: &Photos) -> Result<()> {
    s.section("Doing it right");
    s.text(
        "
        Two things in the lecture's code are not as they should be, and its accuracy of 0.9 does not show it. The
        network is never put into **evaluation mode** (`.eval()` is missing): batch normalisation then uses the mean and
        the deviation of the 64 photos that happen to be in the batch, so a photo's features depend on its company. And
        photos are normalised with **0.5 and 0.5** instead of what the network was trained with. What difference does
        each of them make?
        ",
    );
    let own = maker.weights.recipe.preprocess;
    let usual = own.resize;
    let side = photos.side;
    let rng = Rng::new(s.seed).stream("company");
    let ways: [(&str, bool, Compose); 4] = [
        ("training mode, 0.5 and 0.5 (the lecture)", true, squished(side, HALF, HALF)),
        ("evaluation mode, 0.5 and 0.5", false, squished(side, HALF, HALF)),
        ("evaluation mode, its own normalisation", false, squished(side, own.mean, own.std)),
        ("evaluation mode, its own size and crop too", false, own.transforms()),
    ];
    let mut rows = Vec::new();
    for (name, train_mode, tfms) in &ways {
        // Training mode moves the running statistics, so each way begins with the network as published.
        let network = build(s, &maker.weights)?;
        let loader = |part: &Part| -> Result<DataLoader> {
            let loader = photos.loader(s, part, tfms.clone())?;
            Ok(if *train_mode { loader.shuffle(&rng) } else { loader })
        };
        let train = extract(&network, &loader(&photos.train)?, *train_mode)?;
        let valid = extract(&network, &loader(&photos.valid)?, *train_mode)?;
        let model = fit(&train)?;
        let (on_train, on_valid) = (model.score(&train.0, &train.1)?, model.score(&valid.0, &valid.1)?);
        rows.push((name.to_string(), on_train, on_valid));
    }
    let table: Vec<Vec<String>> =
        rows.iter().map(|(name, a, b)| vec![name.clone(), format!("{a:.4}"), format!("{b:.4}")]).collect();
    s.table(&["how features are made", "train", "valid"], &table);
    s.say(format!("{side} x {side} squished, or its own: short side {usual}, middle {}", own.size));
    let names: Vec<&str> = rows.iter().map(|(name, ..)| name.as_str()).collect();
    let values: Vec<f64> = rows.iter().map(|(.., valid)| *valid).collect();
    let bars = Bars::new("", &names, &values).horizontal().x_label("valid accuracy").size(680, 220);
    s.figure("doing_it_right", "Four ways to make features with one network.", bars)?;
    let mut measured = BTreeMap::new();
    for (key, (.., valid)) in ["training_mode", "half", "own_normalisation", "own_preprocessing"].iter().zip(&rows) {
        measured.insert(*key, *valid);
    }
    measured.iter().for_each(|(key, valid)| s.metric(format!("valid_{key}"), *valid));
    let n = photos.valid.ys.len();
    let cropped = match photos.kind {
        Kind::Clothes => {
            "The last way also cuts off the edges of each photo. These clothes fill their frame, so the chapter goes \
             on with whole photos. "
        }
        _ => "",
    };
    s.text(format!(
        "{cropped}One photo more or less is {:.4} here, so small differences mean nothing. That is the trouble with \
         this kind of mistake: sometimes it costs a lot, sometimes nothing that day, and a deployed model that judges \
         one photo at a time, in training mode, has a batch of one to take its statistics from.",
        1.0 / n as f64
    ));
    Ok(())
}

// --- 17. What it gets wrong ------------------------------------------------------------------------------------------

pub(crate) fn what_it_gets_wrong(s: &mut Session, features: &Features, photos: &Photos) -> Result<()> {
    s.section("What it gets wrong");
    s.text(
        "
        An accuracy is one number for 150 photos. Look at the photos themselves: which classes are taken for which, and
        which photos cost the most.
        ",
    );
    let probabilities = features.model.probabilities(&features.valid.0)?;
    let logs: Vec<f32> = probabilities.values().iter().map(|p| p.max(1e-30).ln() as f32).collect();
    let scores = Tensor::from_vec(logs, (probabilities.rows(), probabilities.columns()), &Device::Cpu)?; // [N, K]
    let ys = Tensor::new(features.valid.1.as_slice(), &Device::Cpu)?;
    let classes = photos.vocab.classes();
    let interpretation = Interpretation::new(&scores, &ys, classes)?;
    let caption = "How many photos of each class were taken for what.";
    s.figure("confusion", caption, interpretation.plot_confusion_matrix())?;
    s.say(interpretation.classification_report()?);
    let mut grid = ImageGrid::new("", 6);
    for top in interpretation.top_losses(18) {
        let picture = thumbnail(&photos.valid.files[top.index], 110)?;
        grid = grid
            .rgb(picture.width(), picture.height(), picture.bytes())
            .caption(format!("{}, taken for {}\n{:.2}", top.actual, top.predicted, top.probability))
            .correct(top.actual == top.predicted);
    }
    s.figure("top_losses", "The photos that cost the most.", grid)?;
    let mut worst: Option<(String, f64)> = None;
    for class in interpretation.per_class_accuracy() {
        let Some(accuracy) = class.accuracy else { continue };
        s.metric(format!("valid_{}", class.class), accuracy);
        if worst.as_ref().is_none_or(|(_, least)| accuracy < *least) {
            worst = Some((class.class, accuracy));
        }
    }
    match worst {
        // Of 28 by 28 pixels ImageNet's names would say nothing.
        Some((class, accuracy)) if accuracy < 1.0 && photos.kind != Kind::Clothes => {
            domain_shift(s, features, photos, &interpretation, &class)
        }
        _ => Ok(()),
    }
}

/// What kind of photos are in the class that fares worst, to train with and among its mistakes: asked of the network
/// itself, which knows a thousand classes by name.
fn domain_shift(
    s: &mut Session,
    features: &Features,
    photos: &Photos,
    interpretation: &Interpretation,
    worst: &str,
) -> Result<()> {
    let class = photos.vocab.index(worst)?;
    s.text(format!(
        "The class that fares worst is `{}`. What is in it? ImageNet's thousand classes have names for many things, so \
         we ask a pretrained network what it sees in the photos of this class: those to train with, those judged \
         rightly, and those that were taken for something else.",
        worst
    ));
    let judge = crate::network::published(s, None, tallow::models::Arch::EfficientNetLite0)?;
    let network = build(s, &judge.weights)?;
    let tfms = judge.weights.recipe.preprocess.transforms();
    let names = |part: &Part| -> Result<Vec<&'static str>> {
        let mut all = Vec::new();
        for batch in photos.loader(s, part, tfms.clone())?.epoch(0) {
            all.extend(probabilities(&network, &batch?.xs)?.iter().map(|row| top(row, 1)[0].0));
        }
        Ok(all)
    };
    let (train, valid) = (names(&photos.train)?, names(&photos.valid)?);
    let right = |i: usize| interpretation.predicted()[i] == features.valid.1[i];
    let mut counts: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    for (name, y) in train.iter().zip(&features.train.1) {
        counts.entry(name).or_default()[0] += usize::from(*y == class);
    }
    for (i, (name, y)) in valid.iter().zip(&features.valid.1).enumerate() {
        counts.entry(name).or_default()[if right(i) { 1 } else { 2 }] += usize::from(*y == class);
    }
    let mut rows: Vec<(&str, [usize; 3])> = counts.into_iter().filter(|(_, n)| n.iter().sum::<usize>() > 0).collect();
    rows.sort_by_key(|(name, [train, right, wrong])| (std::cmp::Reverse((*wrong, right + train)), *name));
    let table: Vec<Vec<String>> = rows
        .iter()
        .take(12)
        .map(|(name, n)| [name.to_string()].into_iter().chain(n.iter().map(|n| n.to_string())).collect())
        .collect();
    s.table(&["looks like", "to train with", "judged rightly", "judged wrongly"], &table);
    let totals = rows.iter().fold([0; 3], |[a, b, c], (_, [x, y, z])| [a + x, b + y, c + z]);
    s.say(format!("{}: {} to train with, {} judged rightly, {} wrongly", worst, totals[0], totals[1], totals[2]));
    s.metric("worst_class_mistakes", totals[2] as f64);
    let unseen: usize = rows.iter().filter(|(_, [train, ..])| *train <= 1).map(|(_, [.., wrong])| *wrong).sum();
    s.metric("mistakes_of_unseen_kinds", unseen as f64);
    if 2 * unseen < totals[2] {
        return Ok(());
    }
    s.text(format!(
        "Of the {} mistakes, {unseen} look like something of which there is at most one photo to train with. The model \
         has not seen their kind: the validation photos come from another part of the world than the training \
         photos. That is **domain shift**, and no better classifier helps against it; more photos of that kind do.",
        totals[2]
    ));
    Ok(())
}
