//! Convolution and its gradients against plain loops in f64.

use crate::TOLERANCE;
use crate::common::{assert_close, formula, formula_tensor, formula_var, values};
use candle_core::{DType, Device, Tensor, Var};
use tallow::kernels::{Conv, conv2d};
use tallow::rng::Rng;

#[derive(Clone, Copy, Debug)]
struct Case {
    n: usize,
    h: usize,
    w: usize,
    c: usize,
    o: usize,
    kh: usize,
    kw: usize,
    stride: usize,
    padding: usize,
}

impl Case {
    fn out(&self) -> (usize, usize) {
        let out = |size: usize, kernel: usize| (size + 2 * self.padding - kernel) / self.stride + 1;
        (out(self.h, self.kh), out(self.w, self.kw))
    }

    fn dims(&self) -> ([usize; 4], [usize; 4], [usize; 4]) {
        let (oh, ow) = self.out();
        ([self.n, self.h, self.w, self.c], [self.o, self.c, self.kh, self.kw], [self.n, oh, ow, self.o])
    }

    /// Calls `f` with the flat indices of every product x·w that goes into an output value.
    fn each_product(&self, mut f: impl FnMut(usize, usize, usize)) {
        let (oh, ow) = self.out();
        for (n, y, x, ky, kx) in product(self.n, oh, ow, self.kh, self.kw) {
            let (iy, ix) = (y * self.stride + ky, x * self.stride + kx);
            let inside = |i: usize, size: usize| i >= self.padding && i < size + self.padding;
            if !inside(iy, self.h) || !inside(ix, self.w) {
                continue;
            }
            let pixel = (n * self.h + iy - self.padding) * self.w + ix - self.padding;
            for (o, c) in (0..self.o).flat_map(|o| (0..self.c).map(move |c| (o, c))) {
                let weight = ((o * self.c + c) * self.kh + ky) * self.kw + kx;
                f(((n * oh + y) * ow + x) * self.o + o, pixel * self.c + c, weight);
            }
        }
    }

    /// The result, and the gradients by input and weight of the sum of result times `dy`.
    fn reference(&self, x: &[f64], w: &[f64], dy: &[f64]) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
        let (mut y, mut dx, mut dw) = (vec![0.0; dy.len()], vec![0.0; x.len()], vec![0.0; w.len()]);
        self.each_product(|out, input, weight| {
            y[out] += x[input] * w[weight];
            dx[input] += dy[out] * w[weight];
            dw[weight] += dy[out] * x[input];
        });
        (y, dx, dw)
    }

    fn run(&self, dtype: DType) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
        let (xd, wd, yd) = self.dims();
        let (x, w) = (formula_var("x", &xd, dtype), formula_var("w", &wd, dtype));
        let y = conv2d(&x, &w, None, &Conv::new(self.stride, self.padding)).unwrap();
        assert_eq!(y.dims(), yd, "{self:?}");
        let grads = weighted_sum(&y).backward().unwrap();
        let of = |v: &Var| values(grads.get(v).unwrap());
        (values(&y), of(&x), of(&w))
    }

    fn check(&self) {
        let (xd, wd, yd) = self.dims();
        let inputs = |name: &str, dims: [usize; 4]| formula(name, dims.iter().product());
        let (y, dx, dw) = self.reference(&inputs("x", xd), &inputs("w", wd), &inputs("dy", yd));
        for dtype in [DType::F32, DType::F64] {
            // Reference loops over a hundred thousand weights are quick, candle's own convolution is not.
            if dtype == DType::F64 && dw.len() > 20_000 {
                continue;
            }
            let got = self.run(dtype);
            assert_close(&format!("{dtype:?} result of {self:?}"), &got.0, &y, TOLERANCE);
            assert_close(&format!("{dtype:?} gradient by input of {self:?}"), &got.1, &dx, TOLERANCE);
            assert_close(&format!("{dtype:?} gradient by weight of {self:?}"), &got.2, &dw, TOLERANCE);
        }
    }
}

fn product(
    n: usize,
    h: usize,
    w: usize,
    kh: usize,
    kw: usize,
) -> impl Iterator<Item = (usize, usize, usize, usize, usize)> {
    (0..n * h * w * kh * kw).map(move |i| {
        let (kx, i) = (i % kw, i / kw);
        let (ky, i) = (i % kh, i / kh);
        let (x, i) = (i % w, i / w);
        (i / h, i % h, x, ky, kx)
    })
}

/// A scalar whose gradient by `y` is `formula("dy")`.
fn weighted_sum(y: &Tensor) -> Tensor {
    let dy = formula_tensor("dy", y.dims()).to_dtype(y.dtype()).unwrap();
    (y * dy).unwrap().sum_all().unwrap()
}

#[allow(clippy::too_many_arguments)]
fn check(n: usize, h: usize, w: usize, c: usize, o: usize, kernel: (usize, usize), stride: usize, padding: usize) {
    Case { n, h, w, c, o, kh: kernel.0, kw: kernel.1, stride, padding }.check();
}

#[test]
fn the_reference_loops_are_derivatives() {
    let case = Case { n: 2, h: 4, w: 5, c: 2, o: 3, kh: 3, kw: 2, stride: 2, padding: 1 };
    let (xd, wd, yd) = case.dims();
    let inputs = |name: &str, dims: [usize; 4]| formula(name, dims.iter().product());
    let (x, w, dy) = (inputs("x", xd), inputs("w", wd), inputs("dy", yd));
    let (_, dx, dw) = case.reference(&x, &w, &dy);
    let sum = |x: &[f64], w: &[f64]| -> f64 { case.reference(x, w, &dy).0.iter().zip(&dy).map(|(y, dy)| y * dy).sum() };
    let central = |at: &[f64], f: &dyn Fn(&[f64]) -> f64| -> Vec<f64> {
        let shifted = |i: usize, by: f64| {
            f(&at.iter().enumerate().map(|(j, v)| if i == j { v + by } else { *v }).collect::<Vec<_>>())
        };
        (0..at.len()).map(|i| (shifted(i, 1e-3) - shifted(i, -1e-3)) / 2e-3).collect()
    };
    assert_close("by input", &dx, &central(&x, &|x| sum(x, &w)), 1e-10);
    assert_close("by weight", &dw, &central(&w, &|w| sum(&x, w)), 1e-10);
}

#[test]
fn one_pixel_images_and_results() {
    check(1, 1, 1, 1, 1, (1, 1), 1, 0);
    check(2, 1, 1, 3, 2, (3, 3), 1, 1);
    check(1, 3, 3, 2, 5, (3, 3), 1, 0);
    check(3, 3, 5, 1, 2, (3, 5), 2, 0);
    // The kernel is larger than the image, or meets nothing of it.
    check(1, 2, 3, 2, 2, (5, 5), 1, 2);
    check(1, 1, 2, 2, 1, (7, 7), 2, 3);
    check(1, 1, 1, 2, 2, (1, 1), 7, 3);
    check(1, 2, 2, 1, 2, (2, 2), 1, 3);
}

#[test]
fn oblong_kernels_strides_and_paddings() {
    for (kernel, stride, padding) in [((3, 5), 1, 2), ((3, 5), 2, 1), ((5, 3), 3, 3), ((1, 4), 2, 0), ((2, 1), 1, 1)] {
        check(2, 5, 7, 3, 4, kernel, stride, padding);
        check(1, 8, 7, 1, 1, kernel, stride, padding);
    }
    for stride in 1..=3 {
        for padding in 0..=3 {
            check(2, 7, 6, 2, 3, (3, 3), stride, padding);
        }
    }
}

#[test]
fn strides_larger_than_the_kernel_leave_pixels_without_gradient() {
    let case = Case { n: 1, h: 9, w: 11, c: 2, o: 3, kh: 2, kw: 2, stride: 3, padding: 0 };
    case.check();
    let (_, dx, _) = case.run(DType::F32);
    assert!(
        (0..9 * 11).filter(|p| p / 11 % 3 == 2 || p % 11 % 3 == 2).all(|p| dx[2 * p] == 0.0 && dx[2 * p + 1] == 0.0)
    );
    check(2, 10, 9, 2, 3, (1, 1), 2, 0);
    check(1, 10, 9, 2, 3, (1, 1), 3, 1);
    check(1, 4, 2, 3, 2, (2, 1), 5, 0);
}

#[test]
fn more_rows_and_channels_than_one_block() {
    check(2, 23, 29, 3, 5, (3, 3), 1, 1);
    check(1, 91, 93, 1, 2, (3, 3), 1, 1);
    check(2, 4, 4, 5, 200, (3, 3), 1, 1);
    check(1, 3, 2, 129, 7, (1, 1), 1, 0);
    check(1, 20, 31, 3, 150, (1, 1), 1, 0);
}

#[test]
fn two_hundred_geometries_nobody_thought_of() {
    let mut rng = Rng::new(7);
    let mut tried = 0;
    while tried < 200 {
        let mut draw = |most: usize| 1 + rng.below(most);
        let (n, h, w, c, o) = (draw(3), draw(9), draw(9), draw(5), draw(5));
        let (kernel, stride, padding) = ((draw(5), draw(5)), draw(4), draw(5) - 1);
        if h + 2 * padding >= kernel.0 && w + 2 * padding >= kernel.1 {
            check(n, h, w, c, o, kernel, stride, padding);
            tried += 1;
        }
    }
}

#[test]
fn small_and_large_weights() {
    // 2^17 weights take the one way of computing their gradient, one filter more the other.
    check(2, 5, 4, 64, 128, (4, 4), 1, 2);
    check(2, 5, 4, 64, 129, (4, 4), 1, 2);
    check(2, 3, 2, 130, 131, (3, 3), 1, 1);
    check(1, 1, 1, 128, 130, (3, 3), 1, 1);
    check(3, 5, 4, 128, 300, (3, 3), 2, 1);
}

#[test]
fn nobody_computes_a_gradient_that_nobody_asked_for() {
    let case = Case { n: 2, h: 5, w: 4, c: 2, o: 3, kh: 3, kw: 3, stride: 1, padding: 1 };
    let (xd, wd, _) = case.dims();
    let (x, w) = (formula_var("x", &xd, DType::F32), formula_var("w", &wd, DType::F32));
    let frozen = |v: &Var| v.as_detached_tensor();
    let image = frozen(&x);
    let grads = weighted_sum(&conv2d(&image, &w, None, &Conv::new(1, 1)).unwrap()).backward().unwrap();
    assert!(grads.get(&image).is_none() && grads.get(&x).is_none() && grads.get(&w).is_some());
    let kernel = frozen(&w);
    let grads = weighted_sum(&conv2d(&x, &kernel, None, &Conv::new(1, 1)).unwrap()).backward().unwrap();
    assert!(grads.get(&kernel).is_none() && grads.get(&w).is_none() && grads.get(&x).is_some());
}

#[test]
fn transposed_and_narrowed_tensors_work() {
    let case = Case { n: 2, h: 5, w: 4, c: 3, o: 2, kh: 3, kw: 3, stride: 2, padding: 1 };
    let whole = formula_var("whole", &[3, 3, 7, 4], DType::F32); // [N, C, H, W] with a margin
    let kernel = formula_var("kernel", &[3, 3, 3, 2], DType::F32); // [kh, kw, C, O]
    let x = whole.narrow(0, 1, 2).unwrap().narrow(2, 1, 5).unwrap().permute((0, 2, 3, 1)).unwrap();
    let w = kernel.permute((3, 2, 0, 1)).unwrap();
    assert!(!x.is_contiguous() && !w.is_contiguous());
    let y = conv2d(&x, &w, None, &Conv::new(2, 1)).unwrap();
    let (_, _, yd) = case.dims();
    let dy = formula("dy", yd.iter().product());
    let (want, dx, dw) = case.reference(&values(&x), &values(&w), &dy);
    assert_close("result", &values(&y), &want, TOLERANCE);
    let grads = weighted_sum(&y).backward().unwrap();
    let margin = grads.get(&whole).unwrap();
    let inner = margin.narrow(0, 1, 2).unwrap().narrow(2, 1, 5).unwrap().permute((0, 2, 3, 1)).unwrap();
    assert_close("gradient by input", &values(&inner), &dx, TOLERANCE);
    let outside =
        values(&margin.abs().unwrap().sum_all().unwrap())[0] - values(&inner.abs().unwrap().sum_all().unwrap())[0];
    assert!(outside.abs() < 1e-3, "gradient outside the part that was used: {outside}");
    assert_close("by weight", &values(&grads.get(&kernel).unwrap().permute((3, 2, 0, 1)).unwrap()), &dw, TOLERANCE);
}

#[test]
fn wrong_shapes_are_errors() {
    let zeros = |dims: &[usize]| Tensor::zeros(dims, DType::F32, &Device::Cpu).unwrap();
    let refused = |x: &[usize], w: &[usize], stride: usize, padding: usize| {
        for dtype in [DType::F32, DType::F64] {
            let (x, w) = (zeros(x).to_dtype(dtype).unwrap(), zeros(w).to_dtype(dtype).unwrap());
            assert!(conv2d(&x, &w, None, &Conv::new(stride, padding)).is_err(), "{x:?} {w:?} {stride} {padding}");
        }
    };
    refused(&[1, 4, 4, 3], &[2, 2, 3, 3], 1, 0);
    refused(&[0, 4, 4, 3], &[2, 3, 3, 3], 1, 0);
    refused(&[1, 4, 4, 3], &[0, 3, 3, 3], 1, 0);
    refused(&[1, 4, 4, 3], &[2, 3, 3, 3], 0, 0);
    refused(&[1, 2, 4, 3], &[2, 3, 5, 3], 1, 1);
    refused(&[1, 4, 0, 3], &[2, 3, 1, 1], 1, 1);
    refused(&[4, 4, 3], &[2, 3, 3, 3], 1, 1);
    refused(&[1, 4, 4, 3], &[2, 3, 3], 1, 1);
    let message = conv2d(&zeros(&[1, 4, 4, 3]), &zeros(&[2, 5, 3, 3]), None, &Conv::new(1, 0)).unwrap_err().to_string();
    assert!(message.contains("wants 5 channels") && message.contains("has 3"), "{message}");
    let mixed = zeros(&[2, 3, 3, 3]).to_dtype(DType::F64).unwrap();
    assert!(conv2d(&zeros(&[1, 4, 4, 3]), &mixed, None, &Conv::new(1, 0)).is_err());
}
