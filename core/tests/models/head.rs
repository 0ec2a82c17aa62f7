//! fast.ai's head and its pooling, against loops.

use crate::common::{assert_close, formula, params, reference_images, reference_labels, values};
use crate::reference::fill;
use candle_core::{Device, Tensor, Var};
use tallow::models::vision_head;
use tallow::nn::losses::cross_entropy;
use tallow::nn::{AdaptiveConcatPool2d, Module, ParamKind};

fn norm(xs: &[f64]) -> f64 {
    xs.iter().map(|v| v * v).sum::<f64>().sqrt()
}

/// Maximum and mean over each of `[N, C, H, W]`'s maps, `[N, 2C]`, by loops.
fn concat_pool(x: &[f64], n: usize, c: usize, pixels: usize) -> Vec<f64> {
    let maps: Vec<&[f64]> = x.chunks(pixels).collect();
    let max = |map: &[f64]| map.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mean = |map: &[f64]| map.iter().sum::<f64>() / pixels as f64;
    (0..n)
        .flat_map(|i| {
            let maps = &maps[i * c..(i + 1) * c];
            maps.iter().map(|m| max(m)).chain(maps.iter().map(|m| mean(m))).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn concat_pool_and_its_gradient_on_oblong_maps() {
    for (n, c, h, w) in [(2, 3, 2, 5), (1, 1, 1, 1), (3, 2, 7, 1), (2, 130, 3, 4)] {
        let x = Var::from_tensor(&reference_images(&[n, c, h, w])).unwrap();
        let (xv, pixels) = (values(&x), h * w);
        let y = AdaptiveConcatPool2d.forward(&x, true).unwrap();
        assert_eq!(y.dims(), [n, 2 * c]);
        assert_close("concat pool", &values(&y), &concat_pool(&xv, n, c, pixels), 1e-6);
        let dy = formula("dy", 2 * n * c);
        let weights =
            Tensor::from_vec(dy.iter().map(|&v| v as f32).collect::<Vec<_>>(), (n, 2 * c), &Device::Cpu).unwrap();
        let grads = (y * weights).unwrap().sum_all().unwrap().backward().unwrap();
        let mut want = vec![0.0; xv.len()];
        for (map, (values, dx)) in xv.chunks(pixels).zip(want.chunks_mut(pixels)).enumerate() {
            let (image, channel) = (map / c, map % c);
            dx.iter_mut().for_each(|v| *v = dy[image * 2 * c + c + channel] / pixels as f64);
            let best = (0..pixels).fold(0, |best, i| if values[i] > values[best] { i } else { best });
            dx[best] += dy[image * 2 * c + channel];
        }
        assert_close("its gradient", &values(grads.get(&x).unwrap()), &want, 1e-5);
    }
}

#[test]
fn the_head_is_fastais() {
    let (n, c, h, w, classes) = (3, 6, 2, 5, 4);
    let params = params(0);
    let head = vision_head(c, classes, &params).unwrap();
    let names: Vec<String> =
        params.all().iter().filter(|p| p.kind() != ParamKind::Buffer).map(|p| p.name().into()).collect();
    assert_eq!(names, ["2.weight", "2.bias", "4.weight", "6.weight", "6.bias", "8.weight"]);
    for name in ["2.bias", "6.bias"] {
        assert!(values(params.get(name).unwrap().var()).iter().all(|&v| (v - 1e-3).abs() < 1e-9));
    }
    fill(&params);
    let xs = reference_images(&[n, c, h, w]);
    let of = |name: &str| values(params.get(name).unwrap().var());
    let batch_norm = |x: Vec<f64>, layer: &str| -> Vec<f64> {
        let of = |part: &str| of(&format!("{layer}.{part}"));
        let (weight, bias, mean, var) = (of("weight"), of("bias"), of("running_mean"), of("running_var"));
        let features = weight.len();
        let normal = |(i, v): (usize, f64)| {
            let f = i % features;
            (v - mean[f]) / (var[f] + 1e-5).sqrt() * weight[f] + bias[f]
        };
        x.into_iter().enumerate().map(normal).collect()
    };
    let linear = |x: &[f64], weight: &[f64], from: usize| -> Vec<f64> {
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        x.chunks(from).flat_map(|x| weight.chunks(from).map(move |w| dot(x, w))).collect()
    };
    let pooled = batch_norm(concat_pool(&values(&xs), n, c, h * w), "2");
    let hidden = linear(&pooled, &of("4.weight"), 2 * c).into_iter().map(|v| v.max(0.0)).collect();
    let want = linear(&batch_norm(hidden, "6"), &of("8.weight"), 512);
    let scores = head.forward(&xs, false).unwrap();
    assert_eq!(scores.dims(), [n, classes]);
    assert_close("scores", &values(&scores), &want, 1e-5);

    // In training, each parameter has its part; the two dropouts make two passes differ.
    let first = head.forward(&xs, true).unwrap();
    let grads = cross_entropy(&first, &reference_labels(n, classes)).unwrap().backward().unwrap();
    assert!(params.trainable().iter().all(|p| norm(&values(grads.get(p.var()).unwrap())) > 0.0));
    assert_ne!(values(&first), values(&head.forward(&xs, true).unwrap()));
}
