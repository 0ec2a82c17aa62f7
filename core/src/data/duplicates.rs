//! Files that are there twice, by their bytes or by what they show.

use super::inspect::{ImageFacts, inspect_images};
use crate::vision::PerceptualHash;
use rayon::prelude::*;
use std::collections::{BTreeMap, HashMap};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use tallow_io::hash;

/// A file that shows what an earlier file shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicate {
    /// The file.
    pub file: PathBuf,
    /// The nearest of the files before it.
    pub other: PathBuf,
    /// In how many of their [`PerceptualHash`]'s bits they differ: 0 if they have the same bytes.
    pub distance: u32,
    /// Whether they have the same bytes.
    pub is_equal: bool,
}

/// The files that are copies of an earlier one: the same bytes, or a picture that was resized, compressed again,
/// brightened or cropped a little ([`PerceptualHash::NEAR`]). Removing all of them leaves one of each.
///
/// Every file is decoded, on all processors; those that cannot be and pictures of one colour only count as copies if
/// their bytes are the same. The time grows with the number of files, not with that of pairs.
pub fn find_duplicates(files: &[PathBuf]) -> Vec<Duplicate> {
    let facts: Vec<Option<ImageFacts>> = inspect_images(files).into_iter().map(Result::ok).collect();
    duplicates_of(files, &facts)
}

/// [`find_duplicates`] of files that were looked at before ([`inspect_images`]); none stands for a file that cannot be
/// read.
pub fn duplicates_of(files: &[PathBuf], facts: &[Option<ImageFacts>]) -> Vec<Duplicate> {
    let mut earlier: Vec<Option<(usize, u32, bool)>> = vec![None; files.len()];
    for group in equal_files(files) {
        for &i in &group[1..] {
            earlier[i] = Some((group[0], 0, true));
        }
    }
    // Of files with the same bytes one is compared with the others.
    let single: Vec<(usize, PerceptualHash)> = facts
        .iter()
        .enumerate()
        .filter(|(i, _)| earlier.get(*i).is_some_and(Option::is_none))
        .filter_map(|(i, facts)| facts.as_ref().filter(|facts| !facts.is_blank).map(|facts| (i, facts.hash)))
        .collect();
    let hashes: Vec<PerceptualHash> = single.iter().map(|(_, hash)| *hash).collect();
    for ((i, _), near) in single.iter().zip(nearest_earlier(&hashes, PerceptualHash::NEAR)) {
        earlier[*i] = near.map(|(j, distance)| (single[j].0, distance, false));
    }
    let duplicate = |(i, earlier): (usize, &Option<(usize, u32, bool)>)| {
        let (other, distance, is_equal) = (*earlier)?;
        Some(Duplicate { file: files[i].clone(), other: files[other].clone(), distance, is_equal })
    };
    earlier.iter().enumerate().filter_map(duplicate).collect()
}

/// Groups of files with the same bytes, by their indices, in order. Sizes are compared first, then the files' ends, and
/// what is left by its sha256; empty files and files that cannot be read are in no group.
pub fn equal_files(files: &[PathBuf]) -> Vec<Vec<usize>> {
    let size = |file: &Path| file.metadata().ok().filter(|m| m.is_file() && m.len() > 0).map(|m| m.len());
    let groups = split(vec![(0..files.len()).collect()], |i| size(&files[i]));
    let groups = split(groups, |i| end_of_file(&files[i]).ok());
    split(groups, |i| hash::file(&files[i]).ok().map(|digest| digest.sha256))
}

/// Pairs of equal files, one in the training and one in the validation set, which makes a network look better than
/// it is: for each file of `valid` that has the bytes of one in `train`, (the first such, the file itself).
pub fn duplicates_across(train: &[PathBuf], valid: &[PathBuf]) -> Vec<(PathBuf, PathBuf)> {
    let all = [train, valid].concat();
    let pairs = across(&equal_files(&all), train.len());
    pairs.into_iter().map(|(one, other)| (all[one].clone(), all[other].clone())).collect()
}

/// In groups of items of which the first `n_train` are to train with: each of the others that is in a group with one of
/// those, after the first such.
pub(super) fn across(groups: &[Vec<usize>], n_train: usize) -> Vec<(usize, usize)> {
    let mixed = groups.iter().filter(|group| group[0] < n_train);
    mixed.flat_map(|group| group.iter().filter(|i| **i >= n_train).map(|&i| (group[0], i))).collect()
}

/// Divides each group by a key, on all processors. Those of one are left out, and so are items without a key.
fn split<K: Ord + Send>(groups: Vec<Vec<usize>>, key: impl Fn(usize) -> Option<K> + Sync) -> Vec<Vec<usize>> {
    let items: Vec<(usize, usize)> =
        groups.into_iter().enumerate().flat_map(|(g, group)| group.into_iter().map(move |i| (g, i))).collect();
    let keys: Vec<Option<K>> = items.par_iter().map(|(_, i)| key(*i)).collect();
    let mut parts: BTreeMap<(usize, K), Vec<usize>> = BTreeMap::new();
    for ((group, i), key) in items.into_iter().zip(keys) {
        if let Some(key) = key {
            parts.entry((group, key)).or_default().push(i);
        }
    }
    let mut parts: Vec<Vec<usize>> = parts.into_values().filter(|part| part.len() > 1).collect();
    parts.sort();
    parts
}

/// The last 4 KB. Photos of one camera begin alike and end differently.
fn end_of_file(file: &Path) -> std::io::Result<Vec<u8>> {
    let mut file = tallow_io::read::open(file)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(4096)))?;
    let mut end = Vec::new();
    file.take(4096).read_to_end(&mut end)?;
    Ok(end)
}

/// For each hash the nearest of those before it that differs in at most `within` bits, with the distance; the first of
/// several.
///
/// Multi-index hashing (Norouzi, Punjani and Fleet, 2012): if two hashes of 9 pieces differ in `d` bits, one of the
/// pieces differs in at most `d / 9`. So the hashes are in a table for each piece, and only those are compared that
/// have a piece nearly in common.
fn nearest_earlier(hashes: &[PerceptualHash], within: u32) -> Vec<Option<(usize, u32)>> {
    // Equal hashes would stand in the same places and be compared in pairs.
    let mut first: HashMap<PerceptualHash, usize> = HashMap::new();
    let firsts: Vec<usize> = hashes.iter().enumerate().map(|(i, hash)| *first.entry(*hash).or_insert(i)).collect();
    let single: Vec<usize> = (0..hashes.len()).filter(|&i| firsts[i] == i).collect();
    let tables: Vec<Table> = (0..PerceptualHash::CHUNKS)
        .into_par_iter()
        .map(|c| Table::new(single.iter().map(|&i| hashes[i].chunks()[c]).collect()))
        .collect();
    let radius = within / PerceptualHash::CHUNKS as u32;
    let changes: Vec<u16> = (0..=u16::MAX).filter(|change| change.count_ones() <= radius).collect();
    let nearest = |(n, &i): (usize, &usize)| {
        let hash = &hashes[i];
        let mut best: Option<(u32, usize)> = None;
        for (table, chunk) in tables.iter().zip(hash.chunks()) {
            for change in &changes {
                // The places in a row are in order, so those after this hash need no look.
                for &m in table.row(chunk ^ change).iter().take_while(|&&m| (m as usize) < n) {
                    let found = (hash.distance(&hashes[single[m as usize]]), single[m as usize]);
                    if found.0 <= within && best.is_none_or(|best| found < best) {
                        best = Some(found);
                    }
                }
            }
        }
        best.map(|(distance, j)| (j, distance))
    };
    let of_single: Vec<Option<(usize, u32)>> = single.par_iter().enumerate().map(nearest).collect();
    let mut all: Vec<Option<(usize, u32)>> = firsts.iter().map(|&first| Some((first, 0))).collect();
    for (&i, near) in single.iter().zip(of_single) {
        all[i] = near;
    }
    all
}

/// Places by a piece of 16 bits.
struct Table {
    starts: Vec<u32>,
    places: Vec<u32>,
}

impl Table {
    fn new(keys: Vec<u16>) -> Table {
        let mut starts = vec![0u32; (1 << 16) + 1];
        for &key in &keys {
            starts[usize::from(key) + 1] += 1;
        }
        for key in 0..1 << 16 {
            starts[key + 1] += starts[key];
        }
        let mut next = starts.clone();
        let mut places = vec![0; keys.len()];
        for (place, &key) in keys.iter().enumerate() {
            let at = &mut next[usize::from(key)];
            places[*at as usize] = place as u32;
            *at += 1;
        }
        Table { starts, places }
    }

    fn row(&self, key: u16) -> &[u32] {
        let key = usize::from(key);
        &self.places[self.starts[key] as usize..self.starts[key + 1] as usize]
    }
}
