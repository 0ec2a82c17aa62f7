//! Fits of data, scales, offsets and `C` drawn at random, each beside a converged reference: Newton's method in f64 on
//! columns that are centred and scaled, where the penalty is scaled back, which is the same objective.
//!
//! CI draws a few hundred; `TALLOW_FITS=100000` asks for so many.

use tallow::classic::{FitReport, LinearSvm, LogisticRegression, Matrix};
use tallow::rng::Rng;

/// Data and settings that were drawn.
struct Drawn {
    rows: Vec<Vec<f64>>,
    ys: Vec<u32>,
    weights: Vec<f64>,
    c: f64,
    words: String,
}

/// 10 to a power between these.
fn power(rng: &mut Rng, low: f64, high: f64) -> f64 {
    10f64.powf(rng.uniform(low, high))
}

fn draw(rng: &mut Rng, most_classes: usize) -> Drawn {
    let n = 6 + rng.below(60);
    let d = 1 + if rng.below(4) == 0 { rng.below(90) } else { rng.below(8) };
    let n_classes = 2 + rng.below(most_classes - 1);
    // Every class occurs; one of them may be rare.
    let rare = rng.below(3) == 0;
    let class = |i: usize, rng: &mut Rng| match i {
        _ if i < n_classes => i as u32,
        _ if rare && rng.below(10) > 0 => 0,
        _ => rng.below(n_classes) as u32,
    };
    let ys: Vec<u32> = (0..n).map(|i| class(i, rng)).collect();
    let apart = rng.uniform(0.0, 3.0);
    let whole = power(rng, -8.0, 8.0);
    // Columns of one unit, or of units of their own; offsets of up to ten thousand times a column's spread.
    let spread = if rng.below(2) == 0 { 0.0 } else { rng.uniform(0.0, 4.0) };
    let scales: Vec<f64> = (0..d).map(|_| whole * power(rng, -spread, spread)).collect();
    let far = [0.0, 1.0, 1e2, 1e4][rng.below(4)];
    let offsets: Vec<f64> = (0..d).map(|_| far * rng.normal()).collect();
    let row = |y: &u32, rng: &mut Rng| -> Vec<f64> {
        let value = |j: usize, rng: &mut Rng| {
            let centre = if j % n_classes == *y as usize { apart } else { 0.0 };
            scales[j] * (offsets[j] + centre + rng.normal())
        };
        (0..d).map(|j| value(j, rng)).collect()
    };
    let rows = ys.iter().map(|y| row(y, rng)).collect();
    // `C` in units that make up for the scale, or in any.
    let c = power(rng, -6.0, 6.0) / if rng.below(2) == 0 { 1.0 } else { whole * whole };
    let weights = (0..n).map(|_| 1.0).collect::<Vec<f64>>();
    let weights = if rng.below(4) == 0 { weights.iter().map(|_| rng.uniform(0.1, 3.0)).collect() } else { weights };
    let words = format!(
        "{n} x {d}, {n_classes} classes, scale {whole:.1e}, spread {spread:.1}, far {far}, C {c:.2e}, apart {apart:.1}"
    );
    Drawn { rows, ys, weights, c, words }
}

#[derive(Clone, Copy, PartialEq)]
enum Loss {
    Logistic,
    Softmax,
    SquaredHinge,
}

/// `½ Σ penalty·w² + C Σ weight·loss` of centred and scaled columns, the intercept last.
struct Reference<'a> {
    rows: Vec<Vec<f64>>,
    mean: Vec<f64>,
    scale: Vec<f64>,
    drawn: &'a Drawn,
    loss: Loss,
    outputs: usize,
}

impl<'a> Reference<'a> {
    fn new(drawn: &'a Drawn, loss: Loss) -> Reference<'a> {
        let (n, d) = (drawn.rows.len() as f64, drawn.rows[0].len());
        let mean: Vec<f64> = (0..d).map(|j| drawn.rows.iter().map(|row| row[j]).sum::<f64>() / n).collect();
        let spread = |j: usize| (drawn.rows.iter().map(|row| (row[j] - mean[j]).powi(2)).sum::<f64>() / n).sqrt();
        let scale: Vec<f64> = (0..d).map(|j| Some(spread(j)).filter(|&s| s > 0.0).unwrap_or(1.0)).collect();
        let scaled = |row: &Vec<f64>| {
            let values = row.iter().zip(&mean).zip(&scale).map(|((x, mean), scale)| (x - mean) / scale);
            values.chain([1.0]).collect()
        };
        let outputs = if loss == Loss::Softmax { 1 + *drawn.ys.iter().max().unwrap() as usize } else { 1 };
        Reference { rows: drawn.rows.iter().map(scaled).collect(), mean, scale, drawn, loss, outputs }
    }

    fn width(&self) -> usize {
        self.scale.len() + 1
    }

    /// A weight's share of the penalty: a scaled column's weight is its own times the scale.
    fn penalty(&self, j: usize) -> f64 {
        self.scale.get(j).map_or(0.0, |scale| 1.0 / (scale * scale))
    }

    fn scores(&self, w: &[f64], row: &[f64]) -> Vec<f64> {
        w.chunks(self.width()).map(|w| w.iter().zip(row).map(|(w, x)| w * x).sum()).collect()
    }

    /// A loss, its derivatives by the scores, and its second derivatives `[outputs, outputs]`.
    fn loss(&self, scores: &[f64], y: u32) -> (f64, Vec<f64>, Vec<f64>) {
        let sign = if y == 0 { -1.0 } else { 1.0 };
        match self.loss {
            Loss::Logistic => {
                let margin = sign * scores[0];
                let wrong = 1.0 / (1.0 + margin.exp());
                let value = if margin > 0.0 { (-margin).exp().ln_1p() } else { margin.exp().ln_1p() - margin };
                (value, vec![-sign * wrong], vec![wrong * (1.0 - wrong)])
            }
            Loss::SquaredHinge => {
                let short = (1.0 - sign * scores[0]).max(0.0);
                (short * short, vec![-2.0 * sign * short], vec![if short > 0.0 { 2.0 } else { 0.0 }])
            }
            Loss::Softmax => {
                // Relative to the right one's, so that losses far below 1 keep their digits.
                let y = y as usize;
                let most = scores.iter().copied().fold(f64::MIN, f64::max);
                let sum: f64 = scores.iter().map(|score| (score - most).exp()).sum();
                let p: Vec<f64> = scores.iter().map(|score| (score - most).exp() / sum).collect();
                let others =
                    |values: &[f64]| values.iter().enumerate().filter(|(k, _)| *k != y).map(|(_, v)| *v).sum::<f64>();
                let behind: Vec<f64> = scores.iter().map(|score| (score - scores[y]).exp()).collect();
                let value =
                    if behind.iter().any(|b| *b > 1e9) { sum.ln() + most - scores[y] } else { others(&behind).ln_1p() };
                let first = (0..p.len()).map(|k| if k == y { -others(&p) } else { p[k] }).collect();
                let is_not = |k: usize| p.iter().enumerate().filter(|(l, _)| *l != k).map(|(_, p)| *p).sum::<f64>();
                let second = (0..p.len()).flat_map(|k| (0..p.len()).map(move |l| (k, l)));
                let second = second.map(|(k, l)| if k == l { p[k] * is_not(k) } else { -p[k] * p[l] }).collect();
                (value, first, second)
            }
        }
    }

    fn value(&self, w: &[f64]) -> f64 {
        let penalty: f64 = w.iter().enumerate().map(|(i, w)| self.penalty(i % self.width()) * w * w / 2.0).sum();
        let samples = self.rows.iter().zip(&self.drawn.ys).zip(&self.drawn.weights);
        let losses: f64 = samples.map(|((row, &y), weight)| weight * self.loss(&self.scores(w, row), y).0).sum();
        penalty + self.drawn.c * losses
    }

    /// The optimum, if rounding lets it be found.
    fn optimum(&self) -> Option<Vec<f64>> {
        let (width, size) = (self.width(), self.width() * self.outputs);
        let mut w = vec![0.0; size];
        for _ in 0..2000 {
            let mut gradient: Vec<f64> = (0..size).map(|i| self.penalty(i % width) * w[i]).collect();
            let mut hessian = vec![0.0; size * size];
            (0..size).for_each(|i| hessian[i * size + i] = self.penalty(i % width));
            for ((row, &y), weight) in self.rows.iter().zip(&self.drawn.ys).zip(&self.drawn.weights) {
                let (_, first, second) = self.loss(&self.scores(&w, row), y);
                let factor = self.drawn.c * weight;
                for i in 0..size {
                    let (k, j) = (i / width, i % width);
                    gradient[i] += factor * first[k] * row[j];
                    for l in 0..self.outputs {
                        let by = factor * second[k * self.outputs + l] * row[j];
                        let into = &mut hessian[i * size + l * width..][..width];
                        into.iter_mut().zip(row).for_each(|(h, x)| *h += by * x);
                    }
                }
            }
            let mut step = solved(&mut hessian, &gradient)?;
            if self.loss == Loss::Softmax {
                // Intercepts that all move together change nothing but digits.
                let mean = step.iter().skip(width - 1).step_by(width).sum::<f64>() / self.outputs as f64;
                step.iter_mut().skip(width - 1).step_by(width).for_each(|step| *step -= mean);
            }
            let decrease: f64 = step.iter().zip(&gradient).map(|(s, g)| s * g).sum();
            let value = self.value(&w);
            if decrease <= 1e-13 * value {
                return Some(w);
            }
            let at = |t: f64| w.iter().zip(&step).map(|(w, step)| w - t * step).collect::<Vec<f64>>();
            let lengths = (0..60).map(|halvings| 0.5f64.powi(halvings));
            match lengths.map(at).find(|w| self.value(w) < value) {
                Some(better) => w = better,
                // As far as rounding lets it come.
                None => return (decrease <= 1e-8 * value).then_some(w),
            }
        }
        None
    }

    /// Weights and intercepts of the plain columns, as weights of these.
    fn of_model(&self, coef: &Matrix, intercept: &[f64]) -> Vec<f64> {
        let one = |(coef, intercept): (&[f64], &f64)| {
            let at_mean: f64 = coef.iter().zip(&self.mean).map(|(w, mean)| w * mean).sum();
            let scaled = coef.iter().zip(&self.scale).map(|(w, scale)| w * scale);
            scaled.chain([intercept + at_mean]).collect::<Vec<f64>>()
        };
        coef.iter().zip(intercept).flat_map(one).collect()
    }
}

/// `hessian⁻¹ · gradient` by Cholesky's decomposition, of rows and columns that are scaled to a diagonal of 1.
fn solved(hessian: &mut [f64], gradient: &[f64]) -> Option<Vec<f64>> {
    let n = gradient.len();
    let scale: Vec<f64> = (0..n).map(|i| hessian[i * n + i].sqrt().max(1e-300)).collect();
    for i in 0..n {
        for j in 0..n {
            hessian[i * n + j] /= scale[i] * scale[j];
        }
        // The intercepts of many classes leave one direction open.
        hessian[i * n + i] += 1e-12;
    }
    for i in 0..n {
        for j in 0..=i {
            let (of_i, of_j) = (&hessian[i * n..][..j], &hessian[j * n..][..j]);
            let rest = hessian[i * n + j] - of_i.iter().zip(of_j).map(|(a, b)| a * b).sum::<f64>();
            hessian[i * n + j] = if i == j { rest.max(1e-15).sqrt() } else { rest / hessian[j * n + j] };
        }
    }
    let mut x: Vec<f64> = gradient.iter().zip(&scale).map(|(g, scale)| g / scale).collect();
    for i in 0..n {
        let known: f64 = (0..i).map(|j| hessian[i * n + j] * x[j]).sum();
        x[i] = (x[i] - known) / hessian[i * n + i];
    }
    for i in (0..n).rev() {
        let known: f64 = (i + 1..n).map(|j| hessian[j * n + i] * x[j]).sum();
        x[i] = (x[i] - known) / hessian[i * n + i];
    }
    let step: Vec<f64> = x.iter().zip(&scale).map(|(x, scale)| x / scale).collect();
    step.iter().all(|x| x.is_finite()).then_some(step)
}

/// Fits, and what came of them.
#[derive(Default)]
struct Seen {
    fits: usize,
    not_converged: usize,
    no_reference: usize,
}

impl Seen {
    fn add(&mut self, drawn: &Drawn, loss: Loss, fitted: (Matrix, Vec<f64>, FitReport)) {
        let (coef, intercept, report) = fitted;
        self.fits += 1;
        let reference = Reference::new(drawn, loss);
        let Some(best) = reference.optimum() else {
            self.no_reference += 1;
            return;
        };
        let ours = reference.of_model(&coef, &intercept);
        let (ours, best) = (reference.value(&ours), reference.value(&best));
        // An intercept of plain columns is a difference of numbers of the offsets' size.
        let lost: f64 = coef.iter().flat_map(|coef| coef.iter().zip(&reference.mean)).map(|(w, m)| (w * m).abs()).sum();
        let slack = 1e-6 + 1e-14 * lost;
        if !report.converged {
            // Said, so nobody is misled; but it has to be rare.
            self.not_converged += 1;
            eprintln!("not converged: {}, {report:?}, {:.1e} above the optimum", drawn.words, ours / best - 1.0);
            return;
        }
        assert!((ours - best) <= slack * best, "{}: {ours:e}, and {best:e} is possible; {report:?}", drawn.words);
    }
}

#[test]
fn fits_of_random_data_are_at_the_optimum_whatever_scale_offset_and_c() {
    let wanted: u64 = std::env::var("TALLOW_FITS").ok().and_then(|n| n.parse().ok()).unwrap_or(300);
    let mut seen = Seen::default();
    for i in 0..wanted {
        let mut rng = Rng::new(20_261_129).substream(i);
        let svm = rng.below(3) == 0;
        let mut drawn = draw(&mut rng, if svm { 2 } else { 4 });
        drawn.words = format!("fit {i}, {}", drawn.words);
        let xs = Matrix::from_rows(&drawn.rows).unwrap();
        if svm {
            let model = LinearSvm::new().c(drawn.c).fit_weighted(&xs, &drawn.ys, &drawn.weights).unwrap();
            let fitted = (model.coef().clone(), model.intercept().to_vec(), model.fit_report());
            seen.add(&drawn, Loss::SquaredHinge, fitted);
        } else {
            let model = LogisticRegression::new().c(drawn.c).fit_weighted(&xs, &drawn.ys, &drawn.weights).unwrap();
            let fitted = (model.coef().clone(), model.intercept().to_vec(), model.fit_report());
            let loss = if drawn.ys.iter().any(|&y| y > 1) { Loss::Softmax } else { Loss::Logistic };
            seen.add(&drawn, loss, fitted);
        }
    }
    let Seen { fits, not_converged, no_reference } = seen;
    eprintln!("{fits} fits, {not_converged} not converged and said so, {no_reference} without a reference");
    assert!(not_converged * 50 <= fits && no_reference * 50 <= fits);
}
