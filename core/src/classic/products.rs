//! The sums of products that fitting spends its time on.
//!
//! Work is cut by shapes alone and partial sums are added in a fixed order, with fixed lanes, so the results are the
//! same bit for bit for any number of threads and any vector instructions.

use pulp::Arch;
use rayon::prelude::*;

/// Rows that one task goes through.
const BLOCK: usize = 256;

/// Rows of a square that one task makes.
const TILE: usize = 32;

/// Columns that stay in the cache while a tile is made.
const CHUNK: usize = 512;

/// `f` of each task in order, by all threads where there is more than one task.
pub(super) fn map<T: Send>(tasks: usize, f: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
    match tasks {
        0 | 1 => (0..tasks).map(f).collect(),
        _ => (0..tasks).into_par_iter().map(f).collect(),
    }
}

/// The scalar product.
#[inline(always)]
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let ((a_chunks, a_rest), (b_chunks, b_rest)) = (a.as_chunks::<16>(), b.as_chunks::<16>());
    let mut lanes = [0.0; 16];
    for (x, y) in a_chunks.iter().zip(b_chunks) {
        for lane in 0..16 {
            lanes[lane] += x[lane] * y[lane];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum();
    for half in [8, 4, 2, 1] {
        for lane in 0..half {
            lanes[lane] += lanes[lane + half];
        }
    }
    lanes[0] + rest
}

/// `to += factor * from`.
#[inline(always)]
pub(super) fn add_scaled(to: &mut [f64], factor: f64, from: &[f64]) {
    for (t, f) in to.iter_mut().zip(from) {
        *t += factor * f;
    }
}

pub(super) fn norm(values: &[f64]) -> f64 {
    dot(values, values).sqrt()
}

/// Every row times every weight row: `[N, M]` and `[K, M]` make `[N, K]`.
pub(super) fn scores(rows: &[f64], width: usize, weights: &[f64]) -> Vec<f64> {
    let block = |rows: &[f64]| {
        Arch::new().dispatch(|| {
            let each = |row| weights.chunks_exact(width).map(move |w| dot(row, w));
            rows.chunks_exact(width).flat_map(each).collect::<Vec<f64>>()
        })
    };
    let blocks: Vec<&[f64]> = rows.chunks(BLOCK * width).collect();
    map(blocks.len(), |i| block(blocks[i])).concat()
}

/// The rows summed up with `outputs` factors each: `[N, M]` and `[N, K]` make `[K, M]`.
pub(super) fn weighted_sums(rows: &[f64], width: usize, factors: &[f64], outputs: usize) -> Vec<f64> {
    // Columns by chunks where rows are wide; rows by blocks where there are many.
    let (columns, blocks) = (width.div_ceil(CHUNK), rows.len().div_ceil(BLOCK * width));
    let part = |task: usize| {
        let (block, from) = (task / columns, task % columns * CHUNK);
        let until = width.min(from + CHUNK);
        Arch::new().dispatch(|| {
            let mut sums = vec![0.0; outputs * (until - from)];
            let (rows, factors) = (rows.chunks_exact(width), factors.chunks_exact(outputs));
            for (row, factors) in rows.zip(factors).skip(block * BLOCK).take(BLOCK) {
                for (sum, &factor) in sums.chunks_exact_mut(until - from).zip(factors) {
                    add_scaled(sum, factor, &row[from..until]);
                }
            }
            sums
        })
    };
    let mut total = vec![0.0; outputs * width];
    for (task, sums) in map(columns * blocks, part).into_iter().enumerate() {
        let from = task % columns * CHUNK;
        let wide = width.min(from + CHUNK) - from;
        for (total, sums) in total.chunks_exact_mut(width).zip(sums.chunks_exact(wide)) {
            add_scaled(&mut total[from..from + wide], 1.0, sums);
        }
    }
    total
}

/// The scalar products of all pairs of rows: `X Xᵀ`, `[N, N]`.
pub(super) fn gram(rows: &[f64], width: usize) -> Vec<f64> {
    let rows: Vec<&[f64]> = rows.chunks_exact(width).collect();
    let n = rows.len();
    let pairs = lower_pairs(n.div_ceil(TILE));
    let tiles = map(pairs.len(), |i| {
        let (high, low) = (span(pairs[i].0, n), span(pairs[i].1, n));
        Arch::new().dispatch(|| products(&rows[high], &rows[low], width))
    });
    let mut gram = vec![0.0; n * n];
    for ((high, low), tile) in pairs.into_iter().zip(tiles) {
        let (high, low) = (span(high, n), span(low, n));
        for (i, line) in high.zip(tile.chunks_exact(low.len())) {
            for (j, &value) in low.clone().zip(line) {
                gram[i * n + j] = value;
                gram[j * n + i] = value;
            }
        }
    }
    gram
}

/// All pairs `(i, j)` with `j <= i`.
fn lower_pairs(n: usize) -> Vec<(usize, usize)> {
    (0..n).flat_map(|i| (0..=i).map(move |j| (i, j))).collect()
}

fn span(tile: usize, n: usize) -> std::ops::Range<usize> {
    tile * TILE..n.min((tile + 1) * TILE)
}

/// The products of two sets of rows, chunk of columns by chunk, so that a chunk is read from memory once.
#[inline(always)]
fn products(a: &[&[f64]], b: &[&[f64]], width: usize) -> Vec<f64> {
    let mut out = vec![0.0; a.len() * b.len()];
    for from in (0..width).step_by(CHUNK) {
        let until = width.min(from + CHUNK);
        for (i, four) in a.chunks(4).enumerate() {
            for (j, two) in b.chunks(2).enumerate() {
                // Where there are not four or two rows left, the last one is taken again and its products are dropped.
                let x: [&[f64]; 4] = std::array::from_fn(|r| &four[r.min(four.len() - 1)][from..until]);
                let y: [&[f64]; 2] = std::array::from_fn(|r| &two[r.min(two.len() - 1)][from..until]);
                let sums = tile(x, y);
                for (r, line) in sums.iter().enumerate().take(four.len()) {
                    for (s, sum) in line.iter().enumerate().take(two.len()) {
                        out[(4 * i + r) * b.len() + 2 * j + s] += sum;
                    }
                }
            }
        }
    }
    out
}

/// The products of `A` rows with `B` rows at once: each value that is loaded is used several times.
#[inline(always)]
pub(super) fn tile<const A: usize, const B: usize>(a: [&[f64]; A], b: [&[f64]; B]) -> [[f64; B]; A] {
    let chunks_of = |row: &[f64]| row.len() / 8;
    let n = a.iter().chain(&b).map(|row| chunks_of(row)).min().unwrap_or(0);
    let (x, y) = (a.map(|row| &row.as_chunks::<8>().0[..n]), b.map(|row| &row.as_chunks::<8>().0[..n]));
    let mut lanes = [[[0.0; 8]; B]; A];
    for at in 0..n {
        for i in 0..A {
            for j in 0..B {
                for lane in 0..8 {
                    lanes[i][j][lane] += x[i][at][lane] * y[j][at][lane];
                }
            }
        }
    }
    let sum = |l: [f64; 8]| ((l[0] + l[4]) + (l[2] + l[6])) + ((l[1] + l[5]) + (l[3] + l[7]));
    let rest = |i: usize, j: usize| a[i][8 * n..].iter().zip(&b[j][8 * n..]).map(|(x, y)| x * y).sum::<f64>();
    std::array::from_fn(|i| std::array::from_fn(|j| sum(lanes[i][j]) + rest(i, j)))
}

/// `Xᵀ diag(h) X` for each set of factors `h`: a symmetric `[M, M]` each, of which the lower triangle is filled.
pub(super) fn weighted_squares(rows: &[f64], width: usize, factors: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let tiles = width.div_ceil(TILE);
    let parts = map(factors.len() * tiles, |task| {
        let (factors, lines) = (&factors[task / tiles], span(task % tiles, width));
        Arch::new().dispatch(|| weighted_lines(rows, width, factors, lines))
    });
    parts.chunks(tiles).map(|parts| parts.concat()).collect()
}

/// Some lines of one such square, up to the diagonal.
#[inline(always)]
fn weighted_lines(rows: &[f64], width: usize, factors: &[f64], lines: std::ops::Range<usize>) -> Vec<f64> {
    let mut out = vec![0.0; lines.len() * width];
    let whole = factors.len() / 4 * 4;
    // Four samples at once, so that a line is read and written once for four.
    for (four, h) in rows.chunks_exact(4 * width).zip(factors.chunks_exact(4)) {
        let (x0, rest) = four.split_at(width);
        let (x1, rest) = rest.split_at(width);
        let (x2, x3) = rest.split_at(width);
        for (a, line) in lines.clone().zip(out.chunks_exact_mut(width)) {
            let c = [h[0] * x0[a], h[1] * x1[a], h[2] * x2[a], h[3] * x3[a]];
            let (y0, y1, y2, y3) = (&x0[..=a], &x1[..=a], &x2[..=a], &x3[..=a]);
            for ((((o, y0), y1), y2), y3) in line[..=a].iter_mut().zip(y0).zip(y1).zip(y2).zip(y3) {
                *o += (c[0] * y0 + c[1] * y1) + (c[2] * y2 + c[3] * y3);
            }
        }
    }
    for (row, h) in rows.chunks_exact(width).zip(factors).skip(whole) {
        for (a, line) in lines.clone().zip(out.chunks_exact_mut(width)) {
            add_scaled(&mut line[..=a], h * row[a], &row[..=a]);
        }
    }
    out
}
