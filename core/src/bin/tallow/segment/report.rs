//! What `tallow segment train` reports of pictures, masks and predictions.

use serde_json::json;
use tallow::Result;
use tallow::cli::Session;
use tallow::data::{SegmentationDataLoaders, SegmentationLoader};
use tallow::interpret::{SegmentationInterpretation, show_results};
use tallow::unet_learner::UnetLearner;

/// How many pictures each side has, and which share of their pixels each class has. Everything is read for that, so
/// that what is wrong with a mask is said before training begins.
pub(super) fn pictures(s: &mut Session, dls: &SegmentationDataLoaders) -> Result<()> {
    let n = |side: Option<&SegmentationLoader>| side.map_or(0, SegmentationLoader::n_items);
    let (train, valid, test) = (n(Some(&dls.train)), n(Some(&dls.valid)), n(dls.test.as_ref()));
    let of_test = if test > 0 { format!(", {test} in the test set") } else { String::new() };
    s.run.say(format!("{train} pictures to train with and {valid} for validation{of_test}"));
    let left_out = dls.left_out().len();
    s.run.detail("pictures", json!({ "train": train, "valid": valid, "test": test, "left_out": left_out }))?;

    let sides = [Some(&dls.train), Some(&dls.valid), dls.test.as_ref()];
    let shares = |side: &SegmentationLoader| {
        let counts = side.pixel_counts()?;
        let all = counts.iter().sum::<u64>().max(1) as f64;
        Ok(counts.into_iter().map(|n| 100.0 * n as f64 / all).collect::<Vec<f64>>())
    };
    let shares = sides.into_iter().flatten().map(shares).collect::<Result<Vec<Vec<f64>>>>()?;
    let row = |(class, name): (usize, &String)| {
        let is_void = dls.void() == Some(class as u32);
        let name = if is_void && !name.eq_ignore_ascii_case("void") { format!("{name} (void)") } else { name.clone() };
        std::iter::once(name).chain(shares.iter().map(|side| format!("{:.2}", side[class]))).collect()
    };
    let rows: Vec<Vec<String>> = dls.codes().iter().enumerate().map(row).collect();
    let heads = ["class", "% of pixels in train", "valid", "test"];
    s.run.table(&heads[..=shares.len()], &rows);
    let absent: Vec<&str> =
        dls.codes().iter().zip(&shares[0]).filter(|(_, share)| **share == 0.0).map(|(name, _)| name.as_str()).collect();
    if !absent.is_empty() {
        s.run.say(format!("no pixel to train with is of {}: the network cannot learn it", absent.join(", ")));
    }
    Ok(())
}

/// Figures, pictures and files of the validation set.
pub(super) fn validation(s: &mut Session, learner: &UnetLearner, judged: &SegmentationInterpretation) -> Result<()> {
    figures(s, judged, "")?;
    let caption = "How well each class is found: of all pixels that are of it or were taken for it, the share of both.";
    s.run.figure("classes", caption, &judged.plot_per_class().into())?;
    let caption = "Validation pictures, their masks, and what the network takes their pixels for.";
    s.run.figure("results", caption, &show_results(learner, 6)?)?;
    let valid = &learner.segmentation_dls().valid;
    let caption = "The pictures with the largest losses.";
    s.run.figure("top_losses", caption, &judged.plot_top_losses(learner, valid, 6)?)?;
    s.run.file("predictions.csv", csv(judged))?;
    Ok(())
}

/// The figures of the test set.
pub(super) fn test(s: &mut Session, judged: &SegmentationInterpretation) -> Result<()> {
    figures(s, judged, "test_")?;
    s.run.file("test_predictions.csv", csv(judged))?;
    Ok(())
}

/// Accuracy and overlap of all pixels, and of each class.
fn figures(s: &mut Session, judged: &SegmentationInterpretation, prefix: &str) -> Result<()> {
    let number = |value: Option<f64>| value.map_or("-".into(), |value| format!("{value:.4}"));
    let counts = judged.counts();
    let all = [
        ("pixel_accuracy", "of the pixels that are not void, the share that is right", counts.accuracy()),
        ("mean_jaccard", "mean intersection over union of the classes", counts.mean_jaccard()),
        ("mean_dice", "mean Dice coefficient of the classes", counts.mean_dice()),
    ];
    for (name, what, value) in all {
        s.run.say(format!("{what}: {}", number(value)));
        s.run.metric(format!("{prefix}{name}"), value.unwrap_or(f64::NAN));
    }
    let classes = judged.per_class();
    let row = |class: &tallow::interpret::ClassOverlap| {
        let pixels = [class.counts.actual, class.counts.predicted].map(|n| n.to_string());
        let [actual, predicted] = pixels;
        vec![class.class.clone(), number(class.jaccard), number(class.dice), actual, predicted]
    };
    let void = counts.void().map(|void| void as usize);
    let counting = classes.iter().enumerate().filter(|(class, _)| void != Some(*class));
    let rows: Vec<Vec<String>> = counting.map(|(_, class)| row(class)).collect();
    s.run.table(&["class", "intersection over union", "Dice", "pixels", "taken for it"], &rows);
    let detail: Vec<serde_json::Value> = classes
        .iter()
        .map(|class| {
            let (actual, predicted) = (class.counts.actual, class.counts.predicted);
            json!({ "class": class.class, "jaccard": class.jaccard, "dice": class.dice, "actual": actual,
                    "predicted": predicted })
        })
        .collect();
    s.run.detail(&format!("{prefix}classes"), detail)
}

/// A row for each picture.
fn csv(judged: &SegmentationInterpretation) -> String {
    let rows = judged.pictures().iter().map(|picture| {
        let accuracy = picture.accuracy.map_or(String::new(), |accuracy| accuracy.to_string());
        vec![tallow_io::csv::path(&picture.file), picture.loss.to_string(), accuracy]
    });
    let heads = ["file", "loss", "pixel_accuracy"].map(String::from).to_vec();
    tallow_io::csv::to_string(std::iter::once(heads).chain(rows))
}
