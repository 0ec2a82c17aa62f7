//! How a photo is to be turned upright, by what its file says of it.
#![warn(clippy::indexing_slicing)]

use image::metadata::Orientation;

/// The orientation that EXIF data tell, or else an XMP packet, as Pillow's `exif_transpose` has it.
pub(super) fn of(exif: Option<&[u8]>, xmp: Option<&[u8]>) -> Orientation {
    // Some programs begin the data in PNG and WebP as they begin in JPEG.
    let exif = exif.map(|exif| exif.strip_prefix(b"Exif\0\0").unwrap_or(exif));
    let told = exif.and_then(Orientation::from_exif_chunk).or_else(|| in_xmp(xmp?));
    told.unwrap_or(Orientation::NoTransforms)
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
