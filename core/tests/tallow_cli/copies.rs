//! The program `tallow` and photos that are there twice, that show nothing, or that are to be seen whole.

use crate::{fails, tallow};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use tallow::rng::Rng;
use tallow::vision::Image;

/// A picture of spots, another one for each number.
fn spots(number: u64) -> Image {
    let mut rng = Rng::new(number).stream("spots");
    let spots: Vec<[f64; 4]> = (0..12).map(|_| [72.0, 48.0, 12.0, 255.0].map(|most| rng.uniform(0.0, most))).collect();
    Image::from_fn(72, 48, |x, y| {
        let covers = |[a, b, r, _]: &&[f64; 4]| (x as f64 - a).powi(2) + (y as f64 - b).powi(2) < (4.0 + r).powi(2);
        [spots.iter().find(covers).map_or(128, |spot| spot[3] as u8); 3]
    })
    .unwrap()
}

/// `n` photos of each class, of numbers from `start` on.
fn photos(root: &Path, classes: &[&str], n: u64, start: u64) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for (c, class) in (0u64..).zip(classes) {
        for i in 0..n {
            files.push(root.join(class).join(format!("{class}.{:02}.png", start + i)));
            spots(1000 * c + start + i).save(files.last().unwrap()).unwrap();
        }
    }
    files
}

#[test]
fn check_tells_of_ten_photos_twice_in_one_class_and_ten_in_two() {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path();
    let files = photos(&here.join("pets"), &["cat", "dog"], 30, 0);
    assert_eq!(tallow(&["check", "pets"], here).stdout, "60 of 60 files can be read\n");
    for (i, file) in files[..10].iter().enumerate() {
        fs::copy(file, here.join(format!("pets/cat/copy_{i}.png"))).unwrap();
        fs::copy(file, here.join(format!("pets/dog/cat_too_{i}.png"))).unwrap();
    }
    let checked = tallow(&["check", "pets"], here);
    assert_eq!(checked.code, Some(0));
    for words in [
        "10 photos are in two classes:",
        "  pets/dog/cat_too_3.png: the same bytes as pets/cat/cat.03.png",
        "10 photos are there twice in one class:",
        "  pets/cat/copy_3.png: the same bytes as pets/cat/cat.03.png",
        "80 of 80 files can be read",
    ] {
        assert!(checked.stdout.contains(words), "no `{words}` in {}", checked.stdout);
    }
    let trained = tallow(&["train", "pets", "--out", "run", "--size", "32", "--head-epochs", "1"], here);
    let told = trained.stderr;
    assert!(trained.code == Some(0), "{told}");
    // Nobody doubts it: of twenty copies and their originals a fifth is for validation.
    assert!(told.contains("on both sides of the split, byte for byte, such as pets/"), "{told}");
    assert!(told.contains("10 photos are in two classes, byte for byte"), "{told}");
}

#[test]
fn check_names_what_shows_nothing_and_lists_all_of_it_as_a_table() {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path();
    photos(&here.join("pets/train"), &["cat", "dog"], 2, 0);
    photos(&here.join("pets/valid"), &["cat", "dog"], 2, 10);
    let at = |name: &str| here.join("pets").join(name);
    Image::from_fn(40, 40, |_, _| [9; 3]).unwrap().save(at("train/cat/lens_cap.png")).unwrap();
    Image::from_fn(9, 9, |x, _| [x as u8 * 20; 3]).unwrap().save(at("train/cat/icon.png")).unwrap();
    spots(1).save(at("valid/cat/again.jpg")).unwrap(); // train/cat/cat.01.png, compressed
    fs::copy(at("train/dog/dog.00.png"), at("train/dog/named_wrongly.jpg")).unwrap();
    fs::write(at("train/dog/phone.jpg"), b"\0\0\0\x18ftypheic\0\0\0\0mif1heic").unwrap();
    let table = tallow(&["check", "pets", "--csv"], here);
    assert_eq!(table.code, Some(3));
    let text = &table.stdout;
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("file,problem,class,other,other_class,distance,words"));
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    let want = [
        ("pets/train/dog/phone.jpg", "unreadable", "dog", ""),
        ("pets/valid/cat/again.jpg", "both_sides", "cat", "pets/train/cat/cat.01.png"),
        ("pets/train/dog/named_wrongly.jpg", "copy", "dog", "pets/train/dog/dog.00.png"),
        ("pets/train/cat/lens_cap.png", "blank", "cat", ""),
        ("pets/train/cat/icon.png", "tiny", "cat", ""),
        ("pets/train/dog/named_wrongly.jpg", "other_kind", "dog", ""),
    ];
    assert_eq!(rows.iter().map(|row| (row[0], row[1], row[2], row[3])).collect::<Vec<_>>(), want);
    assert!(rows[0].join(",").contains("heif-convert"), "{text}");
    assert!(rows[1][5].parse::<u32>().is_ok_and(|distance| distance <= 26) && rows[2][5] == "0", "{text}");
}

#[test]
fn the_whole_photo_is_seen_and_an_exported_model_keeps_it() {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path();
    photos(&here.join("pets"), &["cat", "dog"], 6, 0);
    let train = |args: &[&str]| {
        let fixed = ["train", "pets", "--out", "run", "--size", "32", "--head-epochs", "1", "--batch-size", "4"];
        let trained = tallow(&[&fixed[..], args].concat(), here);
        let told = trained.stderr;
        assert!(trained.code == Some(0), "{args:?}: {told}");
        let exported = fs::read_to_string(here.join("run/model/learner.json")).unwrap();
        let exported: Value = serde_json::from_str(&exported).unwrap();
        fs::remove_dir_all(here.join("run")).unwrap();
        (exported["recipe"]["transforms"][0].clone(), told)
    };
    let (step, told) = train(&[]);
    assert!(step["method"] == "short_side" && step["width"] == 36, "{step}");
    assert!(!told.contains("without effect"), "{told}");
    let (step, told) = train(&["--resize", "squish", "--no-flip", "--mixup", "--precision", "bf16"]);
    assert!(step["method"] == "squish" && step["width"] == 32, "{step}");
    assert!(told.contains("--no-flip and --mixup are without effect"), "{told}");
    assert!(told.contains("--precision is without effect: heads train in f32"), "{told}");
    let strong = ["--resize", "pad", "--pad", "zeros", "--augment", "strong", "--epochs", "1", "--precision", "bf16"];
    let (step, told) = train(&strong);
    assert!(step["method"]["pad"] == "zeros" && step["random"] == false, "{step}");
    assert!(!told.contains("without effect"), "{told}");
    let (_, told) = train(&["--pad", "zeros", "--augment", "none", "--flip-vert", "--mixup", "1", "--epochs", "1"]);
    assert!(told.contains("--pad is without effect") && told.contains("`--augment none` changes no photo"), "{told}");
    fails(&tallow(&["train", "pets", "--mixup=-1"], here), 2, &["a number above 0"]);
}
