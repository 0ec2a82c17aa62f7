//! Splitters and labellers.

use std::path::{Path, PathBuf};
use tallow::data::{
    FileNameSplitter, FnSplitter, RandomSplitter, Split, Splitter, StratifiedSplitter, Vocab, class_weights,
    read_class_weights, regex_label, sample_weights, warnings,
};

fn items(counts: &[(&str, usize)]) -> (Vec<PathBuf>, Vec<String>) {
    let all =
        counts.iter().flat_map(|(class, n)| (0..*n).map(move |i| (format!("{class}/{i}.jpg"), class.to_string())));
    all.map(|(file, label)| (PathBuf::from(file), label)).unzip()
}

#[test]
fn a_stratified_split_keeps_the_shares_and_is_a_partition() {
    let (files, labels) = items(&[("a", 100), ("b", 10), ("c", 3)]);
    let splitter = StratifiedSplitter { valid: 0.2, seed: 7 };
    let split = splitter.split_items(&files, &labels).unwrap();
    let of = |class: &str| split.valid.iter().filter(|&&i| labels[i] == class).count();
    assert_eq!([of("a"), of("b"), of("c")], [20, 2, 1]);
    let mut all = [split.train.clone(), split.valid.clone()].concat();
    all.sort_unstable();
    assert_eq!(all, (0..113).collect::<Vec<_>>());
    assert_eq!(splitter.split_items(&files, &labels).unwrap(), split);
    assert_ne!(StratifiedSplitter { valid: 0.2, seed: 8 }.split_items(&files, &labels).unwrap(), split);
    assert!(StratifiedSplitter { valid: 1.5, seed: 8 }.split_items(&files, &labels).is_err());
    let random = RandomSplitter { valid: 0.2, seed: 7 }.split_items(&files, &labels).unwrap();
    assert_eq!((random.train.len(), random.valid.len()), (91, 22));
}

#[test]
fn files_judge_by_name_by_path_and_by_function() {
    let dir = tempfile::tempdir().unwrap();
    let list = dir.path().join("valid.txt");
    std::fs::write(&list, "0.jpg\n\n b/1.jpg \n").unwrap();
    let (files, labels) = items(&[("a", 2), ("b", 2)]);
    let split = FileNameSplitter::read(&list).unwrap().split_items(&files, &labels).unwrap();
    assert_eq!(split, Split { train: vec![1], valid: vec![0, 2, 3] });
    assert!(FileNameSplitter::read(dir.path().join("none")).unwrap_err().to_string().contains("none"));
    let split = FnSplitter(|file: &Path| file.starts_with("b")).split_items(&files, &labels).unwrap();
    assert_eq!(split, Split { train: vec![0, 1], valid: vec![2, 3] });
}

#[test]
fn a_regular_expression_labels_or_says_why_not() {
    let label = regex_label(r"^(.*)_\d+.jpg$").unwrap();
    assert_eq!(label(Path::new("x/great_pyrenees_173.jpg")).unwrap(), "great_pyrenees");
    let error = label(Path::new("x/cat.jpg")).unwrap_err().to_string();
    assert!(error.contains("cat.jpg") && error.contains("finds no label"), "{error}");
    assert!(regex_label("(").err().unwrap().to_string().contains("regular expression"));
    assert!(regex_label(r"\d+").err().unwrap().to_string().contains("no group"));
}

#[test]
fn weights_are_scikit_learns_and_imbalance_is_told() {
    // sklearn.utils.class_weight.compute_sample_weight("balanced", [0, 0, 0, 1])
    assert_eq!(sample_weights(&[0, 0, 0, 1], 2).unwrap(), [2.0 / 3.0, 2.0 / 3.0, 2.0 / 3.0, 2.0]);
    // sklearn.utils.class_weight.compute_class_weight("balanced", classes=[0, 1, 2], y=[0, 0, 0, 1, 2, 2])
    assert_eq!(class_weights(&[0, 0, 0, 1, 2, 2], 3).unwrap(), [2.0 / 3.0, 2.0, 1.0]);
    assert!(class_weights(&[0, 0], 2).unwrap_err().to_string().contains("class 1 of 2"));
    assert!(class_weights(&[2], 2).unwrap_err().to_string().contains("label 2"));
    let vocab = Vocab::new(["a", "b", "c"]);
    let told = warnings(&vocab, &[(100, 10), (10, 0), (0, 3)]);
    assert!(
        told[0].contains("`b` has no item to judge by") && told[1].contains("`c` has no item to train"),
        "{told:?}"
    );
    assert!(told[2].contains("`a` has 100") && told[2].contains("`b` has 10"), "{told:?}");
    assert_eq!(told.len(), 3);
    assert!(warnings(&vocab, &[(9, 1), (9, 1), (5, 1)]).is_empty());
    assert!(warnings(&Vocab::new(["a"]), &[(9, 1)])[0].contains("single class"));
}

#[test]
fn class_weights_come_from_a_file_that_names_every_class_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("weights.csv");
    let vocab = Vocab::new(["ant", "bee, small", "cat"]);
    let read = |text: &str| {
        std::fs::write(&file, text).unwrap();
        read_class_weights(&file, &vocab)
    };
    assert_eq!(read("class,weight\ncat,3\n\"bee, small\",0.5\nant, 1\n").unwrap(), [1.0, 0.5, 3.0]);
    assert_eq!(read("cat,3\n\"bee, small\",2\nant,1").unwrap(), [1.0, 2.0, 3.0]);
    for (text, words) in [
        ("ant,1\ncat,2", "no weight for bee, small"),
        ("dog,1", "`dog` is not among the 3 classes"),
        ("ant,1\nant,1", "`ant` a weight twice"),
        ("ant,-1", "`-1`; expected a number above 0"),
        ("ant,NaN", "expected a number above 0"),
        ("ant,many", "`many`"),
        ("ant", "expected class,weight"),
        ("", "no weight for ant"),
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(error.contains(words) && error.contains("weights.csv"), "{text:?}: {error}");
    }
    assert!(read_class_weights(folder.path().join("absent.csv"), &vocab).is_err());
}
