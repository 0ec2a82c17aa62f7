//! Decoding against Pillow's, and what is refused.

use crate::{fixtures, grid, json, largest_difference, numbers};
use base64::Engine;
use serde_json::json;
use tallow::vision::{Image, Limits};

#[test]
fn every_kind_of_picture_is_read_as_pillow_reads_it() {
    let expected = json(&fixtures().join("pictures.json"));
    let mut wrong = Vec::new();
    for (name, want) in expected.as_object().unwrap() {
        let picture = Image::open(fixtures().join("pictures").join(name)).unwrap();
        assert_eq!(vec![picture.width() as f64, picture.height() as f64], numbers(&want["size"]), "{name}");
        let worst = largest_difference(&grid(&picture, 12), &numbers(&want["grid"]));
        // 16 bits are rounded here and cut in Pillow; two kinds are decoded by crates that round their own way.
        let allowed = match name.as_str() {
            "rgb_jpeg.tif" | "lossy.webp" => 2.0,
            name if name.contains("16_bits") => 1.0,
            _ => 0.0,
        };
        if worst > allowed {
            wrong.push(format!("{name}: at most {worst} levels"));
        }
    }
    assert!(wrong.is_empty(), "from Pillow's pixels: {wrong:?}");
}

#[test]
fn pictures_of_unusual_structure_are_pillows_to_the_last_bit() {
    let pictures = json(&fixtures().join("odd.json"));
    let pictures = pictures.as_array().unwrap();
    let bytes = |value: &serde_json::Value| base64::prelude::BASE64_STANDARD.decode(value.as_str().unwrap()).unwrap();
    let mut wrong = Vec::new();
    for picture in pictures {
        let name = picture["name"].as_str().unwrap();
        match Image::decode(&bytes(&picture["file"]), Limits::default()) {
            Err(error) => wrong.push(format!("{name}: {error}")),
            Ok(read) if (json!([read.width(), read.height()])) != json!([picture["width"], picture["height"]]) => {
                wrong.push(format!("{name}: {} by {}", read.width(), read.height()));
            }
            Ok(read) => {
                let differ = read.bytes().iter().zip(bytes(&picture["rgb"])).filter(|(a, b)| **a != *b).count();
                if differ > 0 {
                    wrong.push(format!("{name}: {differ} of {} values", read.bytes().len()));
                }
                // The size in the header is that before it is turned.
                let size = Image::size_of_bytes(&bytes(&picture["file"])).map_err(|e| e.to_string());
                let (w, h) = (read.width(), read.height());
                if size != Ok((w, h)) && size != Ok((h, w)) {
                    wrong.push(format!("{name}: {w} by {h}, and its header says {size:?}"));
                }
            }
        }
    }
    assert!(pictures.len() > 200 && wrong.is_empty(), "of {}: {wrong:#?}", pictures.len());
}

#[test]
fn a_jpeg_that_ends_early_is_cut_short_though_an_end_marker_follows() {
    for name in ["420.jpg", "grey.jpg", "progressive.jpg", "cmyk.jpg"] {
        let whole = std::fs::read(fixtures().join("pictures").join(name)).unwrap();
        let scan = whole.windows(2).position(|pair| pair == [0xff, 0xda]).unwrap() + 14;
        for cut in scan..whole.len() - 3 {
            let short = [&whole[..cut], &[0xff, 0xd9]].concat();
            // A byte 0xff before the end marker would be another marker.
            let refused = Image::decode(&short, Limits::default()).is_err();
            assert!(refused || whole[cut - 1] == 0xff, "{name}: {cut} of {} bytes", whole.len());
        }
    }
}

#[test]
fn kinds_of_jpeg_that_cannot_be_read_are_named() {
    let whole = std::fs::read(fixtures().join("pictures/420.jpg")).unwrap();
    let frame = whole.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    for (at, value, reason) in [
        (1, 0xc3, "lossless"),
        (1, 0xc9, "arithmetically"),
        (1, 0xc5, "hierarchy"),
        (4, 12, "12 bits"),
        (14, 0x31, "no whole ratio"),
    ] {
        let mut other = whole.clone();
        other[frame + at] = value;
        let error = Image::decode(&other, Limits::default()).unwrap_err().to_string();
        assert!(error.contains(reason) && error.contains("cannot be read"), "{error}");
    }
}

#[test]
fn what_is_no_whole_picture_is_named_with_its_reason() {
    let dir = tempfile::tempdir().unwrap();
    let photo = std::fs::read(fixtures().join("pictures/420.jpg")).unwrap();
    let drawing = std::fs::read(fixtures().join("pictures/rgb.png")).unwrap();
    let cases: [(&str, &[u8], &str); 8] = [
        ("empty.jpg", b"", "is empty"),
        ("text.jpg", b"<html>404 not found</html>", "it begins with the text \"<html>404 not f"),
        ("bytes.png", &[0, 1, 2, 3], "it begins with the bytes [00, 01, 02, 03]"),
        ("cut.jpg", &photo[..photo.len() - 60], "is cut short"),
        ("cut.png", &drawing[..drawing.len() / 2], "is damaged or cut short"),
        ("phone.jpg", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "`heif-convert photo.heic photo.jpg`"),
        ("icon.png", b"\0\0\x01\0\x01\0\x10\x10", "of the kind icon, which cannot be read"),
        ("head.jpg", &photo[..20], "is cut short"),
    ];
    for (name, bytes, reason) in cases {
        let file = dir.path().join(name);
        std::fs::write(&file, bytes).unwrap();
        let error = Image::open(&file).unwrap_err();
        let message = error.to_string();
        assert!(message.contains(name) && message.contains(reason), "{message}");
        assert_eq!(tallow::cli::exit_code(&error), 3, "{message}");
    }
    let error = Image::open(dir.path().join("none.jpg")).unwrap_err();
    assert!(error.to_string().contains("none.jpg"), "{error}");
}

#[test]
fn a_jpeg_cut_anywhere_is_refused_or_read_but_never_a_panic() {
    for name in ["420.jpg", "progressive.jpg", "orientation_6.jpg", "lossy.webp", "two_frames.gif", "palette.bmp"] {
        let bytes = std::fs::read(fixtures().join("pictures").join(name)).unwrap();
        for length in 0..bytes.len() {
            let read = Image::decode(&bytes[..length], Limits::default());
            // A GIF is whole for us once its first frame is; a BMP may end with padding.
            assert!(read.is_err() || !name.ends_with("jpg"), "{name}: {length} of {} bytes were enough", bytes.len());
        }
    }
}

#[test]
fn what_is_wrong_with_a_png_is_said_in_plain_words() {
    let whole = std::fs::read(fixtures().join("pictures/rgb.png")).unwrap();
    let part = |kind: &[u8], contents: &[u8]| {
        let named = [kind, contents].concat();
        [&(contents.len() as u32).to_be_bytes()[..], &named, &crc(&named).to_be_bytes()].concat()
    };
    let (head, rest) = whole.split_at(33); // the signature, and the part IHDR
    let mut changed = whole.clone();
    changed[whole.len() - 13] ^= 1; // of the checksum before the part IEND
    let other = |kind: u8| part(b"IHDR", &[&whole[16..25], &[kind], &whole[26..29]].concat());
    let cases = [
        (changed, "the part IDAT does not fit its checksum"),
        ([head, &part(b"ABCD", b"x"), rest].concat(), "the part ABCD is of an unknown kind"),
        ([&head[..8], &part(b"CgBI", b"x"), &head[8..], rest].concat(), "the part CgBI stands before its head"),
        ([head, &part(b"IDAT", b"not packed"), &part(b"IEND", b"")].concat(), "its pixels cannot be unpacked"),
        ([head, &part(b"IEND", b"")].concat(), "it has no pixels"),
        ([&head[..8], &other(3), rest].concat(), "its palette is missing"),
    ];
    for (bytes, words) in cases {
        let error = Image::decode(&bytes, Limits::default()).unwrap_err().to_string();
        assert!(error.contains(words) && error.contains("; copy or download it again, or remove it"), "{error}");
        assert!(!error.contains("ChunkType") && !error.contains("Format error"), "{error}");
    }
}

/// A PNG's head that promises `width` by `height` pixels, and a few bytes.
fn bomb(width: u32, height: u32) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    file.extend(width.to_be_bytes());
    file.extend(height.to_be_bytes());
    file.extend([8, 2, 0, 0, 0]);
    file.extend(crc(&file[12..]).to_be_bytes());
    file.extend(b"\0\0\0\x08IDAT\x78\x9c\x03\0\0\0\0\x01");
    file.extend(crc(&file[file.len() - 12..]).to_be_bytes());
    file
}

/// CRC-32 bit by bit (ISO 3309), as PNG wants it.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 })
    })
}

#[test]
fn a_decompression_bomb_is_refused_before_it_is_unpacked() {
    let error = Image::decode(&bomb(30_000, 30_000), Limits::default()).unwrap_err().to_string();
    assert!(error.contains("is too large: 30000 by 30000 pixels"), "{error}");
    let small = Limits { max_pixels: 1000, max_bytes: 1 << 20 };
    let error = Image::open_with(fixtures().join("pictures/420.jpg"), small).unwrap_err().to_string();
    assert!(error.contains("420.jpg") && error.contains("1728, and 1000 pixels"), "{error}");
}

#[test]
fn a_saved_picture_is_read_again_and_its_size_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let picture = Image::from_fn(31, 17, |x, y| [x as u8 * 8, y as u8 * 15, 7]).unwrap();
    for name in ["a.png", "a.bmp", "a.webp", "a.tif", "a.jpg", "a.jpe"] {
        let file = dir.path().join(name);
        picture.save(&file).unwrap();
        assert_eq!(Image::size_of_file(&file).unwrap(), (31, 17));
        let read = Image::open(&file).unwrap();
        assert!(name.contains(".jp") || read == picture, "{name}");
    }
    assert!(picture.save(dir.path().join("a.txt")).unwrap_err().to_string().contains("a.txt"));
    let (w, h) = Image::size_of_file(fixtures().join("pictures/lossy.webp")).unwrap();
    assert_eq!((w, h), (48, 36));
}
