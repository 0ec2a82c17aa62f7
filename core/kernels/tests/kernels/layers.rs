//! Layer normalisation, scaling, joining, softmax, losses and dropout: the fast path against the portable one in f64,
//! whose gradients are candle's for sums and products, and PyTorch's numbers.

use crate::common::{assert_close, formula_tensor, formula_var, hash, reference_labels, values};
use candle_core::{DType, Device, Result, Tensor, Var};
use tallow_kernels::{self as kernels, cat, layer_norm, masked_concat_pool, scale, scale_samples};

/// Values and all gradients in both types.
fn same_on_both_paths(what: &str, shapes: &[&[usize]], f: &dyn Fn(&[&Tensor]) -> Result<Tensor>) {
    let of = |dtype: DType| {
        let inputs: Vec<Var> =
            shapes.iter().enumerate().map(|(i, dims)| formula_var(&format!("x{i}"), dims, dtype)).collect();
        let tensors: Vec<&Tensor> = inputs.iter().map(Var::as_tensor).collect();
        let y = f(&tensors).unwrap();
        let dy = formula_tensor("dy", y.dims()).to_dtype(dtype).unwrap();
        let grads = (&y * dy).unwrap().sum_all().unwrap().backward().unwrap();
        let grads: Vec<Vec<f64>> = inputs.iter().map(|x| values(grads.get(x).unwrap())).collect();
        (values(&y), grads)
    };
    let ((fast, by_fast), (portable, by_portable)) = (of(DType::F32), of(DType::F64));
    assert_close(what, &fast, &portable, 2e-6);
    for (i, (fast, portable)) in by_fast.iter().zip(&by_portable).enumerate() {
        assert_close(&format!("gradient {i} of {what}"), fast, portable, 2e-5);
    }
}

#[test]
fn layer_norm_of_any_width() {
    for dims in [&[3, 5][..], &[5, 16], &[2, 3, 5, 17], &[130, 96], &[1, 1000], &[7]] {
        let c = &[dims[dims.len() - 1]][..];
        same_on_both_paths(&format!("layer_norm {dims:?}"), &[dims, c, c], &|x| layer_norm(x[0], x[1], x[2], 1e-6));
    }
    // A single value is its own mean, and nothing is left of it but the shift.
    let [x, w, b] = ["x", "w", "b"].map(|name| formula_var(name, &[1], DType::F32));
    assert_eq!(values(&layer_norm(&x, &w, &b, 1e-6).unwrap()), values(&b));
    // F.layer_norm(torch.tensor([1., 2., 4.]), (3,), torch.tensor([1., 2., 3.]), torch.tensor([0., 0., 1.]), 1e-5)
    let tensor = |values: &[f32]| Tensor::new(values, &Device::Cpu).unwrap();
    let y = layer_norm(&tensor(&[1., 2., 4.]), &tensor(&[1., 2., 3.]), &tensor(&[0., 0., 1.]), 1e-5).unwrap();
    assert_close("PyTorch", &values(&y), &[-1.0690411, -0.5345205, 5.0089054], 1e-6);
}

#[test]
fn factors_for_all_or_for_each_sample() {
    for dims in [&[3, 4, 5, 7][..], &[2, 1, 1, 33], &[130, 65], &[1, 9, 9, 1]] {
        let (n, c) = (dims[0], dims[dims.len() - 1]);
        same_on_both_paths(&format!("scale {dims:?} by channel"), &[dims, &[c]], &|x| scale(x[0], x[1]));
        same_on_both_paths(&format!("scale {dims:?} by sample"), &[dims, &[n, c]], &|x| scale(x[0], x[1]));
        let factors: Vec<f32> = (0..n).map(|i| i as f32 * 0.5).collect();
        same_on_both_paths(&format!("samples {dims:?}"), &[dims], &|x| scale_samples(x[0], &factors));
        let steps: Vec<f32> = (0..n * dims[1]).map(|i| i as f32 * 0.5).collect();
        same_on_both_paths(&format!("steps {dims:?}"), &[dims], &|x| scale_samples(x[0], &steps));
    }
}

#[test]
fn last_largest_and_mean_of_sequences() {
    for [n, t, c] in [[1, 1, 1], [3, 5, 17], [2, 40, 4]] {
        // Padding at random, but not in the second step of the first ones.
        let padding: Vec<bool> = (0..n * t).map(|i| hash("padding", i).is_multiple_of(3) && i % t != t / 2).collect();
        for bptt in [None, Some(7)] {
            let pool = |x: &[&Tensor]| masked_concat_pool(x[0], &padding, bptt);
            same_on_both_paths(&format!("pool of {n} x {t} x {c}"), &[&[n, t, c]], &pool);
        }
    }
    // Two steps of padding, three that count, one of padding behind.
    let xs = Tensor::new(&[[[9f32, 0.0], [9.0, 0.0], [1.0, -3.0], [4.0, -1.0], [1.0, -2.0], [9.0, 0.0]]], &Device::Cpu);
    let (xs, padding) = (Var::from_tensor(&xs.unwrap()).unwrap(), [true, true, false, false, false, true]);
    let y = masked_concat_pool(&xs, &padding, None).unwrap();
    assert_eq!(values(&y), [1.0, -2.0, 4.0, -1.0, 2.0, -2.0]);
    let weighted = y.broadcast_mul(&Tensor::new(&[1f32, 10.0, 100.0, 1e3, 3e4, 3e5], &Device::Cpu).unwrap());
    let grads = weighted.unwrap().sum_all().unwrap().backward().unwrap();
    let want = [0.0, 0.0, 0.0, 0.0, 1e4, 1e5, 10100.0, 101e3, 10001.0, 100_010.0, 0.0, 0.0];
    assert_eq!(values(grads.get(&xs).unwrap()), want);
    // In fast.ai's stretches of four the step before is the last one, since there is padding in front among them.
    let fastais = masked_concat_pool(&xs, &[true, true, true, false, false, true], Some(4)).unwrap();
    assert_eq!(values(&fastais)[..2], [4.0, -1.0]);
    assert!(masked_concat_pool(&xs, &[true; 6], None).unwrap_err().to_string().contains("number 0 is nothing but"));
    assert!(masked_concat_pool(&xs, &[false; 5], None).is_err());
}

#[test]
fn channels_side_by_side() {
    same_on_both_paths("cat of one", &[&[2, 3, 4]], &cat);
    same_on_both_paths("cat of three", &[&[2, 3, 5, 4], &[2, 3, 5, 1], &[2, 3, 5, 33]], &cat);
    same_on_both_paths("cat of vectors", &[&[4], &[1]], &cat);
    same_on_both_paths("cat of many rows", &[&[700, 2], &[700, 3]], &cat);
    let (a, b) = (formula_var("a", &[2, 3], DType::F32), formula_tensor("b", &[2, 3]).to_dtype(DType::F32).unwrap());
    let y = cat(&[&a, &b, &a]).unwrap();
    let grads = y.sum_all().unwrap().backward().unwrap();
    assert!(grads.get(&b).is_none());
    assert_eq!(values(grads.get(&a).unwrap()), [2.0; 6]);
}

#[test]
fn wrong_shapes_are_errors() {
    let zeros = |dims: &[usize]| Tensor::zeros(dims, DType::F32, &Device::Cpu).unwrap();
    assert!(layer_norm(&zeros(&[2, 3]), &zeros(&[2]), &zeros(&[3]), 1e-5).is_err());
    assert!(layer_norm(&zeros(&[0, 3]), &zeros(&[3]), &zeros(&[3]), 1e-5).is_err());
    assert!(layer_norm(&zeros(&[]), &zeros(&[1]), &zeros(&[1]), 1e-5).is_err());
    assert!(scale(&zeros(&[2, 3]), &zeros(&[2])).is_err() && scale(&zeros(&[2, 3]), &zeros(&[3, 3])).is_err());
    assert!(scale(&zeros(&[]), &zeros(&[1])).is_err() && scale(&zeros(&[2, 0]), &zeros(&[0])).is_err());
    assert!(scale_samples(&zeros(&[2, 3]), &[1.0]).is_err() && scale_samples(&zeros(&[0, 3]), &[]).is_err());
    assert!(cat(&[]).is_err() && cat(&[&zeros(&[])]).is_err() && cat(&[&zeros(&[2, 0])]).is_err());
    assert!(cat(&[&zeros(&[2, 3]), &zeros(&[3, 3])]).is_err() && cat(&[&zeros(&[2, 3]), &zeros(&[2, 3, 1])]).is_err());
}

#[test]
fn logarithms_of_softmax() {
    for shape in [&[1, 1][..], &[5, 7], &[130, 3], &[2, 3, 1000], &[4]] {
        same_on_both_paths("log_softmax", &[shape], &|xs| kernels::log_softmax(xs[0]));
    }
}

#[test]
fn cross_entropies_of_each_row() {
    for (n, c) in [(1, 1), (6, 5), (200, 3), (3, 1001)] {
        let labels = reference_labels(n, c);
        same_on_both_paths("cross_entropy", &[&[n, c]], &|xs| kernels::cross_entropy(xs[0], &labels));
    }
    let logits = formula_tensor("x", &[2, 3]).to_dtype(DType::F32).unwrap();
    let labels = |labels: &[u32]| Tensor::new(labels, &Device::Cpu).unwrap();
    assert!(kernels::cross_entropy(&logits, &labels(&[0, 3])).is_err());
    assert!(kernels::cross_entropy(&logits, &labels(&[0])).is_err());
}

#[test]
fn binary_cross_entropies() {
    for shape in [&[1][..], &[7, 1], &[3, 4099]] {
        let targets = formula_tensor("y", shape).gt(0.0).unwrap();
        same_on_both_paths("bce_with_logits", &[shape], &|xs| {
            kernels::bce_with_logits(xs[0], &targets.to_dtype(xs[0].dtype())?)
        });
    }
}

#[test]
fn means_of_squares() {
    for shape in [&[1, 2, 1][..], &[3, 7, 5], &[2, 3, 4099]] {
        same_on_both_paths("mean_square", &[shape], &|xs| kernels::mean_square(xs[0]));
        same_on_both_paths("mean_square_of_changes", &[shape], &|xs| kernels::mean_square_of_changes(xs[0]));
    }
    let xs = Tensor::new(&[[[1f32], [4.], [2.]]], &Device::Cpu).unwrap();
    let number = |mean: candle_core::Result<Tensor>| mean.unwrap().to_scalar::<f32>().unwrap();
    assert_eq!(number(kernels::mean_square(&xs)), 7.0); // (1 + 16 + 4) / 3
    assert_eq!(number(kernels::mean_square_of_changes(&xs)), 6.5); // (9 + 4) / 2
    assert!(kernels::mean_square_of_changes(&xs.narrow(1, 0, 1).unwrap()).is_err());
}

#[test]
fn what_is_dropped_gets_no_gradient() {
    let mask: Vec<f32> = (0..35).map(|i| if i % 3 == 0 { 0.0 } else { 1.5 }).collect();
    let mask = Tensor::from_vec(mask, (5, 7), &Device::Cpu).unwrap();
    same_on_both_paths("dropout", &[&[5, 7]], &|xs| kernels::dropout(xs[0], &mask));
    assert!(kernels::dropout(&formula_tensor("x", &[7, 5]), &mask).is_err());
}

#[test]
fn a_mask_is_a_polynomial_of_its_key() {
    let (p, key, prime) = (0.3, [5, 4_000_000_000, 123_456_789, 2_147_483_647], (1u128 << 31) - 1);
    let mask = kernels::dropout_mask((3, 70, 41), p, key, DType::F32, &Device::Cpu).unwrap();
    assert_eq!(mask.dims(), [3, 70, 41]);
    let polynomial = |i: u128| key.iter().fold(0, |value, &k| (value * i + u128::from(k)) % prime);
    let want = (0..3 * 70 * 41).map(|i| if polynomial(i) < 644_245_094 { 0.0 } else { f64::from((1.0 / 0.7) as f32) });
    assert_eq!(values(&mask), want.collect::<Vec<f64>>());
}

#[test]
fn masks_drop_as_often_as_they_should_and_never_together() {
    let n = 200_000;
    let mask = |p: f64, key: u32| {
        let key = std::array::from_fn(|i| hash("key", key as usize * 4 + i) >> 1);
        values(&kernels::dropout_mask(n, p, key, DType::F32, &Device::Cpu).unwrap())
    };
    for p in [0.1, 0.5, 0.8] {
        let dropped: Vec<bool> = mask(p, 1).iter().map(|&v| v == 0.0).collect();
        // Five standard errors of a share, for single values and for pairs at a distance.
        let close =
            |count: usize, p: f64| (count as f64 / n as f64 - p).abs() < 5.0 * (p * (1.0 - p) / n as f64).sqrt();
        assert!(close(dropped.iter().filter(|&&dropped| dropped).count(), p), "{p}");
        for apart in [1, 2, 7, 64, 4096] {
            let pairs = dropped.iter().zip(dropped.iter().cycle().skip(apart)).filter(|&(&a, &b)| a && b).count();
            assert!(close(pairs, p * p), "{p}, {apart} apart");
        }
    }
    assert_ne!(mask(0.5, 1), mask(0.5, 2));
    assert_eq!((mask(0.0, 1), mask(1.0, 1)), (vec![1.0; n], vec![0.0; n]));
    assert!(kernels::dropout_mask(4, 1.5, [1; 4], DType::F32, &Device::Cpu).is_err());
}
