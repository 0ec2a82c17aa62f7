//! Batch normalisation against plain loops in f64.

use crate::TOLERANCE;
use crate::common::{assert_close, formula, formula_tensor, formula_var, values};
use candle_core::{DType, Device, Tensor, Var};
use tallow_kernels::{Activation, BatchNormOptions, BatchStats, activate, add, batch_norm, batch_stats};

const EPS: f64 = 1e-5;

/// Nothing but the normalisation.
fn plain(training: bool) -> BatchNormOptions {
    BatchNormOptions { eps: EPS, training, activation: Activation::None }
}

/// Result and gradients by x, weight and bias of the sum of result times `dy`, by the formulae of the paper.
struct Reference {
    y: Vec<f64>,
    dx: Vec<f64>,
    dweight: Vec<f64>,
    dbias: Vec<f64>,
    mean: Vec<f64>,
    var: Vec<f64>,
}

fn reference(x: &[f64], weight: &[f64], bias: &[f64], dy: &[f64], constant: Option<(&[f64], &[f64])>) -> Reference {
    let c = weight.len();
    let count = (x.len() / c) as f64;
    let per_channel = |term: &dyn Fn(usize) -> f64| -> Vec<f64> {
        (0..c).map(|channel| (channel..x.len()).step_by(c).map(term).sum()).collect()
    };
    let over_count = |sums: Vec<f64>| -> Vec<f64> { sums.iter().map(|s| s / count).collect() };
    let (mean, var) = match constant {
        Some((mean, var)) => (mean.to_vec(), var.to_vec()),
        None => {
            let mean = over_count(per_channel(&|i| x[i]));
            let var = over_count(per_channel(&|i| (x[i] - mean[i % c]).powi(2)));
            (mean, var)
        }
    };
    let inv = |i: usize| 1.0 / (var[i % c] + EPS).sqrt();
    let normal = |i: usize| (x[i] - mean[i % c]) * inv(i);
    let y = (0..x.len()).map(|i| normal(i) * weight[i % c] + bias[i % c]).collect();
    let (dbias, dweight) = (per_channel(&|i| dy[i]), per_channel(&|i| dy[i] * normal(i)));
    let through = if constant.is_some() { 0.0 } else { 1.0 / count };
    let dx = (0..x.len())
        .map(|i| weight[i % c] * inv(i) * (dy[i] - through * dbias[i % c] - through * normal(i) * dweight[i % c]))
        .collect();
    Reference { y, dx, dweight, dbias, mean, var }
}

fn inputs(dims: &[usize], dtype: DType) -> (Var, Var, Var) {
    let c = dims[dims.len() - 1];
    let shifted = formula_tensor("x", dims).affine(2.0, 30.0).unwrap().to_dtype(dtype).unwrap();
    (Var::from_tensor(&shifted).unwrap(), formula_var("weight", &[c], dtype), formula_var("bias", &[c], dtype))
}

fn weighted_sum(y: &Tensor) -> Tensor {
    (y * formula_tensor("dy", y.dims()).to_dtype(y.dtype()).unwrap()).unwrap().sum_all().unwrap()
}

fn check(dims: &[usize], training: bool, dtype: DType) {
    let (x, weight, bias) = inputs(dims, dtype);
    let c = weight.elem_count();
    let constants: (Vec<f64>, Vec<f64>) =
        (formula("mean", c), formula("var", c).iter().map(|v| f64::from((1.5 + v) as f32)).collect());
    let stats = if training {
        batch_stats(&x).unwrap()
    } else {
        let narrow = |v: &[f64]| Tensor::new(v, &Device::Cpu).unwrap().to_dtype(DType::F32).unwrap();
        BatchStats { mean: narrow(&constants.0), var: narrow(&constants.1), count: 0, spread: None }
    };
    let dy = formula("dy", x.elem_count());
    let constant = (!training).then_some((&constants.0[..], &constants.1[..]));
    let want = reference(&values(&x), &values(&weight), &values(&bias), &dy, constant);
    let y = batch_norm(&x, &weight, &bias, &stats, &plain(training), None).unwrap();
    assert_eq!(y.dims(), dims);
    let what = |part: &str| format!("{part} for {dims:?} {dtype:?}, training: {training}");
    if training {
        assert_eq!(stats.count, x.elem_count() / c);
        assert_eq!((stats.mean.dims(), stats.mean.dtype()), (&[c][..], dtype));
        assert_close(&what("mean"), &values(&stats.mean), &want.mean, 1e-6);
        assert_close(&what("variance"), &values(&stats.var), &want.var, 1e-6);
    }
    assert_close(&what("result"), &values(&y), &want.y, TOLERANCE);
    let grads = weighted_sum(&y).backward().unwrap();
    let of = |v: &Var| values(grads.get(v).unwrap());
    assert_close(&what("gradient by weight"), &of(&weight), &want.dweight, TOLERANCE);
    assert_close(&what("gradient by bias"), &of(&bias), &want.dbias, TOLERANCE);
    // With two values per channel nearly all of the gradient cancels; what remains is as exact as the terms were.
    let terms = (0..dy.len()).map(|i| (values(&weight)[i % c] * dy[i] / (want.var[i % c] + EPS).sqrt()).abs());
    let largest = want.dx.iter().fold(0.0, |largest: f64, v| largest.max(v.abs()));
    let cancelled = (terms.fold(0.0, f64::max) / largest).max(1.0);
    assert_close(&what("gradient by x"), &of(&x), &want.dx, TOLERANCE * cancelled);
}

#[test]
fn the_reference_formula_is_the_derivative() {
    let (n, c) = (6, 3);
    let (x, weight, bias, dy) = (formula("x", n * c), formula("weight", c), formula("bias", c), formula("dy", n * c));
    for constant in [None, Some((&[0.1, 0.2, -0.3][..], &[1.0, 2.0, 0.5][..]))] {
        let want = reference(&x, &weight, &bias, &dy, constant);
        let central = |at: &[f64], f: &dyn Fn(&[f64]) -> Vec<f64>| -> Vec<f64> {
            let shifted = |i: usize, by: f64| {
                let mut at = at.to_vec();
                at[i] += by;
                f(&at).iter().zip(&dy).map(|(y, dy)| y * dy).sum::<f64>()
            };
            (0..at.len()).map(|i| (shifted(i, 1e-5) - shifted(i, -1e-5)) / 2e-5).collect()
        };
        assert_close("x", &want.dx, &central(&x, &|x| reference(x, &weight, &bias, &dy, constant).y), 1e-7);
        assert_close("weight", &want.dweight, &central(&weight, &|w| reference(&x, w, &bias, &dy, constant).y), 1e-7);
        assert_close("bias", &want.dbias, &central(&bias, &|b| reference(&x, &weight, b, &dy, constant).y), 1e-7);
    }
}

#[test]
fn results_and_gradients_are_those_of_the_formula() {
    for dims in [
        &[5, 3][..],
        &[2, 1],
        &[600, 2],
        &[2, 3, 5, 7],
        &[1, 2, 2, 1],
        &[3, 16, 17, 5],
        &[256, 130],
        &[17_000, 2],
        &[4, 3, 2],
    ] {
        for dtype in [DType::F32, DType::F64] {
            check(dims, true, dtype);
            check(dims, false, dtype);
        }
    }
    // In eval mode one value is enough; in training mode it becomes the shift.
    check(&[1, 4], false, DType::F32);
    check(&[1, 1, 1, 1], false, DType::F32);
    let (x, weight, bias) = inputs(&[1, 4], DType::F32);
    let y = batch_norm(&x, &weight, &bias, &batch_stats(&x).unwrap(), &plain(true), None).unwrap();
    assert_close("one value", &values(&y), &values(&bias), 1e-6);
}

#[test]
fn a_shortcut_and_an_activation_are_as_if_they_came_after() {
    use Activation::{
        Gelu, GeluTanh, HardSigmoid, HardSwish, LeakyRelu, None as Plain, Relu, Relu6, Sigmoid, Silu, Tanh,
    };
    for dims in [&[7, 3][..], &[2, 5, 3, 40], &[130, 33]] {
        for activation in
            [Plain, Relu, Relu6, LeakyRelu(0.2), Silu, Gelu, GeluTanh, Sigmoid, Tanh, HardSwish, HardSigmoid]
        {
            for (dtype, training) in [(DType::F32, true), (DType::F32, false), (DType::F64, true)] {
                let (x, weight, bias) = inputs(dims, dtype);
                let residual = formula_var("residual", dims, dtype);
                let stats = batch_stats(&x).unwrap();
                let options = BatchNormOptions { activation, ..plain(training) };
                let fused = batch_norm(&x, &weight, &bias, &stats, &options, Some(&residual)).unwrap();
                let normal = batch_norm(&x, &weight, &bias, &stats, &plain(training), None).unwrap();
                let apart = activate(&add(&normal, &residual).unwrap(), activation).unwrap();
                let what = format!("{activation:?} {dims:?} {dtype:?}, training: {training}");
                assert_close(&what, &values(&fused), &values(&apart), 1e-6);
                let (fused, apart) =
                    (weighted_sum(&fused).backward().unwrap(), weighted_sum(&apart).backward().unwrap());
                for var in [&x, &weight, &bias, &residual] {
                    assert_close(&what, &values(fused.get(var).unwrap()), &values(apart.get(var).unwrap()), 1e-5);
                }
            }
        }
    }
    let (x, weight, bias) = inputs(&[4, 3], DType::F32);
    let misfit = formula_var("residual", &[4, 4], DType::F32);
    assert!(batch_norm(&x, &weight, &bias, &batch_stats(&x).unwrap(), &plain(true), Some(&misfit)).is_err());
}

#[test]
fn means_far_from_zero_do_not_drown_the_variance() {
    let xs = formula_tensor("x", &[5000, 7]).affine(1.0, 1000.0).unwrap().to_dtype(DType::F32).unwrap();
    let stats = batch_stats(&xs).unwrap();
    let want = reference(&values(&xs), &[1.0; 7], &[0.0; 7], &[0.0; 35_000], None);
    assert_close("mean", &values(&stats.mean), &want.mean, 1e-7);
    assert_close("variance", &values(&stats.var), &want.var, 1e-5);
}

#[test]
fn frozen_parts_get_no_gradient() {
    let (x, weight, bias) = inputs(&[4, 3], DType::F32);
    let stats = batch_stats(&x).unwrap();
    let image = x.as_detached_tensor();
    let grads =
        weighted_sum(&batch_norm(&image, &weight, &bias, &stats, &plain(true), None).unwrap()).backward().unwrap();
    assert!(grads.get(&image).is_none() && grads.get(&weight).is_some() && grads.get(&bias).is_some());
    let (w, b) = (weight.as_detached_tensor(), bias.as_detached_tensor());
    let grads = weighted_sum(&batch_norm(&x, &w, &b, &stats, &plain(true), None).unwrap()).backward().unwrap();
    assert!(grads.get(&w).is_none() && grads.get(&b).is_none() && grads.get(&x).is_some());
}

#[test]
fn a_transposed_input_works() {
    let source = formula_var("x", &[3, 5, 4], DType::F32);
    let (weight, bias) = (formula_tensor("weight", &[3]), formula_tensor("bias", &[3]));
    let x = source.permute((1, 2, 0)).unwrap(); // [5, 4, 3]
    let dy = formula("dy", 60);
    let want = reference(&values(&x), &values(&weight), &values(&bias), &dy, None);
    let narrow = |t: &Tensor| t.to_dtype(DType::F32).unwrap();
    let y = batch_norm(&x, &narrow(&weight), &narrow(&bias), &batch_stats(&x).unwrap(), &plain(true), None).unwrap();
    assert_close("result", &values(&y), &want.y, TOLERANCE);
    let grads = weighted_sum(&y).backward().unwrap();
    let dx = grads.get(&source).unwrap().permute((1, 2, 0)).unwrap();
    assert_close("gradient", &values(&dx), &want.dx, TOLERANCE);
}

#[test]
fn wrong_shapes_are_errors() {
    let zeros = |dims: &[usize]| Tensor::zeros(dims, DType::F32, &Device::Cpu).unwrap();
    assert!(batch_stats(&zeros(&[0, 3])).is_err() && batch_stats(&zeros(&[])).is_err());
    assert!(batch_stats(&zeros(&[3, 0])).is_err());
    let stats = batch_stats(&zeros(&[4, 3])).unwrap();
    for (x, weight, bias) in
        [(&[4, 2][..], &[2][..], &[2][..]), (&[4, 3], &[2], &[3]), (&[4, 3], &[3], &[1]), (&[0, 3], &[3], &[3])]
    {
        assert!(
            batch_norm(&zeros(x), &zeros(weight), &zeros(bias), &stats, &plain(true), None).is_err(),
            "{x:?} {weight:?}"
        );
    }
}

#[test]
fn types_of_16_bits_have_statistics_of_32() {
    let xs = formula_tensor("x", &[300, 7]).to_dtype(DType::F16).unwrap();
    let (half, single) = (batch_stats(&xs).unwrap(), batch_stats(&xs.to_dtype(DType::F32).unwrap()).unwrap());
    assert_eq!((half.mean.dtype(), half.var.dtype(), half.count), (DType::F32, DType::F32, 300));
    // The means are small beside the values of which they are sums.
    assert_close("mean", &values(&half.mean), &values(&single.mean), 1e-5);
    assert_close("variance", &values(&half.var), &values(&single.var), 1e-6);
}
