//! Attention and its gradients against plain loops in f64, the portable path against the fast one.

use crate::TOLERANCE;
use crate::common::{assert_close, formula, formula_tensor, formula_var, values};
use candle_core::{DType, Device, Tensor, Var};
use tallow_kernels::attention;

struct Case {
    texts: usize,
    places: usize,
    heads: usize,
    width: usize,
    dropout: bool,
}

impl Case {
    fn dims(&self) -> [usize; 3] {
        [self.texts, self.places, self.heads * self.width]
    }

    /// The last texts are shorter.
    fn keys(&self) -> Vec<bool> {
        let places = |text: usize| (0..self.places).map(move |place| place == 0 || place + text < self.places);
        (0..self.texts).flat_map(places).collect()
    }

    fn factors(&self) -> Option<Vec<f64>> {
        let values = formula("factors", self.texts * self.heads * self.places * self.places);
        self.dropout.then(|| values.into_iter().map(|x| if x < -0.5 { 0.0 } else { 4.0 / 3.0 }).collect())
    }

    /// The result in f64, of plain loops.
    fn plain(&self, [q, k, v]: [&[f64]; 3]) -> Vec<f64> {
        let &Case { texts, places, heads, width, .. } = self;
        let (keys, factors) = (self.keys(), self.factors());
        let at = |text: usize, place: usize, head: usize| ((text * places + place) * heads + head) * width;
        let mut out = vec![0.0; q.len()];
        for (text, head, place) in (0..texts)
            .flat_map(|text| (0..heads).map(move |head| (text, head)))
            .flat_map(|(text, head)| (0..places).map(move |place| (text, head, place)))
        {
            let exp = |key: usize| {
                let product = |c: usize| q[at(text, place, head) + c] * k[at(text, key, head) + c];
                let score = (0..width).map(product).sum::<f64>() / (width as f64).sqrt();
                if keys[text * places + key] { score.exp() } else { 0.0 }
            };
            let exps: Vec<f64> = (0..places).map(exp).collect();
            let sum: f64 = exps.iter().sum();
            for (key, exp) in exps.iter().enumerate() {
                let factor = ((text * heads + head) * places + place) * places + key;
                let p = exp / sum * factors.as_ref().map_or(1.0, |factors| factors[factor]);
                for c in 0..width {
                    out[at(text, place, head) + c] += p * v[at(text, key, head) + c];
                }
            }
        }
        out
    }

    /// The gradient by one of the inputs, by finite differences in f64.
    fn differences(&self, inputs: &[Vec<f64>; 3], which: usize, dy: &[f64]) -> Vec<f64> {
        let loss = |at: usize, by: f64| {
            let mut moved = inputs.clone();
            moved[which][at] += by;
            let out = self.plain([&moved[0], &moved[1], &moved[2]]);
            out.iter().zip(dy).map(|(y, dy)| y * dy).sum::<f64>()
        };
        (0..inputs[which].len()).map(|at| (loss(at, 1e-5) - loss(at, -1e-5)) / 2e-5).collect()
    }
}

#[test]
fn values_and_gradients_are_those_of_plain_loops() {
    for (texts, places, heads, width) in [(1, 1, 1, 1), (2, 3, 2, 5), (3, 7, 1, 16), (2, 17, 3, 4), (4, 5, 4, 9)] {
        for dropout in [false, true] {
            let case = Case { texts, places, heads, width, dropout };
            let n = texts * places * heads * width;
            let inputs = ["q", "k", "v"].map(|name| formula(name, n));
            let dy = formula("dy", n);
            let expected = case.plain([&inputs[0], &inputs[1], &inputs[2]]);
            let shape = (texts, heads, places, places);
            let factors = case.factors().map(|values| Tensor::from_vec(values, shape, &Device::Cpu).unwrap());
            for dtype in [DType::F32, DType::F64] {
                let vars: [Var; 3] = ["q", "k", "v"].map(|name| formula_var(name, &case.dims(), dtype));
                let [q, k, v] = &vars;
                let ys = attention(q, k, v, heads, &case.keys(), factors.as_ref()).unwrap();
                let dy_tensor = formula_tensor("dy", &case.dims()).to_dtype(dtype).unwrap();
                let grads = (&ys * dy_tensor).unwrap().sum_all().unwrap().backward().unwrap();
                let what = |name: &str| format!("{name} of {texts} x {places}, {heads} heads of {width}, {dtype:?}");
                assert_close(&what("result"), &values(&ys), &expected, TOLERANCE);
                for (which, name) in ["by q", "by k", "by v"].into_iter().enumerate() {
                    let found = values(grads.get(&vars[which]).unwrap());
                    // With a single place there is nothing to choose from: gradients by q and k are 0.
                    if places == 1 && which < 2 {
                        assert!(found.iter().all(|g| g.abs() < 1e-6), "{}: {found:?}", what(name));
                        continue;
                    }
                    assert_close(&what(name), &found, &case.differences(&inputs, which, &dy), TOLERANCE);
                }
            }
        }
    }
}

#[test]
fn padding_changes_nothing() {
    let case = Case { texts: 2, places: 5, heads: 2, width: 3, dropout: false };
    let [q, k, v] = ["q", "k", "v"].map(|name| formula_tensor(name, &case.dims()).to_dtype(DType::F32).unwrap());
    let keys: Vec<bool> = (0..10).map(|i| i % 5 < 3).collect();
    let padded = attention(&q, &k, &v, 2, &keys, None).unwrap().narrow(1, 0, 3).unwrap();
    let [q, k, v] = [q, k, v].map(|xs| xs.narrow(1, 0, 3).unwrap());
    let alone = attention(&q, &k, &v, 2, &[true; 6], None).unwrap();
    assert_close("without padding", &values(&padded), &values(&alone), 1e-6);
}

#[test]
fn wrong_shapes_are_errors() {
    let zeros = |dims: &[usize]| Tensor::zeros(dims, DType::F32, &Device::Cpu).unwrap();
    let xs = zeros(&[2, 3, 4]);
    let keys = [true; 6];
    let cases = [
        attention(&xs, &zeros(&[2, 3, 5]), &xs, 2, &keys, None),
        attention(&xs, &xs, &xs, 3, &keys, None),
        attention(&xs, &xs, &xs, 0, &keys, None),
        attention(&xs, &xs, &xs, 2, &keys[1..], None),
        attention(&xs, &xs, &xs, 2, &[true, true, true, false, false, false], None),
        attention(&xs, &xs, &xs, 2, &keys, Some(&zeros(&[2, 2, 3, 4]))),
        attention(&zeros(&[2, 0, 4]), &zeros(&[2, 0, 4]), &zeros(&[2, 0, 4]), 2, &[], None),
    ];
    for case in cases {
        let message = case.unwrap_err().to_string();
        assert!(message.contains("attention"), "{message}");
    }
}
