//! Activations against PyTorch's values and gradients, and sums.

use crate::common::{assert_close, assert_same_bits, formula_tensor, formula_var, values};
use candle_core::{DType, Device, Tensor, Var};
use tallow_kernels::{Activation, activate, add, relu};

const SPECIAL: [f64; 8] = [0.0, -0.0, -1.0, 2.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 1e-40];

const POINTS: [f64; 19] =
    [-20.0, -7.0, -3.0, -2.5, -1.0, -0.625, -0.5, -0.001, 0.0, 0.001, 0.5, 0.7, 1.0, 1.5, 3.0, 4.5, 6.0, 8.0, 20.0];

/// What PyTorch computes in double precision at [`POINTS`], values and gradients:
/// `y = f(x); y.sum().backward(); y.tolist(), x.grad.tolist()`.
#[rustfmt::skip]
const EXPECTED: &[(Activation, &[f64; 19], &[f64; 19])] = &[
    (Activation::Relu, &[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.001, 0.5, 0.7, 1.0, 1.5, 3.0, 4.5, 6.0, 8.0,
        20.0], &[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]),
    (Activation::Relu6, &[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.001, 0.5, 0.7, 1.0, 1.5, 3.0, 4.5, 6.0, 6.0,
        6.0], &[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0]),
    (Activation::LeakyRelu(0.1), &[-2.0, -0.7, -0.3, -0.25, -0.1, -0.0625, -0.05, -0.0001, 0.0, 0.001, 0.5, 0.7, 1.0,
        1.5, 3.0, 4.5, 6.0, 8.0, 20.0], &[0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0,
        1.0, 1.0, 1.0, 1.0]),
    (Activation::Silu, &[-4.12230724e-08, -0.00637735836, -0.14227762, -0.18964545, -0.268941421, -0.21790321,
        -0.188770334, -0.00049975, 0.0, 0.00050025, 0.311229666, 0.467731441, 0.731058579, 1.22636171, 2.85772238,
        4.45055876, 5.98516426, 7.9973172, 20.0], &[-3.91619187e-08, -0.00546049707, -0.088104106, -0.0994011113,
        0.0723294881, 0.20671282, 0.260038813, 0.4995, 0.5, 0.5005, 0.739961187, 0.823386783, 0.927670512, 1.04129415,
        1.08810411, 1.03791109, 1.01232643, 1.00234655, 1.00000004]),
    (Activation::Gelu, &[-0.0, -8.95866714e-12, -0.00404969409, -0.0155241633, -0.158655254, -0.166240956,
        -0.154268769, -0.000499601058, 0.0, 0.000500398942, 0.345731231, 0.530625443, 0.841344746, 1.3997892,
        2.99595031, 4.49998471, 5.99999999, 8.0, 20.0], &[-1.10418967e-86, -6.26632333e-11, -0.0119456472,
        -0.0376110859, -0.0833154706, 0.0608849237, 0.132504875, 0.499202116, 0.5, 0.500797884, 0.867495125,
        0.976614101, 1.08331547, 1.12746919, 1.01194565, 1.00006853, 1.00000004, 1.0, 1.0]),
    (Activation::GeluTanh, &[-0.0, -2.33146835e-15, -0.00363739208, -0.0150842661, -0.158808009, -0.16627885,
        -0.15428599, -0.000499601058, 0.0, 0.000500398942, 0.34571401, 0.530570135, 0.841191991, 1.39957158,
        2.99636261, 4.49999486, 6.0, 8.0, 20.0], &[0.0, -2.78425582e-14, -0.0115841666, -0.0379515762, -0.0829640838,
        0.0610919626, 0.132630096, 0.499202116, 0.5, 0.500797884, 0.867369904, 0.976357219, 1.08296408, 1.12771079,
        1.01158417, 1.00002932, 1.0, 1.0, 1.0]),
    (Activation::Sigmoid, &[2.06115362e-09, 0.000911051194, 0.0474258732, 0.07585818, 0.268941421, 0.348645135,
        0.377540669, 0.49975, 0.5, 0.50025, 0.622459331, 0.668187772, 0.731058579, 0.817574476, 0.952574127,
        0.989013057, 0.997527377, 0.99966465, 0.999999998], &[2.06115361e-09, 0.00091022118, 0.0451766597,
        0.0701037165, 0.196611933, 0.227091705, 0.235003712, 0.249999938, 0.25, 0.249999938, 0.235003712, 0.221712873,
        0.196611933, 0.149146452, 0.0451766597, 0.0108662297, 0.00246650929, 0.000335237671, 2.06115369e-09]),
    (Activation::Tanh, &[-1.0, -0.999998337, -0.995054754, -0.986614298, -0.761594156, -0.554599722, -0.462117157,
        -0.000999999667, 0.0, 0.000999999667, 0.462117157, 0.604367777, 0.761594156, 0.905148254, 0.995054754,
        0.999753211, 0.999987712, 0.999999775, 1.0], &[0.0, 3.32610934e-06, 0.00986603717, 0.0265922267, 0.419974342,
        0.692419148, 0.786447733, 0.999999, 1.0, 0.999999, 0.786447733, 0.63473959, 0.419974342, 0.180706639,
        0.00986603717, 0.000493517399, 2.45765474e-05, 4.50140598e-07, 0.0]),
    (Activation::HardSwish, &[-0.0, -0.0, -0.0, -0.208333333, -0.333333333, -0.247395833, -0.208333333,
        -0.000499833333, 0.0, 0.000500166667, 0.291666667, 0.431666667, 0.666666667, 1.125, 3.0, 4.5, 6.0, 8.0, 20.0],
        &[0.0, 0.0, 0.0, -0.333333333, 0.166666667, 0.291666667, 0.333333333, 0.499666667, 0.5, 0.500333333,
        0.666666667, 0.733333333, 0.833333333, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]),
    (Activation::HardSigmoid, &[0.0, 0.0, 0.0, 0.0833333333, 0.333333333, 0.395833333, 0.416666667, 0.499833333, 0.5,
        0.500166667, 0.583333333, 0.616666667, 0.666666667, 0.75, 1.0, 1.0, 1.0, 1.0, 1.0], &[0.0, 0.0, 0.0,
        0.166666672, 0.166666672, 0.166666672, 0.166666672, 0.166666672, 0.166666672, 0.166666672, 0.166666672,
        0.166666672, 0.166666672, 0.166666672, 0.0, 0.0, 0.0, 0.0, 0.0]),
];

fn gradient(of: &Tensor, by: &Var) -> Vec<f64> {
    let dy = formula_tensor("dy", of.dims()).to_dtype(of.dtype()).unwrap();
    values((of * dy).unwrap().sum_all().unwrap().backward().unwrap().get(by).unwrap())
}

#[test]
fn values_and_gradients_are_pytorchs() {
    for &(activation, ys, grads) in EXPECTED {
        for dtype in [DType::F32, DType::F64] {
            let x = Var::from_tensor(&Tensor::new(&POINTS, &Device::Cpu).unwrap().to_dtype(dtype).unwrap()).unwrap();
            let y = activate(&x, activation).unwrap();
            let dx = values(y.sum_all().unwrap().backward().unwrap().get(&x).unwrap());
            for (i, (got, want)) in values(&y).iter().zip(ys).chain(dx.iter().zip(grads)).enumerate() {
                let x = POINTS[i % POINTS.len()];
                // One unit in the last place of 1, since PyTorch too takes slopes as 1 less something.
                let error = (got - want).abs() / want.abs().max(0.1);
                assert!(error < 2e-6, "{activation:?} {dtype:?} at {x}: {got} instead of {want}");
            }
        }
    }
}

#[test]
fn infinities_and_nan_are_pytorchs() {
    let x = Tensor::new(&[f32::INFINITY, f32::NEG_INFINITY, f32::NAN], &Device::Cpu).unwrap();
    for (activation, want) in [
        (Activation::Relu, [f64::INFINITY, 0.0]),
        (Activation::Relu6, [6.0, 0.0]),
        (Activation::Sigmoid, [1.0, 0.0]),
        (Activation::Tanh, [1.0, -1.0]),
        (Activation::HardSigmoid, [1.0, 0.0]),
        (Activation::LeakyRelu(0.5), [f64::INFINITY, f64::NEG_INFINITY]),
    ] {
        let got = values(&activate(&x, activation).unwrap());
        assert_eq!(got[..2], want, "{activation:?}");
        assert!(got[2].is_nan(), "{activation:?} of NaN is {}", got[2]);
    }
    for activation in [Activation::Silu, Activation::Gelu, Activation::GeluTanh, Activation::HardSwish] {
        let got = values(&activate(&x, activation).unwrap());
        assert!(got[0] == f64::INFINITY && got[2].is_nan(), "{activation:?}: {got:?}");
    }
}

#[test]
fn smooth_functions_are_accurate_everywhere() {
    let xs: Vec<f32> = (-10_000..10_000).map(|i| i as f32 * 1.1e-3).collect();
    let x = Tensor::new(xs.as_slice(), &Device::Cpu).unwrap();
    let exact = |f: &dyn Fn(f64) -> f64| xs.iter().map(|&x| f(f64::from(x))).collect::<Vec<_>>();
    for (activation, want) in [
        (Activation::Sigmoid, exact(&|x| 1.0 / (1.0 + (-x).exp()))),
        (Activation::Tanh, exact(&f64::tanh)),
        (Activation::Silu, exact(&|x| x / (1.0 + (-x).exp()))),
    ] {
        for (got, want) in values(&activate(&x, activation).unwrap()).iter().zip(want) {
            assert!((got - want).abs() <= 4e-7 * want.abs() + 1e-38, "{activation:?}: {got} instead of {want}");
        }
    }
}

#[test]
fn relu_of_special_values_and_its_gradient_at_zero() {
    for dtype in [DType::F32, DType::F64] {
        let x = Var::from_tensor(&Tensor::new(&SPECIAL, &Device::Cpu).unwrap().to_dtype(dtype).unwrap()).unwrap();
        let y = relu(&x).unwrap();
        let got = values(&y);
        assert_eq!(got[..6], [0.0, 0.0, 0.0, 2.0, f64::INFINITY, 0.0], "{dtype:?}");
        assert!(got[6].is_nan() && got[7] > 0.0, "{dtype:?} {got:?}");
        // PyTorch: x = torch.tensor([0., -0., -1., 2., inf, -inf, nan, 1e-40], requires_grad=True);
        // x.relu().sum().backward(); x.grad == [0, 0, 0, 1, 1, 0, 1, 1]
        let dx = values(y.sum_all().unwrap().backward().unwrap().get(&x).unwrap());
        assert_eq!(dx, [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0], "{dtype:?}");
    }
}

#[test]
fn sizes_beyond_a_block_and_both_summands() {
    for n in [1, 5, 16_384, 16_385, 40_001] {
        for dtype in [DType::F32, DType::F64] {
            let (a, b) = (formula_var("a", &[n], dtype), formula_var("b", &[n], dtype));
            let (av, dy) = (values(&a), values(&formula_tensor("dy", &[n]).to_dtype(dtype).unwrap()));
            let want: Vec<f64> = av.iter().map(|v| v.max(0.0)).collect();
            let y = relu(&a).unwrap();
            assert_same_bits("relu", &values(&y), &want);
            let masked: Vec<f64> = av.iter().zip(&dy).map(|(v, dy)| if *v > 0.0 { *dy } else { 0.0 }).collect();
            // 0 and -0 are the same gradient.
            let plain = |v: Vec<f64>| v.iter().map(|v| v + 0.0).collect::<Vec<_>>();
            assert_same_bits("gradient", &plain(gradient(&y, &a)), &masked);
            let sum = add(&a, &b).unwrap();
            assert_same_bits("add", &values(&sum), &values(&(a.as_tensor() + b.as_tensor()).unwrap()));
            assert_same_bits("by a", &gradient(&sum, &a), &dy);
            assert_same_bits("by b", &gradient(&sum, &b), &dy);
            let twice = add(&a, &a).unwrap();
            assert_same_bits("by both", &gradient(&twice, &a), &dy.iter().map(|v| 2.0 * v).collect::<Vec<_>>());
        }
    }
}

#[test]
fn views_work_and_only_what_tracks_gets_a_gradient() {
    let a = formula_var("a", &[4, 6], DType::F32);
    let view = a.t().unwrap().narrow(0, 1, 3).unwrap(); // [3, 4]
    let b = formula_tensor("b", &[3, 4]).to_dtype(DType::F32).unwrap();
    let y = relu(&add(&view, &b).unwrap()).unwrap();
    let want: Vec<f64> = values(&(&view + &b).unwrap()).iter().map(|v| v.max(0.0)).collect();
    assert_same_bits("sum and relu", &values(&y), &want);
    let grads = y.sum_all().unwrap().backward().unwrap();
    assert!(grads.get(&b).is_none());
    let counted: f64 = values(grads.get(&a).unwrap()).iter().sum();
    assert_eq!(counted, want.iter().filter(|v| **v > 0.0).count() as f64);
    assert!(add(&a, &b).is_err());
    assert_close("nothing", &values(&activate(&b, Activation::None).unwrap()), &values(&b), 0.0);
}
