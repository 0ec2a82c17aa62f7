//! Pools and upsampling against PyTorch's values on a small image, and against each other.

use crate::common::{assert_close, formula_tensor, formula_var, values};
use candle_core::{DType, Device, Result, Tensor, Var};
use tallow_kernels::{
    Pool, adaptive_avg_pool2d, adaptive_max_pool2d, avg_pool2d, concat_pool2d, global_avg_pool2d, max_pool2d,
    pixel_shuffle, pixel_unshuffle, upsample_bilinear2d, upsample_nearest2d,
};

fn ceil(kernel: usize, stride: usize, padding: usize) -> Pool {
    Pool { ceil_mode: true, ..Pool::new(kernel, stride, padding) }
}

/// `x = torch.arange(1., 13.).reshape(1, 1, 3, 4)`; the gradient is that of `y.backward(torch.arange(1., n + 1))`.
/// Three channels and two images hold the same numbers with other factors, so that none is taken for another.
fn check(f: &dyn Fn(&Tensor) -> Result<Tensor>, size: [usize; 2], ys: &[f64], grads: &[f64]) {
    let factors =
        Tensor::new(&[[1.0, 2.0, 0.5], [4.0, 3.0, 1.5]], &Device::Cpu).unwrap().reshape((2, 1, 1, 3)).unwrap();
    let spread = |values: &[f64], h: usize, w: usize| {
        Tensor::new(values, &Device::Cpu).unwrap().reshape((1, h, w, 1)).unwrap().broadcast_mul(&factors).unwrap()
    };
    let numbers = |n: usize| (1..=n).map(|i| i as f64).collect::<Vec<_>>();
    for dtype in [DType::F32, DType::F64] {
        let x = Var::from_tensor(&spread(&numbers(12), 3, 4).to_dtype(dtype).unwrap()).unwrap();
        let y = f(&x).unwrap();
        assert_eq!(y.dims(), [2, size[0], size[1], 3]);
        assert_close("values", &values(&y), &values(&spread(ys, size[0], size[1])), 2e-6);
        let dy = spread(&numbers(ys.len()), size[0], size[1]);
        let dy = dy.broadcast_div(&factors).unwrap().to_dtype(dtype).unwrap();
        let dx = (&y * dy).unwrap().sum_all().unwrap().backward().unwrap();
        let want = spread(grads, 3, 4).broadcast_div(&factors).unwrap();
        assert_close("gradient", &values(dx.get(&x).unwrap()), &values(&want), 2e-6);
    }
}

#[test]
#[rustfmt::skip]
fn values_and_gradients_are_pytorchs() {
    check(&|x| upsample_nearest2d(x, [5, 3]), [5, 3], &[1.0, 2.0, 3.0, 1.0, 2.0, 3.0, 5.0, 6.0, 7.0, 5.0, 6.0, 7.0,
        9.0, 10.0, 11.0], &[5.0, 7.0, 9.0, 0.0, 17.0, 19.0, 21.0, 0.0, 13.0, 14.0, 15.0, 0.0]);
    check(&|x| upsample_bilinear2d(x, [5, 3], false), [5, 3], &[1.166667, 2.5, 3.833333, 2.766667, 4.1, 5.433333,
        5.166667, 6.5, 7.833333, 7.566668, 8.900001, 10.233335, 9.166666, 10.5, 11.833334], &[2.833333, 3.066667,
        3.599999, 5.500001, 10.499998, 9.299999, 9.899997, 13.500001, 15.833334, 13.466668, 13.999998, 18.500006]);
    check(&|x| upsample_bilinear2d(x, [5, 3], true), [5, 3], &[1.0, 2.5, 4.0, 3.0, 4.5, 6.0, 5.0, 6.5, 8.0, 7.0, 8.5,
        10.0, 9.0, 10.5, 12.0], &[3.0, 2.25, 2.25, 6.0, 14.0, 8.0, 8.0, 18.0, 18.0, 9.75, 9.75, 21.0]);
    check(&|x| upsample_bilinear2d(x, [2, 7], false), [2, 7], &[2.0, 2.357143, 2.928571, 3.5, 4.071429, 4.642858, 5.0,
        8.0, 8.357142, 8.928572, 9.5, 10.071428, 10.642858, 11.0], &[1.875, 4.125, 6.589284, 8.410716, 4.25, 5.875,
        7.517856, 8.607144, 10.874999, 13.499999, 15.964283, 17.410719]);
    check(&|x| avg_pool2d(x, &ceil(2, 2, 1), true), [2, 3], &[0.25, 1.25, 1.0, 3.5, 8.5, 5.0], &[0.25, 0.5, 0.5, 0.75,
        1.0, 1.25, 1.25, 1.5, 1.0, 1.25, 1.25, 1.5]);
    check(&|x| avg_pool2d(x, &ceil(3, 2, 1), false), [2, 3], &[3.5, 5.0, 6.0, 7.5, 9.0, 10.0], &[0.25, 0.583333,
        0.333333, 1.833333, 1.25, 2.416667, 1.166667, 5.666667, 1.0, 1.833333, 0.833333, 3.833333]);
    check(&|x| avg_pool2d(x, &ceil(3, 2, 1), true), [2, 3], &[1.555556, 3.333333, 2.0, 3.333333, 6.0, 3.333333],
        &[0.111111, 0.333333, 0.222222, 0.722222, 0.555556, 1.333333, 0.777778, 2.277778, 0.444444, 1.0, 0.555556,
        1.555556]);
    check(&|x| avg_pool2d(x, &ceil(2, 3, 0), true), [1, 2], &[3.5, 6.0], &[0.25, 0.25, 0.0, 1.0, 0.25, 0.25, 0.0, 1.0,
        0.0, 0.0, 0.0, 0.0]);
    check(&|x| max_pool2d(x, &ceil(2, 2, 0)), [2, 2], &[6.0, 8.0, 10.0, 12.0], &[0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0,
        2.0, 0.0, 3.0, 0.0, 4.0]);
    check(&|x| max_pool2d(x, &ceil(3, 2, 1)), [2, 3], &[6.0, 8.0, 8.0, 10.0, 12.0, 12.0], &[0.0, 0.0, 0.0, 0.0, 0.0,
        1.0, 0.0, 5.0, 0.0, 4.0, 0.0, 11.0]);
    check(&|x| adaptive_avg_pool2d(x, [2, 3]), [2, 3], &[3.5, 4.5, 5.5, 7.5, 8.5, 9.5], &[0.25, 0.75, 1.25, 0.75, 1.25,
        3.0, 4.0, 2.25, 1.0, 2.25, 2.75, 1.5]);
    check(&|x| adaptive_max_pool2d(x, [2, 3]), [2, 3], &[6.0, 7.0, 8.0, 10.0, 11.0, 12.0], &[0.0, 0.0, 0.0, 0.0, 0.0,
        1.0, 2.0, 3.0, 0.0, 4.0, 5.0, 6.0]);
    check(&|x| adaptive_avg_pool2d(x, [5, 2]), [5, 2], &[1.5, 3.5, 3.5, 5.5, 5.5, 7.5, 7.5, 9.5, 9.5, 11.5], &[1.25,
        1.25, 2.0, 2.0, 5.0, 5.0, 6.0, 6.0, 6.25, 6.25, 7.0, 7.0]);
}

/// Both paths, on a shape that fits no block.
fn same_on_both_paths(f: &dyn Fn(&Tensor) -> Result<Tensor>) {
    for dims in [[1, 1, 1, 1], [2, 13, 9, 3], [3, 6, 8, 37]] {
        let of = |dtype: DType| {
            let x = formula_var("x", &dims, dtype);
            let y = f(&x).unwrap();
            let dy = formula_tensor("dy", y.dims()).to_dtype(dtype).unwrap();
            let grads = (&y * dy).unwrap().sum_all().unwrap().backward().unwrap();
            (values(&y), values(grads.get(&x).unwrap()))
        };
        let ((fast, by_fast), (portable, by_portable)) = (of(DType::F32), of(DType::F64));
        assert_close("values", &fast, &portable, 1e-6);
        assert_close("gradient", &by_fast, &by_portable, 1e-5);
    }
}

#[test]
fn the_portable_path_agrees() {
    for size in [[1, 1], [2, 3], [7, 5], [20, 31]] {
        same_on_both_paths(&|x| adaptive_avg_pool2d(x, size));
        same_on_both_paths(&|x| adaptive_max_pool2d(x, size));
        same_on_both_paths(&|x| upsample_nearest2d(x, size));
        same_on_both_paths(&|x| upsample_bilinear2d(x, size, false));
        same_on_both_paths(&|x| upsample_bilinear2d(x, size, true));
    }
    for pool in [Pool::new(1, 2, 0), ceil(3, 2, 1), Pool { kernel: [2, 3], ..ceil(1, 2, 1) }] {
        same_on_both_paths(&|x| avg_pool2d(x, &pool, true));
        same_on_both_paths(&|x| avg_pool2d(x, &pool, false));
        same_on_both_paths(&|x| max_pool2d(x, &pool));
    }
    same_on_both_paths(&global_avg_pool2d);
    same_on_both_paths(&concat_pool2d);
    same_on_both_paths(&|x| upsample_nearest2d(&pixel_unshuffle(x, 1)?, [6, 8]).and_then(|x| pixel_unshuffle(&x, 2)));
    same_on_both_paths(&|x| pixel_shuffle(&upsample_nearest2d(&Tensor::cat(&[x, x, x, x], 3)?, [3, 2])?, 2));
}

#[test]
fn channels_become_pixels_in_pytorchs_order() {
    // F.pixel_shuffle(torch.arange(16.).reshape(1, 8, 1, 2), 2).flatten()
    let want = [0., 2., 1., 3., 4., 6., 5., 7., 8., 10., 9., 11., 12., 14., 13., 15.];
    let xs = Tensor::arange(0f32, 16., &Device::Cpu).unwrap().reshape((1, 8, 1, 2)).unwrap();
    let xs = xs.permute((0, 2, 3, 1)).unwrap();
    let ys = pixel_shuffle(&xs, 2).unwrap();
    assert_eq!(values(&ys.permute((0, 3, 1, 2)).unwrap()), want);
    assert_eq!(values(&pixel_unshuffle(&ys, 2).unwrap()), values(&xs));
}

#[test]
fn wrong_shapes_are_errors() {
    let zeros = |dims: &[usize]| Tensor::zeros(dims, DType::F32, &Device::Cpu).unwrap();
    let (image, empty, flat) = (zeros(&[1, 4, 4, 3]), zeros(&[0, 4, 4, 3]), zeros(&[4, 4]));
    for xs in [&empty, &flat] {
        assert!(avg_pool2d(xs, &Pool::new(2, 2, 0), true).is_err());
        assert!(adaptive_avg_pool2d(xs, [1, 1]).is_err() && adaptive_max_pool2d(xs, [1, 1]).is_err());
        assert!(global_avg_pool2d(xs).is_err() && concat_pool2d(xs).is_err());
        assert!(upsample_nearest2d(xs, [2, 2]).is_err() && upsample_bilinear2d(xs, [2, 2], true).is_err());
        assert!(pixel_shuffle(xs, 1).is_err() && pixel_unshuffle(xs, 1).is_err());
    }
    assert!(
        avg_pool2d(&image, &Pool::new(2, 2, 2), true).is_err() && avg_pool2d(&image, &ceil(9, 2, 1), true).is_err()
    );
    assert!(adaptive_avg_pool2d(&image, [0, 1]).is_err() && upsample_nearest2d(&image, [3, 0]).is_err());
    assert!(
        pixel_shuffle(&image, 2).is_err() && pixel_unshuffle(&image, 3).is_err() && pixel_shuffle(&image, 0).is_err()
    );
    let endless = Pool { padding: [usize::MAX; 2], ..Pool::new(2, 2, 0) };
    assert!(avg_pool2d(&image, &endless, true).is_err());
}
