//! Interpretation: numbers from plain counting and from scikit-learn, and pictures of them.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "../common/mod.rs"]
mod common;
mod masks;

use candle_core::{Device, Tensor};
use common::training::learner;
use common::{assert_close, values};
use tallow::Error;
use tallow::interpret::{Interpretation, MostConfused, plot_losses, plot_lr_find, plot_metrics, plot_schedule};
use tallow::plot::Figure;
use tallow::train::LrFindConfig;
use tallow::vision::Image;

const ACTUAL: [u32; 12] = [0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 2];
const PREDICTED: [u32; 12] = [0, 0, 1, 2, 1, 1, 0, 2, 2, 2, 0, 1];
const VOCAB: [&str; 3] = ["ant", "bee", "cat"];

/// Scores by which class `PREDICTED[i]` leads by `margin(i)` over the two others.
fn judged(margin: impl Fn(usize) -> f64) -> Interpretation {
    let scores: Vec<f64> =
        (0..12).flat_map(|i| [0u32, 1, 2].map(|class| if class == PREDICTED[i] { margin(i) } else { 0.0 })).collect();
    let scores = Tensor::from_vec(scores, (12, 3), &Device::Cpu).unwrap();
    Interpretation::new(&scores, &Tensor::new(&ACTUAL, &Device::Cpu).unwrap(), &VOCAB).unwrap()
}

fn numbered() -> Interpretation {
    judged(|i| 0.5 + i as f64 / 4.0)
}

#[test]
fn confusions_are_counted() {
    let interp = numbered();
    // confusion_matrix(y, p).tolist()
    assert_eq!(interp.confusion().rows(), [[2, 1, 1], [1, 2, 0], [1, 1, 3]]);
    let (heads, rows) = interp.confusion_table();
    assert_eq!(heads, ["actual \\ predicted", "ant", "bee", "cat"]);
    assert_eq!(rows[2], ["cat", "1", "1", "3"]);
    assert_eq!((interp.predicted(), interp.actual()), (&PREDICTED[..], &ACTUAL[..]));
    let pair = |actual: &str, predicted: &str, count| MostConfused {
        actual: actual.into(),
        predicted: predicted.into(),
        count,
    };
    let all = interp.most_confused(1);
    assert_eq!((all.len(), &all[0]), (5, &pair("ant", "bee", 1)));
    assert!(interp.most_confused(2).is_empty());
    let shares: Vec<f64> = interp.per_class_accuracy().iter().map(|class| class.accuracy.unwrap()).collect();
    // recall_score(y, p, average=None)
    assert_close("per class", &shares, &[0.5, 2.0 / 3.0, 0.6], 1e-15);
    assert_eq!(interp.per_class_accuracy()[2].n_items, 5);
    // classification_report(y, p, target_names=["ant", "bee", "cat"])
    let report = interp.classification_report().unwrap();
    assert_eq!(report.lines().nth(4), Some("         cat       0.75      0.60      0.67         5"));
    assert!(report.ends_with("weighted avg       0.60      0.58      0.59        12\n"));
}

#[test]
fn top_losses_come_largest_first_with_their_probabilities() {
    let interp = numbered();
    let top = interp.top_losses(3);
    // The mistakes are items 2, 3, 6, 10, 11, each surer than the one before: loss ln(e^m + 2), probability e^m/(e^m +
    // 2).
    assert_eq!(top.iter().map(|item| item.index).collect::<Vec<_>>(), [11, 10, 6]);
    let margin = 0.5f64 + 11.0 / 4.0;
    let sum = margin.exp() + 2.0;
    let numbers = [top[0].loss, top[0].probability, top[0].probability_of_actual];
    assert_close("the worst", &numbers, &[sum.ln(), margin.exp() / sum, 1.0 / sum], 1e-12);
    assert_eq!((top[0].predicted.as_str(), top[0].actual.as_str()), ("bee", "cat"));
    assert_close("probabilities", &[interp.probabilities(11).iter().sum()], &[1.0], 1e-12);
    assert!(interp.probabilities(12).is_empty());
    assert_eq!((interp.top_losses(100).len(), interp.top_losses(0).len()), (12, 0));
    // Of equal losses the first in order comes first.
    let equal = judged(|_| 1.0);
    assert_eq!(equal.top_losses(5).iter().map(|item| item.index).collect::<Vec<_>>(), [2, 3, 6, 10, 11]);
}

#[test]
fn it_can_be_made_of_a_learner() {
    let mut learner = learner(1, 0);
    learner.fit(3, 0.01).unwrap();
    let interp = Interpretation::from_preds(&learner, &learner.dls().valid, &VOCAB).unwrap();
    let (loss, metrics) = learner.validate().unwrap();
    let mean = interp.losses().iter().sum::<f64>() / 37.0;
    assert_close("mean loss", &[mean], &[loss], 1e-6);
    assert_close("accuracy", &[interp.confusion().accuracy()], &metrics, 1e-6);
    let (scores, _) = learner.get_preds(&learner.dls().valid).unwrap();
    let first = values(&candle_nn::ops::softmax(&scores, 1).unwrap());
    assert_close("probabilities", interp.probabilities(0), &first[..3], 1e-6);
}

#[test]
fn probabilities_are_as_good_as_scores() {
    let interp = numbered();
    let rows: Vec<Vec<f64>> = (0..12).map(|item| interp.probabilities(item).to_vec()).collect();
    let again = Interpretation::from_probabilities(&rows, &ACTUAL, &VOCAB).unwrap();
    assert_eq!(again.predicted(), PREDICTED);
    assert_eq!(again.confusion().rows(), interp.confusion().rows());
    assert_close("losses", again.losses(), interp.losses(), 1e-12);
    let sure = Interpretation::from_probabilities(&[vec![1.0, 0.0]], &[0], &["a", "b"]).unwrap();
    assert_eq!(format!("{:.2}", sure.losses()[0]), "0.00");
    for (rows, labels) in [(&rows[..11], &ACTUAL[..]), (&[vec![0.5, 0.5]], &[0]), (&[vec![0.2, 0.3, 0.5]], &[3])] {
        assert!(Interpretation::from_probabilities(rows, labels, &VOCAB).is_err(), "{labels:?}");
    }
}

#[test]
fn top_losses_are_drawn_from_the_items_own_files() {
    let interp = numbered();
    assert_eq!(interp.top_losses(1)[0].file, None);
    let error = interp.plot_top_losses(1).unwrap_err().to_string();
    assert!(error.contains("with_files"), "{error}");
    let folder = tempfile::tempdir().unwrap();
    let files: Vec<_> = (0..12).map(|item| folder.path().join(format!("{item}.png"))).collect();
    // Item 11 is the largest loss: its file is the only one that has to be there.
    Image::from_fn(40, 30, |_, _| [9, 90, 200]).unwrap().save(&files[11]).unwrap();
    let interp = interp.with_files(files.clone()).unwrap();
    assert_eq!(interp.top_losses(1)[0].file.as_ref(), Some(&files[11]));
    let svg = Figure::from(interp.plot_top_losses(1).unwrap()).svg().unwrap();
    // exp(3.25) / (exp(3.25) + 2) = 0.928, ln(exp(3.25) + 2) = 3.325
    for line in ["11.png", "\ncat\n", "taken for bee", "0.93, loss 3.32"] {
        assert!(svg.contains(line), "no `{line}` in {svg}");
    }
    assert!(interp.plot_top_losses(2).unwrap_err().to_string().contains("10.png"));
    let error = numbered().with_files(files[1..].to_vec()).unwrap_err().to_string();
    assert!(error.contains("11 files for 12 items"), "{error}");
}

#[test]
fn every_metric_and_every_class_has_its_number() {
    let interp = numbered();
    let metrics: std::collections::BTreeMap<_, _> = interp.metrics().unwrap().into_iter().collect();
    let number = |name: &str| metrics[name];
    // accuracy_score, balanced_accuracy_score, precision_score and f1_score(average="macro") of y, p
    let ours = ["accuracy", "balanced_accuracy", "precision", "f1_score"].map(number);
    assert_close(
        "by class",
        &ours,
        &[0.5833333333333334, 0.5888888888888889, 0.5833333333333334, 0.5793650793650794],
        1e-12,
    );
    let mean = interp.losses().iter().sum::<f64>() / 12.0;
    assert_close("log loss", &[number("log_loss")], &[mean], 1e-12);
    assert!(metrics.contains_key("roc_auc"));
    let cat = &interp.class_scores()[2];
    // classification_report(y, p, output_dict=True)["cat"]
    assert_eq!((cat.class.as_str(), cat.support), ("cat", 5));
    assert_close("cat", &[cat.scores.precision, cat.scores.recall, cat.scores.f1], &[0.75, 0.6, 2.0 / 3.0], 1e-12);
    // Photos without a bee, none taken for one: bees are not part of the means.
    // precision_recall_fscore_support([0, 0, 2, 2], [0, 2, 2, 2], average="macro")
    let rows = [vec![0.8, 0.1, 0.1], vec![0.3, 0.1, 0.6], vec![0.1, 0.1, 0.8], vec![0.2, 0.1, 0.7]];
    let two = Interpretation::from_probabilities(&rows, &[0, 0, 2, 2], &VOCAB).unwrap();
    let metrics: std::collections::BTreeMap<_, _> = two.metrics().unwrap().into_iter().collect();
    let ours = ["precision", "recall", "f1_score"].map(|name| metrics[name]);
    assert_close("two classes", &ours, &[0.8333333333333333, 0.75, 0.7333333333333334], 1e-12);
    // Without a bee there is no area of bees, and a probability that is not a number is not a reason to fail.
    let rows = [vec![0.7, 0.1, 0.2], vec![f64::NAN, 0.5, 0.5]];
    let few = Interpretation::from_probabilities(&rows, &[0, 2], &VOCAB).unwrap();
    let metrics: std::collections::BTreeMap<_, _> = few.metrics().unwrap().into_iter().collect();
    assert!(!metrics.contains_key("roc_auc") && metrics["log_loss"].is_nan());
}

#[test]
fn predictions_are_a_table_with_the_worst_first() {
    let rows = [vec![0.9, 0.1], vec![0.25, 0.75], vec![0.0, 1.0], vec![0.5, 0.5]];
    let vocab = ["=1+1", "a \"b\", c"];
    let interp = Interpretation::from_probabilities(&rows, &[0, 0, 0, 1], &vocab).unwrap();
    assert!(interp.predictions_csv().unwrap_err().to_string().contains("with_files"));
    let files = ["pets/1.jpg", "=2.jpg", "p,3.jpg", "4.jpg"].map(std::path::PathBuf::from).to_vec();
    let csv = interp.with_files(files).unwrap().predictions_csv().unwrap();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines[0], "file,class,predicted,loss,'=1+1,\"a \"\"b\"\", c\"");
    // -ln 0, -ln 0.25, -ln 0.5, -ln 0.9
    assert_eq!(lines[1], "\"p,3.jpg\",'=1+1,\"a \"\"b\"\", c\",inf,0.000000,1.000000");
    assert_eq!(lines[2], "./=2.jpg,'=1+1,\"a \"\"b\"\", c\",1.386294,0.250000,0.750000");
    assert!(lines[3].starts_with("4.jpg,") && lines[3].contains("0.693147"), "{csv}");
    assert!(lines[4].starts_with("pets/1.jpg,'=1+1,'=1+1,0.105361,0.9") && lines.len() == 5, "{csv}");
}

#[test]
fn what_does_not_fit_is_refused() {
    let scores = Tensor::zeros((2, 3), candle_core::DType::F32, &Device::Cpu).unwrap();
    let labels = |of: &[u32]| Tensor::new(of, &Device::Cpu).unwrap();
    let error = Interpretation::new(&scores, &labels(&[0, 1]), &["a", "b"]).unwrap_err();
    assert!(matches!(&error, Error::Shape { message, .. } if message.contains("2 names for 3 classes")), "{error}");
    let error = Interpretation::new(&scores, &labels(&[0, 3]), &VOCAB).unwrap_err().to_string();
    assert!(error.contains("label 3"), "{error}");
    assert!(Interpretation::new(&scores, &labels(&[0]), &VOCAB).is_err());
    // A class without items has no accuracy, and its bar is left out.
    let interp = Interpretation::new(&scores, &labels(&[0, 0]), &VOCAB).unwrap();
    assert_eq!(interp.per_class_accuracy()[1].accuracy, None);
    let svg = Figure::from(interp.plot_per_class_accuracy()).svg().unwrap();
    assert!(svg.contains("ant") && !svg.contains("bee"));
}

#[test]
fn pictures_show_what_they_are_of() {
    let mut learner = learner(1, 0);
    let found = learner.lr_find(&LrFindConfig::default()).unwrap();
    learner.fit_one_cycle(4, 0.02).unwrap();
    let recorder = learner.recorder();
    let interp = numbered();
    let figures: [(&str, Figure, &[&str]); 7] = [
        ("confusion", interp.plot_confusion_matrix().into(), &["Predicted", "Actual", "ant", "bee", "cat", "\n3\n"]),
        ("normalized", interp.plot_confusion_matrix_normalized().into(), &["per cent", "\n67\n", "\n60\n"]),
        ("accuracy", interp.plot_per_class_accuracy().into(), &["Accuracy of each class", "0.5", "0.6667"]),
        ("losses", plot_losses(recorder).into(), &["training", "validation", "batch"]),
        ("schedule", plot_schedule(recorder), &["Learning rate", "Momentum"]),
        ("metrics", plot_metrics(recorder), &["accuracy", "epoch"]),
        ("lr_find", plot_lr_find(&found).into(), &["learning rate", "valley", "steep", "slide", "minimum/10"]),
    ];
    for (name, figure, words) in figures {
        let svg = figure.svg().unwrap();
        for word in words {
            assert!(svg.contains(word), "{name} does not say {word}");
        }
        if let Some(folder) = std::env::var_os("TALLOW_TEST_PLOTS") {
            figure.save(std::path::Path::new(&folder).join(format!("{name}.png"))).unwrap();
        }
    }
    // Nothing recorded yet: an empty picture and no panic.
    let empty = tallow::train::Recorder::default();
    assert!(Figure::from(plot_losses(&empty)).png().is_ok() && plot_schedule(&empty).png().is_ok());
    assert!(Figure::from(plot_lr_find(&tallow::train::LrFind::default())).png().is_ok());
}
