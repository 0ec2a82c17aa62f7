//! What a WebP tells besides its pixels.
#![warn(clippy::indexing_slicing)]

use super::orientation;
use image::metadata::Orientation;

/// How the picture is to be turned, by EXIF data or else an XMP packet, the first of each. The decoder would take as
/// much memory for them as they say that they need, however short the file is.
pub(super) fn orientation(bytes: &[u8]) -> Orientation {
    let chunk = |wanted: &[u8; 4]| chunks(bytes).find(|(kind, _)| *kind == wanted).map(|(_, contents)| contents);
    orientation::of(chunk(b"EXIF"), chunk(b"XMP "))
}

/// The kinds of the chunks and their contents, up to one that the file cuts short. A picture without an `VP8X` has none
/// besides its pixels.
fn chunks(bytes: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    const NAMES: usize = b"RIFF....WEBP".len();
    let mut rest = bytes.get(NAMES..).filter(|rest| rest.starts_with(b"VP8X")).unwrap_or_default();
    std::iter::from_fn(move || {
        let (kind, after) = rest.split_first_chunk()?;
        let (length, after) = after.split_first_chunk()?;
        let length = u32::from_le_bytes(*length) as usize;
        let (contents, after) = after.split_at_checked(length)?;
        // Contents of an odd length are filled up.
        rest = after.get(length % 2..).unwrap_or_default();
        Some((kind, contents))
    })
}
