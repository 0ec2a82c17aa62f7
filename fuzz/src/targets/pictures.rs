//! Pictures, beside a second decoder.

use super::{Target, files, words};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use image::{DynamicImage, ImageFormat};
use std::panic;
use std::path::Path;
use tallow::vision::{Image, Kind, Limits};

/// All kinds but JPEG. What both decoders read must be the same; the other one may refuse what ours reads.
pub(super) const PICTURES: Target = Target {
    name: "pictures",
    seeds: |_| {
        let endings = [".png", ".gif", ".bmp", ".webp", ".tif"];
        let mut pictures = files("core/tests/vision/fixtures/pictures", &endings);
        pictures.extend(odd(&endings));
        // Notes of 4 GB, says their head: a decoder took the memory before it looked whether they are there.
        let promise = |picture: Vec<u8>| [picture, b"EXIF\xf0\xff\xff\xffII*\0".to_vec()].concat();
        let webp = odd(&["exif 6.webp"]).into_iter().map(|picture| promise(picture[..30].to_vec()));
        pictures.extend(webp);
        pictures
    },
    tokens: &[
        b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"eXIf", b"GIF89a", b"VP8X", b"VP8L", b"RIFF", b"II*\0", b"BM",
    ],
    structure: None,
    run: |input, folder| {
        let ours = Image::decode(input, small());
        if let Ok(ours) = &ours {
            check(ours, other(input), input)?;
        }
        check_file(&ours, input, &folder.join("picture"))?;
        words(ours)
    },
};

/// JPEGs, beside two decoders, of which one may be wrong: each is, for numbers that only damaged files have.
pub(super) const JPEGS: Target = Target {
    name: "jpegs",
    seeds: |_| [files("core/tests/vision/fixtures/pictures", &[".jpg"]), odd(&[".jpg"])].concat(),
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
    run: |input, folder| {
        let ours = Image::decode(input, small());
        if let Ok(ours) = &ours {
            check_jpeg(ours, input)?;
        }
        check_file(&ours, input, &folder.join("picture"))?;
        words(ours)
    },
};

/// Pictures of unusual structure.
fn odd(endings: &[&str]) -> Vec<Vec<u8>> {
    let list = include_str!("../../../core/tests/vision/fixtures/odd.json");
    let pictures: Vec<serde_json::Value> = serde_json::from_str(list).unwrap_or_default();
    let is_meant = |name: &str| endings.iter().any(|ending| name.ends_with(ending));
    let meant = pictures.iter().filter(|picture| picture["name"].as_str().is_some_and(is_meant));
    meant.filter_map(|picture| BASE64_STANDARD.decode(picture["file"].as_str()?).ok()).collect()
}

/// The same picture as a file: its pixels, its size before it is turned, and its pages.
fn check_file(ours: &tallow::Result<Image>, input: &[u8], file: &Path) -> Result<(), String> {
    std::fs::write(file, input).map_err(|e| e.to_string())?;
    let (kind, pages, size) = (Kind::of_file(file), Image::pages_of_file(file), Image::size_of_file(file));
    if Image::open_with(file, small()).ok().as_ref() != ours.as_ref().ok() {
        return Err("a file is another picture than its bytes".into());
    }
    if size.as_ref().ok() != Image::size_of_bytes(input).as_ref().ok() {
        return Err(format!("a file of size {size:?}, and its bytes have another"));
    }
    let Ok(ours) = ours else { return Ok(()) };
    match (kind, pages, size) {
        (Ok(Some(_)), Ok(1..), Ok((w, h))) if [(w, h), (h, w)].contains(&(ours.width(), ours.height())) => Ok(()),
        told => Err(format!("a picture of {} x {}, and its file says {told:?}", ours.width(), ours.height())),
    }
}

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
    let notes = [&b"Exif"[..], b"eXIf", b"EXIF", b"tiff:Orientation", b"Raw profile type exif", b"XML:com.adobe.xmp"];
    let has_notes = notes.iter().any(|note| contains(input, note));
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
