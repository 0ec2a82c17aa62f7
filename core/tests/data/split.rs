//! Splitters and labellers.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use tallow::data::{
    EveryClassSplitter, FileNameSplitter, FnSplitter, GroupSplitter, KFold, RandomSplitter, Split, Splitter,
    StratifiedSplitter, Vocab, class_weights, path_label, read_class_weights, regex_label, sample_weights, warnings,
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

fn of_each(items: &[usize], labels: &[String]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    items.iter().for_each(|&i| *counts.entry(labels[i].clone()).or_default() += 1);
    counts
}

#[test]
fn a_stratified_split_is_scikit_learns_or_an_error() {
    // train_test_split(np.arange(21), test_size=.2, stratify=[0] * 7 + [1] * 7 + [2] * 7): 16 and 5, of which 1, 2 and
    // 2
    let (files, labels) = items(&[("a", 7), ("b", 7), ("c", 7)]);
    let split = StratifiedSplitter { valid: 0.2, seed: 3 }.split_items(&files, &labels).unwrap();
    assert_eq!((split.train.len(), split.valid.len()), (16, 5));
    let mut counts: Vec<usize> = of_each(&split.valid, &labels).into_values().collect();
    counts.sort_unstable();
    assert_eq!(counts, [1, 2, 2]);
    // Its errors: "The least populated classes in y have only 1 member", "The test_size = 2 should be greater or equal
    // to the number of classes = 5".
    let (files, labels) = items(&[("a", 2), ("b", 1)]);
    let error = StratifiedSplitter { valid: 0.5, seed: 3 }.split_items(&files, &labels).unwrap_err().to_string();
    assert!(error.contains("class `b` has a single item"), "{error}");
    let (files, labels) = items(&[("a", 2), ("b", 2), ("c", 2), ("d", 2), ("e", 2)]);
    let error = StratifiedSplitter { valid: 0.2, seed: 3 }.split_items(&files, &labels).unwrap_err().to_string();
    assert!(error.contains("8 items to train with and 2 for validation") && error.contains("all 5 classes"), "{error}");
}

#[test]
fn every_class_has_items_on_both_sides_where_it_has_two() {
    for counts in [[2, 2, 2], [1, 2, 3], [1, 1, 2], [100, 3, 2], [7, 7, 7], [40, 1, 40]] {
        let (files, labels) = items(&[("a", counts[0]), ("b", counts[1]), ("c", counts[2])]);
        for valid in [0.05, 0.2, 0.5, 0.9] {
            let split = EveryClassSplitter { valid, seed: 1 }.split_items(&files, &labels).unwrap();
            let (train, held) = (of_each(&split.train, &labels), of_each(&split.valid, &labels));
            for (class, n) in ["a", "b", "c"].into_iter().zip(counts) {
                let (t, v) = (train.get(class).copied().unwrap_or(0), held.get(class).copied().unwrap_or(0));
                assert!(t + v == n && t > 0 && (v > 0) == (n > 1), "{counts:?} {valid} {class}: {t} + {v}");
            }
        }
    }
    // Where a stratified split is possible it is the same.
    let (files, labels) = items(&[("a", 100), ("b", 10), ("c", 30)]);
    let strict = StratifiedSplitter { valid: 0.2, seed: 3 }.split_items(&files, &labels).unwrap();
    assert_eq!(EveryClassSplitter { valid: 0.2, seed: 3 }.split_items(&files, &labels).unwrap(), strict);
}

#[test]
fn folds_have_scikit_learns_sizes_and_each_item_is_for_validation_once() {
    // [np.bincount(y[va]) for tr, va in StratifiedKFold(3, shuffle=True).split(y, y)], y = [0] * 7 + [1] * 5 + [2] * 4
    let (_, labels) = items(&[("a", 7), ("b", 5), ("c", 4)]);
    let folds = KFold { k: 3, seed: 1 }.split(&labels).unwrap();
    let counts: Vec<Vec<usize>> = folds.iter().map(|f| of_each(&f.valid, &labels).into_values().collect()).collect();
    assert_eq!(counts, [[3, 1, 2], [2, 2, 1], [2, 2, 1]]);
    let mut all: Vec<usize> = folds.iter().flat_map(|fold| fold.valid.clone()).collect();
    all.sort_unstable();
    assert_eq!(all, (0..16).collect::<Vec<_>>());
    assert!(folds.iter().all(|fold| fold.train.len() + fold.valid.len() == 16));
    assert_ne!(KFold { k: 3, seed: 2 }.split(&labels).unwrap(), folds);
    assert!(KFold { k: 1, seed: 1 }.split(&labels).unwrap_err().to_string().contains("2 folds or more"));
    assert!(KFold { k: 8, seed: 1 }.split(&labels).unwrap_err().to_string().contains("7 folds or fewer"));
}

#[test]
fn groups_stay_together() {
    // [(sorted(set(g[va])), np.bincount(y[va])) for tr, va in StratifiedGroupKFold(3).split(y, y, g)] of scikit-learn's
    // own example: ([5, 6, 7], [4 3]), ([3, 8], [2 3]), ([1, 2, 4], [2 3]); which groups is chance, how many of each
    // class is not.
    let y = [0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 0, 0];
    let g = [1, 1, 2, 2, 3, 3, 3, 4, 5, 5, 5, 5, 6, 6, 7, 8, 8];
    let (labels, groups) = (y.map(|y: u32| y.to_string()).to_vec(), g.map(|g: u32| g.to_string()).to_vec());
    let check = |split: &Split| {
        let side = |items: &[usize]| items.iter().map(|&i| groups[i].clone()).collect::<BTreeSet<String>>();
        assert!(side(&split.train).is_disjoint(&side(&split.valid)), "{split:?}");
        assert_eq!(split.train.len() + split.valid.len(), 17);
    };
    let mut uneven = 0;
    for seed in 0..20 {
        let folds = KFold { k: 3, seed }.split_groups(&labels, &groups).unwrap();
        folds.iter().for_each(check);
        let mut counts: Vec<Vec<usize>> =
            folds.iter().map(|fold| of_each(&fold.valid, &labels).into_values().collect()).collect();
        counts.sort();
        uneven += usize::from(counts != [[2, 3], [2, 3], [4, 3]]);
        let files: Vec<PathBuf> = groups.iter().map(PathBuf::from).collect();
        let group = |file: &Path| Ok(file.display().to_string());
        let split = GroupSplitter { valid: 0.3, seed, group }.split_items(&files, &labels).unwrap();
        check(&split);
        let held = of_each(&split.valid, &labels);
        assert!((2..=4).contains(&held["0"]) && (2..=4).contains(&held["1"]), "{held:?}");
    }
    assert!(uneven <= 4, "{uneven} of 20 seeds spread classes less evenly than scikit-learn");
    let alone = vec!["x".to_string(); 17];
    assert!(KFold { k: 2, seed: 1 }.split_groups(&labels, &alone).unwrap_err().to_string().contains("1 groups"));
    let files = vec![PathBuf::from("x"); 17];
    let splitter = GroupSplitter { valid: 0.3, seed: 1, group: |file: &Path| Ok(file.display().to_string()) };
    assert!(splitter.split_items(&files, &labels).unwrap_err().to_string().contains("one group"));
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
fn a_regular_expression_finds_days_and_animals_in_the_folders_below_one() {
    let animal = path_label("photos", r"^[^/]+/([^/]+)/").unwrap();
    let file: PathBuf = ["photos", "cat", "tom", "2024", "1.jpg"].iter().collect();
    assert_eq!(animal(&file).unwrap(), "tom");
    // The folder itself is not part of what is searched, and a name without folders is a path too.
    assert_eq!(path_label("photos", r"(\w+)\.jpg$").unwrap()(&file).unwrap(), "1");
    assert_eq!(path_label("photos/", r"^(\w)").unwrap()(&file).unwrap(), "c");
    let error = animal(Path::new("photos/cat/1.jpg")).unwrap_err().to_string();
    assert!(error.contains("`cat/1.jpg`") && error.contains("finds nothing"), "{error}");
    assert!(path_label("photos", r"\d+").err().unwrap().to_string().contains("no group"));
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
        told[0].contains("`b` has no item in the validation set") && told[1].contains("`c` has no item to train"),
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
        ("ant,-1", "`-1` in line 1; expected a number above 0"),
        ("ant,NaN", "expected a number above 0"),
        ("cat,1\n\nant,1e-300", "`1e-300` in line 3; expected a number above 0, from 1e-30 to 1e30"),
        ("ant,1e300", "`1e300` in line 1"),
        ("ant,many", "`many`"),
        ("ant", "expected class,weight"),
        ("", "no weight for ant"),
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(error.contains(words) && error.contains("weights.csv"), "{text:?}: {error}");
    }
    assert!(read_class_weights(folder.path().join("absent.csv"), &vocab).is_err());
}
