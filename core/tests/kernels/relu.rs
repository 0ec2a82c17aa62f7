//! ReLU, alone and after an addition.

use crate::common::{assert_same_bits, formula, formula_tensor, formula_var, values};
use candle_core::{DType, Device, Tensor, Var};
use tallow::kernels::{add_relu, relu};

const SPECIAL: [f64; 8] = [0.0, -0.0, -1.0, 2.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 1e-40];

fn gradient(of: &Tensor, by: &Var) -> Vec<f64> {
    let dy = formula_tensor("dy", of.dims()).to_dtype(of.dtype()).unwrap();
    values((of * dy).unwrap().sum_all().unwrap().backward().unwrap().get(by).unwrap())
}

#[test]
fn special_values_and_the_gradient_at_zero() {
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
        let zeros = Tensor::zeros(8, dtype, &Device::Cpu).unwrap();
        let sum = values(&add_relu(&x, &zeros).unwrap());
        assert_eq!(sum[..6], got[..6]);
        assert!(sum[6].is_nan());
    }
}

#[test]
fn sizes_beyond_a_block_and_both_summands() {
    for n in [1, 5, 16_384, 16_385, 40_001] {
        for dtype in [DType::F32, DType::F64] {
            let (a, b) = (formula_var("a", &[n], dtype), formula_var("b", &[n], dtype));
            let (av, bv, dy) = (values(&a), values(&b), formula_tensor("dy", &[n]).to_dtype(dtype).unwrap());
            let dy = values(&dy);
            let want: Vec<f64> = av.iter().map(|v| v.max(0.0)).collect();
            let y = relu(&a).unwrap();
            assert_same_bits("relu", &values(&y), &want);
            let masked =
                |of: &[f64]| of.iter().zip(&dy).map(|(v, dy)| if *v > 0.0 { *dy } else { 0.0 }).collect::<Vec<_>>();
            // 0 and -0 are the same gradient.
            let plain = |v: Vec<f64>| v.iter().map(|v| v + 0.0).collect::<Vec<_>>();
            assert_same_bits("gradient", &plain(gradient(&y, &a)), &masked(&av));
            let sum = add_relu(&a, &b).unwrap();
            let added: Vec<f64> = values(&(a.as_tensor() + b.as_tensor()).unwrap());
            assert_same_bits("add_relu", &values(&sum), &added.iter().map(|v| v.max(0.0)).collect::<Vec<_>>());
            assert_same_bits("by a", &plain(gradient(&sum, &a)), &masked(&added));
            assert_same_bits("by b", &plain(gradient(&sum, &b)), &masked(&added));
            let twice = add_relu(&a, &a).unwrap();
            assert_same_bits(
                "by both",
                &plain(gradient(&twice, &a)),
                &masked(&av).iter().map(|v| 2.0 * v).collect::<Vec<_>>(),
            );
            assert_eq!(bv.len(), n);
        }
    }
}

#[test]
fn views_work_and_only_what_tracks_gets_a_gradient() {
    let a = formula_var("a", &[4, 6], DType::F32);
    let view = a.t().unwrap().narrow(0, 1, 3).unwrap(); // [3, 4]
    let b = formula_tensor("b", &[3, 4]).to_dtype(DType::F32).unwrap();
    let y = add_relu(&view, &b).unwrap();
    let want: Vec<f64> = values(&(&view + &b).unwrap()).iter().map(|v| v.max(0.0)).collect();
    assert_same_bits("add_relu", &values(&y), &want);
    let grads = y.sum_all().unwrap().backward().unwrap();
    assert!(grads.get(&b).is_none());
    let counted: f64 = values(grads.get(&a).unwrap()).iter().sum();
    assert_eq!(counted, want.iter().filter(|v| **v > 0.0).count() as f64);
    let want: Vec<f64> = formula("b", 12).iter().map(|v| f64::from((*v as f32).max(0.0))).collect();
    assert_same_bits("relu", &values(&relu(&b).unwrap()), &want);
    assert!(add_relu(&a, &b).is_err());
}
