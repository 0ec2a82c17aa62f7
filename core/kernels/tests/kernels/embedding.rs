//! Tables of vectors: rows, their gradients, and the optimizers' steps on some of them.

use crate::common::{assert_close, assert_same_bits, formula, formula_tensor, formula_var, hash, values};
use candle_core::{DType, Device, Tensor, Var};
use tallow_kernels::{
    AdamStep, Decay, RowGradient, SgdStep, adam_rows, backward, descend_rows, embedding, linear, momentum_rows,
    recorded,
};

fn key() -> Tensor {
    Tensor::zeros(1, DType::U32, &Device::Cpu).unwrap()
}

fn ids(name: &str, dims: &[usize], rows: usize) -> Tensor {
    let ids: Vec<u32> = (0..dims.iter().product()).map(|i| hash(name, i) % rows as u32).collect();
    Tensor::from_vec(ids, dims, &Device::Cpu).unwrap()
}

/// The dense gradient of a table by plain loops.
fn scattered(ids: &Tensor, dy: &Tensor, rows: usize, width: usize) -> Vec<f64> {
    let mut want = vec![0.0; rows * width];
    let ids = ids.flatten_all().unwrap().to_vec1::<u32>().unwrap();
    for (id, dy) in ids.iter().zip(values(dy).chunks(width)) {
        want[*id as usize * width..][..width].iter_mut().zip(dy).for_each(|(sum, dy)| *sum += dy);
    }
    want
}

#[test]
fn rows_and_their_gradients_are_those_of_plain_loops() {
    for (rows, width, dims) in [
        (7, 3, &[5][..]),
        (1, 1, &[4]),
        (5, 50, &[3, 2]),
        (300, 17, &[2, 3, 5]),
        (40, 33, &[2500]),
        (9066, 1, &[64]),
        (3, 4, &[]),
        (3, 4, &[0]),
    ] {
        let what = format!("{rows} x {width} by {dims:?}");
        let ids = ids(&what, dims, rows);
        let of = |dtype: DType| {
            let table = formula_var("table", &[rows, width], dtype);
            let y = embedding(&table, &ids, None, None).unwrap();
            let dy = formula_tensor("dy", y.dims()).to_dtype(dtype).unwrap();
            let grads = (&y * &dy).unwrap().sum_all().unwrap().backward().unwrap();
            let grad = grads.get(&table).map_or(vec![0.0; rows * width], values);
            assert_close(&format!("gradient, {what}"), &grad, &scattered(&ids, &dy, rows, width), 1e-5);
            (y.dims().to_vec(), values(&y), values(&table))
        };
        let (shape, got, table) = of(DType::F32);
        assert_eq!(shape, [dims, &[width]].concat());
        let rows = ids.flatten_all().unwrap().to_vec1::<u32>().unwrap();
        let want: Vec<f64> = rows.iter().flat_map(|&id| table[id as usize * width..][..width].to_vec()).collect();
        assert_same_bits(&what, &got, &want);
        assert_close(&format!("portable, {what}"), &of(DType::F64).1, &want, 1e-6);
    }
}

#[test]
fn the_gradient_is_the_slope() {
    let (table, ids) = (formula_var("table", &[6, 3], DType::F32), ids("slope", &[4, 2], 6));
    let loss = |table: &Tensor| {
        let pairs = embedding(table, &ids, None, None).unwrap();
        (pairs.narrow(1, 0, 1).unwrap() * pairs.narrow(1, 1, 1).unwrap()).unwrap().sum_all().unwrap()
    };
    let grad = values(loss(&table).backward().unwrap().get(&table).unwrap());
    let at = |i: usize, step: f64| {
        let mut moved = values(&table);
        moved[i] += step;
        values(&loss(&Tensor::from_vec(moved, (6, 3), &Device::Cpu).unwrap()))[0]
    };
    let slopes: Vec<f64> = (0..18).map(|i| (at(i, 1e-4) - at(i, -1e-4)) / 2e-4).collect();
    assert_close("slopes", &grad, &slopes, 1e-5);
}

#[test]
fn a_sparse_gradient_has_each_touched_row_once() {
    let (table, key) = (formula_var("table", &[500, 3], DType::F32), key());
    let ids = Tensor::new(&[[7u32, 2], [7, 499], [7, 2]], &Device::Cpu).unwrap();
    let dy = formula_tensor("dy", &[3, 2, 3]).to_dtype(DType::F32).unwrap();
    let of = |use_tape: bool| {
        let forward = || embedding(&table, &ids, Some(&key), None);
        let y = if use_tape { recorded(forward).unwrap() } else { forward().unwrap() };
        backward(&(y * &dy).unwrap().sum_all().unwrap()).unwrap()
    };
    let want = scattered(&ids, &dy, 500, 3);
    for grads in [of(false), of(true)] {
        let gradient = RowGradient { rows: grads.get(&key).unwrap(), values: grads.get(&table).unwrap() };
        assert_eq!(gradient.rows.to_vec1::<u32>().unwrap(), [2, 7, 499]);
        assert_eq!(gradient.values.dims(), [3, 3]);
        assert_close("sparse", &values(&gradient.dense(&[500, 3]).unwrap()), &want, 1e-6);
    }
    // candle's own `backward` gives the whole.
    let y = embedding(&table, &ids, Some(&key), None).unwrap();
    let grads = (y * &dy).unwrap().sum_all().unwrap().backward().unwrap();
    assert!(grads.get(&key).is_none());
    assert_close("dense", &values(grads.get(&table).unwrap()), &want, 1e-6);
}

#[test]
fn a_table_may_be_used_more_than_once_and_in_other_ways() {
    let (table, key) = (formula_var("table", &[9, 4], DType::F32), key());
    let (a, b) = (ids("a", &[5], 9), Tensor::new(&[8u32, 0], &Device::Cpu).unwrap());
    let twice = recorded(|| {
        let (a, b) = (embedding(&table, &a, Some(&key), None)?, embedding(&table, &b, Some(&key), None)?);
        a.sqr()?.sum_all()? + b.sqr()?.sum_all()?
    });
    let grads = backward(&twice.unwrap()).unwrap();
    let gradient = RowGradient { rows: grads.get(&key).unwrap(), values: grads.get(&table).unwrap() };
    let both = Tensor::cat(&[&a, &b], 0).unwrap();
    let twice_the_rows = (embedding(&table, &both, None, None).unwrap() * 2.0).unwrap();
    let want = scattered(&both, &twice_the_rows, 9, 4);
    assert_close("twice", &values(&gradient.dense(&[9, 4]).unwrap()), &want, 1e-6);
    // A decoder that is tied to the table, on both sides of candle's border.
    for kernel in [true, false] {
        let x = formula_tensor("x", &[2, 4]).to_dtype(DType::F32).unwrap();
        let loss = recorded(|| {
            let rows = embedding(&table, &a, Some(&key), None)?.sqr()?.sum_all()?;
            let tied = if kernel { linear(&x, &table, None)? } else { x.matmul(&table.t()?)? };
            rows + tied.sum_all()?
        });
        let grads = backward(&loss.unwrap()).unwrap();
        assert!(grads.get(&key).is_none(), "a dense gradient has no numbers of rows");
        let mut want = scattered(&a, &(embedding(&table, &a, None, None).unwrap() * 2.0).unwrap(), 9, 4);
        let columns = values(&x.sum(0).unwrap());
        want.iter_mut().enumerate().for_each(|(i, sum)| *sum += columns[i % 4]);
        assert_close("tied", &values(grads.get(&table).unwrap()), &want, 1e-6);
    }
    // What is computed from a table has a gradient that goes on.
    let scaled = (table.as_tensor() * 2.0).unwrap();
    let grads = backward(&embedding(&scaled, &a, Some(&key), None).unwrap().sum_all().unwrap()).unwrap();
    let ones = Tensor::full(2f32, (5, 4), &Device::Cpu).unwrap();
    assert_close("computed", &values(grads.get(&table).unwrap()), &scattered(&a, &ones, 9, 4), 1e-6);
}

#[test]
fn bad_numbers_are_errors() {
    for dtype in [DType::F32, DType::F64] {
        let table = formula_var("table", &[5, 2], dtype);
        let error =
            embedding(&table, &Tensor::new(&[0u32, 5], &Device::Cpu).unwrap(), None, None).unwrap_err().to_string();
        assert!(error.contains("no row 5 in a table of 5 rows"), "{error}");
        assert!(embedding(&table, &Tensor::new(&[0i64], &Device::Cpu).unwrap(), None, None).is_err());
    }
    let flat = formula_var("table", &[5], DType::F32);
    assert!(embedding(&flat, &Tensor::new(&[0u32], &Device::Cpu).unwrap(), None, None).is_err());
}

/// The dense step of Adam by plain loops.
#[allow(clippy::too_many_arguments)]
fn dense_adam(p: &mut [f64], m: &mut [f64], v: &mut [f64], g: &[f64], keep: f64, l2: f64, adam: &AdamStep) {
    for i in 0..p.len() {
        let g = g[i] + l2 * p[i];
        m[i] = adam.mom * m[i] + (1.0 - adam.mom) * g;
        v[i] = adam.sqr_mom * v[i] + (1.0 - adam.sqr_mom) * g * g;
        p[i] = keep * p[i] - adam.rate * m[i] / ((v[i] / adam.debias).sqrt() + adam.eps);
    }
}

/// Which rows a step touches, and their gradients.
fn some_rows(step: usize, rows: usize, width: usize) -> (Tensor, Tensor) {
    // Row 0 comes in each step, those of the first third often, the others once in a long while, and the last one
    // never.
    let some = if step % 600 < 40 { rows as u32 - 1 } else { rows as u32 / 3 };
    let mut touched: Vec<u32> = (0..3).map(|i| hash("touched", 3 * step + i) % some).collect();
    touched.push(0);
    touched.sort_unstable();
    touched.dedup();
    let grads: Vec<f32> = formula(&format!("g{step}"), touched.len() * width).iter().map(|&g| g as f32).collect();
    let (n, device) = (touched.len(), &Device::Cpu);
    (Tensor::from_vec(touched, n, device).unwrap(), Tensor::from_vec(grads, (n, width), device).unwrap())
}

fn var(dims: &[usize]) -> Var {
    Var::zeros(dims, DType::F32, &Device::Cpu).unwrap()
}

/// What f32 may lose in 1,500 steps of a few roundings each, relative to the largest magnitude: half a last place times
/// the root of their number is 2e-6, and the worst of thousands of values is some times as far off.
const ROUNDING: f64 = 1e-5;

/// Rows that nobody touches for hundreds of steps rest, wake up, and end where the dense step leads them.
#[test]
fn steps_on_rows_are_the_dense_steps() {
    // 700 x 50 are three blocks.
    for (rows, width, steps) in [(90, 3, 1500), (1000, 1, 700), (700, 50, 700)] {
        // A factor that f32 has, since the error of another would add up.
        for (keep, l2) in [(1.0, 0.0), (1.0 - 1.0 / 8192.0, 0.0), (1.0, 0.01)] {
            let what = format!("{rows} x {width}, keep {keep}, l2 {l2}");
            let dims = [rows, width];
            let table = formula_var("p", &dims, DType::F32);
            let (m, v) = (var(&dims), var(&dims));
            let row_steps = Var::zeros(rows, DType::U32, &Device::Cpu).unwrap();
            let mut p64 = values(&table);
            let (mut m64, mut v64) = (vec![0.0; p64.len()], vec![0.0; p64.len()]);
            for step in 0..steps {
                let (touched, grads) = some_rows(step, rows, width);
                // Momentum and rate move as in the one-cycle policy.
                let mom = 0.9 + 0.05 * (step as f64 / 50.0).cos();
                let adam = AdamStep {
                    step: step as u32 + 1,
                    mom,
                    sqr_mom: 0.99,
                    rate: 0.003 * (1.5 + (step as f64 / 70.0).sin()),
                    debias: 1.0 - 0.99f64.powi(step as i32 + 1),
                    eps: 1e-5,
                };
                let gradient = RowGradient { rows: &touched, values: &grads };
                let dense = values(&gradient.dense(&dims).unwrap());
                dense_adam(&mut p64, &mut m64, &mut v64, &dense, keep, l2, &adam);
                adam_rows(&table, [&m, &v], &row_steps, gradient, Decay { keep, l2 }, &adam).unwrap();
            }
            assert_close(&format!("Adam, {what}"), &values(&table), &p64, ROUNDING);
            let asleep = row_steps.to_vec1::<u32>().unwrap().iter().filter(|&&step| step >> 31 == 1).count();
            assert_eq!(asleep > 0, l2 == 0.0, "{asleep} rows rest: {what}");

            for nesterov in [false, true] {
                let table = formula_var("p", &dims, DType::F32);
                let (average, row_steps) = (var(&dims), Var::zeros(rows, DType::U32, &Device::Cpu).unwrap());
                let (mut p64, mut m64) = (values(&table), vec![0.0; rows * width]);
                for step in 0..steps {
                    let (touched, grads) = some_rows(step, rows, width);
                    let gradient = RowGradient { rows: &touched, values: &grads };
                    for (i, g) in values(&gradient.dense(&dims).unwrap()).into_iter().enumerate() {
                        let g = g + l2 * p64[i];
                        m64[i] = 0.9 * m64[i] + g;
                        p64[i] = keep * p64[i] - 0.01 * if nesterov { g + 0.9 * m64[i] } else { m64[i] };
                    }
                    let sgd = SgdStep { lr: 0.01, mom: 0.9, nesterov };
                    momentum_rows(&table, &average, &row_steps, gradient, Decay { keep, l2 }, &sgd).unwrap();
                }
                assert_close(&format!("momentum, nesterov {nesterov}, {what}"), &values(&table), &p64, ROUNDING);
            }

            let table = formula_var("p", &dims, DType::F32);
            let mut p64 = values(&table);
            for step in 0..50 {
                let (touched, grads) = some_rows(step, rows, width);
                let gradient = RowGradient { rows: &touched, values: &grads };
                let dense = values(&gradient.dense(&dims).unwrap());
                p64.iter_mut().zip(dense).for_each(|(p, g)| *p = keep * *p - 0.1 * (g + l2 * *p));
                descend_rows(&table, gradient, Decay { keep, l2 }, 0.1).unwrap();
            }
            assert_close(&format!("descent, {what}"), &values(&table), &p64, ROUNDING);
        }
    }
}

#[test]
fn a_gradient_of_another_table_is_refused() {
    let (table, m, v) = (formula_var("p", &[4, 2], DType::F32), var(&[4, 2]), var(&[4, 2]));
    let row_steps = Var::zeros(4, DType::U32, &Device::Cpu).unwrap();
    let adam = AdamStep { step: 1, mom: 0.9, sqr_mom: 0.99, rate: 0.1, debias: 0.01, eps: 1e-5 };
    let decay = Decay { keep: 1.0, l2: 0.0 };
    let before = values(&table);
    for (rows, width) in [(vec![4u32], 2), (vec![1], 3), (vec![2, 1], 2), (vec![1, 1], 2)] {
        let n = rows.len();
        let (rows, grads) = (Tensor::new(rows, &Device::Cpu).unwrap(), var(&[n, width]));
        let grad = RowGradient { rows: &rows, values: grads.as_tensor() };
        assert!(adam_rows(&table, [&m, &v], &row_steps, grad, decay, &adam).is_err());
        assert!(descend_rows(&table, grad, decay, 0.1).is_err());
    }
    let (rows, grads) = (Tensor::new(&[1u32], &Device::Cpu).unwrap(), var(&[1, 2]));
    let grad = RowGradient { rows: &rows, values: grads.as_tensor() };
    assert!(adam_rows(&table, [&m, &var(&[4, 3])], &row_steps, grad, decay, &adam).is_err());
    let short = Var::zeros(3, DType::U32, &Device::Cpu).unwrap();
    assert!(adam_rows(&table, [&m, &v], &short, grad, decay, &adam).is_err());
    let double = formula_var("p", &[4, 2], DType::F64);
    assert!(adam_rows(&double, [&m, &v], &row_steps, grad, decay, &adam).is_err());
    assert_same_bits("the table", &values(&table), &before);
}

#[test]
fn the_padding_gets_no_gradient() {
    let ids = Tensor::new(&[[1u32, 3], [1, 2]], &Device::Cpu).unwrap();
    for dtype in [DType::F32, DType::F64] {
        let table = formula_var("table", &[5, 2], dtype);
        let plain = embedding(&table, &ids, None, None).unwrap();
        let padded = embedding(&table, &ids, None, Some(1)).unwrap();
        assert_same_bits("rows", &values(&padded), &values(&plain));
        let gradient = |key: Option<&Tensor>| {
            let ys = embedding(&table, &ids, key, Some(1)).unwrap();
            values(backward(&ys.sum_all().unwrap()).unwrap().get(&table).unwrap())
        };
        assert_eq!(gradient(None), [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0]);
        if dtype == DType::F32 {
            assert_eq!(gradient(Some(&key())), [0.0, 0.0, 1.0, 1.0, 1.0, 1.0]);
        }
    }
}
