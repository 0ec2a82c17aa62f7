//! What a U-Net is made of besides convolutions, against plain loops and finite differences: channels into pixels, the
//! nearest pixel, a convolution with what follows it, and the cross entropy of pixels.

use crate::common::{assert_close, formula, formula_tensor, formula_var, values};
use candle_core::{DType, Device, Result, Tensor, Var};
use tallow_kernels::{
    Activation, ConvParams, activate, channels_first, channels_last, conv2d, conv2d_with, log_softmax,
    mean_cross_entropy, pixel_shuffle, pixel_unshuffle, upsample_nearest2d,
};

/// The values of `f` and the gradient of their sum, each weighted by the formula's `dy`.
fn run(dims: &[usize], dtype: DType, f: &dyn Fn(&Tensor) -> Result<Tensor>) -> (Vec<f64>, Vec<f64>) {
    let x = formula_var("x", dims, dtype);
    let y = f(&x).unwrap();
    let dy = formula_tensor("dy", y.dims()).to_dtype(dtype).unwrap();
    let grads = (&y * dy).unwrap().sum_all().unwrap().backward().unwrap();
    (values(&y), values(grads.get(&x).unwrap()))
}

/// The gradient by differences, in f64.
fn by_differences(dims: &[usize], f: &dyn Fn(&Tensor) -> Result<Tensor>) -> Vec<f64> {
    const STEP: f64 = 1e-6;
    let x = formula("x", dims.iter().product());
    let weighted = |x: &[f64]| {
        let y = f(&Tensor::from_slice(x, dims, &Device::Cpu).unwrap()).unwrap();
        let dy = formula("dy", y.elem_count());
        values(&y).iter().zip(dy).map(|(y, dy)| y * dy).sum::<f64>()
    };
    let moved = |i: usize, by: f64| {
        let mut x = x.clone();
        x[i] += by;
        weighted(&x)
    };
    (0..x.len()).map(|i| (moved(i, STEP) - moved(i, -STEP)) / (2.0 * STEP)).collect()
}

/// The fast path against the loops' values, and its gradient against differences of the portable path.
fn check(what: &str, dims: &[usize], want: &[f64], f: &dyn Fn(&Tensor) -> Result<Tensor>) {
    let (values, gradient) = run(dims, DType::F32, f);
    assert_close(what, &values, want, 1e-5);
    assert_close(&format!("gradient of {what}"), &gradient, &by_differences(dims, f), 1e-5);
}

#[test]
fn channels_become_pixels() {
    for ([n, h, w, c], r) in
        [([2, 3, 5, 7], 2), ([1, 1, 1, 1], 2), ([1, 2, 3, 2], 3), ([2, 2, 3, 33], 2), ([1, 4, 3, 5], 1)]
    {
        let (fine, coarse) = ([n, h * r, w * r, c], [n, h, w, c * r * r]);
        let at = |dims: [usize; 4], [n, y, x, c]: [usize; 4]| ((n * dims[1] + y) * dims[2] + x) * dims[3] + c;
        let x = formula("x", coarse.iter().product());
        let mut shuffled = vec![0.0; x.len()];
        let mut unshuffled = vec![0.0; x.len()];
        for i in 0..x.len() {
            let (b, y, column, channel) = (i / (h * r * w * r * c), i / (w * r * c) % (h * r), i / c % (w * r), i % c);
            let source = at(coarse, [b, y / r, column / r, (channel * r + y % r) * r + column % r]);
            shuffled[i] = x[source];
            unshuffled[source] = x[i];
        }
        check("pixel_shuffle", &coarse, &shuffled, &|x| pixel_shuffle(x, r));
        check("pixel_unshuffle", &fine, &unshuffled, &|x| pixel_unshuffle(x, r));
    }
}

#[test]
fn the_nearest_pixel_at_any_size() {
    for (from, to) in [([5, 7], [9, 13]), ([6, 8], [6, 9]), ([9, 5], [4, 5]), ([1, 1], [3, 2]), ([12, 16], [12, 15])] {
        let ([h, w], [oh, ow], c) = (from, to, 3);
        let dims = [2, h, w, c];
        let x = formula("x", dims.iter().product());
        // PyTorch's rule: the ratio of sizes in single precision, times the index, rounded down.
        let source =
            |at: usize, from: usize, to: usize| ((at as f32 * (from as f32 / to as f32)) as usize).min(from - 1);
        let want: Vec<f64> = (0..2 * oh * ow * c)
            .map(|i| {
                let (b, y, column, channel) = (i / (oh * ow * c), i / (ow * c) % oh, i / c % ow, i % c);
                x[((b * h + source(y, h, oh)) * w + source(column, w, ow)) * c + channel]
            })
            .collect();
        check("upsample_nearest2d", &dims, &want, &|x| upsample_nearest2d(x, to));
    }
}

#[test]
fn a_convolution_with_what_follows() {
    let sizes = [([2, 5, 7, 3], 4, 3, 1), ([1, 8, 8, 33], 35, 3, 1), ([2, 3, 4, 6], 6, 1, 1), ([1, 6, 5, 4], 4, 3, 4)];
    for ([n, h, w, c], o, kernel, groups) in sizes {
        let conv = ConvParams { groups, ..ConvParams::new(1, kernel / 2) };
        let shapes = [vec![n, h, w, c], vec![o, c / groups, kernel, kernel], vec![o], vec![n, h, w, o]];
        for activation in [Activation::None, Activation::Relu, Activation::Relu6, Activation::Silu] {
            let of = |dtype: DType, together: bool, with_residual: bool| {
                let vars: Vec<Var> =
                    shapes.iter().enumerate().map(|(i, s)| formula_var(&format!("v{i}"), s, dtype)).collect();
                let [x, weight, bias, residual] = [0, 1, 2, 3].map(|i| vars[i].as_tensor());
                let residual = with_residual.then_some(residual);
                let y = if together {
                    conv2d_with(x, weight, Some(bias), &conv, residual, activation).unwrap()
                } else {
                    let y = conv2d(x, weight, Some(bias), &conv).unwrap();
                    let y = residual.map_or(Ok(y.clone()), |residual| &y + residual).unwrap();
                    activate(&y, activation).unwrap()
                };
                let dy = formula_tensor("dy", y.dims()).to_dtype(dtype).unwrap();
                let grads = (&y * dy).unwrap().sum_all().unwrap().backward().unwrap();
                let used = if with_residual { &vars[..] } else { &vars[..3] };
                let grads = used.iter().map(|var| values(grads.get(var).unwrap()));
                std::iter::once(values(&y)).chain(grads).collect::<Vec<_>>()
            };
            for with_residual in [true, false] {
                let (fast, plain) = (of(DType::F32, true, with_residual), of(DType::F64, false, with_residual));
                for (fast, plain) in fast.iter().zip(&plain) {
                    assert_close("conv2d_with", fast, plain, 1e-5);
                }
            }
        }
        let wrong = formula_tensor("r", &[n, h, w + 1, o]).to_dtype(DType::F32).unwrap();
        let [x, weight] = [0, 1].map(|i| formula_tensor("x", &shapes[i]).to_dtype(DType::F32).unwrap());
        assert!(conv2d_with(&x, &weight, None, &conv, Some(&wrong), Activation::Relu).is_err());
    }
}

#[test]
fn the_mean_cross_entropy_of_what_counts() {
    for (dims, weighted, ignored) in [
        (&[2, 5, 7, 12][..], false, Some(3)),
        (&[2, 3, 4], true, None),
        (&[150, 5], true, Some(4)),
        (&[1, 3], false, None),
        (&[4, 2], false, Some(9)),
        (&[70, 37], true, None),
    ] {
        let c = dims[dims.len() - 1];
        let leading = &dims[..dims.len() - 1];
        let rows: usize = leading.iter().product();
        let classes: Vec<u32> = (0..rows).map(|row| ((7 * row + 3) % c) as u32).collect();
        let weights: Option<Vec<f64>> = weighted.then(|| (0..c).map(|class| 0.5 + class as f64).collect());
        let labels = Tensor::from_slice(&classes, leading, &Device::Cpu).unwrap();
        let x = formula("x", rows * c);
        let (mut sum, mut total) = (0.0, 0.0);
        for (x, &class) in x.chunks_exact(c).zip(&classes).filter(|(_, class)| ignored != Some(**class)) {
            let weight = weights.as_ref().map_or(1.0, |weights| weights[class as usize]);
            sum += weight * (x.iter().map(|x| x.exp()).sum::<f64>().ln() - x[class as usize]);
            total += weight;
        }
        check("mean_cross_entropy", dims, &[sum / total], &|x| {
            mean_cross_entropy(x, &labels, weights.as_deref(), ignored)
        });
    }
    // Scores of any size, and what is not a number.
    let tensor = |x: &[f32]| Tensor::from_slice(x, (1, 3), &Device::Cpu).unwrap();
    let label = Tensor::new(&[1u32], &Device::Cpu).unwrap();
    let of = |x: &[f32]| values(&mean_cross_entropy(&tensor(x), &label, None, None).unwrap())[0];
    assert_close("large", &[of(&[1e4, -1e4, 0.0])], &[2e4], 1e-6);
    assert!(of(&[f32::NAN, 0.0, 0.0]).is_nan() && !of(&[f32::INFINITY, 0.0, 0.0]).is_finite());
    let same = values(&log_softmax(&tensor(&[0.5, -2.0, 1.0])).unwrap())[1];
    assert_close("one row", &[of(&[0.5, -2.0, 1.0])], &[-same], 1e-6);
    // Nothing counts, so there is nothing to learn.
    let x = formula_var("x", &[1, 3], DType::F32);
    let loss = mean_cross_entropy(&x, &label, None, Some(1)).unwrap();
    assert_eq!(values(&loss), [0.0]);
    assert_eq!(values(loss.backward().unwrap().get(&x).unwrap()), [0.0; 3]);
    assert!(mean_cross_entropy(&x, &Tensor::new(&[3u32], &Device::Cpu).unwrap(), None, None).is_err());
    assert!(mean_cross_entropy(&x, &Tensor::new(&[0u32, 1], &Device::Cpu).unwrap(), None, None).is_err());
    assert!(mean_cross_entropy(&x, &label, Some(&[1.0]), None).is_err());
}

#[test]
fn images_are_turned_with_their_gradients() {
    for dims in [[2, 3, 5, 7], [1, 1, 4, 4], [3, 70, 9, 8], [1, 4100, 1, 2], [2, 5, 80, 60]] {
        let (got, dx) = run(&dims, DType::F32, &channels_last);
        let (want, want_dx) = run(&dims, DType::F64, &channels_last);
        assert_close(&format!("{dims:?}"), &got, &want, 1e-6);
        assert_close(&format!("gradient of {dims:?}"), &dx, &want_dx, 1e-6);
        let xs = formula_tensor("x", &dims).to_dtype(DType::F32).unwrap();
        let view = xs.permute((0, 2, 3, 1)).unwrap().contiguous().unwrap();
        assert_eq!(values(&channels_last(&xs).unwrap()), values(&view));
        let back = channels_first(&channels_last(&xs).unwrap()).unwrap();
        assert_eq!(values(&back), values(&xs));
    }
}
