//! Tables with numbers far from 0, a slip among the cells, or very many columns.

use candle_core::Device;
use std::sync::{Arc, Mutex};
use tallow::data::{Table, TableBlock, TableRow, TargetKind};
use tallow::event::{Event, Listener};
use tallow::interpret::{show_batch, table_baselines};
use tallow::tabular_learner::{Outcome, TabularConfig, load_tabular_on, tabular_learner};

/// Rows of `x` and a `y` that is about `base` and twice `x`, in quarters, which stay exact beside large numbers.
fn rows(base: f64) -> Vec<[String; 2]> {
    let row = |i: u32| {
        let x = f64::from(i * 7 % 41) / 4.0;
        [x.to_string(), (base + 2.0 * x + f64::from(i % 3) / 4.0).to_string()]
    };
    (0..120).map(row).collect()
}

fn block(rows: Vec<[String; 2]>) -> TableBlock {
    TableBlock::table(Table::from_rows(&["x", "y"], rows).unwrap()).target("y").valid_where(|row| row % 4 == 0)
}

fn config() -> TabularConfig {
    TabularConfig::default().device(&Device::Cpu).layers([16])
}

#[test]
fn numbers_far_from_0_are_learnt_and_judged_as_those_near_it() {
    let fitted = |base: f64| {
        let dls = block(rows(base)).dataloaders(16).unwrap();
        let scores: Vec<f64> = table_baselines(&dls).unwrap().iter().map(|baseline| baseline.score).collect();
        let mut learner = tabular_learner(&dls, config()).unwrap();
        learner.fit_one_cycle(4, 1e-2).unwrap();
        let folder = tempfile::tempdir().unwrap();
        learner.export(folder.path()).unwrap();
        let predictor = load_tabular_on(folder.path(), &Device::Cpu).unwrap();
        let predicted = predictor.predict(&TableRow::new().with("x", "5")).unwrap();
        let Outcome::Numbers(numbers) = predicted.outcome else { panic!("{predicted:?}") };
        (scores, numbers[0].1 - base)
    };
    let (near, near_prediction) = fitted(0.0);
    for base in [1e6, 1e9, -1e12] {
        let (far, far_prediction) = fitted(base);
        assert!(near.iter().zip(&far).all(|(near, far)| (near - far).abs() < 1e-3), "{base}: {near:?} and {far:?}");
        assert!((near_prediction - far_prediction).abs() < 0.01, "{base}: {near_prediction} and {far_prediction}");
    }
    // A range is in the target's units as well.
    let dls = block(rows(1e9)).dataloaders(16).unwrap();
    let learner = tabular_learner(&dls, config().y_range(1e9 - 5.0, 1e9 + 30.0)).unwrap();
    let (loss, _) = learner.validate().unwrap();
    assert!(loss < 400.0, "{loss}");
}

#[test]
fn a_number_too_large_to_compute_with_is_named() {
    for (at, column) in [(0, "x"), (1, "y")] {
        let mut rows = rows(0.0);
        rows[30][at] = "1e300".into();
        let error = block(rows).target_kind(TargetKind::Number).dataloaders(16).err().unwrap().to_string();
        assert!(error.contains(&format!("row 30, column `{column}`: `1e300` is too large")), "{error}");
    }
    let dls = block(rows(0.0)).dataloaders(16).unwrap();
    let folder = tempfile::tempdir().unwrap();
    tabular_learner(&dls, config()).unwrap().export(folder.path()).unwrap();
    let predictor = load_tabular_on(folder.path(), &Device::Cpu).unwrap();
    let table = Table::from_rows(&["x"], [["1"], ["1e300"]]).unwrap();
    let error = predictor.predict_table(&table).unwrap_err().to_string();
    assert!(error.contains("row 1, column `x`: `1e300` is too large"), "{error}");
    // A network still answers what is only odd.
    assert!(predictor.predict(&TableRow::new().with("x", "1e25")).is_ok());
}

#[test]
fn a_slip_among_numbers_is_named_and_does_not_make_classes_of_them() {
    let notes = Arc::new(Mutex::new(Vec::new()));
    let told = notes.clone();
    let listener = Listener::new(move |event| {
        if let Event::Note(note) = event {
            told.lock().unwrap().push((*note).to_string());
        }
    });
    let with = |at: usize, cell: &str| {
        let mut rows = rows(0.0);
        rows[10][at] = cell.into();
        block(rows).listener(listener.clone())
    };
    let error = with(1, "n.a.").dataloaders(16).err().unwrap().to_string();
    assert!(error.contains("119 of 120 cells are numbers, and `n.a.` in row 10 is not"), "{error}");
    assert!(with(1, "n.a.").target_kind(TargetKind::Class).dataloaders(16).is_ok());
    let commas = rows(0.0).into_iter().map(|[x, y]| [x, format!("{},5", y.replace('.', ""))]).collect();
    let error = block(commas).dataloaders(16).err().unwrap().to_string();
    assert!(error.contains("numbers are written as 1234.5"), "{error}");

    notes.lock().unwrap().clear();
    let of = |table: &[&str; 3], cell: &str| {
        let rows = rows(0.0).into_iter().enumerate().map(|(i, [x, y])| {
            let odd = if i == 10 { cell.to_string() } else { x.clone() };
            [odd, x, y]
        });
        let table = Table::from_rows(table, rows.collect::<Vec<_>>()).unwrap();
        let block = TableBlock::table(table).target("y").valid_where(|row| row % 4 == 0);
        block.listener(listener.clone()).dataloaders(16).unwrap();
        std::mem::take(&mut *notes.lock().unwrap()).join("\n")
    };
    let told = of(&["odd", "x", "y"], "unknown");
    let odd = "119 of 120 cells are numbers, and `unknown` in row 10 is not";
    assert!(told.contains(&format!("`odd` is taken for categories, not for numbers: {odd}")), "{told}");
    let told = of(&["odd", "x", "y"], "1e20");
    assert!(told.contains("`odd` is `1e20` in row 10, so far from all others"), "{told}");
    assert!(!of(&["odd", "x", "y"], "40").contains("so far from"));
}

#[test]
fn of_very_many_columns_a_figure_shows_some_and_says_so() {
    let names: Vec<String> = (0..3000).map(|i| format!("x{i}")).chain(["y".into()]).collect();
    let row = |i: usize| (0..3001).map(move |column| (((i * 31 + column * 17) % 97) as f64 / 7.0).to_string());
    let table = Table::from_rows(&names, (0..24).map(row)).unwrap();
    let dls = TableBlock::table(table).target("y").valid_where(|row| row % 4 == 0).dataloaders(6).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (png, svg) = (folder.path().join("rows.png"), folder.path().join("rows.svg"));
    let figure = show_batch(&dls.train, 8).unwrap();
    figure.save(&png).unwrap();
    figure.save(&svg).unwrap();
    let text = std::fs::read_to_string(svg).unwrap();
    assert!(text.contains("the first 59 of 3001 columns, and the last") && text.contains("\nx58\n"), "{text}");
}
