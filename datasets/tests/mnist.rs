//! The embedded digits, and the full set where it is on this machine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, missing_docs)]

use std::fs;
use std::path::PathBuf;

use tallow_datasets::idx::{self, Idx};
use tallow_datasets::{DataFolder, Manifest, Mnist, State, mnist};

/// The full MNIST, or `None` (and a line that says so) where this machine does not have it.
fn real(test: &str) -> Option<DataFolder> {
    let shared = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data"));
    let set = std::env::var_os("TALLOW_DATA_DIR").is_some();
    let folder = DataFolder::resolve((!set && shared.is_dir()).then_some(&shared));
    if folder.find("mnist").is_err() {
        println!("skipped: {test}: no MNIST in {}; set TALLOW_DATA_DIR", folder.root().display());
        return None;
    }
    Some(folder)
}

#[test]
fn the_embedded_threes_and_sevens_are_all_there_in_order() {
    let sample = mnist::sample().unwrap();
    let count = |digits: &mnist::Digits, digit| digits.labels.iter().filter(|&&label| label == digit).count();
    assert_eq!((count(&sample.train, 3), count(&sample.train, 7), sample.train.len()), (6131, 6265, 12_396));
    assert_eq!((count(&sample.valid, 3), count(&sample.valid, 7), sample.valid.len()), (1010, 1028, 2038));
    for digits in [&sample.train, &sample.valid] {
        assert_eq!(digits.images.len(), digits.len() * mnist::PIXELS);
        assert!(digits.index.is_sorted_by(|a, b| a < b));
    }
}

#[test]
fn training_image_10000_is_the_three_that_the_chapter_prints() {
    let train = mnist::sample().unwrap().train;
    let i = train.index.iter().position(|&index| index == 10_000).unwrap();
    assert_eq!(train.labels[i], 3);
    let block: Vec<&[u8]> = (4..10).map(|row| &train.image(i)[row * mnist::SIDE + 4..row * mnist::SIDE + 10]).collect();
    let printed = [
        [0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 29],
        [0, 0, 0, 48, 166, 224],
        [0, 93, 244, 249, 253, 187],
        [0, 107, 253, 253, 230, 48],
        [0, 3, 20, 20, 15, 0],
    ];
    assert_eq!(block, printed);
}

#[test]
fn the_embedded_digits_are_those_of_the_full_set() {
    let Some(folder) = real("the_embedded_digits_are_those_of_the_full_set") else { return };
    let full = Mnist::load(folder.find("mnist").unwrap()).unwrap();
    assert_eq!((full.train.len(), full.valid.len()), (60_000, 10_000));
    assert_eq!(full.only(&[3, 7]), mnist::sample().unwrap());
}

#[test]
fn a_copy_that_was_compressed_anew_is_verified_by_its_contents() {
    let Some(folder) = real("a_copy_that_was_compressed_anew_is_verified_by_its_contents") else { return };
    let manifest = Manifest::builtin().unwrap();
    let states = folder.verify(manifest.get("mnist").unwrap()).unwrap();
    assert_eq!(states, [State::Verified, State::Verified, State::Verified, State::Verified]);
}

/// A folder with a small plain MNIST: `images` of the given shape, and labels.
fn small(shape: [usize; 3], labels: &[u8]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let images = Idx { data: vec![0u8; shape.iter().product()], shape: shape.to_vec() };
    let labels = Idx { data: labels.to_vec(), shape: vec![labels.len()] };
    for half in ["train", "t10k"] {
        idx::write(folder.path().join(format!("{half}-images-idx3-ubyte")), &images).unwrap();
        idx::write(folder.path().join(format!("{half}-labels-idx1-ubyte")), &labels).unwrap();
    }
    folder
}

#[test]
fn plain_files_load_and_number_their_images() {
    let folder = small([2, 28, 28], &[3, 9]);
    let mnist = Mnist::load(folder.path()).unwrap();
    assert_eq!((mnist.train.labels, mnist.train.index), (vec![3, 9], vec![0, 1]));
}

#[test]
fn parts_that_do_not_belong_together_are_refused() {
    let refused = |folder: &tempfile::TempDir| Mnist::load(folder.path()).unwrap_err().to_string();
    assert!(refused(&small([2, 28, 28], &[3])).contains("expected shape [1, 28, 28], as "));
    assert!(refused(&small([1, 28, 27], &[3])).contains("got shape [1, 28, 27]"));
    assert!(refused(&small([1, 28, 28], &[10])).contains("expected labels from 0 to 9, got a label 10"));

    let folder = small([1, 28, 28], &[3]);
    let path = folder.path().join("t10k-images-idx3-ubyte");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..500]).unwrap();
    let message = refused(&folder);
    assert!(message.contains("t10k-images-idx3-ubyte is damaged: expected 800 bytes"), "{message}");
    fs::remove_file(&path).unwrap();
    let message = refused(&folder);
    assert!(message.contains("run `cargo xtask fetch-data --only mnist` (11.6 MB from https://"), "{message}");
}
