//! The IDX reader: what it reads, and how it refuses what is not quite IDX.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::io::Write;

use tallow_datasets::idx::{self, Element, Idx};
use tallow_datasets::{Error, ErrorKind};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn round_trip<T: Element + PartialEq + std::fmt::Debug>(data: Vec<T>) {
    let array = Idx { shape: vec![2, data.len() / 2], data };
    let bytes = idx::to_bytes("a", &array).unwrap();
    assert_eq!(idx::from_bytes::<T>("a", &bytes).unwrap(), array);
    assert_eq!(idx::from_bytes::<T>("a", &gzip(&bytes)).unwrap(), array);
}

#[test]
fn all_six_types_plain_and_gzipped() {
    round_trip(vec![0u8, 1, 200, 255]);
    round_trip(vec![0i8, 1, -128, 127]);
    round_trip(vec![0i16, -1, i16::MIN, i16::MAX]);
    round_trip(vec![0i32, -1, i32::MIN, i32::MAX]);
    round_trip(vec![0f32, -1.5, f32::MIN, f32::INFINITY]);
    round_trip(vec![0f64, -1.5, f64::MIN, f64::INFINITY]);
}

#[test]
fn the_bytes_are_those_of_the_published_format() {
    let array = Idx { shape: vec![2, 3], data: vec![1u8, 2, 3, 4, 5, 6] };
    assert_eq!(idx::to_bytes("a", &array).unwrap(), [0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6]);
    let path = tempfile::tempdir().unwrap().path().join("a.idx");
    idx::write(&path, &array).unwrap();
    assert_eq!(idx::read_u8(&path).unwrap(), array);
}

fn refused(bytes: &[u8]) -> String {
    let error = idx::from_bytes::<u8>("some.idx", bytes).unwrap_err();
    assert!(matches!(error, Error::Damaged { .. }) && error.kind() == ErrorKind::Unavailable);
    let (start, end) = ("some.idx is damaged: expected ", "; delete it and run `cargo xtask fetch-data`");
    error.to_string().strip_prefix(start).unwrap().strip_suffix(end).unwrap().to_string()
}

#[test]
fn what_is_not_idx_is_named() {
    assert_eq!(refused(b"<html>"), "an IDX file, which starts with two zero bytes, got magic number 0x3c68746d");
    assert_eq!(refused(&[0, 0, 0x0C, 1, 0, 0, 0, 0]), "elements of type u8 (code 0x08), got elements of code 0x0c");
    assert_eq!(refused(b""), "a whole IDX file, got one that ends too early");
    assert_eq!(refused(&[0, 0, 8, 3, 0, 0]), "a whole IDX file, got one that ends too early");
}

#[test]
fn sizes_must_fit_exactly() {
    let bytes = [0, 0, 8, 1, 0, 0, 0, 4, 1, 2, 3];
    assert_eq!(refused(&bytes), "12 bytes for shape [4] of u8, got at most 11");
    assert_eq!(refused(&gzip(&bytes)), "12 bytes for shape [4] of u8, got 11");
    let bytes = [0, 0, 8, 1, 0, 0, 0, 2, 1, 2, 3];
    assert_eq!(refused(&bytes), "10 bytes for shape [2] of u8, got more");
    assert_eq!(refused(&gzip(&bytes)), "10 bytes for shape [2] of u8, got more");
    let trailing = [gzip(&[0, 0, 8, 1, 0, 0, 0, 1, 1]), b"junk".to_vec()].concat();
    assert!(refused(&trailing).starts_with("a whole IDX file, got"), "{}", refused(&trailing));
    // A gzip file that was cut short says how much of it there was.
    let whole = gzip(&[[0, 0, 8, 1, 0, 0, 0, 100].as_slice(), &[9; 100]].concat());
    assert!(refused(&whole[..whole.len() - 12]).starts_with("108 bytes for shape [100] of u8, got "));
}

#[test]
fn no_cut_and_no_changed_byte_makes_it_panic() {
    let whole = idx::to_bytes("a", &Idx { shape: vec![3, 2], data: vec![1i16, 2, 3, 4, 5, 6] }).unwrap();
    for bytes in [whole.clone(), gzip(&whole)] {
        for n in 0..bytes.len() {
            assert!(idx::from_bytes::<i16>("a", &bytes[..n]).is_err(), "{n} of {} bytes", bytes.len());
            for change in 1..=255 {
                let mut bytes = bytes.clone();
                bytes[n] ^= change;
                // Some changes are to the elements, and those are as good as others.
                let _ = idx::from_bytes::<i16>("a", &bytes);
            }
        }
    }
}

#[test]
fn a_header_that_promises_terabytes_allocates_nothing() {
    let huge = [0, 0, 8, 2, 255, 255, 255, 255, 0, 255, 255, 255];
    assert_eq!(refused(&huge), "72057589726183437 bytes for shape [4294967295, 16777215] of u8, got at most 12");
    assert!(refused(&gzip(&huge)).starts_with("72057589726183437 bytes"));
    let beyond = [[0, 0, 8, 3].as_slice(), &[255; 12]].concat();
    assert!(refused(&beyond).starts_with("more than 2^64 bytes for shape"));
}

#[test]
fn a_shape_that_does_not_fit_is_not_written() {
    let error = idx::to_bytes("a", &Idx { shape: vec![2, 2], data: vec![1u8] }).unwrap_err();
    assert!(error.to_string().contains("1 elements in shape [2, 2]"), "{error}");
}
