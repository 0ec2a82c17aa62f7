//! The first frame of a GIF on its canvas, as Pillow shows it.
#![warn(clippy::indexing_slicing)]

use super::{Limits, budget};
use gif::{ColorOutput, DecodeOptions, Decoder, Frame, MemoryLimit};
use image::RgbImage;
use std::io::Read;

/// The canvas with the first frame. What the frame leaves free, and where it is transparent, has the colour that the
/// palette has for transparent places, or its first one.
///
/// # Errors
/// What is wrong with the file, in words that can follow its name.
pub(super) fn decode(bytes: &[u8], limits: Limits) -> Result<RgbImage, String> {
    let FirstFrame { mut decoder, frame, width, height } = first_frame(bytes, limits)?;
    let memory = u64::from(frame.width) * u64::from(frame.height) + 3 * u64::from(width) * u64::from(height);
    limits.check(width, height, memory)?;
    let _held = budget::hold(memory);
    let mut indices = vec![0; decoder.buffer_size()];
    decoder.read_into_buffer(&mut indices).map_err(|e| damaged(&e.to_string()))?;
    let palette = frame.palette.as_deref().or(decoder.global_palette());
    let colour = |index: u8| match palette {
        None => [index; 3],
        Some(palette) => palette.as_chunks().0.get(usize::from(index)).copied().unwrap_or([0; 3]),
    };
    let mut picture = RgbImage::from_pixel(width, height, image::Rgb(colour(frame.transparent.unwrap_or(0))));
    for (row, y) in indices.chunks_exact(usize::from(frame.width).max(1)).zip(u32::from(frame.top)..) {
        for (&index, x) in row.iter().zip(u32::from(frame.left)..) {
            picture.put_pixel(x, y, image::Rgb(colour(index)));
        }
    }
    Ok(picture)
}

/// Width and height of the canvas with the first frame.
///
/// # Errors
/// As [`decode`].
pub(super) fn size(file: impl Read) -> Result<(usize, usize), String> {
    let FirstFrame { width, height, .. } = first_frame(file, Limits::default())?;
    Ok((width as usize, height as usize))
}

struct FirstFrame<R: Read> {
    /// Which stands at the frame's pixels.
    decoder: Decoder<R>,
    frame: Frame<'static>,
    width: u32,
    height: u32,
}

fn first_frame<R: Read>(file: R, limits: Limits) -> Result<FirstFrame<R>, String> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    options.set_memory_limit(MemoryLimit::Bytes(limits.max_bytes.try_into().unwrap_or(std::num::NonZero::<u64>::MIN)));
    let mut decoder = options.read_info(file).map_err(|e| damaged(&e.to_string()))?;
    let (width, height) = (decoder.width(), decoder.height());
    let frame = decoder.next_frame_info().map_err(|e| damaged(&e.to_string()))?;
    let frame = frame.ok_or_else(|| damaged("it has no frame"))?.clone();
    // A frame that stands out makes the canvas larger.
    let width = u32::from(width).max(u32::from(frame.left) + u32::from(frame.width));
    let height = u32::from(height).max(u32::from(frame.top) + u32::from(frame.height));
    Ok(FirstFrame { decoder, frame, width, height })
}

fn damaged(what: &str) -> String {
    format!("is damaged or cut short ({what}); copy or download it again, or remove it")
}
