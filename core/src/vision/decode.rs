//! Decoding image files.
#![warn(clippy::indexing_slicing)]

use super::kinds::{Kind, other_kind_of_bytes};
use super::{Image, Limits, budget, gif, jpeg, orientation, png, tiff, webp};
use crate::error::{Error, Result};
use image::metadata::Orientation;
use image::{ColorType, DynamicImage, ImageDecoder, ImageFormat, ImageReader};
use std::error::Error as _;
use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read, Seek};
use std::path::Path;

impl Image {
    /// Reads an image file of any name: JPEG, PNG, WebP, GIF (the first frame), BMP or TIFF (the first page). Grey,
    /// palette, CMYK and 16-bit images become 8-bit RGB, an alpha channel is dropped, as by Pillow's `convert("RGB")`,
    /// and a photo is rotated by the orientation in its EXIF data or else its XMP packet. A JPEG's pixels are
    /// libjpeg's, and so Pillow's, to the last bit.
    ///
    /// # Errors
    /// When the file cannot be read, is not an image of a kind that can be decoded ([`Kind`]), is damaged or truncated,
    /// or is larger than the default [`Limits`].
    pub fn open(file: impl AsRef<Path>) -> Result<Image> {
        Image::open_with(file, Limits::default())
    }

    /// Reads an image file as [`Image::open`] does, with these limits.
    ///
    /// # Errors
    /// When the file cannot be read, is not an image of a kind that can be decoded, is damaged or truncated, or is
    /// larger than `limits`.
    pub fn open_with(file: impl AsRef<Path>, limits: Limits) -> Result<Image> {
        let file = file.as_ref();
        let bytes = read(file)?;
        Image::open_bytes(file, &bytes, limits)
    }

    /// A picture of bytes that were read from `file`, by which errors call it.
    pub(crate) fn open_bytes(file: &Path, bytes: &[u8], limits: Limits) -> Result<Image> {
        decode(bytes, limits).map_err(|what| Error::file(file, what))
    }

    /// Decodes the contents of an image file as [`Image::open`] does, with these limits.
    ///
    /// # Errors
    /// When the bytes are not an image of a kind that can be decoded, are damaged or truncated, or the image is larger
    /// than `limits`.
    pub fn decode(bytes: &[u8], limits: Limits) -> Result<Image> {
        decode(bytes, limits).map_err(|what| Error::Value(format!("the picture {what}")))
    }

    /// Width and height in a file's header, before rotation by its EXIF orientation. No pixel is decoded.
    ///
    /// # Errors
    /// When the file cannot be read or does not have an image's header.
    pub fn size_of_file(file: impl AsRef<Path>) -> Result<(usize, usize)> {
        let file = file.as_ref();
        let (head, opened) = begin(file)?;
        size(&head, opened).map_err(|what| Error::file(file, what))
    }

    /// As [`Image::size_of_file`], of the contents of an image file.
    ///
    /// # Errors
    /// [`Error::Value`] when they do not have an image's header.
    pub fn size_of_bytes(bytes: &[u8]) -> Result<(usize, usize)> {
        let head = bytes.get(..HEAD).unwrap_or(bytes);
        size(head, Cursor::new(bytes)).map_err(|what| Error::Value(format!("the picture {what}")))
    }

    /// The number of pages of a file, of which [`Image::open`] reads the first: those of a TIFF without thumbnails and
    /// masks, 1 for all other kinds. No pixel is decoded.
    ///
    /// # Errors
    /// When the file cannot be read, or is a damaged TIFF.
    pub fn pages_of_file(file: impl AsRef<Path>) -> Result<usize> {
        let file = file.as_ref();
        let (head, opened) = begin(file)?;
        if Kind::of_bytes(&head).is_none_or(|kind| kind.name != "TIFF") {
            return Ok(1);
        }
        tiff::n_pages(opened).map_err(|what| Error::file(file, what))
    }
}

impl Kind {
    /// The kind of an image file by its contents, whatever its name; `None` if it is not a known one.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn of_file(file: impl AsRef<Path>) -> Result<Option<&'static Kind>> {
        Ok(Kind::of_bytes(&begin(file.as_ref())?.0))
    }
}

/// How many bytes tell the kind of a file.
const HEAD: usize = 1024;

/// Width and height in the header of a file that begins with `head`, by the decoder that reads the picture: others may
/// refuse what it reads.
fn size(head: &[u8], opened: impl BufRead + Seek) -> Result<(usize, usize), String> {
    match Kind::of_bytes(head).map(|kind| kind.name) {
        Some("TIFF") => return tiff::size(opened),
        Some("GIF") => return gif::size(opened),
        Some("JPEG") => return jpeg_size(opened),
        _ => {}
    }
    if let Some(other) = other_kind_of_bytes(head) {
        return Err(other.to_string());
    }
    let reader = ImageReader::new(opened).with_guessed_format().map_err(|e| format!("cannot be read: {e}"))?;
    let (w, h) = reader.into_dimensions().map_err(|e| unreadable(&e))?;
    Ok((w as usize, h as usize))
}

/// Before a JPEG's size there may be notes of any length, and mostly there are few.
fn jpeg_size(mut opened: impl BufRead) -> Result<(usize, usize), String> {
    const USUAL: u64 = 1 << 16;
    let mut bytes = Vec::new();
    let mut read = |most: u64, bytes: &mut Vec<u8>| {
        let read = opened.by_ref().take(most).read_to_end(bytes);
        read.map(drop).map_err(|e| format!("cannot be read: {e}"))
    };
    read(USUAL, &mut bytes)?;
    if let Ok(size) = jpeg::size(&bytes) {
        return Ok(size);
    }
    read(tallow_io::read::PICTURE, &mut bytes)?;
    jpeg::size(&bytes)
}

/// The first kilobyte of a file, and the file at its beginning.
fn begin(file: &Path) -> Result<(Vec<u8>, BufReader<File>)> {
    refuse_irregular(file)?;
    let mut opened = BufReader::new(tallow_io::read::open(file).map_err(Error::io(file))?);
    let mut head = Vec::new();
    opened.by_ref().take(HEAD as u64).read_to_end(&mut head).map_err(Error::io(file))?;
    opened.rewind().map_err(Error::io(file))?;
    Ok((head, opened))
}

pub(super) fn read(file: &Path) -> Result<Vec<u8>> {
    refuse_irregular(file)?;
    tallow_io::read::bytes(file, tallow_io::read::PICTURE).map_err(Error::io(file))
}

/// Reading a pipe or a device could wait for ever.
fn refuse_irregular(file: &Path) -> Result<()> {
    let kind = std::fs::metadata(file).map_err(Error::io(file))?.file_type();
    match (kind.is_file(), kind.is_dir()) {
        (true, _) => Ok(()),
        (_, true) => Err(Error::file(file, "is a folder; expected a picture")),
        _ => Err(Error::file(file, "is not a regular file but a pipe, a socket or a device; expected a picture")),
    }
}

/// The picture, or what is wrong with it in words that can follow its name. A decoder that panics over a strange file
/// has found it damaged in its own way.
fn decode(bytes: &[u8], limits: Limits) -> Result<Image, String> {
    let decoded = std::panic::catch_unwind(|| decode_inside(bytes, limits));
    decoded.unwrap_or_else(|_| Err("is damaged in a way that its decoder did not expect; remove or replace it".into()))
}

fn decode_inside(bytes: &[u8], limits: Limits) -> Result<Image, String> {
    if bytes.is_empty() {
        return Err("is empty: it has 0 bytes; remove or replace it".into());
    }
    if let Some(other) = other_kind_of_bytes(bytes) {
        return Err(other.to_string());
    }
    if Kind::of_bytes(bytes).is_some_and(|kind| kind.name == "TIFF") {
        let (picture, orientation) = tiff::decode(bytes, limits)?;
        return turned(picture, orientation);
    }
    let Ok(format) = image::guess_format(bytes) else {
        let (begins, readable) = (beginning(bytes), Kind::readable());
        return Err(format!("is not a picture ({begins}); {readable} can be read; remove or replace it"));
    };
    if format == ImageFormat::Jpeg {
        return jpeg(bytes, limits);
    }
    if format == ImageFormat::Gif {
        return turned(gif::decode(bytes, limits)?.into(), Orientation::NoTransforms);
    }
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut allowed = image::Limits::default();
    allowed.max_alloc = Some(limits.max_bytes);
    reader.limits(allowed);
    let decoder = reader.into_decoder().map_err(|e| unreadable(&e))?;
    let (w, h) = decoder.dimensions();
    let samples = decoder.total_bytes();
    limits.check(w, h, samples)?;
    // What a decoder makes is there beside the picture that becomes of it, unless they are the same.
    let copy = if decoder.color_type() == ColorType::Rgb8 { 0 } else { u64::from(w) * u64::from(h) * 3 };
    limits.check(w, h, samples.saturating_add(copy))?;
    let _held = budget::hold(samples.saturating_add(copy));
    let orientation = match format {
        ImageFormat::Png => png::orientation(bytes),
        ImageFormat::WebP => webp::orientation(bytes),
        _ => Orientation::NoTransforms,
    };
    let picture = DynamicImage::from_decoder(decoder).map_err(|e| unreadable(&e))?;
    turned(picture, orientation)
}

fn jpeg(bytes: &[u8], limits: Limits) -> Result<Image, String> {
    let decoded = jpeg::decode(bytes, |width, height, memory| {
        limits.check(width, height, memory)?;
        Ok(budget::hold(memory))
    })?;
    let orientation = orientation::of(decoded.exif, decoded.xmp);
    let rgb = image::RgbImage::from_raw(decoded.width as u32, decoded.height as u32, decoded.rgb);
    turned(rgb.unwrap_or_default().into(), orientation)
}

/// A picture turned as its file says.
fn turned(mut picture: DynamicImage, orientation: Orientation) -> Result<Image, String> {
    if orientation != Orientation::NoTransforms {
        picture.apply_orientation(orientation);
    }
    let rgb = picture.into_rgb8();
    let (w, h) = (rgb.width() as usize, rgb.height() as usize);
    Image::new(w, h, rgb.into_raw()).map_err(|e| e.to_string())
}

fn unreadable(error: &image::ImageError) -> String {
    // A decoder's own words, without the name that the `image` crate has for it before them.
    let words = match (error, error.source()) {
        (image::ImageError::Decoding(_), Some(source)) => match source.downcast_ref() {
            Some(source) => png::words(source),
            None => source.to_string(),
        },
        _ => error.to_string(),
    };
    let words = words.split_whitespace().collect::<Vec<_>>().join(" "); // some end in the middle of a line
    match error {
        image::ImageError::Limits(_) => format!("is too large to be decoded ({words})"),
        image::ImageError::Unsupported(_) => format!("is of a kind that cannot be read: {words}"),
        _ => format!("is damaged or cut short ({words}); copy or download it again, or remove it"),
    }
}

/// What a file that is not a picture begins with.
fn beginning(bytes: &[u8]) -> String {
    let head = bytes.get(..16).unwrap_or(bytes);
    if head.iter().all(|&b| b.is_ascii_graphic() || b.is_ascii_whitespace()) {
        format!("it begins with the text {:?}", String::from_utf8_lossy(head))
    } else {
        format!("it begins with the bytes {head:02x?}")
    }
}
