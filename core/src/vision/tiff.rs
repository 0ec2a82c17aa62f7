//! TIFF, the format of scanners and microscopes: many ways to store samples, made into 8 bits of red, green and blue.

use super::ifd::Directories;
use super::kinds::CAMERA_RAW;
use super::limits::Limits;
use super::tiff_view::{View, only_page, with_bits_turned};
use super::{jpeg, orientation};
use image::metadata::Orientation;
use image::{DynamicImage, RgbImage};
use std::io::{Cursor, Read, Seek};
use tiff::decoder::{ChunkType, Decoder, DecodingResult, Limits as DecoderLimits};
use tiff::encoder::{Compression, TiffEncoder, colortype};
use tiff::tags::{CompressionMethod, ExtraSamples, PhotometricInterpretation as Photometric, SampleFormat, Tag};
use tiff::{TiffError, TiffResult};

/// The tag of an XMP packet.
const XMP: u16 = 700;

/// The tag by which Adobe's DNG, a camera's raw file, differs from other TIFFs.
const DNG_VERSION: u16 = 50706;

/// The tag of further directories beside the pages.
const SUB_IFDS: u16 = 330;

/// The first page of a file, and how it is to be turned.
pub(super) fn decode(bytes: &[u8], limits: Limits) -> Result<(DynamicImage, Orientation), String> {
    let turned = turned(bytes, limits)?;
    let copy = turned.as_ref().map_or(0, |turned| turned.len() as u64);
    let bytes = turned.as_deref().unwrap_or(bytes);
    let mut decoder = first_page(Cursor::new(bytes), limits, &[])?;
    let palette = Photometric::RGBPalette.to_u16();
    let is_palette = decoder.find_tag_unsigned(Tag::PhotometricInterpretation).ok().flatten() == Some(palette);
    if is_palette {
        // The decoder knows no palettes, but grey values of the same bits: these are the numbers of the colours.
        let as_grey = (Tag::PhotometricInterpretation.to_u16(), Photometric::BlackIsZero.to_u16());
        decoder = first_page(Cursor::new(bytes), limits, &[as_grey])?;
    }
    let (width, height) = decoder.dimensions().map_err(|e| unreadable(&e))?;
    let mut page = Page::read(&mut decoder).map_err(|e| unreadable(&e))?;
    if is_palette {
        page.photometric = Photometric::RGBPalette;
    }
    limits.check(width, height, page.bytes(width, height).saturating_add(copy))?;
    page.check_kind()?;
    page.check_tiles(&mut decoder, (width, height), limits)?;
    check_jpegs(bytes, &mut decoder, (width, height))?;
    let told = Directories::of(Cursor::new(bytes)).and_then(|mut file| {
        let page = file.first_page()?;
        orientation::in_directory(&mut file, &page)
    });
    let xmp = decoder.find_tag(Tag::Unknown(XMP)).ok().flatten().and_then(|value| value.into_u8_vec().ok());
    let orientation = orientation::of_number(told, xmp.as_deref());
    let samples = page.samples(&mut decoder).map_err(|e| unreadable(&e))?;
    let rgb = RgbImage::from_raw(width, height, page.rgb(&samples));
    let rgb = rgb.ok_or_else(|| "is damaged: it has fewer samples than pixels; remove or replace it".to_string())?;
    Ok((rgb.into(), orientation))
}

/// Width and height of the first page, before any turning upright.
pub(super) fn size(file: impl Read + Seek) -> Result<(usize, usize), String> {
    let (width, height) = first_page(file, Limits::default(), &[])?.dimensions().map_err(|e| unreadable(&e))?;
    Ok((width as usize, height as usize))
}

/// The number of pages; smaller versions of pages and masks are none.
pub(super) fn n_pages(file: impl Read + Seek) -> Result<usize, String> {
    let (mut directories, mut pages) = (0, 0);
    if let Some(mut file) = Directories::of(file) {
        // One that the file cuts short is none.
        file.find(|file, directory| {
            directories += usize::from(directory.next.is_some());
            pages += usize::from(directory.next.is_some() && file.is_page(directory));
            false
        });
    }
    if directories == 0 {
        return Err("is damaged or cut short (it has no page); copy or download it again, or remove it".into());
    }
    Ok(pages.max(1))
}

/// The bytes of a file that holds these `width * height * 3` bytes of red, green and blue, compressed without loss.
pub(super) fn encode(width: usize, height: usize, rgb: &[u8]) -> Result<Vec<u8>, TiffError> {
    let mut out = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut out)?.with_compression(Compression::Lzw);
    encoder.write_image::<colortype::RGB8>(width as u32, height as u32, rgb)?;
    Ok(out.into_inner())
}

/// A decoder that stands at the first page and sees no others, nor the values of `tags`, but these. A camera's raw file
/// is refused: what it shows first is a thumbnail, or numbers of a sensor.
fn first_page<R: Read + Seek>(mut file: R, limits: Limits, tags: &[(u16, u16)]) -> Result<Decoder<View<R>>, String> {
    let mut changes = Vec::new();
    if let Some(mut directories) = Directories::of(&mut file) {
        if is_camera_raw(&mut directories) {
            return Err(CAMERA_RAW.other().map(|raw| raw.to_string()).unwrap_or_default());
        }
        if let Some(page) = directories.first_page() {
            changes = only_page(&mut directories, &page, tags);
        }
    }
    let mut allowed = DecoderLimits::default();
    allowed.decoding_buffer_size = usize::try_from(limits.max_bytes).unwrap_or(usize::MAX);
    allowed.intermediate_buffer_size = allowed.decoding_buffer_size;
    let view = View::new(file, changes).map_err(|e| unreadable(&TiffError::IoError(e)))?;
    Ok(Decoder::new(view).map_err(|e| unreadable(&e))?.with_limits(allowed))
}

fn is_camera_raw<R: Read + Seek>(file: &mut Directories<R>) -> bool {
    let Some(first) = file.directory(file.first) else { return false };
    first.entry(DNG_VERSION).is_some() || (!file.is_page(&first) && first.entry(SUB_IFDS).is_some())
}

/// What has to be known about a page to understand its samples.
struct Page {
    photometric: Photometric,
    bits: u8,
    is_unsigned: bool,
    /// Samples in each pixel, with those that are not used.
    stored: u64,
    /// What those samples are that are neither light nor colour, as far as it is told.
    extra: Vec<u16>,
    /// The palette: all reds, all greens, all blues.
    colours: Vec<u16>,
}

/// Samples of 8 bits, pixel by pixel.
struct Samples {
    values: Vec<u8>,
    per_pixel: usize,
}

impl Page {
    fn read<R: Read + Seek>(decoder: &mut Decoder<R>) -> TiffResult<Page> {
        let photometric = decoder.get_tag_unsigned::<u16>(Tag::PhotometricInterpretation)?;
        let format = decoder.find_tag_unsigned_vec::<u16>(Tag::SampleFormat)?.unwrap_or_default();
        Ok(Page {
            photometric: Photometric::from_u16(photometric)
                .ok_or(TiffError::UnsupportedError(tiff::TiffUnsupportedError::UnknownInterpretation))?,
            bits: decoder
                .find_tag_unsigned_vec::<u8>(Tag::BitsPerSample)?
                .and_then(|bits| bits.first().copied())
                .unwrap_or(1),
            is_unsigned: format.iter().all(|&format| format == SampleFormat::Uint.to_u16()),
            stored: decoder.find_tag_unsigned::<u16>(Tag::SamplesPerPixel)?.unwrap_or(1).into(),
            extra: decoder.find_tag_unsigned_vec(Tag::ExtraSamples)?.unwrap_or_default(),
            colours: decoder.find_tag_unsigned_vec(Tag::ColorMap)?.unwrap_or_default(),
        })
    }

    /// How many bytes all samples are.
    fn bytes(&self, width: u32, height: u32) -> u64 {
        let row = (u64::from(width) * self.stored).saturating_mul(self.bits.into()).div_ceil(8);
        row.saturating_mul(height.into())
    }

    /// Whether colours are multiplied by the opacity, which is then the sample after them.
    fn is_premultiplied(&self) -> bool {
        self.extra.first() == Some(&ExtraSamples::AssociatedAlpha.to_u16())
    }

    /// Refuses samples that are not levels of light or colour.
    fn check_kind(&self) -> Result<(), String> {
        let known = matches!(
            self.photometric,
            Photometric::WhiteIsZero
                | Photometric::BlackIsZero
                | Photometric::RGB
                | Photometric::RGBPalette
                | Photometric::CMYK
                | Photometric::YCbCr
        );
        let is_palette = self.photometric == Photometric::RGBPalette;
        if !known || !self.is_unsigned || !matches!((self.bits, is_palette), (1 | 2 | 4 | 8, _) | (16, false)) {
            let numbers = if self.is_unsigned { "whole" } else { "signed or floating-point" };
            let (kind, bits) = (self.photometric, self.bits);
            return Err(unsupported(&format!("{bits} bits of {numbers} numbers as {kind:?}")));
        }
        if self.has_bands() {
            let options = if self.stored < 3 { "-b 1" } else { "-b 1 -b 2 -b 3 -co PHOTOMETRIC=RGB" };
            return Err(format!(
                "is a TIFF of {} samples for each pixel that are no colours, probably the bands of a satellite's or a \
                 microscope's picture; save one of them as grey or three as RGB, for example by `gdal_translate \
                 {options} photo.tif bands.tif`",
                self.stored
            ));
        }
        if is_palette && self.colours.len() < 3 << self.bits {
            return Err("is damaged: its palette is too short; copy or download it again, or remove it".into());
        }
        Ok(())
    }

    /// Whether there is more than one grey, of which one would be the picture and the others lost. A second sample can
    /// be opacity, and if it is not told what it is, it is left out as Pillow does, which reads such files of 8 bits.
    fn has_bands(&self) -> bool {
        let is_one =
            matches!(self.photometric, Photometric::WhiteIsZero | Photometric::BlackIsZero | Photometric::RGBPalette);
        let is_alone = match (self.stored, self.extra.as_slice()) {
            (1, _) | (2, [1 | 2]) => true,
            (2, [0]) => self.bits == 8,
            _ => false,
        };
        is_one && !is_alone
    }

    /// Refuses tiles that the decoder gets wrong, or for whose rows it would allocate more than a picture may have.
    fn check_tiles<R: Read + Seek>(
        &self,
        decoder: &mut Decoder<R>,
        (width, height): (u32, u32),
        limits: Limits,
    ) -> Result<(), String> {
        // The decoder (tiff 0.11.3) takes the first plane's border for that of the others.
        let planar = decoder.find_tag_unsigned::<u16>(Tag::PlanarConfiguration).ok().flatten() == Some(2);
        if planar && self.stored > 1 && decoder.get_chunk_type() == ChunkType::Tile {
            return Err(unsupported("tiles of one colour each"));
        }
        let (tile_width, tile_height) = decoder.chunk_dimensions();
        let (w, h) = (tile_width.max(width), tile_height.min(height.next_multiple_of(16).max(16)));
        limits.check(w, h, self.bytes(w, h))
    }

    /// The samples of the page at which a decoder stands.
    fn samples<R: Read + Seek>(&self, decoder: &mut Decoder<R>) -> TiffResult<Samples> {
        let (width, height) = decoder.dimensions()?;
        let mut result = DecodingResult::U8(Vec::new());
        let layout = decoder.read_image_to_buffer(&mut result)?;
        let values = match result {
            DecodingResult::U8(values) => values,
            // As the image crate rounds, and not cut as in Pillow.
            DecodingResult::U16(values) => values.into_iter().map(|v| ((u32::from(v) + 128) / 257) as u8).collect(),
            _ => return Err(TiffError::IntSizeError),
        };
        let pixels = width as usize * height as usize;
        let per_pixel = usize::from(decoder.colortype()?.num_samples());
        let per_row = width as usize * per_pixel / layout.planes.max(1);
        let values = if self.bits < 8 { self.unpacked(&values, per_row) } else { values };
        if values.len() < pixels * per_pixel {
            return Err(TiffError::LimitsExceeded);
        }
        let values = match layout.planes {
            1 => values,
            planes => (0..pixels * planes).map(|i| values[i % planes * pixels + i / planes]).collect(),
        };
        Ok(Samples { values, per_pixel })
    }

    /// Bytes of samples that are smaller than bytes, `per_row` of them in a row: levels from 0 to 255, or the numbers
    /// of colours.
    fn unpacked(&self, values: &[u8], per_row: usize) -> Vec<u8> {
        let bits = usize::from(self.bits);
        let most = (1u8 << bits) - 1;
        let scale = if self.photometric == Photometric::RGBPalette { 1 } else { 255 / most };
        let sample = |row: &[u8], i: usize| (row[i * bits / 8] >> (8 - bits - i * bits % 8) & most) * scale;
        let rows = values.chunks_exact((per_row * bits).div_ceil(8).max(1));
        rows.flat_map(|row| (0..per_row).map(move |i| sample(row, i))).collect()
    }

    /// Red, green and blue of all pixels. Opacity is dropped, as Pillow's `convert("RGB")` does.
    fn rgb(&self, samples: &Samples) -> Vec<u8> {
        let n_colours = self.colours.len() / 3;
        // libtiff's rule for old files whose colours have 8 bits and not 16.
        let shift = if self.colours.iter().all(|&v| v < 256) { 0 } else { 8 };
        let colour = |number: u8| [0, 1, 2].map(|c| (self.colours[c * n_colours + usize::from(number)] >> shift) as u8);
        let pixel = |p: &[u8]| match self.photometric {
            Photometric::RGBPalette => colour(p[0]),
            Photometric::CMYK if p.len() >= 4 => [p[0], p[1], p[2]].map(|ink| cmyk(ink, p[3])),
            Photometric::YCbCr if p.len() >= 3 => ycbcr(p[0], p[1], p[2]),
            Photometric::RGB if p.len() >= 3 => {
                let alpha = p.get(3).filter(|_| self.is_premultiplied());
                [p[0], p[1], p[2]].map(|v| alpha.map_or(v, |&alpha| divided(v, alpha)))
            }
            _ => {
                let alpha = p.get(1).filter(|_| self.is_premultiplied());
                [alpha.map_or(p[0], |&alpha| divided(p[0], alpha)); 3]
            }
        };
        samples.values.chunks_exact(samples.per_pixel).flat_map(pixel).collect()
    }
}

/// Refuses JPEGs inside of the file that say to be larger than the strip or tile that they are: the decoder would make
/// them as large as they say.
fn check_jpegs<R: Read + Seek>(
    bytes: &[u8],
    decoder: &mut Decoder<R>,
    (width, height): (u32, u32),
) -> Result<(), String> {
    if decoder.find_tag_unsigned::<u16>(Tag::Compression).ok().flatten() != Some(CompressionMethod::ModernJPEG.to_u16())
    {
        return Ok(());
    }
    let (w, h) = decoder.chunk_dimensions();
    let (tag, w, h) = match decoder.get_chunk_type() {
        ChunkType::Strip => (Tag::StripOffsets, width, h.min(height)),
        ChunkType::Tile => (Tag::TileOffsets, w, h),
    };
    for start in decoder.get_tag_u64_vec(tag).map_err(|e| unreadable(&e))? {
        let jpeg = usize::try_from(start).ok().and_then(|start| bytes.get(start..)).unwrap_or_default();
        // Sides are filled up to whole blocks, of 16 pixels at most.
        let most = (w.saturating_add(15) as usize, h.saturating_add(15) as usize);
        if jpeg::size(jpeg).is_ok_and(|(w, h)| w > most.0 || h > most.1) {
            return Err("is damaged: a JPEG in it is larger than its place; remove or replace it".into());
        }
    }
    Ok(())
}

/// The level that was multiplied by an opacity.
fn divided(level: u8, alpha: u8) -> u8 {
    (u32::from(level) * 255 / u32::from(alpha.max(1))).min(255) as u8
}

/// The light that is left by an ink and black, as in Pillow.
fn cmyk(ink: u8, black: u8) -> u8 {
    let white = 255 - i32::from(black);
    let product = i32::from(ink) * white + 128;
    (white - (((product >> 8) + product) >> 8)).clamp(0, 255) as u8
}

/// ITU-R BT.601 over the full range, TIFF's default.
fn ycbcr(y: u8, cb: u8, cr: u8) -> [u8; 3] {
    let (y, cb, cr) = (f32::from(y), f32::from(cb) - 128.0, f32::from(cr) - 128.0);
    [y + 1.402 * cr, y - 0.344_136 * cb - 0.714_136 * cr, y + 1.772 * cb].map(|v| v.round().clamp(0.0, 255.0) as u8)
}

/// If the first page has the bits of each byte in reverse order, as fax machines send them, the file with these bits in
/// the usual one. JPEGs have one order only, and libtiff lets them be.
fn turned(bytes: &[u8], limits: Limits) -> Result<Option<Vec<u8>>, String> {
    let mut decoder = first_page(Cursor::new(bytes), limits, &[])?;
    let mut number = |tag| decoder.find_tag_unsigned::<u16>(tag).ok().flatten();
    let jpeg = Some(CompressionMethod::ModernJPEG.to_u16());
    if number(Tag::FillOrder) != Some(2) || number(Tag::Compression) == jpeg {
        return Ok(None);
    }
    let (width, height) = decoder.dimensions().map_err(|e| unreadable(&e))?;
    limits.check(width, height, bytes.len() as u64)?;
    let (starts, lengths) = match decoder.get_chunk_type() {
        ChunkType::Strip => (Tag::StripOffsets, Tag::StripByteCounts),
        ChunkType::Tile => (Tag::TileOffsets, Tag::TileByteCounts),
    };
    let starts = decoder.get_tag_u64_vec(starts).map_err(|e| unreadable(&e))?;
    let lengths = decoder.get_tag_u64_vec(lengths).map_err(|e| unreadable(&e))?;
    Ok(Some(with_bits_turned(bytes, &starts, &lengths)))
}

fn unsupported(what: &str) -> String {
    format!("is a TIFF of a kind that cannot be read ({what}); convert it, for example by `magick photo.tif photo.png`")
}

fn unreadable(error: &TiffError) -> String {
    match error {
        TiffError::LimitsExceeded => format!("is too large to be decoded ({error})"),
        TiffError::UnsupportedError(what) => unsupported(&what.to_string()),
        _ => format!("is damaged or cut short ({error}); copy or download it again, or remove it"),
    }
}
