//! Masks in PNG files: the numbers in them, not the colours.

use super::decode::read;
use super::png::words;
use super::{Kind, Limits, Mask, class_colours};
use crate::error::{Error, Result};
use png::{BitDepth, ColorType, Decoder, Encoder};
use std::io::Cursor;
use std::path::Path;

impl Mask {
    /// Reads a PNG file: of a palette the places in it, whatever their colours, and of greys (1, 2, 4, 8 or 16 bits)
    /// the numbers as they are stored.
    ///
    /// # Errors
    /// When the file cannot be read, is no PNG, has colours (RGB) or an alpha channel instead of numbers, is damaged,
    /// or is larger than the default [`Limits`].
    pub fn open(file: impl AsRef<Path>) -> Result<Mask> {
        Mask::open_with(file, Limits::default())
    }

    /// [`Mask::open`] with other limits.
    ///
    /// # Errors
    /// As [`Mask::open`].
    pub fn open_with(file: impl AsRef<Path>, limits: Limits) -> Result<Mask> {
        let file = file.as_ref();
        decode(&read(file)?, limits).map_err(|what| Error::file(file, what))
    }

    /// Writes a PNG file, whole or not at all, which [`Mask::open`] reads again: with a palette of the colours of
    /// [`class_colours`], in which `void` is grey; in 16 bits of grey where a number is above 255.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, file: impl AsRef<Path>, void: Option<u32>) -> Result<()> {
        let file = file.as_ref();
        let bytes = encode(self, void).map_err(|e| Error::file(file, format!("the mask cannot be written: {e}")))?;
        Ok(tallow_io::atomic::write(file, bytes)?)
    }

    /// The bytes of the file that [`Mask::save`] writes.
    ///
    /// # Errors
    /// [`Error::Value`] when the mask is larger than a PNG can be.
    pub fn to_png(&self, void: Option<u32>) -> Result<Vec<u8>> {
        encode(self, void).map_err(|e| Error::Value(format!("the mask cannot be a PNG: {e}")))
    }
}

/// The mask, or what is wrong with it in words that can follow its name.
fn decode(bytes: &[u8], limits: Limits) -> Result<Mask, String> {
    if bytes.is_empty() {
        return Err("is empty: it has 0 bytes; remove or replace it".into());
    }
    let kind = Kind::of_bytes(bytes).map_or("no picture", |kind| kind.name);
    if kind != "PNG" {
        let what = "masks are PNG files, in which each pixel has the number of its class; save it as a PNG of greys or \
                    of a palette, from what it was made of and not from a JPEG, whose numbers are blurred";
        return Err(format!("is {kind} by its content: {what}"));
    }
    let damaged = |e: png::DecodingError| {
        format!("is damaged or cut short ({}); copy or download it again, or remove it", words(&e))
    };
    let max_bytes = usize::try_from(limits.max_bytes).unwrap_or(usize::MAX);
    let decoder = Decoder::new_with_limits(Cursor::new(bytes), png::Limits { bytes: max_bytes });
    let mut reader = decoder.read_info().map_err(damaged)?;
    let (width, height) = reader.info().size();
    let (color, depth) = reader.output_color_type();
    if !matches!(color, ColorType::Indexed | ColorType::Grayscale) {
        return Err(no_numbers(color));
    }
    let size = reader.output_buffer_size().unwrap_or(usize::MAX);
    limits.check(width, height, size as u64)?;
    let mut packed = vec![0; size];
    let frame = reader.next_frame(&mut packed).map_err(damaged)?;
    let (width, height) = (width as usize, height as usize);
    let mut values = Vec::with_capacity(width * height);
    for row in packed.chunks_exact(frame.line_size).take(height) {
        match depth {
            BitDepth::Sixteen => values.extend(row.as_chunks::<2>().0.iter().map(|&two| u16::from_be_bytes(two))),
            BitDepth::Eight => values.extend(row.iter().map(|&byte| u16::from(byte))),
            // Several in each byte, the first in the highest bits.
            _ => {
                let bits = depth as usize;
                let value = |x: usize| {
                    let shift = 8 - bits - (x * bits) % 8;
                    u16::from(row[x * bits / 8] >> shift) & ((1 << bits) - 1)
                };
                values.extend((0..width).map(value));
            }
        }
    }
    Mask::new(width, height, values).map_err(|e| e.to_string())
}

/// Why a picture in colours is not a mask, and what makes one of it.
fn no_numbers(color: ColorType) -> String {
    let has = match color {
        ColorType::Rgb => "colours (RGB)",
        ColorType::Rgba => "colours and an alpha channel (RGBA)",
        _ => "an alpha channel beside its greys",
    };
    format!(
        "has {has}, and a mask has one number for each pixel, that of its class: save it as a PNG of greys or of a \
         palette; where the red of its colours is that number, `magick mask.png -channel R -separate grey.png` does it"
    )
}

fn encode(mask: &Mask, void: Option<u32>) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let largest = mask.values().iter().copied().max().unwrap_or(0);
    let mut encoder = Encoder::new(&mut bytes, mask.width() as u32, mask.height() as u32);
    let data: Vec<u8> = match u8::try_from(largest) {
        Ok(largest) => {
            encoder.set_color(ColorType::Indexed);
            encoder.set_palette(class_colours(usize::from(largest) + 1, void).concat());
            mask.values().iter().map(|&value| value as u8).collect()
        }
        Err(_) => {
            encoder.set_color(ColorType::Grayscale);
            encoder.set_depth(BitDepth::Sixteen);
            mask.values().iter().flat_map(|value| value.to_be_bytes()).collect()
        }
    };
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&data)?;
    writer.finish()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, color: ColorType, depth: BitDepth, rows: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes, width, 2);
        encoder.set_color(color);
        encoder.set_depth(depth);
        if color == ColorType::Indexed {
            encoder.set_palette([9; 48].to_vec());
        }
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(rows).unwrap();
        writer.finish().unwrap();
        bytes
    }

    #[test]
    fn numbers_are_read_as_they_are_stored_at_every_depth() {
        use BitDepth::{Eight, Four, One, Sixteen, Two};
        use ColorType::{Grayscale, Indexed};
        // Five pixels in a row: what does not fill the last byte of a row is not a pixel.
        for (depth, rows, want) in [
            (One, vec![0b1011_0111, 0b0100_1111], vec![1, 0, 1, 1, 0, 0, 1, 0, 0, 1]),
            (Two, vec![0b1101_1000, 0b01_111111, 0, 0b10_000000], vec![3, 1, 2, 0, 1, 0, 0, 0, 0, 2]),
            (Four, vec![0x12, 0x3f, 0x0a, 0x98, 0x76, 0x50], vec![1, 2, 3, 15, 0, 9, 8, 7, 6, 5]),
            (Eight, (7..17).collect(), (7..17).collect()),
        ] {
            for color in [Grayscale, Indexed] {
                if (color, depth) == (Indexed, Eight) {
                    continue; // the palette of the test has 16 colours
                }
                let mask = decode(&png(5, color, depth, &rows), Limits::default()).unwrap();
                assert_eq!((mask.width(), mask.height(), mask.values()), (5, 2, &want[..]), "{color:?} {depth:?}");
            }
        }
        let wide = decode(&png(1, Grayscale, Sixteen, &[1, 2, 0, 255]), Limits::default()).unwrap();
        assert_eq!(wide.values(), [258, 255]);
    }

    #[test]
    fn what_is_no_mask_is_refused_in_words_that_help() {
        let refused = |bytes: &[u8]| decode(bytes, Limits::default()).unwrap_err();
        let colours = png(1, ColorType::Rgb, BitDepth::Eight, &[1, 2, 3, 4, 5, 6]);
        assert!(refused(&colours).contains("colours (RGB)") && refused(&colours).contains("magick"));
        assert!(refused(&png(1, ColorType::Rgba, BitDepth::Eight, &[0; 8])).contains("RGBA"));
        assert!(refused(&png(1, ColorType::GrayscaleAlpha, BitDepth::Eight, &[0; 4])).contains("alpha channel"));
        let whole = png(3, ColorType::Grayscale, BitDepth::Eight, &[1, 2, 3, 4, 5, 6]);
        assert!(refused(&whole[..whole.len() - 20]).contains("damaged or cut short"));
        assert!(refused(b"").contains("0 bytes") && refused(b"\xff\xd8\xff\xe0").contains("JPEG"));
        assert!(refused(b"hello").contains("no picture"));
        let small = Limits { max_pixels: 5, ..Limits::default() };
        assert!(decode(&whole, small).unwrap_err().contains("too large"));
    }

    #[test]
    fn what_is_written_is_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("mask.png");
        for largest in [3u16, 255, 256, 65_535] {
            let mask = Mask::new(2, 1, vec![largest, 1]).unwrap();
            mask.save(&file, Some(2)).unwrap();
            assert_eq!(Mask::open(&file).unwrap(), mask);
        }
    }
}
