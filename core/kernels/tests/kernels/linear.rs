//! Linear layers and their gradients against plain loops in f64.

use crate::TOLERANCE;
use crate::common::{assert_close, formula, formula_tensor, formula_var, values};
use candle_core::{DType, Device, Tensor, Var};
use tallow_kernels::{Activation, PreparedConv, activate, linear};

fn check(leading: &[usize], k: usize, n: usize, bias: bool) {
    let rows: usize = leading.iter().product();
    let dims = |last: usize| leading.iter().copied().chain([last]).collect::<Vec<_>>();
    let (x, w, b, dy) = (formula("x", rows * k), formula("w", n * k), formula("b", n), formula("dy", rows * n));
    let (mut y, mut dx, mut dw, mut db) = (vec![0.0; rows * n], vec![0.0; rows * k], vec![0.0; n * k], vec![0.0; n]);
    for (row, column) in (0..rows).flat_map(|row| (0..n).map(move |column| (row, column))) {
        let dy = dy[row * n + column];
        db[column] += dy;
        y[row * n + column] += if bias { b[column] } else { 0.0 };
        for i in 0..k {
            y[row * n + column] += x[row * k + i] * w[column * k + i];
            dx[row * k + i] += dy * w[column * k + i];
            dw[column * k + i] += dy * x[row * k + i];
        }
    }
    for dtype in [DType::F32, DType::F64] {
        let (xs, weight) = (formula_var("x", &dims(k), dtype), formula_var("w", &[n, k], dtype));
        let shift = formula_var("b", &[n], dtype);
        let ys = linear(&xs, &weight, bias.then_some(shift.as_tensor())).unwrap();
        assert_eq!(ys.dims(), dims(n));
        let sum = (&ys * formula_tensor("dy", &dims(n)).to_dtype(dtype).unwrap()).unwrap().sum_all().unwrap();
        let grads = sum.backward().unwrap();
        let what = |name: &str| format!("{name} of {leading:?} x {k} to {n} in {dtype:?}");
        let of = |v: &Var| values(grads.get(v).unwrap());
        assert_close(&what("result"), &values(&ys), &y, TOLERANCE);
        assert_close(&what("by input"), &of(&xs), &dx, TOLERANCE);
        assert_close(&what("by weight"), &of(&weight), &dw, TOLERANCE);
        if bias {
            assert_close(&what("by bias"), &of(&shift), &db, TOLERANCE);
        }
    }
}

#[test]
fn batches_small_and_large() {
    for rows in [1, 2, 3, 4, 5, 7, 31, 32, 33, 100] {
        for (k, n) in [(1, 1), (3, 2), (17, 16), (64, 33), (100, 1), (130, 70)] {
            check(&[rows], k, n, rows % 2 == 1);
        }
    }
    // More than one stretch of the sum, and any number of leading axes.
    check(&[3], 5000, 21, true);
    check(&[40], 2100, 17, false);
    check(&[2, 3, 4], 9, 5, true);
    check(&[], 6, 4, true);
}

#[test]
fn a_prepared_layer_is_the_layer_with_a_shortcut_and_an_activation() {
    for (leading, k, n) in [(&[1][..], 30, 20), (&[4], 64, 33), (&[2, 3, 4], 130, 7), (&[200], 300, 70), (&[], 6, 4)] {
        let dims = |last: usize| leading.iter().copied().chain([last]).collect::<Vec<_>>();
        let tensor = |name: &str, dims: &[usize]| formula_tensor(name, dims).to_dtype(DType::F32).unwrap();
        let (xs, weight, bias) = (tensor("x", &dims(k)), tensor("w", &[n, k]), tensor("b", &[n]));
        let residual = tensor("r", &dims(n));
        let prepared = PreparedConv::new(&weight.reshape((n, k, 1, 1)).unwrap(), Some(&bias)).unwrap();
        for activation in [Activation::None, Activation::Relu6, Activation::Gelu] {
            let want = (linear(&xs, &weight, Some(&bias)).unwrap() + &residual).unwrap();
            let got = prepared.linear(&xs, Some(&residual), activation).unwrap();
            let want = activate(&want, activation).unwrap();
            assert_close(&format!("{leading:?} x {k} to {n}, {activation:?}"), &values(&got), &values(&want), 1e-6);
        }
        assert!(prepared.linear(&weight, Some(&residual), Activation::None).is_err() || leading == [n]);
    }
}

#[test]
fn wrong_shapes_are_errors() {
    let zeros = |dims: &[usize]| Tensor::zeros(dims, DType::F32, &Device::Cpu).unwrap();
    for (x, w, b) in [
        (&[2, 3][..], &[4, 5][..], &[4][..]),
        (&[2, 3], &[4, 3], &[3]),
        (&[2, 3], &[4, 3, 1], &[4]),
        (&[0, 3], &[4, 3], &[4]),
        (&[2, 0], &[4, 0], &[4]),
        (&[2, 3], &[0, 3], &[0]),
        (&[], &[4, 3], &[4]),
    ] {
        let message = linear(&zeros(x), &zeros(w), Some(&zeros(b))).unwrap_err().to_string();
        assert!(message.contains("linear"), "{message}");
    }
}
