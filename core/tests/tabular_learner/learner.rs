//! Learners of classes: trained, looked at, exported and used.

use crate::weather;
use candle_core::Device;
use std::fs;
use tallow::Error;
use tallow::data::{NA, Show, TableBlock, TableRow, TabularDataLoaders};
use tallow::interpret::{Importance, table_baselines, table_figure};
use tallow::onnx::OnnxOptions;
use tallow::tabular_learner::{
    Outcome, PeriodicConfig, TabularConfig, TabularLearner, load_tabular_on, tabular_learner,
};
use tallow::train::accuracy;

pub(crate) fn loaders() -> TabularDataLoaders {
    let block = TableBlock::table(weather(400)).target("plays").ignore(["id"]).valid_where(|row| row % 4 == 0);
    block.dataloaders(32).unwrap()
}

pub(crate) fn config() -> TabularConfig {
    TabularConfig::default().device(&Device::Cpu).layers([24, 12]).metrics([accuracy()])
}

fn trained(config: TabularConfig) -> TabularLearner {
    let mut learner = tabular_learner(&loaders(), config).unwrap();
    learner.fit_one_cycle(12, 1e-2).unwrap();
    learner
}

#[test]
fn a_rule_is_learnt_and_the_model_used_elsewhere() {
    let learner = trained(config().embedded_numbers(PeriodicConfig::default()));
    let measured = learner.validate().unwrap().1[0];
    assert!(measured > 0.93, "{measured}");
    let shown = learner.show_results(5).unwrap();
    assert_eq!((shown.columns.last().unwrap().as_str(), shown.rows.len()), ("predicted", 5));
    table_figure(&shown).png().unwrap();
    assert!(learner.table_dls().valid.shown(3).is_ok());

    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("model");
    learner.export(&model).unwrap();
    let predictor = load_tabular_on(&model, &Device::Cpu).unwrap();
    assert_eq!(predictor.columns(), ["sky", "day", "warmth"]);
    let summary = predictor.export_onnx(folder.path().join("table.onnx"), OnnxOptions::default()).unwrap();
    assert_eq!(summary.inputs, ["categories int64 [batch, 3]", "numbers float32 [batch, 1]"]);
    assert_eq!(summary.outputs, ["scores float32 [batch, 2]", "probabilities float32 [batch, 2]"]);
    let row = TableRow::new().with("sky", "rain").with("day", "Mon").with("warmth", 12);
    let prediction = predictor.predict(&row).unwrap();
    assert_eq!(prediction, learner.predictor().predict(&row).unwrap());
    let Outcome::Class { class, probability, probabilities, index } = &prediction.outcome else { panic!() };
    assert!(class == "no" && *index == 0 && *probability > 0.5 && probabilities.len() == 2, "{prediction}");
    assert!(prediction.notes.is_empty() && prediction.to_string().starts_with("no 0."), "{prediction}");
    // What is unknown or missing is told.
    let told = predictor.predict(&TableRow::new().with("sky", "hail").with("day", "Sun")).unwrap().to_string();
    assert!(told.contains(&format!("`sky` is `hail`, unknown in training: {NA}")), "{told}");
    assert!(told.contains("missing, with what stands for it: `warmth` ("), "{told}");
    let error = predictor.predict(&row.clone().with("sy", "sun")).unwrap_err().to_string();
    assert!(error.contains("no column `sy` (`sky`?): a row has sky, day, warmth"), "{error}");

    // A file: without the target, with a column more.
    let file = folder.path().join("new.csv");
    fs::write(&file, "day, sky, warmth, price\nSat, sun, 25, -3\nMon, rain, warm,\n").unwrap();
    let error = predictor.predict_table(&predictor.read(&file).unwrap()).unwrap_err().to_string();
    assert!(error.contains("new.csv: line 3, column `warmth`: `warm` is not a number"), "{error}");
    fs::write(&file, "day, sky, warmth, price\nSat, sun, 25, -3\nMon, hail, NA,\n").unwrap();
    let table = predictor.read(&file).unwrap();
    let csv = predictor.predictions_csv(&table, &predictor.predict_table(&table).unwrap());
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines[0], "day,sky,warmth,price,predicted,probability of no,probability of yes,notes");
    assert!(lines[1].starts_with("Sat,sun,25,-3,yes,0.") && lines[2].contains("unknown in training"), "{csv}");
    fs::write(&file, "day, warmth\nSat, 25\n").unwrap();
    let error = predictor.predict_table(&predictor.read(&file).unwrap()).unwrap_err().to_string();
    assert!(error.contains("has no column `sky`; its columns are day, warmth"), "{error}");
}

#[test]
fn columns_are_worth_what_the_rule_says() {
    let learner = trained(config());
    let importance = Importance::of(&learner, 3, 1).unwrap();
    let names: Vec<&str> = importance.columns.iter().map(|column| column.column.as_str()).collect();
    assert_eq!((names.len(), names[0], importance.measure), (3, "sky", "accuracy"));
    assert!(importance.columns[0].worth > 0.15 && importance.columns[0].deviation < 0.1, "{importance:?}");
    assert_eq!(Importance::of(&learner, 3, 1).unwrap(), importance);
    assert!(Importance::of(&learner, 0, 1).is_err());
    let svg = tallow::plot::Figure::from(importance.plot()).svg().unwrap();
    assert!(svg.contains("accuracy lost when shuffled"));
    let vectors = learner.vectors("sky").unwrap();
    assert_eq!(vectors.classes, [NA, "cloud", "rain", "sun"]);
    assert_eq!((vectors.vectors.len(), vectors.vectors[0].len()), (4, 3));
    assert!(learner.vectors("warmth").unwrap_err().to_string().contains("there are sky, day, warmth_na"));

    let baselines = table_baselines(learner.table_dls()).unwrap();
    let names: Vec<&str> = baselines.iter().map(|baseline| baseline.name).collect();
    assert_eq!(names, ["the most frequent class", "logistic regression", "gradient boosting"]);
    assert!(baselines[2].score > 0.9 && baselines[2].score > baselines[0].score, "{baselines:?}");
}

#[test]
fn what_is_not_of_this_kind_is_refused() {
    let message = |config: TabularConfig| tabular_learner(&loaders(), config).err().unwrap().to_string();
    assert!(message(config().y_range(0.0, 1.0)).contains("the target is a class"));
    assert!(message(config().dropouts([0.1])).contains("1 dropouts for 2 hidden layers"));
    assert!(message(config().dropouts([0.1, 2.0])).contains("must be in 0..=1"));
    let flat = PeriodicConfig { sigma: 0.0, ..PeriodicConfig::default() };
    assert!(message(config().embedded_numbers(flat)).contains("a sigma above 0"));

    let folder = tempfile::tempdir().unwrap();
    let learner = tabular_learner(&loaders(), config()).unwrap();
    learner.export(folder.path()).unwrap();
    let notes = folder.path().join("learner.json");
    let text = fs::read_to_string(&notes).unwrap();
    for (from, to, words) in [
        ("\"kind\": \"tabular\"", "\"kind\": \"collab\"", "holds a model of the kind `collab`"),
        ("\"in_deviations\"", "\"units\"", "has a recipe (columns, target, network) that is not known here"),
        ("24,", "25,", "`layers.0.0.weight` has shape [24, 11], and [25, 11] would fit"),
    ] {
        fs::write(&notes, text.replacen(from, to, 1)).unwrap();
        let error = load_tabular_on(folder.path(), &Device::Cpu).err().unwrap();
        assert!(matches!(error, Error::File { .. }) && error.to_string().contains(words), "{error}");
    }
}
