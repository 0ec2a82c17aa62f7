//! Convolution and its gradients against plain loops in f64.

use crate::TOLERANCE;
use crate::common::{assert_close, formula, formula_tensor, formula_var, hash, values};
use candle_core::{DType, Device, Tensor, Var};
use half::bf16;
use tallow_kernels::{Activation, ConvParams, PreparedConv, conv2d};

/// A convolution's sizes; the formula gives its values.
#[derive(Clone, Copy, Debug)]
struct Case {
    n: usize,
    h: usize,
    w: usize,
    c: usize,
    o: usize,
    kernel: [usize; 2],
    bias: bool,
    conv: ConvParams,
}

impl Case {
    fn out(&self) -> (usize, usize) {
        let ConvParams { stride, padding, dilation, .. } = self.conv;
        let out = |axis: usize, size: usize| {
            let reach = dilation[axis] * (self.kernel[axis] - 1) + 1;
            (size + padding[axis][0] + padding[axis][1] - reach) / stride[axis] + 1
        };
        (out(0, self.h), out(1, self.w))
    }

    fn dims(&self) -> ([usize; 4], [usize; 4], [usize; 4]) {
        let ((oh, ow), [kh, kw]) = (self.out(), self.kernel);
        ([self.n, self.h, self.w, self.c], [self.o, self.c / self.conv.groups, kh, kw], [self.n, oh, ow, self.o])
    }

    /// Calls `f` with the flat indices of every product x·w that goes into an output value.
    fn each_product(&self, mut f: impl FnMut(usize, usize, usize)) {
        let ((oh, ow), [kh, kw]) = (self.out(), self.kernel);
        let ConvParams { stride, padding, dilation, groups } = self.conv;
        let (ci, co) = (self.c / groups, self.o / groups);
        for (n, y, x, ky, kx) in product(self.n, oh, ow, kh, kw) {
            let (iy, ix) = (y * stride[0] + ky * dilation[0], x * stride[1] + kx * dilation[1]);
            let inside = |i: usize, size: usize, before: usize| i >= before && i < size + before;
            if !inside(iy, self.h, padding[0][0]) || !inside(ix, self.w, padding[1][0]) {
                continue;
            }
            let pixel = (n * self.h + iy - padding[0][0]) * self.w + ix - padding[1][0];
            for (o, c) in (0..self.o).flat_map(|o| (0..ci).map(move |c| (o, c))) {
                let weight = ((o * ci + c) * kh + ky) * kw + kx;
                f(((n * oh + y) * ow + x) * self.o + o, pixel * self.c + o / co * ci + c, weight);
            }
        }
    }

    /// The result, and the gradients by input, weight and bias of the sum of result times `dy`.
    fn reference(&self, x: &[f64], w: &[f64], b: &[f64], dy: &[f64]) -> [Vec<f64>; 4] {
        let (mut y, mut dx, mut dw) = (b.repeat(dy.len() / self.o), vec![0.0; x.len()], vec![0.0; w.len()]);
        self.each_product(|out, input, weight| {
            y[out] += x[input] * w[weight];
            dx[input] += dy[out] * w[weight];
            dw[weight] += dy[out] * x[input];
        });
        let mut db = vec![0.0; self.o];
        dy.iter().enumerate().for_each(|(i, dy)| db[i % self.o] += dy);
        [y, dx, dw, db]
    }

    fn inputs(&self) -> [Vec<f64>; 4] {
        let (xd, wd, yd) = self.dims();
        let of = |name: &str, dims: &[usize]| formula(name, dims.iter().product());
        let b = if self.bias { of("b", &[self.o]) } else { vec![0.0; self.o] };
        [of("x", &xd), of("w", &wd), b, of("dy", &yd)]
    }

    fn run(&self, dtype: DType) -> [Vec<f64>; 4] {
        let (xd, wd, yd) = self.dims();
        let (x, w, b) =
            (formula_var("x", &xd, dtype), formula_var("w", &wd, dtype), formula_var("b", &[self.o], dtype));
        let bias = self.bias.then_some(b.as_tensor());
        let y = conv2d(&x, &w, bias, &self.conv).unwrap();
        assert_eq!(y.dims(), yd, "{self:?}");
        let grads = weighted_sum(&y).backward().unwrap();
        let of = |v: &Var| values(grads.get(v).unwrap());
        [values(&y), of(&x), of(&w), if self.bias { of(&b) } else { Vec::new() }]
    }

    fn check(&self) {
        let [x, w, b, dy] = self.inputs();
        let want = self.reference(&x, &w, &b, &dy);
        for dtype in [DType::F32, DType::F64] {
            // Reference loops over a hundred thousand weights are quick, candle's own convolution is not.
            if dtype == DType::F64 && (w.len() > 20_000 || dy.len() > 200_000) {
                continue;
            }
            let got = self.run(dtype);
            let what = |name: &str| format!("{name} in {dtype:?} of {self:?}");
            for (name, (got, want)) in ["result", "by input", "by weight"].iter().zip(got.iter().zip(&want)) {
                assert_close(&what(name), got, want, TOLERANCE);
            }
            if self.bias {
                assert_close(&what("by bias"), &got[3], &want[3], TOLERANCE);
            }
        }
        self.check_bf16();
    }

    /// Inputs of 16 bits, whose products are summed up in `f32`: what is rounded is the result and the gradient by the
    /// input, and nothing before.
    fn check_bf16(&self) {
        let rounded = |values: &Vec<f64>| values.iter().map(|&value| bf16::from_f64(value).to_f64()).collect();
        let [x, w, b, dy] = self.inputs();
        let [x, w, dy]: [Vec<f64>; 3] = [&x, &w, &dy].map(rounded);
        let want = self.reference(&x, &w, &b, &dy);
        let (xd, wd, _) = self.dims();
        let (x, w) = (formula_var("x", &xd, DType::BF16), formula_var("w", &wd, DType::F32));
        let b = formula_var("b", &[self.o], DType::F32);
        let y = conv2d(&x, &w, self.bias.then_some(b.as_tensor()), &self.conv).unwrap();
        let grads = weighted_sum(&y).backward().unwrap();
        let (dx, dw) = (grads.get(&x).unwrap(), grads.get(&w).unwrap());
        assert_eq!([y.dtype(), dx.dtype(), dw.dtype()], [DType::BF16, DType::BF16, DType::F32]);
        let what = |name: &str| format!("{name} in bf16 of {self:?}");
        // Half a unit in the last of eight binary places.
        assert_close(&what("result"), &values(&y), &want[0], 1.0 / 256.0 + TOLERANCE);
        assert_close(&what("by input"), &values(dx), &want[1], 1.0 / 256.0 + TOLERANCE);
        assert_close(&what("by weight"), &values(dw), &want[2], TOLERANCE);
    }

    /// The same convolution with its weights prepared.
    fn check_prepared(&self) {
        let ((xd, wd, yd), [x, w, b, dy]) = (self.dims(), self.inputs());
        let tensor = |name: &str, dims: &[usize]| formula_tensor(name, dims).to_dtype(DType::F32).unwrap();
        let bias = self.bias.then(|| tensor("b", &[self.o]));
        let prepared = PreparedConv::new(&tensor("w", &wd), bias.as_ref()).unwrap();
        let [want, ..] = self.reference(&x, &w, &b, &dy);
        let x = tensor("x", &xd);
        let got = values(&prepared.run(&x, &self.conv, Some(&tensor("r", &yd)), Activation::LeakyRelu(0.5)).unwrap());
        let want: Vec<f64> = want
            .iter()
            .zip(formula("r", want.len()))
            .map(|(y, r)| if y + r > 0.0 { y + r } else { 0.5 * (y + r) })
            .collect();
        assert_close(&format!("prepared {self:?}"), &got, &want, TOLERANCE);
        let misfit = tensor("r", &[yd[0], yd[1], yd[2], yd[3] + 1]);
        assert!(prepared.run(&x, &self.conv, Some(&misfit), Activation::None).is_err());
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
    case(n, h, w, c, o, kernel, stride, padding).check();
}

#[allow(clippy::too_many_arguments)]
fn case(
    n: usize,
    h: usize,
    w: usize,
    c: usize,
    o: usize,
    kernel: (usize, usize),
    stride: usize,
    padding: usize,
) -> Case {
    Case { n, h, w, c, o, kernel: [kernel.0, kernel.1], bias: false, conv: ConvParams::new(stride, padding) }
}

#[test]
fn the_reference_loops_are_derivatives() {
    let case = case(2, 4, 5, 2, 3, (3, 2), 2, 1);
    let [x, w, b, dy] = case.inputs();
    let [_, dx, dw, _] = case.reference(&x, &w, &b, &dy);
    let sum =
        |x: &[f64], w: &[f64]| -> f64 { case.reference(x, w, &b, &dy)[0].iter().zip(&dy).map(|(y, dy)| y * dy).sum() };
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
    let case = case(1, 9, 11, 2, 3, (2, 2), 3, 0);
    case.check();
    let [_, dx, ..] = case.run(DType::F32);
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
fn three_hundred_geometries_nobody_thought_of() {
    let mut drawn = 0;
    let mut tried = 0;
    while tried < 300 {
        let mut draw = |most: usize| {
            drawn += 1;
            1 + (hash("geometry", drawn) >> 8) as usize % most
        };
        let groups = [1, 1, draw(4)][draw(3) - 1];
        let conv = ConvParams {
            stride: [draw(3), draw(3)],
            padding: [[draw(4) - 1, draw(4) - 1], [draw(4) - 1, draw(4) - 1]],
            dilation: [draw(3), draw(2)],
            groups,
        };
        let (n, h, w) = (draw(3), draw(9), draw(9));
        let (c, o, kernel) = (draw(5) * groups, draw(5) * groups, [draw(5), draw(5)]);
        let case = Case { n, h, w, c, o, kernel, bias: draw(2) == 1, conv };
        let fits = |axis: usize, size: usize| {
            size + conv.padding[axis].iter().sum::<usize>() > conv.dilation[axis] * (kernel[axis] - 1)
        };
        if fits(0, h) && fits(1, w) {
            case.check();
            case.check_prepared();
            tried += 1;
        }
    }
}

#[test]
fn depthwise_kernels() {
    for (c, kernel, stride, padding) in [(1, 3, 1, 1), (31, 3, 2, 1), (32, 5, 1, 2), (33, 5, 2, 2), (70, 7, 1, 3)] {
        for dilation in 1..=2 {
            let conv = ConvParams { groups: c, dilation: [dilation; 2], ..ConvParams::new(stride, padding) };
            let case = Case { n: 2, h: 9, w: 13, c, o: c, kernel: [kernel; 2], bias: c % 2 == 1, conv };
            case.check();
            case.check_prepared();
        }
    }
    // TensorFlow's padding for stride 2: one more below and to the right.
    let conv = ConvParams { groups: 24, padding: [[0, 1], [1, 2]], ..ConvParams::new(2, 0) };
    Case { n: 3, h: 8, w: 7, c: 24, o: 24, kernel: [3, 5], bias: true, conv }.check();
}

#[test]
fn three_by_three_in_tiles() {
    for (n, h, w, c, o, padding) in [
        (1, 16, 16, 32, 32, [[1, 1], [1, 1]]),
        (3, 13, 15, 33, 47, [[0, 0], [0, 0]]),
        (2, 14, 17, 40, 32, [[2, 0], [0, 1]]),
        (12, 4, 3, 35, 64, [[1, 1], [1, 1]]),
        (12, 5, 4, 35, 70, [[0, 2], [1, 1]]),
        (5, 22, 21, 32, 130, [[2, 2], [2, 2]]),
        (40, 7, 8, 64, 65, [[1, 2], [0, 1]]),
    ] {
        let case = Case {
            n,
            h,
            w,
            c,
            o,
            kernel: [3, 3],
            bias: o % 2 == 1,
            conv: ConvParams { padding, ..ConvParams::new(1, 0) },
        };
        case.check();
        case.check_prepared();
    }
    // Many channels: the gradient comes the same way, and weights are prepared.
    case(2, 9, 10, 300, 257, (3, 3), 1, 1).check_prepared();
}

#[test]
fn a_prepared_convolution_serves_images_of_any_size() {
    let weight = formula_tensor("w", &[40, 36, 3, 3]).to_dtype(DType::F32).unwrap();
    let prepared = PreparedConv::new(&weight, None).unwrap();
    for (h, w) in [(1, 1), (20, 24), (2, 3), (16, 16)] {
        let xs = formula_tensor("x", &[1, h, w, 36]).to_dtype(DType::F32).unwrap();
        let want = values(&conv2d(&xs, &weight, None, &ConvParams::new(1, 1)).unwrap());
        assert_close(
            "prepared",
            &values(&prepared.run(&xs, &ConvParams::new(1, 1), None, Activation::None).unwrap()),
            &want,
            TOLERANCE,
        );
    }
    let narrow = formula_tensor("x", &[1, 4, 4, 35]).to_dtype(DType::F32).unwrap();
    assert!(prepared.run(&narrow, &ConvParams::new(1, 1), None, Activation::None).is_err());
    assert!(PreparedConv::new(&weight, Some(&narrow)).is_err());
    assert!(PreparedConv::new(&weight.to_dtype(DType::F64).unwrap(), None).is_err());
    let xs = formula_tensor("x", &[1, 4, 4, 36]).to_dtype(DType::F32).unwrap();
    assert!(prepared.run(&xs, &ConvParams::new(0, 1), None, Activation::None).is_err());
}

#[test]
fn small_and_large_weights() {
    // A row of the kernel is a piece, longer than pieces of pairs may be.
    check(1, 1, 605, 14, 4, (1, 600), 1, 0);
    // 2^17 weights take the one way of computing their gradient, one filter more the other.
    check(2, 5, 4, 64, 128, (4, 4), 1, 2);
    check(2, 5, 4, 64, 129, (4, 4), 1, 2);
    check(2, 3, 2, 130, 131, (3, 3), 1, 1);
    check(1, 1, 1, 128, 130, (3, 3), 1, 1);
    check(3, 5, 4, 128, 300, (3, 3), 2, 1);
}

#[test]
fn nobody_computes_a_gradient_that_nobody_asked_for() {
    let case = case(2, 5, 4, 2, 3, (3, 3), 1, 1);
    let (xd, wd, _) = case.dims();
    let (x, w) = (formula_var("x", &xd, DType::F32), formula_var("w", &wd, DType::F32));
    let frozen = |v: &Var| v.as_detached_tensor();
    let image = frozen(&x);
    let grads = weighted_sum(&conv2d(&image, &w, None, &ConvParams::new(1, 1)).unwrap()).backward().unwrap();
    assert!(grads.get(&image).is_none() && grads.get(&x).is_none() && grads.get(&w).is_some());
    let kernel = frozen(&w);
    let grads = weighted_sum(&conv2d(&x, &kernel, None, &ConvParams::new(1, 1)).unwrap()).backward().unwrap();
    assert!(grads.get(&kernel).is_none() && grads.get(&w).is_none() && grads.get(&x).is_some());
}

#[test]
fn transposed_and_narrowed_tensors_work() {
    let case = case(2, 5, 4, 3, 2, (3, 3), 2, 1);
    let whole = formula_var("whole", &[3, 3, 7, 4], DType::F32); // [N, C, H, W] with a margin
    let kernel = formula_var("kernel", &[3, 3, 3, 2], DType::F32); // [kh, kw, C, O]
    let x = whole.narrow(0, 1, 2).unwrap().narrow(2, 1, 5).unwrap().permute((0, 2, 3, 1)).unwrap();
    let w = kernel.permute((3, 2, 0, 1)).unwrap();
    assert!(!x.is_contiguous() && !w.is_contiguous());
    let y = conv2d(&x, &w, None, &ConvParams::new(2, 1)).unwrap();
    let (_, _, yd) = case.dims();
    let dy = formula("dy", yd.iter().product());
    let [want, dx, dw, _] = case.reference(&values(&x), &values(&w), &[0.0; 2], &dy);
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
            assert!(conv2d(&x, &w, None, &ConvParams::new(stride, padding)).is_err(), "{x:?} {w:?} {stride} {padding}");
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
    let message =
        conv2d(&zeros(&[1, 4, 4, 3]), &zeros(&[2, 5, 3, 3]), None, &ConvParams::new(1, 0)).unwrap_err().to_string();
    assert!(message.contains("wants 5 channels") && message.contains("has 3"), "{message}");
    let grouped = ConvParams { groups: 3, ..ConvParams::new(1, 1) };
    assert!(conv2d(&zeros(&[1, 4, 4, 6]), &zeros(&[4, 2, 3, 3]), None, &grouped).is_err());
    assert!(conv2d(&zeros(&[1, 4, 4, 6]), &zeros(&[3, 2, 3, 3]), Some(&zeros(&[4])), &grouped).is_err());
    let endless = ConvParams { padding: [[usize::MAX; 2]; 2], dilation: [usize::MAX; 2], ..ConvParams::new(1, 1) };
    assert!(conv2d(&zeros(&[1, 4, 4, 3]), &zeros(&[2, 3, 3, 3]), None, &endless).is_err());
    let mixed = zeros(&[2, 3, 3, 3]).to_dtype(DType::F64).unwrap();
    assert!(conv2d(&zeros(&[1, 4, 4, 3]), &mixed, None, &ConvParams::new(1, 0)).is_err());
}
