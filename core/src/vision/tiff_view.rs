//! A TIFF as its decoder is to see it: with the first page alone, and without what the decoder would get wrong.
#![warn(clippy::indexing_slicing)]

use super::ifd::{Directories, Directory};
use std::io::{Read, Result, Seek, SeekFrom};

const COMPRESSION: u16 = 259;
const PREDICTOR: u16 = 317;

/// LZW, and Deflate by both of its numbers.
const PREDICTING: [u64; 3] = [5, 8, 32946];

/// Bytes that are read at a place instead of those of the file.
pub(super) struct Change {
    at: u64,
    bytes: Vec<u8>,
}

/// A file with changes.
pub(super) struct View<R> {
    file: R,
    at: u64,
    changes: Vec<Change>,
}

impl<R: Read + Seek> View<R> {
    /// The file from its beginning.
    ///
    /// # Errors
    /// When it cannot be rewound.
    pub(super) fn new(mut file: R, changes: Vec<Change>) -> Result<View<R>> {
        file.rewind()?;
        Ok(View { file, at: 0, changes })
    }
}

impl<R: Read> Read for View<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let n = self.file.read(buffer)?;
        let read = buffer.get_mut(..n).unwrap_or_default();
        for change in &self.changes {
            for (i, &new) in change.bytes.iter().enumerate() {
                let place = change.at.saturating_add(i as u64).checked_sub(self.at);
                let place = place.and_then(|place| usize::try_from(place).ok());
                if let Some(byte) = place.and_then(|place| read.get_mut(place)) {
                    *byte = new;
                }
            }
        }
        self.at += n as u64;
        Ok(n)
    }
}

impl<R: Seek> Seek for View<R> {
    fn seek(&mut self, place: SeekFrom) -> Result<u64> {
        self.at = self.file.seek(place)?;
        Ok(self.at)
    }
}

/// The changes by which a page becomes the only one, and some of its tags (each with its new value) others. So the
/// decoder does not follow directories that stand in a circle, which it refuses. A predictor goes away where there is
/// none in libtiff: it belongs to LZW and Deflate, and some programs write it beside other compressions.
pub(super) fn only_page<R: Read + Seek>(
    file: &mut Directories<R>,
    page: &Directory,
    tags: &[(u16, u16)],
) -> Vec<Change> {
    let mut changes = vec![
        Change { at: file.first_link(), bytes: file.link_bytes(page.start) },
        Change { at: page.link, bytes: file.link_bytes(0) },
    ];
    let compression = page.entry(COMPRESSION).and_then(|entry| file.first_value(entry));
    let no_predictor = (!compression.is_some_and(|kind| PREDICTING.contains(&kind))).then_some((PREDICTOR, 1));
    for (tag, value) in tags.iter().copied().chain(no_predictor) {
        if let Some(entry) = page.entry(tag) {
            changes.push(Change { at: entry.at, bytes: file.bytes(value.into(), entry.size) });
        }
    }
    changes
}

/// The file with the bits of each byte of its strips or tiles turned round. Bytes that several share are turned once.
pub(super) fn with_bits_turned(bytes: &[u8], starts: &[u64], lengths: &[u64]) -> Vec<u8> {
    let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
    let parts = starts.iter().zip(lengths);
    let mut parts: Vec<_> = parts.map(|(&start, &n)| (place(start), place(start.saturating_add(n)))).collect();
    parts.sort_unstable();
    let mut turned = bytes.to_vec();
    let mut done = 0;
    for (start, end) in parts {
        for byte in turned.get_mut(start.max(done)..end).unwrap_or_default() {
            *byte = byte.reverse_bits();
        }
        done = done.max(end);
    }
    turned
}
