//! Folders as people have them: which class and which side each picture gets, and that nothing is left out silently.

use crate::classes;
use std::path::Path;
use tallow::data::{DataBlock, FolderLayout, ImageDataLoaders, Side, image_files, regex_label};
use tallow::event::{Event, Listener};

/// The loaders of a folder by the defaults, and what was told of it.
fn read(root: &Path) -> (Result<ImageDataLoaders, String>, String) {
    let notes = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
    let heard = notes.clone();
    let listener = Listener::new(move |event| {
        if let Event::Note(note) = event {
            *heard.lock().unwrap() += &format!("{note}\n");
        }
    });
    let dls = DataBlock::images().workers(0).listener(listener).dataloaders(root, 2).map_err(|e| e.to_string());
    let notes = notes.lock().unwrap().clone();
    (dls, notes)
}

/// What a layout should be read as: classes, their numbers to train with and for validation, test items, and words
/// of each note that must be there.
struct Case {
    name: &'static str,
    folders: &'static [(&'static str, usize)],
    counts: &'static [(&'static str, usize, usize)],
    test: usize,
    notes: &'static [&'static str],
}

const CASES: &[Case] = &[
    Case {
        name: "a folder for each class",
        folders: &[("cat", 10), ("dog", 5)],
        counts: &[("cat", 8, 2), ("dog", 4, 1)],
        test: 0,
        notes: &[],
    },
    Case {
        name: "train and valid, as fast.ai has them",
        folders: &[("train/cat", 4), ("train/dog", 3), ("valid/cat", 2), ("valid/dog", 1)],
        counts: &[("cat", 4, 2), ("dog", 3, 1)],
        test: 0,
        notes: &[],
    },
    Case {
        name: "train and val, as PyTorch's tutorial has them, in capitals",
        folders: &[("Train/cat", 4), ("Train/dog", 3), ("VAL/cat", 2), ("VAL/dog", 1)],
        counts: &[("cat", 4, 2), ("dog", 3, 1)],
        test: 0,
        notes: &[],
    },
    Case {
        name: "training, validation and testing",
        folders: &[("training/a", 3), ("training/b", 3), ("validation/a", 1), ("validation/b", 1), ("testing/a", 2)],
        counts: &[("a", 3, 1), ("b", 3, 1)],
        test: 2,
        notes: &[],
    },
    Case {
        name: "training_set and test_set, as Kaggle's cats and dogs",
        folders: &[("training_set/cat", 5), ("training_set/dog", 5), ("test_set/cat", 2), ("test_set/dog", 2)],
        counts: &[("cat", 4, 1), ("dog", 4, 1)],
        test: 4,
        notes: &[],
    },
    Case {
        name: "seg_train/seg_train, as Intel's image classification",
        folders: &[("seg_train/seg_train/sea", 5), ("seg_train/seg_train/forest", 5), ("seg_test/seg_test/sea", 2)],
        counts: &[("forest", 4, 1), ("sea", 4, 1)],
        test: 2,
        notes: &[],
    },
    Case {
        name: "train alone",
        folders: &[("train/cat", 5), ("train/dog", 5)],
        counts: &[("cat", 4, 1), ("dog", 4, 1)],
        test: 0,
        notes: &[],
    },
    Case {
        name: "a test set without labels",
        folders: &[("train/cat", 5), ("train/dog", 5), ("test", 3)],
        counts: &[("cat", 4, 1), ("dog", 4, 1)],
        test: 0,
        notes: &["test: 3 pictures are left out: they lie in no class folder"],
    },
    Case {
        name: "an unlabelled test set beside the classes",
        folders: &[("cat", 5), ("dog", 5), ("test", 3)],
        counts: &[("cat", 4, 1), ("dog", 4, 1)],
        test: 0,
        notes: &["test: 3 pictures are left out"],
    },
    Case {
        name: "labelled validation beside the classes",
        folders: &[("cat", 5), ("dog", 5), ("val/cat", 2), ("val/dog", 1)],
        counts: &[("cat", 5, 2), ("dog", 5, 1)],
        test: 0,
        notes: &[],
    },
    Case {
        name: "the side below the class",
        folders: &[("cat/train", 4), ("cat/val", 2), ("dog/train", 3), ("dog/val", 1)],
        counts: &[("cat", 4, 2), ("dog", 3, 1)],
        test: 0,
        notes: &[],
    },
    Case {
        name: "folders in the class folders",
        folders: &[("train/cat/siamese", 3), ("train/dog", 3), ("valid/cat/siamese/old", 1), ("valid/dog", 1)],
        counts: &[("cat", 3, 1), ("dog", 3, 1)],
        test: 0,
        notes: &["class `cat`: 4 of its pictures lie in folders below"],
    },
    Case {
        name: "folders in the class folders, without sides",
        folders: &[("cat/siamese", 5), ("cat", 5), ("dog/poodle/small", 5)],
        counts: &[("cat", 8, 2), ("dog", 4, 1)],
        test: 0,
        notes: &["class `cat`: 5 of its pictures", "class `dog`: 5 of its pictures"],
    },
    Case {
        name: "a folder around everything",
        folders: &[
            ("data/pets/train/cat", 3),
            ("data/pets/train/dog", 3),
            ("data/pets/dev/cat", 1),
            ("data/pets/dev/dog", 1),
        ],
        counts: &[("cat", 3, 1), ("dog", 3, 1)],
        test: 0,
        notes: &[],
    },
    Case {
        name: "strays beside the class folders",
        folders: &[("cat", 5), ("dog", 5), (".", 2)],
        counts: &[("cat", 4, 1), ("dog", 4, 1)],
        test: 0,
        notes: &["2 pictures are left out: they lie beside the class folders"],
    },
    Case {
        name: "strays beside the class folders of a side",
        folders: &[("train/cat", 3), ("train/dog", 3), ("valid/cat", 1), ("valid/dog", 1), ("train", 2), ("valid", 1)],
        counts: &[("cat", 3, 1), ("dog", 3, 1)],
        test: 0,
        notes: &["train: 2 pictures are left out", "valid: 1 picture is left out"],
    },
    Case {
        name: "a folder that is not a side",
        folders: &[("train/cat", 3), ("train/dog", 3), ("valid/cat", 1), ("valid/dog", 1), ("more/cat", 7)],
        counts: &[("cat", 3, 1), ("dog", 3, 1)],
        test: 0,
        notes: &["7 pictures are left out: they belong to no side"],
    },
    Case {
        name: "a class of trains",
        folders: &[("bus", 5), ("car", 5), ("train", 5)],
        counts: &[("bus", 4, 1), ("car", 4, 1), ("train", 4, 1)],
        test: 0,
        notes: &[],
    },
    Case {
        name: "names that hold a side's name and are classes",
        folders: &[("test tube", 5), ("train station", 5), ("valley", 5)],
        counts: &[("test tube", 4, 1), ("train station", 4, 1), ("valley", 4, 1)],
        test: 0,
        notes: &[],
    },
    Case {
        name: "a class that only validation and test know",
        folders: &[
            ("train/cat", 3),
            ("train/dog", 3),
            ("val/cat", 1),
            ("val/dog", 1),
            ("val/bird", 2),
            ("test/bird", 1),
        ],
        counts: &[("cat", 3, 1), ("dog", 3, 1)],
        test: 0,
        notes: &["class `bird` has no item to train with, so it is not a class of the model; its 3 pictures"],
    },
    Case {
        name: "a class that validation does not know",
        folders: &[("train/cat", 3), ("train/dog", 3), ("train/bird", 3), ("val/cat", 1), ("val/dog", 1)],
        counts: &[("bird", 3, 0), ("cat", 3, 1), ("dog", 3, 1)],
        test: 0,
        notes: &["class `bird` has no item in the validation set"],
    },
    Case {
        name: "a class of one picture",
        folders: &[("cat", 5), ("dog", 5), ("bird", 1)],
        counts: &[("bird", 1, 0), ("cat", 4, 1), ("dog", 4, 1)],
        test: 0,
        notes: &["class `bird` has no item in the validation set"],
    },
    Case {
        name: "two of each of five classes, of which a fifth is two",
        folders: &[("a", 2), ("b", 2), ("c", 2), ("d", 2), ("e", 2)],
        counts: &[("a", 1, 1), ("b", 1, 1), ("c", 1, 1), ("d", 1, 1), ("e", 1, 1)],
        test: 0,
        notes: &["5 of 10 items are for validation instead of 2, so that each class has one there"],
    },
];

#[test]
fn each_layout_is_read_as_it_is_meant() {
    for Case { name, folders, counts, test, notes } in CASES {
        let dir = tempfile::tempdir().unwrap();
        classes(dir.path(), folders);
        let (dls, told) = read(dir.path());
        let dls = dls.unwrap_or_else(|e| panic!("{name}: {e}"));
        let read: Vec<(&str, usize, usize)> =
            dls.vocab().classes().iter().zip(dls.counts()).map(|(class, (t, v))| (class.as_str(), t, v)).collect();
        assert_eq!(read, *counts, "{name}");
        assert_eq!(dls.test.as_ref().map_or(0, |test| test.n_items()), *test, "{name}");
        for words in *notes {
            assert!(told.contains(words), "{name}: no `{words}` in {told}");
        }
        // What is neither used nor told of would be left out silently.
        let used = dls.train.n_items() + dls.valid.n_items() + test;
        let all = image_files(dir.path()).unwrap().len();
        assert!(used == all || told.contains("left out"), "{name}: {used} of {all} are used, and nothing is told");
        if notes.is_empty() {
            assert!(told.is_empty(), "{name}: {told}");
        }
    }
}

#[test]
fn what_could_be_read_in_two_ways_is_refused_with_what_was_found() {
    for (folders, words) in [
        (&[("train/a", 2), ("training/a", 2), ("val/a", 1)][..], ["`train` and `training`", "to train with"]),
        (&[("train/a", 2), ("val/a", 1), ("Validation/a", 1)], ["`Validation` and `val`", "for validation"]),
        (&[("site1/x/train", 2), ("site1/x/val", 1), ("site2/y", 3)], ["site1/x/train", "site1/x/val"]),
        (&[("cat", 1), ("dog", 1)], ["of its 2 items", "two of a class or more"]),
    ] {
        let dir = tempfile::tempdir().unwrap();
        classes(dir.path(), folders);
        let error = read(dir.path()).0.err().unwrap();
        assert!(words.iter().all(|word| error.contains(word)), "{error}");
    }
}

#[test]
fn a_photo_of_the_test_set_that_is_trained_on_is_told() {
    let dir = tempfile::tempdir().unwrap();
    classes(dir.path(), &[("train/cat", 3), ("train/dog", 3), ("valid/cat", 1), ("valid/dog", 1)]);
    std::fs::create_dir_all(dir.path().join("test/cat")).unwrap();
    std::fs::copy(dir.path().join("train/cat/001.png"), dir.path().join("test/cat/x.png")).unwrap();
    let told = read(dir.path()).1;
    assert!(told.contains("on both sides of the split") && told.contains("test/cat/x.png"), "{told}");
}

#[test]
fn labels_in_names_keep_the_sides_of_folders() {
    let dir = tempfile::tempdir().unwrap();
    for (folder, n) in [("train", 6), ("test1", 2), ("elsewhere", 1)] {
        for (i, class) in (0..n).zip(["cat", "dog"].into_iter().cycle()) {
            let file = dir.path().join(folder).join(format!("{class}.{i}.png"));
            tallow::vision::Image::from_fn(4, 4, |_, _| [i as u8; 3]).unwrap().save(file).unwrap();
        }
    }
    let block = DataBlock::images().label(regex_label(r"^(\w+)\.\d+\.png$").unwrap());
    let dls = block.dataloaders(dir.path(), 2).unwrap();
    assert_eq!((dls.counts(), dls.test.map(|test| test.n_items())), (vec![(2, 1), (2, 1)], Some(2)));
}

#[cfg(unix)]
#[test]
fn a_folder_whose_name_is_no_utf8_is_named_with_the_remedy() {
    use std::os::unix::ffi::OsStrExt;
    let dir = tempfile::tempdir().unwrap();
    classes(dir.path(), &[("cat", 2)]);
    let odd = dir.path().join(std::ffi::OsStr::from_bytes(b"perro_\xf1"));
    if std::fs::create_dir(&odd).is_err() {
        eprintln!("skipped: this file system has no such names");
        return;
    }
    std::fs::copy(dir.path().join("cat/000.png"), odd.join("0.png")).unwrap();
    let error = read(dir.path()).0.err().unwrap();
    assert!(error.contains(r#""perro_\xF1" is not valid UTF-8"#) && error.contains("rename"), "{error}");
}

#[test]
fn names_of_sides_are_known_in_many_forms() {
    for (name, side) in [
        ("train", Some(Side::Train)),
        ("TRAINING", Some(Side::Train)),
        ("train_images", Some(Side::Train)),
        ("Val", Some(Side::Valid)),
        ("dev-set", Some(Side::Valid)),
        ("test2", Some(Side::Test)),
        ("cats", None),
        ("images", None),
        ("train and test", None),
        ("devil", None),
        ("", None),
    ] {
        assert_eq!(Side::of_folder(name), side, "{name}");
    }
    let dir = tempfile::tempdir().unwrap();
    assert!(!FolderLayout::read(dir.path(), &[]).unwrap().has_sides());
}
