//! The losses against PyTorch, and their gradients against finite differences.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod common;

use candle_core::{DType, Device, Tensor, Var};
use common::{assert_close, fixture, formula_tensor, numbers, reference_labels, values};
use tallow::Result;
use tallow::nn::losses::{
    CrossEntropy, bce_with_logits, bce_with_logits_weighted, cross_entropy, cross_entropy_smooth, l1, mse, nll_per_item,
};

/// The batch of the reference: 6 x 5 logits and labels.
fn batch() -> (Tensor, Tensor) {
    ((formula_tensor("z", &[6, 5]) * 3.0).unwrap(), reference_labels(6, 5))
}

fn flipped(z: &Tensor) -> Tensor {
    z.index_select(&Tensor::new(&[5u32, 4, 3, 2, 1, 0], &Device::Cpu).unwrap(), 0).unwrap()
}

fn mask(of: Tensor) -> Tensor {
    of.to_dtype(DType::F64).unwrap()
}

#[test]
fn losses_are_pytorchs() {
    let (z, t) = batch();
    let want = &fixture("training.json")["loss"];
    let check = |name: &str, loss: Tensor| assert_close(name, &values(&loss), &numbers(&want[name]), 1e-13);
    check("cross_entropy", cross_entropy(&z, &t).unwrap());
    check("cross_entropy_smooth.1", cross_entropy_smooth(&z, &t, 0.1).unwrap());
    check("nll_per_item", nll_per_item(&z, &t).unwrap());
    check("bce_with_logits", bce_with_logits(&z, &mask(z.gt(0.5).unwrap())).unwrap());
    check("mse", mse(&z, &flipped(&z)).unwrap());
    check("l1", l1(&z, &flipped(&z)).unwrap());
    check("softmax", candle_nn::ops::softmax(&z, 1).unwrap());
    let hundredfold = (&z * 100.0).unwrap();
    check("bce_with_logits_100x", bce_with_logits(&hundredfold, &mask(z.lt(0.0).unwrap())).unwrap());
    // The same in f32, as one trains.
    let narrow = |t: &Tensor| t.to_dtype(DType::F32).unwrap();
    let loss = bce_with_logits(&narrow(&hundredfold), &narrow(&mask(z.lt(0.0).unwrap()))).unwrap();
    assert_close("bce in f32", &values(&loss), &numbers(&want["bce_with_logits_100x"]), 1e-6);
    let loss = cross_entropy(&narrow(&z), &t).unwrap();
    assert_close("cross entropy in f32", &values(&loss), &numbers(&want["cross_entropy"]), 1e-6);
}

#[test]
fn huge_logits_do_not_overflow() {
    let z = Tensor::new(&[[1e4f32, -1e4, 0.0], [-1e4, 1e4, 1e4]], &Device::Cpu).unwrap();
    let z = Var::from_tensor(&z).unwrap();
    let t = Tensor::new(&[1u32, 0], &Device::Cpu).unwrap();
    let loss = cross_entropy(&z, &t).unwrap();
    // Item 0 pays 2e4, item 1 pays 2e4 + ln 2.
    assert_close("cross entropy", &values(&loss), &[2e4 + 2f64.ln() / 2.0], 1e-6);
    let dz = values(loss.backward().unwrap().get(&z).unwrap());
    assert_close("its gradient", &dz, &[0.5, -0.5, 0.0, -0.5, 0.25, 0.25], 1e-6);
    let targets = Tensor::new(&[[1f32, 1.0, 0.0], [0.0, 1.0, 0.0]], &Device::Cpu).unwrap();
    let loss = bce_with_logits(&z, &targets).unwrap();
    assert_close("bce", &values(&loss), &[(2e4 + 2f64.ln()) / 6.0], 1e-6);
    let dz = values(loss.backward().unwrap().get(&z).unwrap());
    let want = [0.0, -1.0, 0.5, 0.0, 0.0, 1.0].map(|v| v / 6.0);
    assert_close("its gradient", &dz, &want, 1e-6);
}

fn check_gradient(what: &str, at: &Tensor, loss: &dyn Fn(&Tensor) -> Result<Tensor>) {
    let x = Var::from_tensor(at).unwrap();
    let got = values(loss(x.as_tensor()).unwrap().backward().unwrap().get(&x).unwrap());
    let step = 1e-5;
    let shifted = |i: usize, by: f64| {
        let mut v = values(at);
        v[i] += by;
        values(&loss(&Tensor::from_vec(v, at.dims(), &Device::Cpu).unwrap()).unwrap())[0]
    };
    let central: Vec<f64> = (0..got.len()).map(|i| (shifted(i, step) - shifted(i, -step)) / (2.0 * step)).collect();
    assert_close(&format!("gradient of {what}"), &got, &central, 1e-8);
}

#[test]
fn gradients_are_derivatives_at_zero_too() {
    let (z, t) = batch();
    let zeros = z.zeros_like().unwrap();
    let mut with_zero = values(&z);
    (with_zero[0], with_zero[7], with_zero[13]) = (0.0, -0.0, 0.0);
    let with_zero = Tensor::from_vec(with_zero, (6, 5), &Device::Cpu).unwrap();
    let other = flipped(&z);
    let soft = ((formula_tensor("soft", &[6, 5]) + 1.0).unwrap() * 0.5).unwrap();
    for (place, at) in [("z", &z), ("zeros", &zeros), ("z with zeros", &with_zero)] {
        check_gradient(&format!("cross entropy at {place}"), at, &|x| cross_entropy(x, &t));
        check_gradient(&format!("smooth cross entropy at {place}"), at, &|x| cross_entropy_smooth(x, &t, 0.1));
        check_gradient(&format!("nll at {place}"), at, &|x| Ok(nll_per_item(x, &t)?.sqr()?.sum_all()?));
        check_gradient(&format!("bce at {place}"), at, &|x| bce_with_logits(x, &soft));
        check_gradient(&format!("mse at {place}"), at, &|x| mse(x, &other));
        check_gradient(&format!("l1 at {place}"), at, &|x| l1(x, &other));
        // Where prediction and target are equal, PyTorch's gradient is 0, and so is the central difference.
        check_gradient(&format!("l1 at its target, {place}"), at, &|x| l1(x, &at.detach()));
        check_gradient(&format!("mse at its target, {place}"), at, &|x| mse(x, &at.detach()));
    }
}

#[test]
fn what_does_not_fit_is_refused_in_words() {
    let (z, t) = batch();
    let message = |result: Result<Tensor>| result.unwrap_err().to_string();
    let too_large = Tensor::new(&[0u32, 1, 2, 3, 4, 5], &Device::Cpu).unwrap();
    assert!(message(cross_entropy(&z, &too_large)).contains("label 5 is not one of the 5 classes"));
    assert!(message(cross_entropy(&z, &t.narrow(0, 0, 5).unwrap())).contains("6 rows of logits but 5 labels"));
    assert!(message(cross_entropy(&z, &t.to_dtype(DType::F32).unwrap())).contains("whole numbers"));
    let negative = Tensor::new(&[0i64, 1, -1, 0, 0, 0], &Device::Cpu).unwrap();
    assert!(cross_entropy(&z, &negative).is_err());
    let none = Tensor::zeros((0, 5), DType::F64, &Device::Cpu).unwrap();
    assert!(cross_entropy(&none, &t.narrow(0, 0, 0).unwrap()).is_err());
    for loss in [bce_with_logits, mse, l1] {
        assert!(message(loss(&z, &z.narrow(0, 0, 5).unwrap())).contains("[5, 5]"));
        // Not broadcast: [6, 1] against [6, 5] is PyTorch's most popular mistake.
        assert!(loss(&z.narrow(1, 0, 1).unwrap(), &z).is_err());
    }
    // Labels of any whole type, [N] or [N, 1].
    let want = values(&cross_entropy(&z, &t).unwrap());
    for dtype in [DType::U8, DType::I64] {
        let t = t.to_dtype(dtype).unwrap().unsqueeze(1).unwrap();
        assert_eq!(values(&cross_entropy(&z, &t).unwrap()), want);
    }
}

#[test]
fn cross_entropy_with_weights_smoothing_and_soft_targets_is_pytorchs() {
    let (z, labels) = batch();
    let soft = candle_nn::ops::softmax(&(formula_tensor("soft", &[6, 5]) * 2.0).unwrap(), 1).unwrap();
    let cases = fixture("pytorch.json")["cross_entropy"].as_array().unwrap().clone();
    assert_eq!(cases.len(), 8);
    for case in cases {
        let is = |what: &str| case[what].as_bool().unwrap();
        let smoothing = case["smoothing"].as_f64().unwrap();
        let weights = is("weighted").then(|| vec![0.5, 1.0, 2.0, 4.0, 0.25]);
        let z = Var::from_tensor(&z).unwrap();
        let targets = if is("soft") { &soft } else { &labels };
        let loss =
            CrossEntropy { smoothing, weights: weights.clone(), ..CrossEntropy::default() }.of(&z, targets).unwrap();
        let what = format!("smoothing {smoothing}, weights {weights:?}, soft {}", is("soft"));
        assert_close(&what, &values(&loss), &numbers(&case["loss"]), 1e-13);
        let grads = loss.backward().unwrap();
        assert_close("its gradient", &values(grads.get(&z).unwrap()), &numbers(&case["grad"]), 1e-12);
    }
    let two = CrossEntropy { weights: Some(vec![1.0, 2.0]), ..CrossEntropy::default() };
    let error = two.of(&z, &labels).unwrap_err().to_string();
    assert!(error.contains("2 class weights for 5 classes"), "{error}");
}

/// PyTorch 2.15: `F.cross_entropy(x, [0, 2, 1], ignore_index=2, weight=.., label_smoothing=..)` and its gradient.
#[test]
fn ignored_items_count_neither_above_nor_below() {
    let x = Var::new(&[[2f64, 1.0, 0.1], [0.0, 3.0, 0.0], [1.0, -1.0, 0.5]], &Device::Cpu).unwrap();
    let cases = [
        (
            false,
            0.0,
            1.4859934679599123,
            [-0.170499431, 0.121216485, 0.049282945, 0.287048496, -0.46115221, 0.174103714],
        ),
        (
            true,
            0.0,
            1.8423146185206052,
            [-0.113666287, 0.08081099, 0.032855297, 0.382731329, -0.614869614, 0.232138285],
        ),
        (
            false,
            0.1,
            1.4759934679599123,
            [-0.137166097, 0.104549819, 0.032616279, 0.27038183, -0.427818877, 0.157437047],
        ),
        (
            true,
            0.1,
            1.9444819954169736,
            [-0.05483289, 0.072057266, -0.017224376, 0.384377928, -0.568698601, 0.184320673],
        ),
    ];
    for ignored in [2i64, -100] {
        let labels = Tensor::new(&[0i64, ignored, 1], &Device::Cpu).unwrap();
        for (weighted, smoothing, want, [a, b, c, d, e, f]) in cases {
            let weights = weighted.then(|| vec![1.0, 2.0, 5.0]);
            let loss = CrossEntropy { smoothing, weights, ignore_index: Some(ignored) };
            let value = loss.of(&x, &labels).unwrap();
            assert_close("loss", &values(&value), &[want], 1e-12);
            let dx = values(value.backward().unwrap().get(&x).unwrap());
            assert_close("gradient", &dx, &[a, b, c, 0.0, 0.0, 0.0, d, e, f], 1e-8);
            assert_eq!(loss.weight_of(&labels).unwrap(), if weighted { 3.0 } else { 2.0 });
        }
    }
    for label in [-100i64, (1 << 32) + 1] {
        let labels = Tensor::new(&[0i64, label, 1], &Device::Cpu).unwrap();
        let error = cross_entropy(&x, &labels).unwrap_err().to_string();
        assert!(error.contains(&format!("label {label} ")) && error.contains("ignore_index"), "{error}");
    }
}

/// PyTorch 2.15: `F.binary_cross_entropy_with_logits(x, y, pos_weight=[3, .5])`.
#[test]
fn a_yes_counts_as_often_as_its_weight_says() {
    let x = Var::new(&[[2f64, -1.0], [0.5, 3.0]], &Device::Cpu).unwrap();
    let y = Tensor::new(&[[1f64, 0.0], [0.25, 1.0]], &Device::Cpu).unwrap();
    let loss = bce_with_logits_weighted(&x, &y, &[3.0, 0.5]).unwrap();
    assert_close("loss", &values(&loss), &[0.45111371817604284], 1e-14);
    let dx = values(loss.backward().unwrap().get(&x).unwrap());
    let want = [-0.08940219151658824, 0.06723535534249878, 0.045922249200695486, -0.005928234147195829];
    assert_close("gradient", &dx, &want, 1e-14);
    assert!(bce_with_logits_weighted(&x, &y, &[1.0]).is_err());
}
