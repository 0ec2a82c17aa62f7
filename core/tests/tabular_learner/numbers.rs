//! Learners of numbers.

use candle_core::Device;
use tallow::data::{Table, TableBlock, TableRow, TabularDataLoaders};
use tallow::interpret::{Importance, table_baselines};
use tallow::rng::Rng;
use tallow::tabular_learner::{Outcome, TabularConfig, tabular_learner};
use tallow::train::{mae, rmse};

/// Flats with a price in hundreds of thousands and a rent in hundreds.
fn flats() -> TabularDataLoaders {
    let mut rng = Rng::new(5).stream("flats");
    let row = |_| {
        let (size, place) = (rng.uniform(20.0, 150.0).round(), rng.below(3));
        let price = 3000.0 * size * (1.0 + place as f64 / 2.0) + 1000.0 * rng.normal();
        let place = ["hill", "town", "sea"][place];
        [size.to_string(), place.to_string(), format!("{price:.2}"), format!("{:.2}", 4.0 * size)]
    };
    let rows: Vec<[String; 4]> = (0..400).map(row).collect();
    let table = Table::from_rows(&["size", "place", "price", "rent"], rows).unwrap();
    TableBlock::table(table).targets(["price", "rent"]).valid_where(|row| row % 4 == 0).dataloaders(32).unwrap()
}

fn config() -> TabularConfig {
    TabularConfig::default().device(&Device::Cpu).layers([24, 12]).metrics([rmse(), mae()])
}

#[test]
fn numbers_of_any_size_are_learnt_together_in_their_own_units() {
    let dls = flats();
    let mut learner = tabular_learner(&dls, config()).unwrap();
    learner.fit_one_cycle(20, 1e-2).unwrap();
    // The loss is in deviations: below a hundredth of what the mean is off by.
    let (loss, _) = learner.validate().unwrap();
    assert!(loss < 0.02, "{loss}");
    let folder = tempfile::tempdir().unwrap();
    learner.export(folder.path()).unwrap();
    let predictor = tallow::tabular_learner::load_tabular_on(folder.path(), &Device::Cpu).unwrap();
    let summary = predictor.export_onnx(folder.path().join("flats.onnx"), Default::default()).unwrap();
    assert_eq!(summary.outputs, ["predictions float32 [batch, 2]"]);
    let prediction = predictor.predict(&TableRow::new().with("size", 80).with("place", "town")).unwrap();
    let Outcome::Numbers(numbers) = &prediction.outcome else { panic!() };
    let names: Vec<&str> = numbers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["price", "rent"]);
    assert!((numbers[0].1 / 360_000.0 - 1.0).abs() < 0.1 && (numbers[1].1 / 320.0 - 1.0).abs() < 0.1, "{prediction}");
    let csv = predictor.predictions_csv(
        &Table::from_rows(&["size", "place"], [["80", "town"]]).unwrap(),
        std::slice::from_ref(&prediction),
    );
    assert!(csv.starts_with("size,place,predicted price,predicted rent,notes\n80,town,"), "{csv}");

    let importance = Importance::of(&learner, 2, 1).unwrap();
    assert_eq!((importance.measure, importance.columns[0].column.as_str()), ("rmse", "size"));
    let baselines = table_baselines(&dls).unwrap();
    assert_eq!(baselines[0].name, "the mean");
    assert!(baselines[1].score < 0.3 * baselines[0].score, "{baselines:?}");
}

#[test]
fn a_range_is_kept_to() {
    let rows = (0..60).map(|i| [format!("{}.5", i % 30), format!("{}", f64::from(i % 30) / 6.0)]);
    let table = Table::from_rows(&["x", "y"], rows).unwrap();
    let dls = TableBlock::table(table).target("y").valid_where(|row| row >= 40).dataloaders(16).unwrap();
    let mut learner = tabular_learner(&dls, config().y_range(0.0, 5.0)).unwrap();
    let before = learner.validate().unwrap().0;
    learner.fit_one_cycle(10, 1e-2).unwrap();
    let (loss, metrics) = learner.validate().unwrap();
    // Plain squared errors, of which the root is a metric.
    assert!(loss < before && (loss.sqrt() - metrics[0]).abs() < 1e-6, "{before} {loss} {metrics:?}");
    let far = learner.predictor().predict(&TableRow::new().with("x", 1e6)).unwrap();
    let Outcome::Numbers(numbers) = far.outcome else { panic!() };
    assert!((0.0..=5.0).contains(&numbers[0].1));
    let message = tabular_learner(&dls, config().y_range(5.0, 0.0)).err().unwrap().to_string();
    assert!(message.contains("the range of predictions is empty: 5 to 0"), "{message}");
}
