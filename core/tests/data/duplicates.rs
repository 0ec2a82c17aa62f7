//! Files that are there twice, and what else a look at each tells.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tallow::data::{
    DataBlock, GrandparentSplitter, ImageFacts, duplicates_across, equal_files, files_with_pages, find_duplicates,
    inspect_images,
};
use tallow::event::{Event, Listener};
use tallow::rng::Rng;
use tallow::vision::{CenterCrop, Image, PerceptualHash, Resize};
use tempfile::tempdir;

/// A picture of waves of many lengths, another one for each number.
fn scene(number: u64, width: usize, height: usize) -> Image {
    let mut rng = Rng::new(number).stream("scene");
    let waves: Vec<[f64; 4]> = (0..24)
        .map(|_| {
            let [x, y] = [0, 1].map(|_| rng.uniform(-40.0, 40.0));
            [x, y, rng.uniform(0.0, 6.3), rng.uniform(2.0, 12.0)]
        })
        .collect();
    Image::from_fn(width, height, |x, y| {
        let (x, y) = (x as f64 / width as f64, y as f64 / height as f64);
        let level: f64 = waves.iter().map(|[a, b, phase, size]| size * (a * x + b * y + phase).sin()).sum();
        [0.0, 20.0, 40.0].map(|more| (110.0 + more + level).clamp(0.0, 255.0) as u8)
    })
    .unwrap()
}

fn save(picture: &Image, file: &Path) -> PathBuf {
    picture.save(file).unwrap();
    file.to_path_buf()
}

#[test]
fn copies_have_nearly_the_same_hash_and_other_pictures_do_not() {
    let dir = tempdir().unwrap();
    let original = scene(0, 320, 240);
    let hash = PerceptualHash::of(&original).unwrap();
    assert_eq!(hash.distance(&hash), 0);
    let brighter = Image::from_fn(320, 240, |x, y| original.pixel(x, y).map(|v| v.saturating_add(30))).unwrap();
    let jpeg = Image::open(save(&original, &dir.path().join("a.jpg"))).unwrap();
    let smaller = original.resize(Resize::squish(0).size(160, 120)).unwrap();
    let cropped = CenterCrop { width: 312, height: 234 }.apply(&original).unwrap();
    for (name, copy) in [("brighter", brighter), ("jpeg", jpeg), ("smaller", smaller), ("cropped", cropped)] {
        let distance = hash.distance(&PerceptualHash::of(&copy).unwrap());
        assert!(distance <= PerceptualHash::NEAR, "{name}: {distance}");
    }
    // Bits that are thrown like coins differ in 72 of 144, give or take 6.
    for other in 1..20 {
        let distance = hash.distance(&PerceptualHash::of(&scene(other, 320, 240)).unwrap());
        assert!(distance > 40, "scene {other}: {distance}");
    }
    // Pictures that are smaller than the hash have one too.
    for (width, height) in [(1, 1), (2, 1), (7, 300)] {
        PerceptualHash::of(&scene(0, width, height)).unwrap();
    }
}

#[test]
fn copies_are_found_and_each_is_named_with_the_nearest_before_it() {
    let dir = tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let mut files: Vec<PathBuf> = (0..30).map(|i| save(&scene(i, 120, 90), &at(&format!("a{i:02}.png")))).collect();
    fs::copy(&files[3], at("b_equal.png")).unwrap();
    save(&scene(5, 60, 45), &at("b_small.png"));
    save(&scene(5, 120, 90), &at("b_jpeg.jpg"));
    fs::write(at("c_text.jpg"), "no photo").unwrap();
    fs::write(at("c_text_too.jpg"), "no photo").unwrap();
    fs::write(at("d_empty.jpg"), "").unwrap();
    fs::write(at("d_empty_too.jpg"), "").unwrap();
    // White, and nearly white: each is blank, and neither a copy of the other.
    save(&Image::from_fn(60, 60, |_, _| [255; 3]).unwrap(), &at("e_white.png"));
    save(&Image::from_fn(60, 60, |x, _| [250 + (x % 2) as u8; 3]).unwrap(), &at("e_whitish.png"));
    let more = ["b_equal.png", "b_small.png", "b_jpeg.jpg", "c_text.jpg", "c_text_too.jpg", "d_empty.jpg"];
    files.extend(more.map(at));
    files.extend(["d_empty_too.jpg", "e_white.png", "e_whitish.png", "f_is_not_there.png"].map(at));

    let found = find_duplicates(&files);
    let name = |file: &Path| file.file_name().unwrap().to_string_lossy().into_owned();
    let pairs: Vec<(String, String, bool)> =
        found.iter().map(|d| (name(&d.file), name(&d.other), d.is_equal)).collect();
    let want = [
        ("b_equal.png", "a03.png", true),
        ("b_small.png", "a05.png", false),
        ("b_jpeg.jpg", "a05.png", false),
        ("c_text_too.jpg", "c_text.jpg", true),
    ];
    assert_eq!(pairs, want.map(|(file, other, equal)| (file.to_string(), other.to_string(), equal)));
    assert!(found.iter().all(|d| d.distance <= PerceptualHash::NEAR && (!d.is_equal || d.distance == 0)));
    assert_eq!(equal_files(&files), [vec![3, 30], vec![33, 34]]);

    let facts = inspect_images(&files);
    let blank: Vec<usize> = (0..files.len()).filter(|&i| facts[i].as_ref().is_ok_and(|f| f.is_blank)).collect();
    assert_eq!(blank, [37, 38]);
    assert_eq!(facts.iter().filter(|facts| facts.is_err()).count(), 5);
}

#[test]
fn every_pair_that_is_near_is_found() {
    // Pictures that differ step by step: all distances occur. The plain way compares every pair.
    let dir = tempdir().unwrap();
    let (one, other) = (scene(1, 96, 96), scene(2, 96, 96));
    let mixed = |i: usize| {
        let mix = |a: u8, b: u8| ((usize::from(a) * (24 - i) + usize::from(b) * i) / 24) as u8;
        Image::from_fn(96, 96, |x, y| [0, 1, 2].map(|c| mix(one.pixel(x, y)[c], other.pixel(x, y)[c]))).unwrap()
    };
    let files: Vec<PathBuf> =
        (0..=24).map(|i| save(&mixed(i * 11 % 25), &dir.path().join(format!("{i:02}.png")))).collect();
    let hashes: Vec<PerceptualHash> =
        files.iter().map(|file| PerceptualHash::of(&Image::open(file).unwrap()).unwrap()).collect();
    let mut want = Vec::new();
    for i in 0..files.len() {
        let nearest = (0..i).map(|j| (hashes[i].distance(&hashes[j]), j)).min();
        if let Some((distance, j)) = nearest.filter(|(distance, _)| *distance <= PerceptualHash::NEAR) {
            want.push((files[i].clone(), files[j].clone(), distance));
        }
    }
    let found: Vec<_> = find_duplicates(&files).into_iter().map(|d| (d.file, d.other, d.distance)).collect();
    assert_eq!(found, want);
    let far = want.iter().filter(|(_, _, distance)| *distance > 6).count();
    assert!(want.len() > 10 && far > 3, "{} pairs, {far} of them far", want.len());
}

#[test]
fn what_a_look_at_a_file_tells() {
    let dir = tempdir().unwrap();
    let file = save(&scene(0, 40, 31), &dir.path().join("a.png"));
    let facts = ImageFacts::of_file(&file).unwrap();
    assert_eq!((facts.width, facts.height, facts.pages, facts.other_content), (40, 31, 1, None));
    assert!(facts.is_tiny() && !facts.is_blank);
    let named_wrongly = dir.path().join("b.jpg");
    fs::copy(&file, &named_wrongly).unwrap();
    assert_eq!(ImageFacts::of_file(&named_wrongly).unwrap().other_content, Some("PNG"));
    assert!(!ImageFacts::of_file(save(&scene(0, 40, 32), &file)).unwrap().is_tiny());
    fs::write(&file, "text").unwrap();
    assert!(ImageFacts::of_file(&file).unwrap_err().to_string().contains("a.png: is not a picture"));
}

#[test]
fn training_is_warned_of_copies_across_the_split_and_in_two_classes_and_of_pages() {
    let dir = tempdir().unwrap();
    for (side, start, n) in [("train", 0, 6), ("valid", 20, 3)] {
        for class in ["cat", "dog"] {
            let folder = dir.path().join(side).join(class);
            fs::create_dir_all(&folder).unwrap();
            for i in 0..n {
                let number = start + i + if class == "dog" { 100 } else { 0 };
                save(&scene(number, 32, 32), &folder.join(format!("{i}.png")));
            }
        }
    }
    let at = |name: &str| dir.path().join(name);
    let warnings = || {
        let notes = Arc::new(Mutex::new(Vec::new()));
        let told = notes.clone();
        let listener = Listener::new(move |event| {
            if let Event::Note(note) = event {
                told.lock().unwrap().push(note.to_string());
            }
        });
        let block = DataBlock::images().split(GrandparentSplitter::default()).listener(listener);
        block.dataloaders(dir.path(), 2).unwrap();
        let notes = notes.lock().unwrap();
        notes.join("\n")
    };
    assert_eq!(warnings(), "");
    fs::copy(at("train/cat/1.png"), at("valid/cat/copy.png")).unwrap();
    fs::copy(at("train/cat/2.png"), at("valid/cat/copy2.png")).unwrap();
    fs::copy(at("train/dog/2.png"), at("train/cat/dog.png")).unwrap();
    let two_pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vision/fixtures/pictures/two_pages.tif");
    fs::copy(two_pages, at("train/cat/scan.tif")).unwrap();
    let told = warnings();
    for words in [
        "2 photos are on both sides of the split, byte for byte, such as",
        "1 photo is in two classes, byte for byte",
        "train/cat/dog.png",
        "1 file has several pages, such as",
        "scan.tif with 2: the first page is used",
    ] {
        assert!(told.contains(words), "no `{words}` in {told}");
    }
    let side = |names: &[&str]| names.iter().map(|name| at(name)).collect::<Vec<PathBuf>>();
    let (train, valid) = (side(&["train/cat/0.png", "train/cat/1.png"]), side(&["valid/cat/copy.png"]));
    assert_eq!(duplicates_across(&train, &valid), [(train[1].clone(), valid[0].clone())]);
    assert_eq!(duplicates_across(&valid, &train[..1]), []);
    assert_eq!(files_with_pages(&side(&["train/cat/0.png", "train/cat/scan.tif"])), [(at("train/cat/scan.tif"), 2)]);
}
