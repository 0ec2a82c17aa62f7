//! The image that transforms take and return.

use super::{Kind, tiff};
use crate::error::{Error, Result};
use candle_core::{DType, Device, Tensor};
use std::path::Path;

/// An image of `width` by `height` pixels, row by row, with one byte each of red, green and blue. Pillow's `Image` in
/// mode RGB.
#[derive(Clone, PartialEq, Eq)]
pub struct Image {
    width: usize,
    height: usize,
    bytes: Vec<u8>,
}

impl Image {
    /// An image of these `width * height * 3` bytes.
    ///
    /// # Errors
    /// When there is another number of bytes, or a side is 0.
    pub fn new(width: usize, height: usize, bytes: Vec<u8>) -> Result<Image> {
        if width == 0 || height == 0 || width.checked_mul(height).and_then(|n| n.checked_mul(3)) != Some(bytes.len()) {
            let n = bytes.len();
            return Err(Error::shape(
                format!(
                    "a picture of {width} by {height} pixels needs {width} * {height} * 3 bytes, at least 3, and got \
                     {n}"
                ),
                &[n],
            ));
        }
        Ok(Image { width, height, bytes })
    }

    /// An image whose pixel in column `x` and row `y` is `pixel(x, y)`.
    ///
    /// # Errors
    /// When a side is 0.
    pub fn from_fn(width: usize, height: usize, pixel: impl Fn(usize, usize) -> [u8; 3]) -> Result<Image> {
        let rows = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        Image::new(width, height, rows.flat_map(|(x, y)| pixel(x, y)).collect())
    }

    /// An image of a tensor `[3, H, W]` or `[1, H, W]` of values between 0 and 1; others are clipped. torchvision's
    /// `to_pil_image`.
    ///
    /// # Errors
    /// When the tensor has another shape.
    pub fn from_tensor(tensor: &Tensor) -> Result<Image> {
        let (height, width) = match *tensor.dims() {
            [1 | 3, h, w] => (h, w),
            ref dims => {
                return Err(Error::shape(format!("a picture is a tensor [3, H, W] or [1, H, W], not {dims:?}"), dims));
            }
        };
        let rgb = tensor.broadcast_as((3, height, width))?.permute((1, 2, 0))?.to_dtype(DType::F32)?;
        let values = rgb.to_device(&Device::Cpu)?.flatten_all()?.to_vec1::<f32>()?;
        Image::new(width, height, values.iter().map(|&v| (v.clamp(0.0, 1.0) * 255.0).round() as u8).collect())
    }

    pub(super) fn from_parts(width: usize, height: usize, bytes: Vec<u8>) -> Image {
        debug_assert_eq!(bytes.len(), width * height * 3);
        Image { width, height, bytes }
    }

    /// The number of columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The number of rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// All pixels, row by row: red, green, blue, red, ...
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The image's bytes, without a copy.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The pixel in column `x` and row `y`; black outside of the image.
    pub fn pixel(&self, x: usize, y: usize) -> [u8; 3] {
        if x >= self.width || y >= self.height {
            return [0; 3];
        }
        let at = (y * self.width + x) * 3;
        [self.bytes[at], self.bytes[at + 1], self.bytes[at + 2]]
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// The row `y`, `width * 3` bytes.
    pub(super) fn row(&self, y: usize) -> &[u8] {
        &self.bytes[y * self.width * 3..(y + 1) * self.width * 3]
    }

    /// The bytes divided by 255, as a tensor `[3, H, W]` of `f32`. torchvision's `to_tensor`.
    ///
    /// # Errors
    /// When the device cannot allocate the tensor.
    pub fn to_tensor(&self, device: &Device) -> Result<Tensor> {
        super::ChannelPlanes::from(self).to_tensor(device)
    }

    /// Writes the image to a file, atomically, in the format of its extension: png, jpg (quality 90), bmp, webp
    /// (lossless), gif or tif (LZW).
    ///
    /// # Errors
    /// When the extension is not one of these, or the file cannot be written.
    pub fn save(&self, file: impl AsRef<Path>) -> Result<()> {
        let file = file.as_ref();
        let failed = |e: image::ImageError| Error::file(file, format!("the picture cannot be written: {e}"));
        // The image crate does not know all extensions that are read.
        let kind = Kind::of_path(file).map(|kind| kind.name);
        if kind == Some("TIFF") {
            let encoded = tiff::encode(self.width, self.height, &self.bytes)
                .map_err(|e| Error::file(file, format!("the picture cannot be written: {e}")))?;
            return Ok(tallow_io::atomic::write(file, encoded)?);
        }
        let format = match kind {
            Some("JPEG") => image::ImageFormat::Jpeg,
            _ => image::ImageFormat::from_path(file).map_err(failed)?,
        };
        let (w, h) = (self.width as u32, self.height as u32);
        let mut out = std::io::Cursor::new(Vec::new());
        let written = match format {
            image::ImageFormat::Jpeg => {
                let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut out, 90);
                image::ImageEncoder::write_image(encoder, &self.bytes, w, h, image::ExtendedColorType::Rgb8)
            }
            _ => image::write_buffer_with_format(&mut out, &self.bytes, w, h, image::ColorType::Rgb8, format),
        };
        written.map_err(failed)?;
        Ok(tallow_io::atomic::write(file, out.into_inner())?)
    }
}

impl std::fmt::Debug for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Image({} x {})", self.width, self.height)
    }
}
