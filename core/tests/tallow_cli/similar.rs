//! `tallow similar`: photos like one, and an index that follows its folder.

use crate::{fails, shoes, tallow};
use std::fs;

#[test]
fn the_same_photo_comes_first_and_only_new_ones_are_computed() {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path();
    let files = shoes(&here.join("shoes"), 12);
    let trained = tallow(&["train", "shoes", "--out", "run", "--size", "64", "--head-epochs", "1"], here);
    assert_eq!(trained.code, Some(0), "{}", trained.stderr);
    let search = |more: &[&str]| tallow(&[&["similar", "run", "shoes/Sneaker/003.png", "shoes"], more].concat(), here);
    let first = search(&["--top", "5"]);
    assert!(first.stderr.contains("24 photos, of which 24 are new"), "{}", first.stderr);
    let lines: Vec<&str> = first.stdout.lines().collect();
    assert_eq!((lines.len(), lines[0]), (5, "1.0000  shoes/Sneaker/003.png"));
    let sneakers = lines.iter().filter(|line| line.contains("Sneaker")).count();
    assert!(sneakers >= 4, "a sneaker is like sneakers: {}", first.stdout);

    // Nothing is new; then one photo is, one has changed, one is gone and one is no photo.
    let again = search(&["--top", "5"]);
    assert!(again.stderr.contains("24 photos, of which 0 are new") && again.stdout == first.stdout, "{}", again.stderr);
    fs::copy(&files[3], here.join("shoes/Sneaker/twin.png")).unwrap();
    fs::copy(&files[0], &files[20]).unwrap();
    fs::remove_file(&files[1]).unwrap();
    fs::write(here.join("shoes/Sneaker/text.png"), "text").unwrap();
    let changed = search(&["--top", "2"]);
    assert!(changed.stderr.contains("24 photos, of which 3 are new"), "{}", changed.stderr);
    assert!(changed.stderr.contains("left out: shoes/Sneaker/text.png: is not"), "{}", changed.stderr);
    assert_eq!(changed.stdout, "1.0000  shoes/Sneaker/003.png\n1.0000  shoes/Sneaker/twin.png\n");

    // A damaged index, and one of another network, are made anew.
    fs::write(here.join("shoes/.tallow-index.safetensors"), "damaged").unwrap();
    assert!(search(&[]).stderr.contains("of which 25 are new"), "the one that is no photo is tried too");
    // What cannot be kept is told, and found all the same.
    fs::remove_file(here.join("shoes/.tallow-index.safetensors")).unwrap();
    fs::create_dir(here.join("shoes/.tallow-index.safetensors")).unwrap();
    let unsaved = search(&["--top", "2"]);
    assert!(unsaved.code == Some(0) && unsaved.stderr.contains("computed anew next time"), "{}", unsaved.stderr);
    fails(&tallow(&["similar", "run", "gone.png", "shoes"], here), 3, &["gone.png"]);
    fails(&tallow(&["similar", "run", "shoes/Sneaker/003.png", "gone"], here), 3, &["gone"]);
}
