//! Where texts come from, and what is said of those that are not as they should be.

use std::path::Path;
use std::sync::{Arc, Mutex};
use tallow::data::{Dataset, Encoding, Table, TextBlock, TextDataLoaders, TextProcs};
use tallow::event::{Event, Listener};
use tallow::interpret::{show_batch, text_baselines};
use tallow::words::Tokenizer;
use tallow::{Error, Result};

fn notes(block: TextBlock) -> (Result<TextDataLoaders>, Vec<String>) {
    let notes = Arc::new(Mutex::new(Vec::new()));
    let told = notes.clone();
    let listener = Listener::new(move |event| {
        if let Event::Note(note) = event {
            told.lock().unwrap().push(note.to_string());
        }
    });
    let dls = block.min_freq(1).listener(listener).dataloaders(2);
    let notes = notes.lock().unwrap().clone();
    (dls, notes)
}

fn error(block: TextBlock) -> String {
    notes(block).0.err().unwrap().to_string()
}

fn write(file: &Path, bytes: impl AsRef<[u8]>) {
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, bytes).unwrap();
}

#[test]
fn columns_of_a_table_become_texts_and_classes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("reviews.csv");
    write(
        &file,
        "id,text,mood,side\n1,\"A good, long film\",up,train\n2,bad,down,train\n3,\"good\nfilm\",up,valid\n\
                  4,,up,train\n5,awful,,train\n6,fine,up,test\n7,odd,sideways,test\n8,bad film,down,train\n",
    );
    let block = TextBlock::csv(&file).text("text").target("mood").valid_column("side");
    let (dls, told) = notes(block.clone());
    let dls = dls.unwrap();
    assert_eq!(dls.classes().classes(), ["down", "up"]);
    assert_eq!((dls.train.n_items(), dls.valid.n_items(), dls.test.as_ref().unwrap().n_items()), (3, 1, 1));
    assert_eq!((dls.valid.dataset().texts(), dls.valid.class_of(0)), (&["good\nfilm".to_string()][..], "up"));
    assert_eq!(dls.valid.dataset().places(), ["line 4"]);
    assert_eq!(dls.counts(), [(2, 0), (1, 1)]);
    let told = told.join("; ");
    for what in ["1 rows have no text", "(line 6)", "1 rows have no class", "(line 7)", "`sideways`"] {
        assert!(told.contains(what), "{told}");
    }
    // The vocabulary counts the texts that judge, and not those of the test set.
    assert!(dls.procs().vocab.find("film").is_some() && dls.procs().vocab.find("fine").is_none());
    let lm = block.clone().text("text").min_freq(1).language_model(2).unwrap();
    assert!(lm.procs().vocab.find("awful").is_some());

    for (block, what) in [
        (TextBlock::csv(&file).text("txt").target("mood"), "no column `txt` (`text`?)"),
        (TextBlock::csv(&file).text("text").target("moods"), "no column `moods`"),
        (TextBlock::csv(&file).text("text").target("text"), "as the text and as the class"),
        (TextBlock::csv(folder.path().join("none.csv")), "none.csv"),
        (TextBlock::csv(&file).text("text").target("mood").valid_where(|_| false), "none of them to validate on"),
        (TextBlock::csv(&file).text("text").target("mood").seq_len(0), "0 tokens"),
    ] {
        let error = error(block);
        assert!(error.contains(what), "{error}");
    }
    let one = Table::from_rows(&["a", "b"], [["x", "up"], ["y", "up"], ["z", "up"]]).unwrap();
    assert!(error(TextBlock::table(one).valid_where(|i| i == 0)).contains("one class, `up`"));
}

#[test]
fn fields_are_marked_as_fastai_marks_them() {
    let tokens = |fields: &[&str]| Tokenizer::default().tokens(&TextProcs::joined(fields)).join(" ");
    assert_eq!(tokens(&["A Title", "The body."]), "xxbos xxfld 1 a xxmaj title xxfld 2 xxmaj the body .");
    assert_eq!(tokens(&["Second", "more TEXT"]), "xxbos xxfld 1 xxmaj second xxfld 2 more xxup text");
}

#[test]
fn folders_say_classes_and_sides() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for (file, text) in [
        ("train/pos/1.txt", "good"),
        ("train/neg/2.txt", "bad"),
        ("train/neg/3.TXT", "awful"),
        ("valid/pos/4.txt", "fine"),
        ("test/neg/5.txt", "poor"),
        ("train/neg/.hidden.txt", "x"),
        ("train/neg/notes.md", "x"),
    ] {
        write(&root.join(file), text);
    }
    let (dls, told) = notes(TextBlock::folder(root));
    let dls = dls.unwrap();
    assert_eq!(
        (dls.train.dataset().texts().join(" "), dls.valid.dataset().texts().join(" ")),
        ("bad awful good".into(), "fine".into())
    );
    assert_eq!((dls.train.class_of(0), dls.test.unwrap().class_of(0)), ("neg", "neg"));
    assert!(told.join("; ").contains("notes.md"), "{told:?}");
    // A split that was asked for comes before folders' names, but for the test set.
    let (dls, _) = notes(TextBlock::folder(root).valid_where(|i| i % 2 == 0));
    let dls = dls.unwrap();
    assert_eq!((dls.train.n_items(), dls.valid.n_items()), (2, 2));
    let lm = TextBlock::folder(root).min_freq(1).language_model(1).unwrap();
    assert_eq!(lm.train.dataset().texts().len(), 3);

    let empty = tempfile::tempdir().unwrap();
    assert!(error(TextBlock::folder(empty.path())).contains("no text file"));
    for file in ["a.txt", "b.txt"] {
        write(&empty.path().join(file), "x");
    }
    assert!(error(TextBlock::folder(empty.path()).valid_pct(0.5)).contains("one class"));
    for file in ["pos/c.txt", "neg/d.txt"] {
        write(&empty.path().join(file), "x");
    }
    let message = error(TextBlock::folder(empty.path()));
    assert!(message.contains("a.txt") && message.contains("folder for each class"), "{message}");
    assert!(error(TextBlock::folder(root).text("x")).contains("in no table"));
}

#[test]
fn encodings_are_named_and_nothing_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("films.csv");
    let latin: Vec<u8> = "text,label\ngood,up\ncafé,down\nMÜLL,down\n".chars().map(|c| c as u8).collect();
    write(&file, &latin);
    let block = TextBlock::csv(&file).valid_where(|i| i == 2);
    let message = error(block.clone());
    assert!(message.contains("not UTF-8 (line 3): byte 0xe9 is `é` in Latin-1"), "{message}");
    let (dls, _) = notes(block.clone().encoding(Encoding::Latin1));
    assert_eq!(dls.unwrap().train.dataset().texts(), ["good", "café"]);
    write(&file, [&b"\xff\xfe"[..], &latin].concat());
    assert!(error(block.clone()).contains("UTF-16"));
    write(&file, "\u{feff}text,label\ngood,up\nbad,down\nfine,up\n");
    assert!(notes(block).0.is_ok());
}

#[test]
fn odd_texts_are_kept_and_told() {
    let texts = ["nul \0 here", "", "\u{202e}\u{1b}[31m", "the same", "The same", "the  same", "x", "the same"];
    let labels = ["a", "b", "a", "b", "a", "a", "b", "b"];
    let block = TextBlock::labelled(texts.into_iter().zip(labels)).valid_where(|i| i >= 6);
    let (dls, told) = notes(block);
    let dls = dls.unwrap();
    // A text without words is `xxbos`.
    assert_eq!(dls.train.dataset().ids()[1], [2]);
    let told = told.join("; ");
    for what in [
        "2 texts hold control characters (text 0)",
        "2 texts say the same as an earlier one (text 5 as text 3)",
        "1 texts are in two classes (text 3 and text 5)",
        "1 validation texts are among the training texts (text 7, and text 3)",
    ] {
        assert!(told.contains(what), "{told}");
    }
    let (none, some) = (Vec::<String>::new(), vec!["a".to_string(), "b".into()]);
    assert!(matches!(TextBlock::texts(none).language_model(1), Err(Error::Config { .. })));
    assert!(TextBlock::texts(some).dataloaders(1).is_err());
}

#[test]
fn a_text_of_ten_megabytes_is_read_and_told() {
    let long = "never again 3/4 don't!!! ".repeat(10_000_000 / 25);
    let block = TextBlock::labelled([(long.as_str(), "a"), ("b c", "b"), ("d", "a")]).valid_where(|i| i > 0);
    let (dls, told) = notes(block);
    let length = dls.unwrap().train.dataset().lengths()[0];
    assert!(length > 4_000_000 && told.join("; ").contains(&format!("{length} tokens (text 0)")), "{length} {told:?}");
}

#[test]
fn simpler_methods_stand_beside() {
    let texts = (0..60).map(|i| (format!("a {} film", ["good", "bad", "odd"][i % 3]), ["up", "down", "up"][i % 3]));
    let dls = TextBlock::labelled(texts).valid_where(|i| i % 5 == 0).dataloaders(4).unwrap();
    let baselines = text_baselines(&dls).unwrap();
    let told: Vec<_> = baselines.iter().map(|baseline| (baseline.name, baseline.accuracy)).collect();
    let names = [
        "the most frequent class",
        "tf-idf and logistic regression",
        "tf-idf and logistic regression (sublinear, C = 10)",
    ];
    assert_eq!(told, [(names[0], 8.0 / 12.0), (names[1], 1.0), (names[2], 1.0)]);
    assert!(baselines[0].log_loss > baselines[1].log_loss && baselines[1].log_loss > baselines[2].log_loss);
    let figure = show_batch(&dls.train, 3).unwrap();
    assert!(figure.svg().unwrap().contains("xxbos"));
}

#[test]
fn what_shapes_the_batches_is_in_the_fingerprint() {
    let texts = [("good", "a"), ("bad", "b"), ("fine", "a"), ("poor", "b")];
    let block = TextBlock::labelled(texts).min_freq(1).valid_where(|i| i == 0);
    let print = |block: &TextBlock| block.dataloaders(2).unwrap().loaders().fingerprint().unwrap();
    let one = print(&block);
    assert!(print(&block).differences(&one).is_empty());
    for other in
        [block.clone().seq_len(10), block.clone().backwards(), block.clone().min_freq(2), block.clone().seed(7)]
    {
        assert!(!print(&other).differences(&one).is_empty());
    }
    let other = TextBlock::labelled([texts[0], texts[1], texts[2], ("poor", "a")]).min_freq(1).valid_where(|i| i == 0);
    assert!(!print(&other).differences(&one).is_empty());
    let backwards = block.backwards().dataloaders(2).unwrap();
    let dataset = backwards.train.dataset();
    assert_eq!(dataset.procs().tokens(&dataset.ids()[0])[0], "xxbos");
    assert!(dataset.ids()[0].ends_with(&[2]) && !dataset.is_empty());
}
