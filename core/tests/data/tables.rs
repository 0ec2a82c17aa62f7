//! Labels from a table, groups, and cross-validation.

use crate::classes;
use std::collections::BTreeSet;
use std::path::Path;
use tallow::data::{DataBlock, LabelTable, LabelledImages, Side, TableColumns, regex_label};

/// The images that a table with this text gives, in a folder with `0/000.png` to `0/003.png` and `1/000.png` to
/// `1/001.png`.
fn labelled(text: &str, columns: &TableColumns) -> Result<LabelledImages, String> {
    let dir = tempfile::tempdir().unwrap();
    let images = dir.path().join("images");
    classes(&images, &[("0", 4), ("1", 2)]);
    let table = dir.path().join("labels.csv");
    std::fs::write(&table, text).unwrap();
    let table = LabelTable::read(&table, columns).map_err(|e| e.to_string())?;
    let mut labelled = table.images_in(&images).map_err(|e| e.to_string())?;
    for image in &mut labelled.images {
        image.file = image.file.strip_prefix(&images).unwrap().to_path_buf();
    }
    Ok(labelled)
}

#[test]
fn a_table_says_classes_sides_and_groups() {
    let text = "Image;breed;split;animal\n1/000.png;pug;train;x\n./0/001;\"Pug, old\";val;y\n0/000.png;pug;test;x\n";
    let columns = TableColumns { group: Some("animal".into()), ..TableColumns::default() };
    let read = labelled(text, &columns).unwrap();
    let images: Vec<_> = read
        .images
        .iter()
        .map(|i| (i.file.to_str().unwrap(), i.labels[0].as_str(), i.side.unwrap(), i.group.as_deref().unwrap()))
        .collect();
    assert_eq!(
        images,
        [
            ("0/000.png", "pug", Side::Test, "x"),
            ("0/001.png", "Pug, old", Side::Valid, "y"),
            ("1/000.png", "pug", Side::Train, "x")
        ]
    );
    assert!(
        read.notes.iter().any(|note| note.contains("3 pictures of the folder are not in the table")),
        "{:?}",
        read.notes
    );
}

#[test]
fn columns_are_found_by_their_usual_heads_or_by_name() {
    for (text, columns) in [
        ("0/000.png,a\n", None), // no heads at all: the first row would be lost
        ("fname,labels,is_valid\n0/000.png,a,True\n0/001.png,b,False\n", Some(TableColumns::default())),
        ("x,y\n0/000.png,a\n0/001.png,b\n", Some(TableColumns::default())),
        ("\u{feff}id\tClass\n0/000\ta\n0/001\tb\n", Some(TableColumns::default())),
        (
            "n,what,where\n1,b,0/001.png\n2,a,0/000.png\n",
            Some(TableColumns { file: Some("where".into()), label: Some("what".into()), ..TableColumns::default() }),
        ),
    ] {
        match columns {
            None => {
                let error = labelled(text, &TableColumns::default()).unwrap_err();
                assert!(error.contains("`0/000.png`, which is the name of a picture"), "{error}");
            }
            Some(columns) => {
                let images = labelled(text, &columns).unwrap().images;
                let labels: Vec<&str> = images.iter().map(|image| image.labels[0].as_str()).collect();
                assert_eq!(labels, ["a", "b"], "{text}");
            }
        }
    }
}

#[test]
fn what_is_wrong_with_a_table_is_said_with_its_line() {
    let default = TableColumns::default();
    let named = |label: &str| TableColumns { label: Some(label.into()), ..TableColumns::default() };
    for (text, columns, words) in [
        ("file,label\n0/000.png,a\n0/000.png,b\n", &default, &["`0/000.png` twice", "lines 2 and 3"][..]),
        ("file,label\n0/000.png,a\n0/000,b\n", &default, &["000.png in line", "another one"]),
        ("file,label\n0/000.png,\n", &default, &["line 2", "no class"]),
        ("file,label\n,a\n", &default, &["line 2", "empty cell"]),
        ("file,label,split\n0/000.png,a,sometimes\n", &default, &["line 2", "`sometimes`", "train, valid or test"]),
        ("file,label\n0/000.png,a,b\n", &default, &["not a table"]),
        ("file,x,y2\n0/000.png,a,b\n", &default, &["which of its columns (file, x, y2)"]),
        ("file,label\n0/000.png,a\n", &named("kind"), &["no column `kind`", "file, label"]),
        ("file,label\nnowhere.png,a\n", &default, &["none of them, such as `nowhere.png`"]),
        ("file,label\n000.png,a\n", &default, &["none of them, such as `000.png`", "000.png` is: write paths below"]),
    ] {
        let error = labelled(text, columns).unwrap_err();
        assert!(words.iter().all(|word| error.contains(word)), "{text}: {error}");
    }
    let dir = tempfile::tempdir().unwrap();
    let table = dir.path().join("latin.csv");
    std::fs::write(&table, b"file,label\na.png,ni\xf1o\n").unwrap();
    let error = LabelTable::read(&table, &default).unwrap_err().to_string();
    assert!(error.contains("not UTF-8 (line 2)"), "{error}");
}

#[test]
fn a_first_line_that_names_a_photo_is_no_line_of_heads() {
    let default = TableColumns::default();
    for text in ["0/000,a\n0/001,b\n", "a,0/000.png\nb,0/001.png\n"] {
        let error = labelled(text, &default).unwrap_err();
        assert!(error.contains("labels.csv: begins with `") && error.contains("write a line of heads"), "{error}");
    }
}

#[test]
fn which_of_several_columns_is_taken_is_told() {
    let read = labelled("file,class,label\n0/000.png,a,z\n0/001.png,b,z\n", &TableColumns::default()).unwrap();
    assert_eq!(read.images[1].labels, ["b"]);
    let told = read.notes.iter().any(|note| note.contains("the column `class`, and not from `label`"));
    assert!(told, "{:?}", read.notes);
    let read = labelled("photo,mood\n0/000.png,a\n0/001.png,b\n", &TableColumns::default()).unwrap();
    let told =
        read.notes.iter().any(|note| note.contains("takes the column `photo` as the file and `mood` as the class"));
    assert!(told, "{:?}", read.notes);
    let named = TableColumns { label: Some("label".into()), ..TableColumns::default() };
    let read = labelled("file,class,label\n0/000.png,a,z\n0/001.png,b,z\n", &named).unwrap();
    assert!(read.images[1].labels == ["z"] && !read.notes.iter().any(|note| note.contains("class")));
}

#[test]
fn a_column_of_sides_that_leaves_one_empty_is_refused_and_no_other_split_is_drawn() {
    let dir = tempfile::tempdir().unwrap();
    classes(dir.path(), &[("p", 8)]);
    let table = dir.path().join("labels.csv");
    let block = |head: &str, cells: [&str; 3]| {
        let row = |i: usize| format!("p/{i:03}.png,{},{}\n", ["a", "b"][i % 2], cells[i.min(2)]);
        std::fs::write(&table, format!("file,label,{head}\n") + &(0..8).map(row).collect::<String>()).unwrap();
        let images = LabelTable::read(&table, &TableColumns::default()).unwrap().images_in(dir.path()).unwrap();
        DataBlock::images().labelled(images).item_tfms([tallow::vision::Resize::squish(8)]).workers(0)
    };
    for (head, cell, words) in [
        ("is_valid", "False", "column `is_valid` none of them for validation: mark some rows, or leave the column out"),
        ("split", "train", "column `split` none of them for validation"),
        ("is_valid", "True", "column `is_valid` all of them for other sides, and none to train with"),
    ] {
        let error = block(head, [cell; 3]).dataloaders(dir.path(), 2).err().unwrap().to_string();
        assert!(error.contains("labels.csv: names 8 pictures") && error.contains(words), "{error}");
    }
    // Folds are drawn where no row is for validation, and a test set leaves the rest to be split, aloud.
    assert_eq!(block("is_valid", ["no"; 3]).folds(dir.path(), 2, 2).unwrap().len(), 2);
    let summary = block("split", ["test", "test", "train"]).summary(dir.path(), 2).unwrap();
    assert!(summary.contains("`split` marks none for validation: 2 of the 6"), "{summary}");
    assert_eq!(block("is_valid", ["1", "1", "0"]).dataloaders(dir.path(), 2).unwrap().valid.n_items(), 2);
}

#[test]
fn rows_without_a_file_are_told() {
    let read = labelled("file,label\n0/000.png,a\n0/001.png,b\nx.png,a\n", &TableColumns::default()).unwrap();
    assert_eq!(read.images.len(), 2);
    assert!(read.notes[0].contains("1 of 3 rows") && read.notes[0].contains("x.png"), "{:?}", read.notes);
}

#[test]
fn groups_are_on_one_side_and_in_one_fold() {
    let dir = tempfile::tempdir().unwrap();
    // Twelve animals of each class, three photos each: 000, 100, 200 are of one.
    for class in ["cat", "dog"] {
        for i in 0..36 {
            let file = dir.path().join(class).join(format!("{:02}_{}.png", i / 3, i % 3));
            tallow::vision::Image::from_fn(4, 4, |x, _| [i as u8, x as u8, 0]).unwrap().save(file).unwrap();
        }
    }
    let group = regex_label(r"^(\d+)_").unwrap();
    let images = LabelledImages::from_folder(dir.path()).unwrap();
    let images =
        images.grouped(|file: &Path| Ok(format!("{}{}", file.parent().unwrap().display(), group(file)?))).unwrap();
    let block = DataBlock::images().labelled(images).workers(0);
    let groups = |files: &[std::path::PathBuf]| -> BTreeSet<String> {
        files.iter().map(|file| file.display().to_string().rsplit_once('_').unwrap().0.to_string()).collect()
    };
    let dls = block.dataloaders(dir.path(), 4).unwrap();
    assert!(groups(dls.train.files()).is_disjoint(&groups(dls.valid.files())));
    assert!(dls.counts().iter().all(|&(train, valid)| train + valid == 36 && (6..=9).contains(&valid)));

    let folds = block.folds(dir.path(), 4, 4).unwrap();
    let mut judged = Vec::new();
    for dls in &folds {
        assert!(groups(dls.train.files()).is_disjoint(&groups(dls.valid.files())));
        assert_eq!(dls.counts(), [(27, 9), (27, 9)]);
        judged.extend_from_slice(dls.valid.files());
    }
    judged.sort();
    judged.dedup();
    assert_eq!(judged.len(), 72);

    let split = tempfile::tempdir().unwrap();
    classes(split.path(), &[("train/a", 4), ("train/b", 4), ("val/a", 1), ("val/b", 1)]);
    let error = DataBlock::images().folds(split.path(), 2, 4).err().unwrap().to_string();
    assert!(error.contains("named already"), "{error}");
}
