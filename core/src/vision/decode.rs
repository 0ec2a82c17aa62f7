//! From the bytes of a file to a picture.

use super::Image;
use super::jpeg;
use crate::error::{Error, Result};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader};
use std::io::Cursor;
use std::path::Path;

/// How large a picture may be, so that a small file cannot fill the memory (a "decompression bomb").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Width times height.
    pub max_pixels: u64,
    /// What decoding may allocate, in bytes.
    pub max_bytes: u64,
}

impl Default for Limits {
    /// 178,956,970 pixels, where Pillow refuses too, and 1 GiB.
    fn default() -> Limits {
        Limits { max_pixels: 178_956_970, max_bytes: 1 << 30 }
    }
}

/// The formats that can be read, by the extensions that their files usually have.
pub const EXTENSIONS: [&str; 8] = ["bmp", "gif", "jfif", "jpeg", "jpg", "png", "webp", "jpe"];

impl Image {
    /// Reads a file: JPEG, PNG, WebP, GIF (the first frame) or BMP, whatever its name. Grey, palette, CMYK and 16-bit
    /// pictures become 8-bit RGB, an alpha channel is dropped as Pillow's `convert("RGB")` does, and a photo that its
    /// camera took sideways (EXIF orientation) is turned upright.
    ///
    /// # Errors
    /// When the file cannot be read, is not a picture, is damaged or cut short, or is larger than the default
    /// [`Limits`].
    pub fn open(file: impl AsRef<Path>) -> Result<Image> {
        Image::open_with(file, Limits::default())
    }

    /// [`Image::open`] with other limits.
    ///
    /// # Errors
    /// As [`Image::open`].
    pub fn open_with(file: impl AsRef<Path>, limits: Limits) -> Result<Image> {
        let file = file.as_ref();
        let bytes = read(file)?;
        decode(&bytes, limits).map_err(|what| Error::file(file, what))
    }

    /// A picture of the bytes of such a file.
    ///
    /// # Errors
    /// As [`Image::open`].
    pub fn decode(bytes: &[u8], limits: Limits) -> Result<Image> {
        decode(bytes, limits).map_err(|what| Error::Value(format!("the picture {what}")))
    }

    /// Width and height as the head of a file tells them, before any turning upright; no pixel is decoded.
    ///
    /// # Errors
    /// When the file cannot be read or does not begin as a picture.
    pub fn size_of_file(file: impl AsRef<Path>) -> Result<(usize, usize)> {
        let file = file.as_ref();
        refuse_irregular(file)?;
        let reader = ImageReader::open(file).map_err(Error::io(file))?;
        let reader = reader.with_guessed_format().map_err(Error::io(file))?;
        let (w, h) = reader.into_dimensions().map_err(|e| Error::file(file, unreadable(&e)))?;
        Ok((w as usize, h as usize))
    }
}

fn read(file: &Path) -> Result<Vec<u8>> {
    refuse_irregular(file)?;
    std::fs::read(file).map_err(Error::io(file))
}

/// Reading a pipe or a device could wait for ever.
fn refuse_irregular(file: &Path) -> Result<()> {
    let kind = std::fs::metadata(file).map_err(Error::io(file))?.file_type();
    match (kind.is_file(), kind.is_dir()) {
        (true, _) => Ok(()),
        (_, true) => Err(Error::file(file, "is a folder; expected a picture")),
        _ => Err(Error::file(file, "is no regular file but a pipe, a socket or a device; expected a picture")),
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
    let Ok(format) = image::guess_format(bytes) else {
        return Err(format!(
            "is not a picture ({}); JPEG, PNG, WebP, GIF and BMP can be read; remove or replace it",
            beginning(bytes)
        ));
    };
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut allowed = image::Limits::default();
    allowed.max_alloc = Some(limits.max_bytes);
    reader.limits(allowed);
    let mut decoder = reader.into_decoder().map_err(|e| unreadable(&e))?;
    let (w, h) = decoder.dimensions();
    let pixels = u64::from(w) * u64::from(h);
    if pixels > limits.max_pixels || decoder.total_bytes() > limits.max_bytes || pixels * 3 > limits.max_bytes {
        return Err(format!(
            "is too large: {w} by {h} pixels are {pixels}, and {} pixels in {} MB are allowed; make it smaller, or \
             raise the limits if you trust it",
            limits.max_pixels,
            limits.max_bytes >> 20
        ));
    }
    if format == ImageFormat::Jpeg && !jpeg::is_complete(bytes) {
        return Err("is cut short: the JPEG has no end; copy or download it again, or remove it".into());
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|e| unreadable(&e))?;
    if orientation != Orientation::NoTransforms {
        picture.apply_orientation(orientation);
    }
    let rgb = picture.into_rgb8();
    let (w, h) = (rgb.width() as usize, rgb.height() as usize);
    Image::new(w, h, rgb.into_raw()).map_err(|e| e.to_string())
}

fn unreadable(error: &image::ImageError) -> String {
    let words = error.to_string();
    let words = words.split_whitespace().collect::<Vec<_>>().join(" "); // some end in the middle of a line
    match error {
        image::ImageError::Limits(_) => format!("is too large to be decoded ({words})"),
        image::ImageError::Unsupported(_) => format!("is of a kind that cannot be read: {words}"),
        _ => format!("is damaged or cut short ({words}); copy or download it again, or remove it"),
    }
}

/// What a file that is no picture begins with.
fn beginning(bytes: &[u8]) -> String {
    let head = &bytes[..bytes.len().min(16)];
    if head.iter().all(|&b| b.is_ascii_graphic() || b.is_ascii_whitespace()) {
        format!("it begins with the text {:?}", String::from_utf8_lossy(head))
    } else {
        format!("it begins with the bytes {head:02x?}")
    }
}
