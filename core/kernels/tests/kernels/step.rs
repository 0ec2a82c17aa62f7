//! The optimizers' arithmetic, beside their formulae in f64.

use crate::common::{assert_close, formula_tensor, formula_var, values};
use candle_core::{DType, Device, Tensor, Var};
use tallow_kernels::{AdamStep, Decay, SgdStep, adam_step, scale_add, sgd_step};

const ADAM: AdamStep = AdamStep { step: 1, mom: 0.9, sqr_mom: 0.99, rate: 0.01, debias: 0.19, eps: 1e-3 };

const DECAYS: [Decay; 3] = [Decay { keep: 1.0, l2: 0.0 }, Decay { keep: 0.97, l2: 0.0 }, Decay { keep: 1.0, l2: 0.02 }];

/// f16 and f64 take the portable path.
fn tolerance(dtype: DType) -> f64 {
    match dtype {
        DType::F64 => 1e-14,
        DType::F32 => 1e-6,
        _ => 4e-3,
    }
}

/// Parameter, averages and gradient.
fn tensors(dims: &[usize], dtype: DType) -> ([Var; 3], Tensor) {
    let v = formula_tensor("v", dims).sqr().unwrap().to_dtype(dtype).unwrap();
    let vars = [formula_var("p", dims, dtype), formula_var("m", dims, dtype), Var::from_tensor(&v).unwrap()];
    (vars, formula_tensor("g", dims).to_dtype(dtype).unwrap())
}

#[test]
fn adam_is_its_formula() {
    for (dtype, decay) in [DType::F32, DType::F64, DType::F16].into_iter().flat_map(|t| DECAYS.map(|d| (t, d))) {
        for dims in [&[1][..], &[7, 3], &[16_385], &[3, 5, 2, 1]] {
            let ([p, m, v], g) = tensors(dims, dtype);
            let [mut want_p, mut want_m, mut want_v] = [&p, &m, &v].map(|var| values(var));
            for (i, g) in values(&g).into_iter().enumerate() {
                let g = g + decay.l2 * want_p[i];
                want_m[i] = 0.9 * want_m[i] + 0.1 * g;
                want_v[i] = 0.99 * want_v[i] + 0.01 * g * g;
                want_p[i] = decay.keep * want_p[i] - 0.01 * want_m[i] / ((want_v[i] / 0.19).sqrt() + 1e-3);
            }
            adam_step(&p, [&m, &v], &g, decay, &ADAM).unwrap();
            for (name, var, want) in [("p", &p, want_p), ("m", &m, want_m), ("v", &v, want_v)] {
                assert_close(&format!("{name} {dims:?} {dtype:?} {decay:?}"), &values(var), &want, tolerance(dtype));
            }
        }
    }
}

#[test]
fn gradient_descent_is_its_formula() {
    for (dtype, decay) in [DType::F32, DType::F64, DType::F16].into_iter().flat_map(|t| DECAYS.map(|d| (t, d))) {
        for (dims, momentum, nesterov) in [
            (&[1][..], false, false),
            (&[16_385], false, false),
            (&[7, 3], true, false),
            (&[16_385], true, false),
            (&[40_000], true, true),
        ] {
            let ([p, a, _], g) = tensors(dims, dtype);
            let (lr, mom) = (0.03, if momentum { 0.9 } else { 0.0 });
            let [mut want_p, mut want_a] = [&p, &a].map(|var| values(var));
            for (i, g) in values(&g).into_iter().enumerate() {
                let g = g + decay.l2 * want_p[i];
                if momentum {
                    want_a[i] = mom * want_a[i] + g;
                }
                let direction = match (momentum, nesterov) {
                    (false, _) => g,
                    (true, false) => want_a[i],
                    (true, true) => g + mom * want_a[i],
                };
                want_p[i] = decay.keep * want_p[i] - lr * direction;
            }
            sgd_step(&p, momentum.then_some(&a), &g, decay, &SgdStep { lr, mom, nesterov }).unwrap();
            for (name, var, want) in [("p", &p, want_p), ("a", &a, want_a)] {
                assert_close(&format!("{name} {dims:?} {dtype:?} {decay:?}"), &values(var), &want, tolerance(dtype));
            }
        }
    }
}

#[test]
fn a_running_average_is_its_formula() {
    for (dtype, dims) in [(DType::F32, &[40_000][..]), (DType::F32, &[7, 3]), (DType::F64, &[5]), (DType::F16, &[5])] {
        let ([y, ..], x) = tensors(dims, dtype);
        let want: Vec<f64> = values(&y).iter().zip(values(&x)).map(|(y, x)| 0.9 * y - 0.3 * x).collect();
        scale_add(&y, 0.9, -0.3, &x).unwrap();
        assert_close(&format!("scale_add {dims:?} {dtype:?}"), &values(&y), &want, tolerance(dtype));
    }
}

#[test]
fn a_transposed_gradient_is_read_in_the_right_order() {
    let (p, g) = (formula_var("p", &[3, 4], DType::F32), formula_tensor("g", &[4, 3]).to_dtype(DType::F32).unwrap());
    let view = g.t().unwrap();
    let want: Vec<f64> = values(&p).iter().zip(values(&view)).map(|(p, g)| p - g).collect();
    sgd_step(&p, None, &view, DECAYS[0], &SgdStep { lr: 1.0, mom: 0.0, nesterov: false }).unwrap();
    assert_close("transposed", &values(&p), &want, 1e-6);
}

#[test]
fn the_variable_is_changed_in_place_and_nothing_else_is() {
    let ([p, ..], g) = tensors(&[5], DType::F32);
    let (alias, copy, before) = (p.as_detached_tensor(), p.copy().unwrap(), values(&g));
    sgd_step(&p, None, &g, DECAYS[0], &SgdStep { lr: 1.0, mom: 0.0, nesterov: false }).unwrap();
    assert_eq!(values(&alias), values(&p));
    assert_ne!(values(&copy), values(&p));
    assert_eq!(values(&g), before);
}

#[test]
fn other_shapes_and_types_are_errors_and_change_nothing() {
    let ([p, m, v], _) = tensors(&[6], DType::F32);
    let before = [&p, &m, &v].map(|var| values(var));
    let short = formula_tensor("x", &[5]).to_dtype(DType::F32).unwrap();
    let folded = formula_tensor("x", &[2, 3]).to_dtype(DType::F32).unwrap();
    let wide = formula_tensor("x", &[6]);
    let sgd = SgdStep { lr: 0.1, mom: 0.9, nesterov: false };
    for x in [&short, &folded, &wide] {
        let other = Var::from_tensor(x).unwrap();
        assert!(adam_step(&p, [&m, &v], x, DECAYS[0], &ADAM).is_err());
        assert!(scale_add(&p, 1.0, 1.0, x).is_err());
        assert!(sgd_step(&p, Some(&m), x, DECAYS[0], &sgd).is_err());
        assert!(
            adam_step(&p, [&m, &other], &Tensor::ones(6, DType::F32, &Device::Cpu).unwrap(), DECAYS[0], &ADAM).is_err()
        );
    }
    assert_eq!([&p, &m, &v].map(|var| values(var)), before);
}
