//! Pickles that PyTorch would not write, and archives to put them in.

use std::io::{Cursor, Write};
use zip::write::{SimpleFileOptions, ZipWriter};

/// An archive as torch.save makes it, with this program and these storages.
pub(super) fn archive(pickle: &[u8], storages: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let mut add = |name: String, bytes: &[u8]| {
        writer
            .start_file(name, SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored))
            .unwrap();
        writer.write_all(bytes).unwrap();
    };
    add("a/data.pkl".into(), pickle);
    for (key, bytes) in storages {
        add(format!("a/data/{key}"), bytes);
    }
    add("a/version".into(), b"3\n");
    writer.finish().unwrap().into_inner()
}

/// `PROTO 2`, this, `STOP`.
pub(super) fn program(body: &[&[u8]]) -> Vec<u8> {
    [b"\x80\x02".as_slice(), &body.concat(), b"."].concat()
}

/// An archive with sixteen bytes in storage `0`.
pub(super) fn with_program(body: &[&[u8]]) -> Vec<u8> {
    archive(&program(body), &[("0", &[0; 16])])
}

pub(super) fn text(text: &str) -> Vec<u8> {
    [b"X".as_slice(), &(text.len() as u32).to_le_bytes(), text.as_bytes()].concat()
}

pub(super) fn int(int: i64) -> Vec<u8> {
    [b"\x8a\x08".as_slice(), &int.to_le_bytes()].concat()
}

fn tuple(ints: &[i64]) -> Vec<u8> {
    let ints: Vec<u8> = ints.iter().flat_map(|&i| int(i)).collect();
    [b"(".as_slice(), &ints, b"t"].concat()
}

/// The storage `0` of `count` numbers.
pub(super) fn storage(class: &str, count: i64) -> Vec<u8> {
    let class = format!("ctorch\n{class}\n");
    [b"(".as_slice(), &text("storage"), class.as_bytes(), &text("0"), &text("cpu"), &int(count), b"tQ"].concat()
}

/// A tensor of `float`s.
pub(super) fn tensor(count: i64, offset: i64, shape: &[i64], strides: &[i64]) -> Vec<u8> {
    let rebuild = b"ctorch._utils\n_rebuild_tensor_v2\n(".as_slice();
    [rebuild, &storage("FloatStorage", count), &int(offset), &tuple(shape), &tuple(strides), b"\x89}tR"].concat()
}

/// `{"w": tensor}`.
pub(super) fn dict(tensor: &[u8]) -> Vec<u8> {
    with_program(&[b"}", &text("w"), tensor, b"s"])
}
