//! A perceptual hash, by which copies of an image are found.

use super::{Image, Resize};
use crate::error::Result;
use std::sync::LazyLock;

/// Rows and columns of the small grey picture that is hashed.
const SIDE: usize = 48;

/// How many frequencies count, in rows and in columns.
const FREQUENCIES: usize = 12;

/// What a picture shows, in 144 bits: copies that were resized, compressed again, brightened or cropped a little have
/// nearly the same bits, and other pictures differ in about half of them. The hash that is known as pHash (Zauner,
/// 2010; `imagehash.phash(hash_size=12)` in Python): the picture's lowest frequencies by the discrete cosine transform,
/// and for each of them whether it is above their median.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PerceptualHash {
    chunks: [u16; PerceptualHash::CHUNKS],
}

/// `cos(pi * k * (2 x + 1) / (2 * SIDE))` for frequency k and place x: the discrete cosine transform (II).
static COSINES: LazyLock<Vec<f64>> = LazyLock::new(|| {
    let angle = |k: usize, x: usize| std::f64::consts::PI * (k * (2 * x + 1)) as f64 / (2 * SIDE) as f64;
    (0..FREQUENCIES).flat_map(|k| (0..SIDE).map(move |x| libm::cos(angle(k, x)))).collect()
});

impl PerceptualHash {
    /// The number of bits.
    pub const BITS: u32 = 144;

    /// The number of 16-bit chunks.
    pub const CHUNKS: usize = 9;

    /// Pictures whose hashes differ in at most so many bits show the same. Of 200 copies of photos of cats and dogs
    /// (resized to a third, compressed at quality 20, cropped by a tenth, brightened by a third, and all of it) 199 are
    /// as near, and no two different ones of the 1,200 photos are.
    pub const NEAR: u32 = 26;

    /// The hash of an image of any size.
    ///
    /// # Errors
    /// Never for a picture that exists; resizing says so by its type.
    pub fn of(picture: &Image) -> Result<PerceptualHash> {
        let small = picture.resize(Resize::squish(SIDE))?;
        let luma = |p: &[u8]| 0.299 * f64::from(p[0]) + 0.587 * f64::from(p[1]) + 0.114 * f64::from(p[2]);
        let grey: Vec<f64> = small.bytes().chunks_exact(3).map(luma).collect();
        let dot = |a: &[f64], b: &mut dyn Iterator<Item = f64>| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let cosines = |k: usize| &COSINES[k * SIDE..(k + 1) * SIDE];
        // Over the columns of each row, then over the rows.
        let rows: Vec<f64> = grey
            .chunks_exact(SIDE)
            .flat_map(|row| (0..FREQUENCIES).map(move |k| dot(cosines(k), &mut row.iter().copied())))
            .collect();
        let column = |k: usize| rows.iter().skip(k).step_by(FREQUENCIES).copied();
        let at = |i: usize| dot(cosines(i / FREQUENCIES), &mut column(i % FREQUENCIES));
        // The first is the mean, which says nothing of what is seen.
        let waves: Vec<f64> = (1..FREQUENCIES * FREQUENCIES).map(at).collect();
        let mut sorted = waves.clone();
        sorted.sort_by(f64::total_cmp);
        let median = sorted[sorted.len() / 2];
        let mut chunks = [0; PerceptualHash::CHUNKS];
        for (i, _) in waves.iter().enumerate().filter(|(_, wave)| **wave > median) {
            chunks[i % PerceptualHash::CHUNKS] |= 1 << (i / PerceptualHash::CHUNKS);
        }
        Ok(PerceptualHash { chunks })
    }

    /// The number of bits in which two hashes differ (the Hamming distance).
    pub fn distance(&self, other: &PerceptualHash) -> u32 {
        self.chunks.iter().zip(other.chunks).map(|(a, b)| (a ^ b).count_ones()).sum()
    }

    /// The bits in chunks of 16, each with bits of all frequencies.
    pub fn chunks(&self) -> [u16; PerceptualHash::CHUNKS] {
        self.chunks
    }
}
