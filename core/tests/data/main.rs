//! From folders to batches.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod block;
mod csv;
mod duplicates;
mod files;
mod layouts;
mod loaders;
mod masks;
mod split;
mod table_block;
mod tables;

use std::path::{Path, PathBuf};
use tallow::vision::Image;

/// Writes `n` pictures of each class as `root/<class>/<i>.png`; the classes differ in colour, the pictures in size.
fn classes(root: &Path, counts: &[(&str, usize)]) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for (c, (class, n)) in counts.iter().enumerate() {
        for i in 0..*n {
            let (w, h) = (20 + i % 5, 16 + i % 3);
            let pixel = |x: usize, y: usize| [c as u8 * 80, (x * 9 + i) as u8, (y * 11) as u8];
            let file = root.join(class).join(format!("{i:03}.png"));
            Image::from_fn(w, h, pixel).unwrap().save(&file).unwrap();
            files.push(file);
        }
    }
    files.sort();
    files
}

/// What a folder of the wild has in it: see the name of each file.
fn broken(root: &Path) {
    let photo = root.join("whole.jpg");
    Image::from_fn(64, 48, |x, y| [x as u8 * 4, y as u8 * 5, 9]).unwrap().save(&photo).unwrap();
    let bytes = std::fs::read(&photo).unwrap();
    std::fs::remove_file(photo).unwrap();
    std::fs::write(root.join("cut_short.jpg"), &bytes[..bytes.len() * 2 / 3]).unwrap();
    std::fs::write(root.join("empty.jpg"), "").unwrap();
    std::fs::write(root.join("text.jpg"), "I am a text").unwrap();
    // A PNG of 30,000 by 30,000 pixels, as far as its head goes.
    let mut bomb = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    bomb.extend([30_000u32.to_be_bytes(), 30_000u32.to_be_bytes()].concat());
    bomb.extend([8, 2, 0, 0, 0, 0x83, 0x0f, 0x0b, 0x86]);
    let crc = crc(&bomb[12..29]);
    bomb.splice(29.., crc.to_be_bytes());
    bomb.extend(b"\0\0\0\x08IDAT\x78\x9c\x03\0\0\0\0\x01");
    std::fs::write(root.join("too_large.png"), bomb).unwrap();
}

/// CRC-32 bit by bit (ISO 3309), as PNG wants it.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 })
    })
}
