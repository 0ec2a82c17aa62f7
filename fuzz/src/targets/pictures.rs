//! Pictures, beside a second decoder.

use super::{Target, files, words};
use image::{DynamicImage, ImageFormat};
use std::panic;
use tallow::vision::{Image, Limits};

/// All kinds but JPEG. What both decoders read must be the same; the other one may refuse what ours reads.
pub(super) const PICTURES: Target = Target {
    name: "pictures",
    seeds: |_| files("core/tests/vision/fixtures/pictures", &[".png", ".gif", ".bmp", ".webp", ".tif"]),
    tokens: &[
        b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"eXIf", b"GIF89a", b"VP8X", b"VP8L", b"RIFF", b"II*\0", b"BM",
    ],
    structure: None,
    run: |input, _| {
        let ours = Image::decode(input, small());
        if let Ok(ours) = &ours {
            check(ours, other(input), input)?;
        }
        words(ours)
    },
};

/// JPEGs, beside two decoders, of which one may be wrong: each is, for numbers that only damaged files have.
pub(super) const JPEGS: Target = Target {
    name: "jpegs",
    seeds: |_| files("core/tests/vision/fixtures/pictures", &[".jpg"]),
    tokens: &[
        b"\xff\xd8",
        b"\xff\xd9",
        b"\xff\xc0",
        b"\xff\xc2",
        b"\xff\xc4",
        b"\xff\xdb",
        b"\xff\xda",
        b"\xff\xdd",
        b"\xff\xd0",
    ],
    structure: None,
    run: |input, _| {
        let ours = Image::decode(input, small());
        if let Ok(ours) = &ours {
            check_jpeg(ours, input)?;
        }
        words(ours)
    },
};

fn small() -> Limits {
    Limits { max_pixels: 4 << 20, max_bytes: 64 << 20 }
}

/// The picture by `image`, which has the same decoders for some kinds and others for the rest.
fn other(input: &[u8]) -> Option<DynamicImage> {
    panic::catch_unwind(|| image::load_from_memory(input).ok()).ok().flatten()
}

fn check(ours: &Image, other: Option<DynamicImage>, input: &[u8]) -> Result<(), String> {
    let Some(other) = other else { return Ok(()) };
    // A photo that is turned, and 16 bits, which are rounded in two ways.
    let turned = (other.width(), other.height()) != (ours.width() as u32, ours.height() as u32);
    let has_notes = [&b"Exif"[..], b"eXIf", b"EXIF", b"tiff:Orientation"].iter().any(|note| contains(input, note));
    if has_notes || image::guess_format(input).ok() == Some(ImageFormat::Tiff) || other.color().bytes_per_pixel() > 4 {
        return Ok(());
    }
    if turned {
        let sizes = (other.width(), other.height(), ours.width(), ours.height());
        // A frame of a GIF that stands out of its canvas.
        return if contains(input, b"GIF8") { Ok(()) } else { Err(format!("sizes {sizes:?}")) };
    }
    let is_gif = contains(input, b"GIF8");
    for (x, y, pixel) in other.to_rgba8().enumerate_pixels() {
        let own = ours.pixel(x as usize, y as usize);
        if own != pixel.0[..3] && !(is_gif && pixel.0[3] == 0) {
            return Err(format!("pixel {x}, {y} is {own:?}, and {:?} elsewhere", pixel.0));
        }
    }
    Ok(())
}

fn check_jpeg(ours: &Image, input: &[u8]) -> Result<(), String> {
    if contains(input, b"Exif") || contains(input, b"tiff:Orientation") || ours.width() <= 4 {
        return Ok(());
    }
    let second = panic::catch_unwind(|| jpeg_decoder::Decoder::new(input).decode().ok()).ok().flatten();
    let third = other(input).map(|picture| picture.to_rgb8().into_raw());
    let (Some(second), Some(third)) = (second, third) else { return Ok(()) };
    let n = ours.bytes().len();
    if second.len() != n && second.len() * 3 != n {
        return Ok(()); // four colours of print
    }
    let apart = |a: &[u8], b: &[u8]| {
        // Grey pictures have one value a pixel.
        let (a_step, b_step) =
            if a.len() < b.len() { (1, b.len() / a.len().max(1)) } else { (a.len() / b.len().max(1), 1) };
        let pairs = a.iter().step_by(a_step.max(1)).zip(b.iter().step_by(b_step.max(1)));
        let n = a.len().min(b.len()).max(1);
        pairs.map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / n as f64
    };
    let means = [apart(&second, ours.bytes()), apart(&third, ours.bytes())];
    // Coefficients that no encoder writes overflow in each decoder in a way of its own.
    if means.iter().all(|&mean| mean > 6.0) && apart(&second, &third) < 1.0 {
        return Err(format!("{:.1} and {:.1} levels from two other decoders", means[0], means[1]));
    }
    Ok(())
}

fn contains(input: &[u8], part: &[u8]) -> bool {
    input.windows(part.len()).any(|window| window == part)
}
