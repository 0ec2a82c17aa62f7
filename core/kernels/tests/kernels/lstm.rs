//! The LSTM layer against a plain loop in f64, whose finite differences its gradients must meet, and against the
//! portable path, whose gradients are candle's.

use crate::common::{assert_close, assert_same_bits, formula, formula_tensor, formula_var, values};
use candle_core::{DType, Device, Result, Tensor, Var};
use tallow_kernels::{LstmWeights, backward, lstm, no_grad, recorded};

/// Batch, steps, features, units.
type Sizes = [usize; 4];

fn shapes([n, t, i, h]: Sizes) -> [Vec<usize>; 7] {
    [vec![n, t, i], vec![n, h], vec![n, h], vec![4 * h, i], vec![4 * h, h], vec![4 * h], vec![4 * h]]
}

fn inputs(sizes: Sizes) -> Vec<Vec<f64>> {
    let all = shapes(sizes).into_iter().enumerate();
    // Weights as small as a layer's are, so that gates do not saturate.
    let scale = |i: usize, dims: &[usize]| if i == 3 || i == 4 { (3.0 / dims[1] as f64).sqrt() } else { 1.0 };
    all.map(|(i, dims)| {
        let values = formula(&format!("x{i}"), dims.iter().product());
        values.into_iter().map(|x| x * scale(i, &dims)).collect()
    })
    .collect()
}

/// All hidden states, and the last cell state.
fn plain([n, t, features, h]: Sizes, inputs: &[Vec<f64>]) -> (Vec<f64>, Vec<f64>) {
    let [xs, hidden, cell, weight_ih, weight_hh, bias_ih, bias_hh] = inputs else { panic!("seven inputs") };
    let (mut hidden, mut cell) = (hidden.clone(), cell.clone());
    let mut ys = vec![0.0; n * t * h];
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    for step in 0..t {
        let before = hidden.clone();
        for (sample, unit) in (0..n).flat_map(|sample| (0..h).map(move |unit| (sample, unit))) {
            let gate = |gate: usize| {
                let row = gate * h + unit;
                let x = &xs[(sample * t + step) * features..][..features];
                let by_input: f64 = x.iter().zip(&weight_ih[row * features..]).map(|(x, w)| x * w).sum();
                let by_state: f64 =
                    before[sample * h..][..h].iter().zip(&weight_hh[row * h..]).map(|(x, w)| x * w).sum();
                by_input + by_state + bias_ih[row] + bias_hh[row]
            };
            let cell = &mut cell[sample * h + unit];
            *cell = sigmoid(gate(1)) * *cell + sigmoid(gate(0)) * gate(2).tanh();
            hidden[sample * h + unit] = sigmoid(gate(3)) * cell.tanh();
            ys[(sample * t + step) * h + unit] = hidden[sample * h + unit];
        }
    }
    (ys, cell)
}

fn run(inputs: &[Var]) -> Result<tallow_kernels::LstmOutput> {
    let [xs, hidden, cell, weight_ih, weight_hh, bias_ih, bias_hh] = inputs else { panic!("seven inputs") };
    lstm(xs, hidden, cell, LstmWeights { weight_ih, weight_hh, bias_ih, bias_hh })
}

fn variables(sizes: Sizes, dtype: DType) -> Vec<Var> {
    let pairs = inputs(sizes).into_iter().zip(shapes(sizes));
    let tensor = |(values, dims): (Vec<f64>, Vec<usize>)| Tensor::from_vec(values, dims, &Device::Cpu);
    pairs.map(|pair| Var::from_tensor(&tensor(pair).unwrap().to_dtype(dtype).unwrap()).unwrap()).collect()
}

/// A number to which all results contribute: `Σ ys · dy + Σ hidden · dh + Σ cell · dc`.
fn sum(out: &tallow_kernels::LstmOutput) -> Result<Tensor> {
    let weighted = |name: &str, tensor: &Tensor| {
        (tensor * formula_tensor(name, tensor.dims()).to_dtype(tensor.dtype())?)?.sum_all()
    };
    (weighted("dy", &out.ys)? + weighted("dh", &out.hidden)?)? + weighted("dc", &out.cell)?
}

fn gradients(sizes: Sizes, dtype: DType) -> Vec<Vec<f64>> {
    let variables = variables(sizes, dtype);
    let grads = backward(&sum(&run(&variables).unwrap()).unwrap()).unwrap();
    variables.iter().map(|variable| values(grads.get(variable).unwrap())).collect()
}

/// The last one's weights are too large for the rows to be shared out instead of them.
const SIZES: [Sizes; 10] = [
    [1, 1, 1, 1],
    [3, 7, 20, 32],
    [2, 5, 3, 15],
    [1, 9, 33, 17],
    [6, 1, 16, 16],
    [7, 3, 1, 70],
    [64, 2, 5, 33],
    [101, 2, 300, 20],
    [5, 4, 30, 270],
    [7, 3, 8, 370],
];

#[test]
fn states_are_those_of_a_plain_loop() {
    for sizes in SIZES {
        let (ys, cell) = plain(sizes, &inputs(sizes));
        for (dtype, tolerance) in [(DType::F32, 3e-6), (DType::F64, 1e-12)] {
            let variables = variables(sizes, dtype);
            let check = |out: tallow_kernels::LstmOutput| {
                let what = |name: &str| format!("{name} of {sizes:?} in {dtype:?}");
                let [n, t, _, h] = sizes;
                assert_eq!((out.ys.dims(), out.cell.dims()), (&[n, t, h][..], &[n, h][..]));
                assert_close(&what("states"), &values(&out.ys), &ys, tolerance);
                assert_close(&what("cell"), &values(&out.cell), &cell, tolerance);
                let last: Vec<f64> =
                    ys.chunks(t * h).flat_map(|sample| sample[(t - 1) * h..].iter().copied()).collect();
                assert_close(&what("last state"), &values(&out.hidden), &last, tolerance);
            };
            check(run(&variables).unwrap());
            check(no_grad(|| run(&variables)).unwrap());
        }
    }
}

#[test]
fn gradients_are_those_of_the_portable_path() {
    for sizes in SIZES {
        let (fast, portable) = (gradients(sizes, DType::F32), gradients(sizes, DType::F64));
        for (i, (fast, portable)) in fast.iter().zip(&portable).enumerate() {
            assert_close(&format!("gradient {i} of {sizes:?}"), fast, portable, 2e-5);
        }
    }
}

#[test]
fn gradients_are_finite_differences() {
    const STEP: f64 = 1e-5;
    for sizes in [[2, 3, 4, 5], [1, 4, 2, 17]] {
        let grads = gradients(sizes, DType::F32);
        let [n, t, _, h] = sizes;
        let (dy, dh, dc) = (formula("dy", n * t * h), formula("dh", n * h), formula("dc", n * h));
        let loss = |inputs: &[Vec<f64>]| {
            let (ys, cell) = plain(sizes, inputs);
            let last = ys.chunks(t * h).flat_map(|sample| &sample[(t - 1) * h..]);
            let dot = |a: &mut dyn Iterator<Item = &f64>, b: &[f64]| a.zip(b).map(|(a, b)| a * b).sum::<f64>();
            dot(&mut ys.iter(), &dy) + dot(&mut last.into_iter(), &dh) + dot(&mut cell.iter(), &dc)
        };
        let mut inputs = inputs(sizes);
        for i in 0..inputs.len() {
            let mut differences = Vec::new();
            for k in 0..inputs[i].len() {
                let x = inputs[i][k];
                let mut at = |x: f64| {
                    inputs[i][k] = x;
                    loss(&inputs)
                };
                differences.push((at(x + STEP) - at(x - STEP)) / (2.0 * STEP));
                inputs[i][k] = x;
            }
            assert_close(&format!("gradient {i} of {sizes:?}"), &grads[i], &differences, 1e-5);
        }
    }
}

#[test]
fn only_what_is_used_gets_a_gradient() {
    let variables = variables([2, 3, 4, 5], DType::F32);
    let grads = backward(&run(&variables).unwrap().ys.sum_all().unwrap()).unwrap();
    let through_cell = backward(&run(&variables).unwrap().cell.sum_all().unwrap()).unwrap();
    // The last output gate has no say in the last cell state.
    assert!(variables.iter().all(|variable| grads.get(variable).is_some() && through_cell.get(variable).is_some()));
    // A state and weights that are not variables.
    let constant = |i: usize| variables[i].as_detached_tensor();
    let (hidden, cell, weight_hh) = (constant(1), constant(2), constant(4));
    let (xs, bias) = (constant(0), constant(5));
    let weights =
        LstmWeights { weight_ih: &variables[3], weight_hh: &weight_hh, bias_ih: &bias, bias_hh: &variables[6] };
    let out = lstm(&xs, &hidden, &cell, weights).unwrap();
    let some = backward(&out.ys.sum_all().unwrap()).unwrap();
    for i in [3, 6] {
        assert_same_bits(
            "the same gradient",
            &values(some.get(&variables[i]).unwrap()),
            &values(grads.get(&variables[i]).unwrap()),
        );
    }
    assert!([0, 1, 2, 4, 5].iter().all(|&i| some.get(&variables[i]).is_none()));
}

#[test]
fn recorded_layers_one_upon_the_other() {
    let sizes = [3, 4, 6, 6];
    let (first, second) = (variables(sizes, DType::F32), variables([3, 4, 6, 6], DType::F32));
    let pass = || {
        let out = run(&first)?;
        let mut inputs = second.clone();
        let on_top =
            LstmWeights { weight_ih: &inputs[3], weight_hh: &inputs[4], bias_ih: &inputs[5], bias_hh: &inputs[6] };
        let next = lstm(&out.ys, &out.hidden, &out.cell, on_top)?;
        inputs.clear();
        sum(&next)
    };
    let (plain, taped) = (backward(&pass().unwrap()).unwrap(), backward(&recorded(pass).unwrap()).unwrap());
    for variable in first.iter().chain(&second[3..]) {
        let [plain, taped] = [&plain, &taped].map(|grads| values(grads.get(variable).unwrap()));
        assert_close("on the tape", &taped, &plain, 1e-6);
    }
}

#[test]
fn any_number_of_threads_gives_the_same() {
    for sizes in [[5, 4, 30, 270], [70, 3, 20, 40], [7, 3, 8, 370]] {
        let all = [1, 2, 3, 7].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let ys = || values(&run(&variables(sizes, DType::F32)).unwrap().ys);
            pool.install(|| (gradients(sizes, DType::F32), ys(), no_grad(ys)))
        });
        for (grads, ys, alone) in &all[1..] {
            assert_same_bits("states", ys, &all[0].1);
            assert_same_bits("states without a way back", alone, &all[0].2);
            grads.iter().zip(&all[0].0).for_each(|(grad, one)| assert_same_bits("gradients", grad, one));
        }
    }
}

#[test]
fn wrong_shapes_are_errors() {
    let zeros = |dims: &[usize]| Var::zeros(dims, DType::F32, &Device::Cpu).unwrap();
    let good = shapes([2, 3, 4, 5]);
    for (i, wrong) in [
        (0, vec![2, 4]),
        (0, vec![3, 3, 4]),
        (0, vec![2, 3, 5]),
        (0, vec![2, 0, 4]),
        (1, vec![5]),
        (1, vec![2, 4]),
        (2, vec![3, 5]),
        (3, vec![20, 5]),
        (4, vec![5, 20]),
        (5, vec![5]),
        (6, vec![20, 1]),
    ] {
        let mut shapes = good.clone();
        shapes[i] = wrong;
        let inputs: Vec<Var> = shapes.iter().map(|dims| zeros(dims)).collect();
        let message = run(&inputs).unwrap_err().to_string();
        assert!(message.contains("lstm") && message.contains("weight_ih"), "{message}");
    }
    let empty = formula_var("x", &[1, 1, 1], DType::F32);
    assert!(run(&[vec![empty], good[1..].iter().map(|_| zeros(&[0, 0])).collect()].concat()).is_err());
}
