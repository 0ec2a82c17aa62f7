//! Rows of tables become numbers as fast.ai makes them.

use std::path::Path;
use std::sync::{Arc, Mutex};
use tallow::Result;
use tallow::data::{
    NA, Show, Shown, StratifiedSplitter, Table, TableBlock, TableRow, TableTarget, TabularDataLoaders, TargetKind,
    TargetValues,
};
use tallow::event::{Event, Listener};

const CATEGORIES: [&str; 6] = ["workclass", "education", "marital-status", "occupation", "relationship", "race"];
const NUMBERS: [&str; 3] = ["age", "fnlwgt", "education-num"];

/// The census of 1994, if it is here.
fn adult() -> Option<Table> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/adult/adult.csv");
    if !file.is_file() {
        eprintln!("skipped: ../shared/data/adult is not here");
        return None;
    }
    Some(Table::read(file).unwrap())
}

/// The table with cells of one column blanked.
fn blanked(table: &Table, column: &str, blank: impl Fn(usize) -> bool) -> Table {
    let place = table.place(column).unwrap();
    let row = |row: usize| -> Vec<&str> {
        let cell = |i: usize| if i == place && blank(row) { "" } else { table.cell(row, i).unwrap_or_default() };
        (0..table.names().len()).map(cell).collect()
    };
    Table::from_rows(table.names(), (0..table.n_rows()).map(row)).unwrap()
}

fn block(table: Table) -> TableBlock {
    let block = TableBlock::table(table).target("classification").categories(CATEGORIES).numbers(NUMBERS);
    block.only_named().valid_where(|row| row % 5 == 0)
}

fn near(got: f64, want: f64) -> bool {
    (got - want).abs() <= 1e-4 * want.abs().max(1.0)
}

fn sums(dls: &TabularDataLoaders, valid: bool) -> Vec<u32> {
    let loader = if valid { &dls.valid } else { &dls.train };
    let n = dls.procs().categories().len();
    (0..n).map(|i| loader.dataset().rows().categories.iter().skip(i).step_by(n).sum()).collect()
}

/// The figures are fastai 2.8.12's.
#[test]
fn adult_is_what_fastai_makes_of_it() {
    let Some(table) = adult() else { return };
    let dls = block(table.clone()).dataloaders(64).unwrap();
    let procs = dls.procs();
    let names: Vec<&str> = procs.categories().iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, CATEGORIES);
    let sizes: Vec<usize> = procs.categories().iter().map(|column| column.classes.len()).collect();
    assert_eq!(sizes, [10, 17, 8, 16, 7, 6]);
    assert_eq!(
        procs.categories()[4].classes,
        [NA, "Husband", "Not-in-family", "Other-relative", "Own-child", "Unmarried", "Wife"]
    );
    assert_eq!(procs.categories()[0].classes[..3], [NA, "?", "Federal-gov"]);
    let facts = [(38.543266, 13.629221), (189745.33, 105630.84), (10.090909, 2.5674466)];
    for (column, (mean, std)) in procs.numbers().iter().zip(facts) {
        assert!(near(column.mean, mean) && near(column.std, std), "{column:?}");
    }
    assert_eq!(dls.target().classes(), ["<=50K", ">50K"]);
    let (train, valid) = (dls.train.dataset(), dls.valid.dataset());
    assert_eq!(
        (train.places()[..8].to_vec(), valid.places()[..4].to_vec()),
        (vec![1, 2, 3, 4, 6, 7, 8, 9], vec![0, 5, 10, 15])
    );
    assert_eq!(train.rows().categories[..12], [7, 10, 3, 5, 1, 5, 5, 12, 1, 7, 2, 5]);
    assert_eq!(valid.rows().categories[..12], [8, 10, 5, 2, 2, 5, 5, 13, 3, 5, 6, 5]);
    let first = [0.8406008, -1.0076066, 1.1330677, -0.039860407, 0.24519989, -0.4249004];
    assert!(train.rows().numbers.iter().zip(first).all(|(&got, want)| near(got.into(), want)));
    assert_eq!(sums(&dls, false), [126551, 294566, 94144, 196796, 63711, 121583]);
    assert_eq!(sums(&dls, true), [31985, 73315, 23461, 49780, 15945, 30342]);
    let TargetValues::Classes(classes) = train.targets() else { panic!("classes") };
    assert_eq!((classes[..8].to_vec(), classes.iter().sum::<u32>()), (vec![0, 0, 0, 0, 0, 1, 1, 1], 6215));

    // Blanks in both sides, and in the training rows only.
    let dls = block(blanked(&table, "education-num", |row| row % 51 == 0)).dataloaders(64).unwrap();
    let (numbers, flag) = (&dls.procs().numbers()[2], &dls.procs().categories()[6]);
    assert_eq!((numbers.fill, flag.name.as_str()), (10.0, "education-num_na"));
    assert_eq!(flag.classes, [NA, "False", "True"]);
    assert!(near(numbers.mean, 10.088989) && near(numbers.std, 2.5392173), "{numbers:?}");
    assert_eq!((sums(&dls, false)[6], sums(&dls, true)[6]), (26559, 6641));
    let dls = block(blanked(&table, "education-num", |row| row % 50 == 3)).dataloaders(64).unwrap();
    assert!(near(dls.procs().numbers()[2].mean, 10.088299));
    assert_eq!(sums(&dls, true)[6] as usize, dls.valid.n_items());

    // Where fastai gives up: all blanks are in validation rows. The column tells them there too.
    let dls = block(blanked(&table, "education-num", |row| row % 50 == 0)).dataloaders(64).unwrap();
    assert_eq!(sums(&dls, false)[6] as usize, dls.train.n_items());
    assert_eq!(sums(&dls, true)[6] as usize, dls.valid.n_items() + table.n_rows().div_ceil(50));
    // A blank category is number 0.
    let dls = block(blanked(&table, "race", |row| row == 1 || row == 2)).dataloaders(64).unwrap();
    assert_eq!(
        dls.train.dataset().rows().categories[5..18].iter().step_by(6).copied().collect::<Vec<u32>>(),
        [0, 0, 3]
    );
}

/// Twelve houses; the price follows the size.
fn houses() -> Table {
    let heads = ["size", "rooms", "place", "built", "side", "price"];
    let row = |i: usize| {
        let place = ["town", "sea", "hill"][i % 3];
        let side = ["train", "train", "train", "valid", "train", "test"][i % 6];
        let size = if i == 7 { "NA".into() } else { format!("{}.5", 40 + 7 * i) };
        [
            size,
            (1 + i % 4).to_string(),
            place.into(),
            format!("2001-0{}-17", 1 + i % 9),
            side.into(),
            (i * 10).to_string(),
        ]
    };
    Table::from_rows(&heads, (0..12).map(row)).unwrap()
}

fn told(block: TableBlock) -> (Result<TabularDataLoaders>, String) {
    let notes = Arc::new(Mutex::new(String::new()));
    let kept = notes.clone();
    let listener = Listener::new(move |event| {
        if let Event::Note(note) = event {
            *kept.lock().unwrap() += &format!("{note}\n");
        }
    });
    let dls = block.listener(listener).dataloaders(4);
    let notes = notes.lock().unwrap().clone();
    (dls, notes)
}

#[test]
fn columns_are_guessed_and_told_and_shown() {
    let (dls, notes) = told(TableBlock::table(houses()).target("price").valid_column("side"));
    let dls = dls.unwrap();
    for words in [
        "the target is taken for a number: price",
        "taken for categories: rooms, place\n",
        "taken for numbers: size",
        "taken for dates: built",
        "`builtYear` is left out: it is the same in all rows",
    ] {
        assert!(notes.contains(words), "no `{words}` in {notes}");
    }
    let names = ["rooms", "place", "builtMonth", "builtDayofyear", "size_na", "size"];
    assert!(
        names.iter().all(|name| dls.procs().names().iter().any(|known| known == name)),
        "{:?}",
        dls.procs().names()
    );
    assert_eq!((dls.train.n_items(), dls.valid.n_items(), dls.test.as_ref().unwrap().n_items()), (8, 2, 2));
    let TableTarget::Numbers(targets) = &**dls.target() else { panic!("numbers") };
    assert_eq!((targets[0].column.as_str(), targets[0].mean), ("price", 47.5));

    let Shown::Table(shown) = dls.valid.shown(9).unwrap() else { panic!("a table") };
    assert_eq!(shown.rows.len(), 2);
    let of = |row: usize, name: &str| {
        let place = shown.columns.iter().position(|column| column == name).unwrap();
        shown.rows[row][place].as_str()
    };
    assert_eq!([of(0, "place"), of(0, "size"), of(0, "builtMonth"), of(0, "price")], ["town", "61.5", "4", "30"]);
    let text = shown.to_string();
    assert!(text.lines().count() == 3 && text.lines().next().unwrap().starts_with("rooms  place  "), "{text}");
    tallow::interpret::show_batch(&dls.valid, 2).unwrap().svg().unwrap();
    // Batches: categories, numbers, targets.
    let batch = dls.train.loader().one_batch().unwrap();
    let (a, b) = (dls.procs().categories().len(), dls.procs().numbers().len());
    let shapes = [batch.xs.dims(), batch.more_xs[0].dims(), batch.ys.dims()];
    assert_eq!(shapes, [&[4, a], &[4, b], &[4, 1]]);
}

#[test]
fn later_rows_may_have_what_training_did_not() {
    let dls = TableBlock::table(houses()).target("price").valid_column("side").dataloaders(4).unwrap();
    let row = TableRow::new().with("place", "moon").with("rooms", 2).with("built", "2001-02-17");
    let encoded = dls.procs().encode_row(&row, &dls.target().columns()).unwrap();
    let notes = encoded.notes[0].join("\n");
    assert!(notes.contains("`place` is `moon`, unknown in training: #na#"), "{notes}");
    assert!(notes.contains("missing, with what stands for it: `size` (68.5)"), "{notes}");
    let place = dls.procs().names().iter().position(|name| name == "place").unwrap();
    assert_eq!(encoded.categories[place], 0);
    let error = dls.procs().encode_row(&row.clone().with("romms", 3), &[]).unwrap_err().to_string();
    assert!(error.contains("no column `romms` (`rooms`?)"), "{error}");
    let error = dls.procs().encode_row(&row.with("size", "big"), &[]).unwrap_err().to_string();
    assert!(error.contains("column `size`: `big` is not a number"), "{error}");
}

#[test]
fn classes_are_split_by_any_splitter() {
    let rows = (0..40).map(|i| [if i % 4 == 0 { "1" } else { "0" }.to_string(), format!("{}", i % 7), format!("{i}")]);
    let table = Table::from_rows(&["won", "day", "points"], rows).unwrap();
    let (dls, notes) =
        told(TableBlock::table(table.clone()).target("won").split(StratifiedSplitter { valid: 0.25, seed: 1 }));
    let dls = dls.unwrap();
    assert!(notes.contains("the target `won` is taken for a class"), "{notes}");
    assert_eq!(dls.target().classes(), ["0", "1"]);
    let TargetValues::Classes(classes) = dls.valid.dataset().targets() else { panic!("classes") };
    assert_eq!((classes.len(), classes.iter().sum::<u32>()), (10, 2 + u32::from(classes.iter().sum::<u32>() == 3)));
    let kind = TableBlock::table(table).target("won").target_kind(TargetKind::Number).dataloaders(4).unwrap();
    assert_eq!((kind.target().classes().len(), kind.target().n_outputs()), (0, 1));
}

#[test]
fn what_cannot_be_learnt_is_refused_with_the_remedy() {
    let block = || TableBlock::table(houses()).valid_column("side");
    let refused = |block: TableBlock, words: &str| {
        let error = block.dataloaders(4).err().expect(words).to_string();
        assert!(error.contains(words), "no `{words}` in {error}");
    };
    refused(block(), "name the column that is to be predicted, one of size, rooms");
    refused(block().target("Price_"), "no column `Price_` (`price`?); its columns are size");
    refused(block().target("price").numbers(["place"]), "row 0, column `place`: `town` is not a number");
    refused(block().target("price").dates(["place"]), "`town` is not a date; expected 2026-03-31");
    refused(block().target("price").numbers(["size"]).categories(["size"]), "`size` is named twice");
    refused(block().target("price").only_named(), "no column beside its target");
    refused(block().target("place").valid_where(|_| false), "none of them to validate on");
    refused(block().target("price").valid_column("place"), "`town` is not a side");
    let same = Table::from_rows(&["a", "b"], [["1", "x"], ["2", "x"], ["3", "x"], ["4", ""]]).unwrap();
    refused(TableBlock::table(same.clone()).target("b").valid_where(|row| row == 0), "one value only, `x`");
    let (dls, notes) = told(TableBlock::table(same).target("a").valid_where(|row| row == 0));
    assert!(notes.contains("taken for categories: b") && dls.is_ok(), "{notes}");
}
