//! Convolutions in bands of rows against the same ones after each other.

use crate::common::{assert_same_bits, formula_tensor, values};
use candle_core::{DType, Tensor};
use tallow_kernels::{Activation, ConvParams, ConvStep, PreparedConv, conv_chain};

struct Layer {
    conv: PreparedConv,
    windows: ConvParams,
    activation: Activation,
}

fn tensor(name: &str, shape: &[usize]) -> Tensor {
    formula_tensor(name, shape).to_dtype(DType::F32).unwrap()
}

fn pointwise(from: usize, to: usize, activation: Activation) -> Layer {
    let conv = PreparedConv::new(&tensor("p", &[to, from, 1, 1]), Some(&tensor("b", &[to]))).unwrap();
    Layer { conv, windows: ConvParams::new(1, 0), activation }
}

fn depthwise(c: usize, kernel: usize, stride: usize, dilation: usize, activation: Activation) -> Layer {
    let conv = PreparedConv::new(&tensor("d", &[c, 1, kernel, kernel]), Some(&tensor("b", &[c]))).unwrap();
    let padding = [[dilation * (kernel / 2), dilation * ((kernel - 1) / 2)]; 2];
    let windows = ConvParams { stride: [stride; 2], padding, dilation: [dilation; 2], groups: c };
    Layer { conv, windows, activation }
}

fn step(layer: &Layer) -> ConvStep<'_> {
    ConvStep { conv: &layer.conv, windows: layer.windows, activation: layer.activation }
}

fn check(what: &str, shape: [usize; 4], layers: &[Layer], shortcut: bool) {
    let xs = tensor("x", &shape);
    let one_by_one = |residual: Option<&Tensor>| {
        layers.iter().enumerate().fold(xs.clone(), |xs, (i, layer)| {
            let residual = residual.filter(|_| i + 1 == layers.len());
            layer.conv.run(&xs, &layer.windows, residual, layer.activation).unwrap()
        })
    };
    let residual = shortcut.then(|| tensor("r", one_by_one(None).dims()));
    let got = conv_chain(&xs, &layers.iter().map(step).collect::<Vec<_>>(), residual.as_ref()).unwrap();
    let want = one_by_one(residual.as_ref());
    assert_eq!(got.dims(), want.dims(), "{what}");
    assert_same_bits(what, &values(&got), &values(&want));
}

#[test]
fn inverted_residuals_of_any_size_are_their_convolutions_bit_for_bit() {
    use Activation::{Gelu, HardSwish, None, Relu, Relu6, Silu};
    for n in [1, 2, 3, 8] {
        for (h, w) in [(40, 33), (64, 9), (17, 40)] {
            let what = |kind: &str| format!("{kind}, {n} images of {h} x {w}");
            let block = |kernel, stride, inner, outer| {
                [pointwise(5, 22, inner), depthwise(22, kernel, stride, 1, inner), pointwise(22, 5, outer)]
            };
            check(&what("3 x 3"), [n, h, w, 5], &block(3, 1, Relu6, None), true);
            check(&what("5 x 5, every second"), [n, h, w, 5], &block(5, 2, HardSwish, Relu), true);
            check(&what("7 x 7"), [n, h, w, 5], &block(7, 1, Gelu, Silu), false);
            check(&what("2 x 2, every third"), [n, h, w, 5], &block(2, 3, None, None), true);
            check(&what("stretched"), [n, h, w, 19], &[depthwise(19, 3, 1, 4, Relu), pointwise(19, 33, Relu)], false);
            let ends = [pointwise(3, 40, Gelu), depthwise(40, 3, 2, 1, HardSwish)];
            check(&what("without an end"), [n, h, w, 3], &ends, true);
            let twice = [depthwise(9, 3, 2, 1, Relu), depthwise(9, 5, 1, 1, Relu), depthwise(9, 3, 1, 2, None)];
            check(&what("three depthwise"), [n, h, w, 9], &twice, true);
            check(&what("two pointwise"), [n, h, w, 16], &[pointwise(16, 70, Gelu), pointwise(70, 16, None)], true);
        }
    }
}

#[test]
fn rows_that_see_nothing_but_padding_are_rows_too() {
    let mut wide = depthwise(9, 3, 1, 1, Activation::Relu);
    wide.windows.padding = [[40, 50], [2, 6]];
    let mut wider = depthwise(9, 1, 1, 1, Activation::None);
    wider.windows.padding = [[7; 2]; 2];
    let layers = [pointwise(3, 9, Activation::Relu), wide, wider, depthwise(9, 3, 1, 1, Activation::Relu)];
    for n in [1, 4] {
        check(&format!("{n} images"), [n, 20, 30, 3], &layers, false);
    }
}

#[test]
fn chains_that_gain_nothing_are_run_step_by_step() {
    let small = [pointwise(30, 180, Activation::Relu), depthwise(180, 5, 1, 1, Activation::Relu)];
    check("small images", [2, 3, 3, 30], &small, false);
    let dense = PreparedConv::new(&tensor("w", &[8, 6, 3, 3]), None).unwrap();
    let dense = Layer { conv: dense, windows: ConvParams::new(1, 1), activation: Activation::Relu };
    check("a dense kernel", [2, 20, 20, 4], &[pointwise(4, 6, Activation::Relu), dense], false);
}

#[test]
fn what_does_not_fit_is_an_error() {
    let [first, second, third] =
        [pointwise(4, 6, Activation::None), depthwise(7, 3, 1, 1, Activation::None), pointwise(6, 6, Activation::None)];
    let xs = tensor("x", &[1, 30, 30, 4]);
    let refused = |steps: &[ConvStep<'_>], residual| conv_chain(&xs, steps, residual).unwrap_err().to_string();
    assert!(refused(&[], None).contains("no convolutions"));
    assert!(refused(&[step(&first), step(&second)], None).contains("7 channels"));
    let wrong = tensor("r", &[1, 30, 30, 5]);
    assert!(refused(&[step(&first), step(&third)], Some(&wrong)).contains("residual"));
}
