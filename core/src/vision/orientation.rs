//! How a photo is to be turned upright, by what its file says of it.
#![warn(clippy::indexing_slicing)]

use super::ifd::{Directories, Directory};
use image::metadata::Orientation;
use std::io::{Cursor, Read, Seek};

/// The tag of the orientation.
const ORIENTATION: u16 = 274;

/// The orientation that EXIF data tell, or else an XMP packet, as Pillow's `exif_transpose` has it.
pub(super) fn of(exif: Option<&[u8]>, xmp: Option<&[u8]>) -> Orientation {
    let told = exif.and_then(|exif| {
        // Some programs begin the data in PNG and WebP as they begin in JPEG, and some twice.
        let once = exif.strip_prefix(b"Exif\0\0").unwrap_or(exif);
        let mut file = Directories::of(Cursor::new(once.strip_prefix(b"Exif\0\0").unwrap_or(once)))?;
        let directory = file.directory(file.first)?;
        in_directory(&mut file, &directory)
    });
    of_number(told, xmp)
}

/// The orientation of this number in EXIF data or a TIFF, or if they have none, of an XMP packet. A number that there
/// is not turns nothing.
pub(super) fn of_number(told: Option<u64>, xmp: Option<&[u8]>) -> Orientation {
    let told = match told {
        Some(number) => u8::try_from(number).ok().and_then(Orientation::from_exif),
        None => xmp.and_then(in_xmp),
    };
    told.unwrap_or(Orientation::NoTransforms)
}

/// The number of the orientation, the first if there are several, whole or as a fraction. Bytes and texts are not
/// numbers, and turn nothing, as in Pillow.
pub(super) fn in_directory<R: Read + Seek>(file: &mut Directories<R>, directory: &Directory) -> Option<u64> {
    let entry = directory.entry(ORIENTATION)?;
    let number = file.first_number(entry)?;
    let is_number = !matches!(entry.kind, 1 | 2 | 7);
    Some(if is_number && (1.0..=8.0).contains(&number) && number.fract() == 0.0 { number as u64 } else { 0 })
}

/// `tiff:Orientation="6"` or `<tiff:Orientation>6</tiff:Orientation>`.
fn in_xmp(xmp: &[u8]) -> Option<Orientation> {
    const NAME: &[u8] = b"tiff:Orientation";
    xmp.windows(NAME.len()).enumerate().filter(|&(_, window)| window == NAME).find_map(|(at, _)| {
        let value = xmp.get(at + NAME.len()..)?;
        let digit = value.strip_prefix(b"=\"").or_else(|| value.strip_prefix(b">"))?.first()?;
        digit.is_ascii_digit().then(|| Orientation::from_exif(digit - b'0'))
    })?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_has_any_type_of_whole_numbers_and_the_first_of_several_counts() {
        let entry = |kind: u8, count: u8, value: [u8; 4]| {
            let head = [&b"II*\0\x08\0\0\0\x01\0\x12\x01"[..], &[kind, 0, count, 0, 0, 0], &value, &[0; 4]].concat();
            of(Some(&[&head[..], &[6, 0, 1, 0, 1, 0, 0, 0]].concat()), Some(b"tiff:Orientation=\"3\""))
        };
        // Short, long, and of 2 and 4 bytes with a sign; three shorts and two longs stand after the directory.
        for kind in [3, 4, 8, 9] {
            assert_eq!(entry(kind, 1, [6, 0, 0, 0]), Orientation::Rotate90, "{kind}");
        }
        for (kind, count) in [(3, 3), (4, 2), (16, 1)] {
            let want = if kind == 3 { Orientation::Rotate90 } else { Orientation::NoTransforms };
            assert_eq!(entry(kind, count, [26, 0, 0, 0]), want, "{kind}");
        }
        // Fractions, with a sign or without: 12/2, 26/2, 6/4, 6/0. Floats of 4 bytes, and of 8, which stand elsewhere.
        let fraction = |kind: u8, halves: [u32; 2], is_little: bool| {
            let words = |number: u32| if is_little { number.to_le_bytes() } else { number.to_be_bytes() };
            let short = |number: u16| if is_little { number.to_le_bytes() } else { number.to_be_bytes() };
            let mark = if is_little { b"II" } else { b"MM" };
            let entry = [short(1), short(274), short(kind.into())].concat();
            let head = [&mark[..], &short(42), &words(8), &entry, &words(1), &words(26), &words(0)].concat();
            of(Some(&[head, words(halves[0]).to_vec(), words(halves[1]).to_vec()].concat()), None)
        };
        for is_little in [true, false] {
            for kind in [5, 10] {
                assert_eq!(fraction(kind, [12, 2], is_little), Orientation::Rotate90, "{kind}");
                for halves in [[26, 2], [6, 4], [6, 0], [0, 0]] {
                    assert_eq!(fraction(kind, halves, is_little), Orientation::NoTransforms, "{kind} {halves:?}");
                }
            }
        }
        assert_eq!(entry(11, 1, 6_f32.to_le_bytes()), Orientation::Rotate90);
        assert_eq!(entry(11, 1, f32::NAN.to_le_bytes()), Orientation::NoTransforms);
        let bits = 6_f64.to_bits();
        assert_eq!(fraction(12, [bits as u32, (bits >> 32) as u32], true), Orientation::Rotate90);
        // A byte, a text, a number that there is not: it is told, so XMP does not count.
        for (kind, value) in [(1, 6), (2, b'6'), (3, 0), (3, 9)] {
            assert_eq!(entry(kind, 1, [value, 0, 0, 0]), Orientation::NoTransforms, "{kind} {value}");
        }
        // No value, one that is not there, and a type that there is not.
        for (kind, count, value) in [(3, 0, 6), (3, 3, 99), (99, 1, 6)] {
            assert_eq!(entry(kind, count, [value, 0, 0, 0]), Orientation::Rotate180, "{kind} {value}");
        }
    }

    #[test]
    fn xmp_counts_where_exif_says_nothing() {
        let exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x03\0\0\0\0\0\0\0";
        let prefixed = [b"Exif\0\0", &exif[..]].concat();
        assert_eq!(of(Some(exif), None), Orientation::Rotate180);
        assert_eq!(of(Some(&prefixed), Some(b"tiff:Orientation=\"6\"")), Orientation::Rotate180);
        assert_eq!(of(None, Some(b"<a tiff:Orientation=\"6\"/>")), Orientation::Rotate90);
        assert_eq!(of(Some(b"II*\0"), Some(b"<tiff:Orientation>8</tiff:Orientation>")), Orientation::Rotate270);
        for none in [&b"tiff:Orientation"[..], b"tiff:Orientation=\"", b"tiff:Orientation=\"x\"", b"", b"tiff:Or"] {
            assert_eq!(of(None, Some(none)), Orientation::NoTransforms);
        }
    }
}
