//! The fits that `fit.py`, beside this file, measures beside scikit-learn's.
//!
//! Reads the name of a fit from each line of standard input, does it once, and writes how many seconds it took and how
//! long the gradient is at the end, or -1 where there are many of them.
#![allow(clippy::print_stdout)] // a program: its results are for stdout

use std::io::BufRead;
use std::time::Instant;
use tallow::classic::{Estimator, LogisticRegression, Matrix, OneVsOne, OneVsRest, Samples};
use tallow::{Error, Result};

fn main() -> Result<()> {
    let (points, binary, three) = (points()?, wide(2)?, wide(3)?);
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(|error| Error::Value(format!("standard input: {error}")))?;
        let logistic = LogisticRegression::new();
        let start = Instant::now();
        let norm = match line.as_str() {
            "ovr" => OneVsRest::new(logistic).fit(&points.xs, &points.ys).map(|_| -1.0),
            "ovo" => OneVsOne::new(logistic).fit(&points.xs, &points.ys).map(|_| -1.0),
            "multinomial" => logistic.fit(&points.xs, &points.ys).map(|model| model.fit_report().gradient_norm),
            "wide" => logistic.fit(&binary.xs, &binary.ys).map(|model| model.fit_report().gradient_norm),
            "wide of three" => logistic.fit(&three.xs, &three.ys).map(|model| model.fit_report().gradient_norm),
            other => Err(Error::Value(format!("`{other}` is not a fit; see the source of this program"))),
        }?;
        println!("{:.6} {norm:e}", start.elapsed().as_secs_f64());
    }
    Ok(())
}

/// Numbers in -1..1, as in fit.py.
fn formula(start: u32, n: usize) -> impl Iterator<Item = f64> {
    (0..n as u32).map(move |i| {
        let mut z = start.wrapping_add(i.wrapping_mul(0x9e37_79b9));
        z = (z ^ (z >> 16)).wrapping_mul(0x85eb_ca6b);
        z = (z ^ (z >> 13)).wrapping_mul(0xc2b2_ae35);
        f64::from(z ^ (z >> 16)) / f64::from(1u32 << 31) - 1.0
    })
}

/// 1,000 points of the plane around 20 centres.
fn points() -> Result<Samples> {
    let ys: Vec<u32> = (0..1000).map(|i| i % 20).collect();
    let centres: Vec<f64> = formula(1, 40).map(|c| 10.0 * c).collect();
    let centre = ys.iter().flat_map(|y| &centres[2 * *y as usize..][..2]);
    let values = centre.zip(formula(2, 2000)).map(|(centre, noise)| centre + 2.0 * noise).collect();
    Ok(Samples { xs: Matrix::new(1000, 2, values)?, ys })
}

/// 150 rows of 40,000 features, of which the first 200 tell the classes apart.
fn wide(classes: u32) -> Result<Samples> {
    let ys: Vec<u32> = (0..150).map(|i| i * 7 % classes).collect();
    let mut values: Vec<f64> = formula(3, 150 * 40_000).collect();
    for (row, y) in values.chunks_exact_mut(40_000).zip(&ys) {
        row[..200].iter_mut().for_each(|x| *x += 0.15 * f64::from(*y));
    }
    Ok(Samples { xs: Matrix::new(150, 40_000, values)?, ys })
}
