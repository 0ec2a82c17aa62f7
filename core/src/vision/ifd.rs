//! The directories of a TIFF file: lists of tags, each with its values. EXIF data are such a file too.
#![warn(clippy::indexing_slicing)]

use std::collections::HashSet;
use std::io::{Read, Seek, SeekFrom};

/// The tag by which a smaller version of a page, or its mask, differs from a page.
const NEW_SUBFILE_TYPE: u16 = 254;

/// The most bytes of directories that are looked at one after another, which is a hundred thousand pages and more: in a
/// file that is made for it, large directories can overlap without end.
const MOST_BYTES: u64 = 1 << 26;

/// A file, and how its numbers are written.
pub(super) struct Directories<R> {
    file: R,
    is_little: bool,
    /// Whether it is a BigTIFF, whose counts and offsets have 8 bytes.
    is_big: bool,
    /// Where the first directory stands.
    pub(super) first: u64,
}

/// A directory, which is a page or another picture of a TIFF.
pub(super) struct Directory {
    pub(super) start: u64,
    pub(super) entries: Vec<Entry>,
    /// Where it says where the next one stands.
    pub(super) link: u64,
    /// Where the next one stands, 0 after the last. Nothing if the file ends before that is said.
    pub(super) next: Option<u64>,
}

/// A tag with one or more values.
pub(super) struct Entry {
    pub(super) tag: u16,
    /// The number of the values' type.
    pub(super) kind: u16,
    /// How many bytes each value has, and where the first one stands.
    pub(super) size: u64,
    pub(super) at: u64,
}

impl<R: Read + Seek> Directories<R> {
    /// The directories of a file, if it begins as one that has them.
    pub(super) fn of(file: R) -> Option<Directories<R>> {
        let mut directories = Directories { file, is_little: false, is_big: false, first: 0 };
        let head = directories.read(0, 16)?;
        directories.is_little = match head.get(..2)? {
            b"II" => true,
            b"MM" => false,
            _ => return None,
        };
        directories.is_big = directories.number(head.get(2..4)?) == 43;
        directories.first = directories.number(head.get(if directories.is_big { 8..16 } else { 4..8 })?);
        Some(directories)
    }

    /// Where the file says where its first directory stands.
    pub(super) fn first_link(&self) -> u64 {
        if self.is_big { 8 } else { 4 }
    }

    /// The directory at a place, with as many of its entries as the file has. Those of unknown types, and without
    /// values, are left out, and so are those that repeat a tag, as in Pillow.
    pub(super) fn directory(&mut self, start: u64) -> Option<Directory> {
        let (count_size, entry_size, value, inside) = if self.is_big { (8, 20, 12, 8) } else { (2, 12, 8, 4) };
        let count = self.read(start, count_size)?;
        let n = if count.len() as u64 == count_size { self.number(&count) } else { return None };
        let first = start.checked_add(count_size)?;
        // There are no more entries than tags.
        let link = first.checked_add(n.min(1 << 16) * entry_size)?;
        let bytes = self.read(first, link - first + inside)?;
        let mut entries: Vec<Entry> = Vec::new();
        let mut known = HashSet::new();
        for (i, entry) in bytes.chunks_exact(entry_size as usize).take(n as usize).enumerate() {
            let (tag, rest) = entry.split_at_checked(2)?;
            let (kind, rest) = rest.split_at_checked(2)?;
            let (count, field) = rest.split_at_checked(inside as usize)?;
            let (tag, kind) = (self.number(tag) as u16, self.number(kind) as u16);
            let size = match kind {
                1 | 2 | 6 | 7 => 1,
                3 | 8 => 2,
                4 | 9 | 11 | 13 => 4,
                5 | 10 | 12 | 16..=18 => 8,
                _ => continue,
            };
            let count = self.number(count);
            // Few values stand in the entry, many elsewhere.
            let is_inside = count.saturating_mul(size) <= inside;
            let at = if is_inside { first + i as u64 * entry_size + value } else { self.number(field) };
            if count > 0 && known.insert(tag) {
                entries.push(Entry { tag, kind, size, at });
            }
        }
        let next = bytes.get((link - first) as usize..).filter(|next| next.len() as u64 == inside);
        let next = next.map(|next| self.number(next));
        Some(Directory { start, entries, link, next })
    }

    /// The first of the directories that `is_it` holds for, one after another, until one comes again or cannot be read.
    pub(super) fn find(&mut self, mut is_it: impl FnMut(&mut Self, &Directory) -> bool) -> Option<Directory> {
        let (mut seen, mut start, mut bytes) = (HashSet::new(), self.first, 0);
        while start != 0 && bytes < MOST_BYTES && seen.insert(start) {
            let directory = self.directory(start)?;
            if is_it(self, &directory) {
                return Some(directory);
            }
            bytes += (directory.link - directory.start).max(64);
            start = directory.next?;
        }
        None
    }

    /// The first page, or else the first directory.
    pub(super) fn first_page(&mut self) -> Option<Directory> {
        self.find(|file, directory| file.is_page(directory)).or_else(|| self.directory(self.first))
    }

    /// Whether a directory is a page, and neither a smaller version of one nor a mask.
    pub(super) fn is_page(&mut self, directory: &Directory) -> bool {
        directory.entry(NEW_SUBFILE_TYPE).and_then(|kind| self.first_value(kind)).unwrap_or(0) & 0b101 == 0
    }

    /// The first value of an entry, read as a whole number.
    pub(super) fn first_value(&mut self, entry: &Entry) -> Option<u64> {
        let bytes = self.read(entry.at, entry.size)?;
        (bytes.len() as u64 == entry.size).then(|| self.number(&bytes))
    }

    /// The first value of an entry as a number, also if it is a fraction or has a point.
    pub(super) fn first_number(&mut self, entry: &Entry) -> Option<f64> {
        let value = self.first_value(entry)?;
        let (low, high) = (value as u32, (value >> 32) as u32);
        let (above, below) = if self.is_little { (low, high) } else { (high, low) };
        Some(match entry.kind {
            5 => f64::from(above) / f64::from(below),
            10 => f64::from(above as i32) / f64::from(below as i32),
            11 => f32::from_bits(low).into(),
            12 => f64::from_bits(value),
            _ => value as f64,
        })
    }

    /// The bytes of a number as the file has them.
    pub(super) fn bytes(&self, number: u64, size: u64) -> Vec<u8> {
        let mut bytes: Vec<u8> = number.to_le_bytes().into_iter().take(size as usize).collect();
        if !self.is_little {
            bytes.reverse();
        }
        bytes
    }

    /// The bytes of a place or of the next directory.
    pub(super) fn link_bytes(&self, place: u64) -> Vec<u8> {
        self.bytes(place, if self.is_big { 8 } else { 4 })
    }

    fn number(&self, bytes: &[u8]) -> u64 {
        let with = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        if self.is_little { bytes.iter().rev().fold(0, with) } else { bytes.iter().fold(0, with) }
    }

    /// These bytes, or as many of them as there are.
    fn read(&mut self, at: u64, n: u64) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        self.file.seek(SeekFrom::Start(at)).ok()?;
        self.file.by_ref().take(n).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }
}

impl Directory {
    /// The entry of a tag.
    pub(super) fn entry(&self, tag: u16) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.tag == tag)
    }
}
