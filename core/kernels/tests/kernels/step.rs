//! The optimizers' arithmetic.

use crate::common::{assert_close, formula, formula_tensor, formula_var, values};
use candle_core::{DType, Device, Tensor, Var};
use tallow_kernels::{adam_step, add_scaled, scale_add, square_average};

/// f16 takes the portable path.
fn tolerance(dtype: DType) -> f64 {
    match dtype {
        DType::F64 => 1e-14,
        DType::F32 => 1e-6,
        _ => 2e-3,
    }
}

#[test]
fn the_steps_are_their_formulae() {
    for dtype in [DType::F32, DType::F64, DType::F16] {
        for dims in [&[1][..], &[7, 3], &[16_385], &[3, 5, 2, 1]] {
            let tensor = |name: &str| formula_tensor(name, dims).to_dtype(dtype).unwrap();
            let (x, positive) = (tensor("x"), tensor("v").sqr().unwrap());
            let check = |what: &str, var: &Var, want: Vec<f64>| {
                assert_close(&format!("{what} {dims:?} {dtype:?}"), &values(var), &want, tolerance(dtype));
            };
            let each = |var: &Var, f: &dyn Fn(f64, f64) -> f64| -> Vec<f64> {
                values(var).iter().zip(values(&x)).map(|(&y, x)| f(y, x)).collect()
            };

            let y = formula_var("y", dims, dtype);
            let want = each(&y, &|y, x| 0.9 * y - 0.3 * x);
            scale_add(&y, 0.9, -0.3, &x).unwrap();
            check("scale_add", &y, want);

            let want = each(&y, &|y, x| y + 0.7 * x);
            add_scaled(&y, 0.7, &x).unwrap();
            check("add_scaled", &y, want);

            let v = Var::from_tensor(&positive).unwrap();
            let want = each(&v, &|v, g| 0.99 * v + 0.01 * g * g);
            square_average(&v, 0.99, &x).unwrap();
            check("square_average", &v, want);

            let p = formula_var("p", dims, dtype);
            let want = values(&p)
                .iter()
                .zip(values(&x).iter().zip(values(&v)))
                .map(|(p, (m, v))| p - 0.01 * m / ((v / 0.19).sqrt() + 1e-3))
                .collect();
            adam_step(&p, &x, &v.as_detached_tensor(), 0.01, 0.19, 1e-3).unwrap();
            check("adam_step", &p, want);
        }
    }
}

#[test]
fn a_transposed_gradient_is_read_in_the_right_order() {
    let (y, x) = (formula_var("y", &[3, 4], DType::F32), formula_tensor("x", &[4, 3]).to_dtype(DType::F32).unwrap());
    let view = x.t().unwrap();
    let want: Vec<f64> = values(&y).iter().zip(values(&view)).map(|(y, x)| y + x).collect();
    add_scaled(&y, 1.0, &view).unwrap();
    assert_close("transposed", &values(&y), &want, 1e-6);
    let p = formula_var("p", &[3, 4], DType::F32);
    let want: Vec<f64> = values(&p).iter().zip(values(&view)).map(|(p, m)| p - m / 2.0).collect();
    let ones = Tensor::ones((4, 3), DType::F32, &Device::Cpu).unwrap();
    adam_step(&p, &view, &ones.t().unwrap(), 1.0, 1.0, 1.0).unwrap();
    assert_close("adam transposed", &values(&p), &want, 1e-6);
}

#[test]
fn the_variable_is_changed_in_place_and_nothing_else_is() {
    let y = formula_var("y", &[5], DType::F32);
    let (alias, copy) = (y.as_detached_tensor(), y.copy().unwrap());
    let x = formula_tensor("x", &[5]).to_dtype(DType::F32).unwrap();
    add_scaled(&y, 1.0, &x).unwrap();
    assert_eq!(values(&alias), values(&y));
    assert_ne!(values(&copy), values(&y));
    assert_eq!(values(&x), formula("x", 5).iter().map(|&v| f64::from(v as f32)).collect::<Vec<_>>());
}

#[test]
fn other_shapes_and_types_are_errors_and_change_nothing() {
    let y = formula_var("y", &[6], DType::F32);
    let before = values(&y);
    let short = formula_tensor("x", &[5]).to_dtype(DType::F32).unwrap();
    let folded = formula_tensor("x", &[2, 3]).to_dtype(DType::F32).unwrap();
    let wide = formula_tensor("x", &[6]);
    for x in [&short, &folded, &wide] {
        assert!(scale_add(&y, 1.0, 1.0, x).is_err());
        assert!(square_average(&y, 0.9, x).is_err());
        assert!(adam_step(&y, x, x, 0.1, 0.1, 0.1).is_err());
    }
    assert_eq!(values(&y), before);
}
