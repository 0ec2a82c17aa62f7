//! Scores at one size, classes at another.

use rayon::prelude::*;

/// The class with the highest score at each pixel of a picture of `to` = [height, width], of scores `[h, w, C]` that
/// are interpolated linearly between the nearest four pixels; of equal ones the first class. As
/// [`crate::kernels::upsample_bilinear2d`] without aligned corners, and then the largest, but without the large scores
/// in between.
pub(super) fn classes_at(scores: &[f32], [h, w, c]: [usize; 3], to: [usize; 2]) -> Vec<u16> {
    let [rows, columns] = [taps(h, to[0]), taps(w, to[1])];
    let row = |taps: &Taps| {
        // Rows first: each is used for all columns.
        let [above, below] = taps.at.map(|y| &scores[y * w * c..][..w * c]);
        let line: Vec<f32> = above.iter().zip(below).map(|(a, b)| a + (b - a) * taps.weight).collect();
        let class = |taps: &Taps| {
            let [left, right] = taps.at.map(|x| &line[x * c..][..c]);
            let values = left.iter().zip(right).map(|(a, b)| a + (b - a) * taps.weight);
            let start = (0, f32::NEG_INFINITY);
            values.enumerate().fold(start, |best, (class, v)| if v > best.1 { (class as u16, v) } else { best }).0
        };
        columns.iter().map(class).collect::<Vec<u16>>()
    };
    rows.par_iter().flat_map_iter(row).collect()
}

/// Between which two pixels one lies, and how near to the second.
struct Taps {
    at: [usize; 2],
    weight: f32,
}

fn taps(from: usize, to: usize) -> Vec<Taps> {
    let of = |at: usize| {
        let place = ((at as f64 + 0.5) * from as f64 / to as f64 - 0.5).max(0.0);
        let low = (place as usize).min(from - 1);
        Taps { at: [low, (low + 1).min(from - 1)], weight: (place - low as f64) as f32 }
    };
    (0..to).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::upsample_bilinear2d;
    use crate::rng::Rng;
    use candle_core::{D, Device};

    #[test]
    fn the_classes_are_those_of_the_enlarged_scores() {
        for ([h, w, c], to) in [([3, 5, 4], [7, 11]), ([8, 6, 3], [3, 4]), ([4, 4, 2], [4, 4]), ([1, 1, 5], [2, 3])] {
            let scores = Rng::new(1).stream("scores").randn((1, h, w, c), 1.0, &Device::Cpu).unwrap();
            let large = upsample_bilinear2d(&scores, to, false).unwrap();
            let want = large.argmax(D::Minus1).unwrap().flatten_all().unwrap().to_vec1::<u32>().unwrap();
            let got = classes_at(&scores.flatten_all().unwrap().to_vec1().unwrap(), [h, w, c], to);
            assert_eq!(got.into_iter().map(u32::from).collect::<Vec<_>>(), want);
        }
        assert_eq!(classes_at(&[1.0, 1.0, 0.0], [1, 1, 3], [1, 1]), [0]);
    }
}
