//! Max pooling against plain loops, with ties, NaN and infinities.

use crate::TOLERANCE;
use crate::common::{assert_close, formula, formula_tensor, formula_var, values};
use candle_core::{DType, Device, Tensor, Var};
use tallow_kernels::{Pool, max_pool2d};

/// Result, and gradient by x of the sum of result times `dy`: the first of equal values gets it, NaN beats all.
fn reference(x: &Tensor, (kh, kw): (usize, usize), s: usize, p: usize) -> (Vec<f64>, Vec<f64>) {
    let (n, h, w, c) = x.dims4().unwrap();
    let (oh, ow) = ((h + 2 * p - kh) / s + 1, (w + 2 * p - kw) / s + 1);
    let x = values(x);
    let (mut y, mut dx) = (Vec::new(), vec![0.0; x.len()]);
    let dy = formula("dy", n * oh * ow * c);
    for (n, oy, ox, c_) in (0..n * oh * ow * c).map(|i| (i / (oh * ow * c), i / (ow * c) % oh, i / c % ow, i % c)) {
        let mut best: Option<usize> = None;
        for (iy, ix) in (oy * s..oy * s + kh).flat_map(|iy| (ox * s..ox * s + kw).map(move |ix| (iy, ix))) {
            if iy < p || ix < p || iy >= h + p || ix >= w + p {
                continue;
            }
            let here = ((n * h + iy - p) * w + ix - p) * c + c_;
            if best.is_none_or(|best| x[here] > x[best] || x[here].is_nan()) {
                best = Some(here);
            }
        }
        let best = best.expect("a window outside the image");
        dx[best] += dy[y.len()];
        y.push(x[best]);
    }
    (y, dx)
}

fn pool(kernel: (usize, usize), stride: usize, padding: usize) -> Pool {
    Pool { kernel: [kernel.0, kernel.1], ..Pool::new(1, stride, padding) }
}

fn check_tensor(x: &Tensor, kernel: (usize, usize), stride: usize, padding: usize) {
    let (want, dx) = reference(x, kernel, stride, padding);
    for dtype in [DType::F32, DType::F64] {
        let what = format!("{dtype:?} {:?} window {kernel:?} stride {stride} padding {padding}", x.dims());
        let x = Var::from_tensor(&x.to_dtype(dtype).unwrap()).unwrap();
        let y = max_pool2d(&x, &pool(kernel, stride, padding)).unwrap();
        assert_close(&format!("result of {what}"), &values(&y), &want, TOLERANCE);
        // Not through a product with y: where y is infinite or NaN that would be neither here nor there.
        let dy = formula_tensor("dy", y.dims()).to_dtype(dtype).unwrap();
        let grads = (&y * dy).unwrap().sum_all().unwrap().backward().unwrap();
        assert_close(&format!("gradient of {what}"), &values(grads.get(&x).unwrap()), &dx, TOLERANCE);
    }
}

#[test]
fn odd_shapes() {
    for (dims, kernel, stride, padding) in [
        ([1, 1, 1, 1], (1, 1), 1, 0),
        ([2, 1, 1, 3], (2, 2), 2, 1),
        ([2, 7, 5, 3], (3, 3), 2, 1),
        ([1, 8, 9, 2], (3, 3), 2, 1),
        ([3, 6, 6, 1], (2, 2), 2, 0),
        ([1, 7, 6, 4], (2, 2), 2, 0),
        ([2, 5, 7, 2], (3, 5), 1, 1),
        ([2, 5, 7, 2], (5, 3), 3, 1),
        ([1, 9, 11, 2], (2, 2), 3, 0),
        ([2, 7, 7, 5], (7, 7), 1, 0),
        ([1, 19, 21, 3], (17, 18), 2, 5),
        ([2, 3, 4, 130], (3, 4), 1, 0),
        ([1, 5, 5, 1], (6, 6), 1, 3),
        ([1, 20, 30, 3], (1, 1), 4, 0),
    ] {
        check_tensor(&formula_tensor("x", &dims), kernel, stride, padding);
    }
}

#[test]
fn of_equal_values_the_first_gets_the_gradient() {
    // Few distinct values, and a channel that is all zero, as after a ReLU.
    let coarse = (formula_tensor("x", &[2, 6, 5, 3]) * 2.0).unwrap().round().unwrap();
    check_tensor(&coarse, (3, 3), 2, 1);
    check_tensor(&coarse, (6, 5), 1, 0);
    let zeros = Tensor::zeros((1, 4, 4, 2), DType::F64, &Device::Cpu).unwrap();
    check_tensor(&zeros, (2, 2), 2, 0);
    check_tensor(&zeros, (3, 3), 1, 1);
}

#[test]
fn nan_propagates_and_minus_infinity_can_win() {
    let mut x = formula("x", 5 * 5);
    (x[0], x[12], x[13]) = (f64::NAN, f64::NAN, f64::INFINITY);
    let holed = Tensor::from_vec(x, (1, 5, 5, 1), &Device::Cpu).unwrap();
    for dtype in [DType::F32, DType::F64] {
        let y = values(&max_pool2d(&holed.to_dtype(dtype).unwrap(), &Pool::new(2, 1, 0)).unwrap());
        let (want, _) = reference(&holed, (2, 2), 1, 0);
        assert_eq!(y.iter().filter(|v| v.is_nan()).count(), 5, "{dtype:?} {y:?}");
        assert_close("with NaN", &y, &want, TOLERANCE);
        let low = Tensor::full(f64::NEG_INFINITY, (1, 4, 4, 1), &Device::Cpu).unwrap().to_dtype(dtype).unwrap();
        let low = Var::from_tensor(&low).unwrap();
        let y = max_pool2d(&low, &Pool::new(3, 2, 1)).unwrap();
        assert_eq!(values(&y), [f64::NEG_INFINITY; 4]);
        let dx = values(y.sum_all().unwrap().backward().unwrap().get(&low).unwrap());
        // The first pixel of each window inside the image.
        let winners: Vec<usize> = (0..16).filter(|&i| dx[i] != 0.0).collect();
        assert_eq!((dx.iter().sum::<f64>(), winners), (4.0, vec![0, 1, 4, 5]), "{dtype:?}");
    }
}

#[test]
fn a_transposed_input_works() {
    let source = formula_var("x", &[2, 3, 5, 4], DType::F32);
    let x = source.permute((0, 2, 3, 1)).unwrap();
    let (want, dx) = reference(&x, (3, 3), 2, 1);
    let y = max_pool2d(&x, &Pool::new(3, 2, 1)).unwrap();
    assert_close("result", &values(&y), &want, TOLERANCE);
    let dy = formula_tensor("dy", y.dims()).to_dtype(DType::F32).unwrap();
    let grads = (&y * dy).unwrap().sum_all().unwrap().backward().unwrap();
    let got = grads.get(&source).unwrap().permute((0, 2, 3, 1)).unwrap();
    assert_close("gradient", &values(&got), &dx, TOLERANCE);
}

#[test]
fn wrong_shapes_are_errors() {
    let refused = |dims: &[usize], kernel: (usize, usize), stride: usize, padding: usize| {
        for dtype in [DType::F32, DType::F64] {
            let x = Var::zeros(dims, dtype, &Device::Cpu).unwrap();
            assert!(max_pool2d(&x, &pool(kernel, stride, padding)).is_err(), "{dims:?} {kernel:?} {stride} {padding}");
        }
    };
    refused(&[1, 4, 4, 1], (2, 2), 0, 0);
    refused(&[1, 4, 4, 1], (0, 2), 1, 0);
    refused(&[1, 4, 4, 1], (5, 2), 1, 0);
    refused(&[1, 4, 4, 1], (2, 3), 1, 2);
    refused(&[0, 4, 4, 1], (2, 2), 1, 0);
    refused(&[1, 4, 4, 0], (2, 2), 1, 0);
    refused(&[1, 0, 4, 1], (2, 2), 1, 1);
    refused(&[4, 4, 1], (2, 2), 1, 1);
}
