//! Embeddings: they begin as fast.ai's do, and their sparse gradients train them as dense ones would.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod common;

use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Tensor};
use common::{assert_close, assert_same_bits, hash, params, values};
use tallow::autograd;
use tallow::data::{DataLoader, DataLoaders, TensorDataset};
use tallow::nn::init::Init;
use tallow::nn::{Embedding, Params, losses};
use tallow::optim::{Adam, Hypers, Optimizer, Sgd, clip_grad_norm};
use tallow::rng::Rng;
use tallow::train::{Checkpoints, GradientAccumulation, GradientClip, Learner};

#[test]
fn a_table_begins_truncated() {
    let table = Embedding::new(1000, 50, &params(3)).unwrap();
    assert_eq!((table.weight().name(), table.weight().dims()), ("weight", &[1000, 50][..]));
    let w = values(table.weight().var());
    let deviation = (w.iter().map(|w| w * w).sum::<f64>() / w.len() as f64).sqrt();
    // torch.randn(10**7).fmod(2).mul(0.01).std() is 0.0088.
    assert!((0.0086..0.0090).contains(&deviation), "{deviation}");
    assert!(w.iter().all(|w| w.abs() < 0.02) && w.iter().any(|w| w.abs() > 0.0195));
    let error = table.forward(&Tensor::new(&[1000u32], &Device::Cpu).unwrap()).unwrap_err().to_string();
    assert!(error.contains("`weight` [1000, 50]") && error.contains("no row 1000"), "{error}");
}

fn ids(step: usize) -> Tensor {
    let ids: Vec<u32> = (0..8).map(|i| hash("ids", 8 * step + i) % 40).collect();
    Tensor::new(ids, &Device::Cpu).unwrap()
}

fn gradients(table: &Embedding, step: usize) -> GradStore {
    autograd::backward(&table.forward(&ids(step)).unwrap().sqr().unwrap().sum_all().unwrap()).unwrap()
}

/// The gradients of the table as one of all rows.
fn whole(table: &Embedding, step: usize) -> GradStore {
    table.forward(&ids(step)).unwrap().sqr().unwrap().sum_all().unwrap().backward().unwrap()
}

type Recipe = fn() -> Box<dyn Optimizer>;

#[test]
fn sparse_gradients_train_as_dense_ones_do() {
    let recipes: [(&str, Recipe); 7] = [
        ("fastai", || Box::new(Adam::fastai())),
        ("torch", || Box::new(Adam::torch(0.0))),
        ("torch_wd", || Box::new(Adam::torch(0.01))),
        ("sgd", || Box::new(Sgd::new())),
        ("sgd_wd", || Box::new(Sgd::fastai(0.0, 0.01))),
        ("sgd_mom", || Box::new(Sgd::torch(0.9, 0.01))),
        ("sgd_fastai", || Box::new(Sgd::fastai(0.9, 0.01))),
    ];
    for (name, recipe) in recipes {
        let table = || Embedding::with_init(40, 5, Init::Normal(1.0), &params(1)).unwrap();
        let (sparse, dense, mixed) = (table(), table(), table());
        let (mut a, mut b, mut c) = (recipe(), recipe(), recipe());
        for step in 0..60 {
            let hypers = Hypers { lr: vec![0.002 * (1.0 + (step % 7) as f64)], mom: Some(0.85) };
            a.step(&[sparse.weight().clone()], &gradients(&sparse, step), &hypers).unwrap();
            b.step(&[dense.weight().clone()], &whole(&dense, step), &hypers).unwrap();
            let grads = if step % 20 < 10 { whole(&mixed, step) } else { gradients(&mixed, step) };
            c.step(&[mixed.weight().clone()], &grads, &hypers).unwrap();
            if step == 30 {
                // A memory that is taken out and put into another optimizer goes on.
                let state = a.state();
                a = recipe();
                a.set_state(state).unwrap();
            }
        }
        let want = values(dense.weight().var());
        assert_close(name, &values(sparse.weight().var()), &want, 2e-6);
        assert_close(&format!("{name}, mixed"), &values(mixed.weight().var()), &want, 2e-6);
    }
}

#[test]
fn bookkeeping_of_unknown_tables_is_refused() {
    let table = Embedding::new(40, 5, &params(1)).unwrap();
    for mut optimizer in [Box::new(Adam::fastai()) as Box<dyn Optimizer>, Box::new(Sgd::torch(0.9, 0.0))] {
        optimizer.step(&[table.weight().clone()], &gradients(&table, 0), &Hypers::lr(0.1)).unwrap();
        let mut state = optimizer.state();
        let rows = state.tensors["row_steps/weight"].clone();
        state.tensors.insert("row_steps/other".into(), rows);
        assert!(optimizer.set_state(state).is_err());
    }
}

#[test]
fn a_sparse_gradient_is_seen_whole_and_clipped() {
    let table = Embedding::new(40, 5, &params(1)).unwrap();
    let (mut grads, want) = (gradients(&table, 0), whole(&table, 0));
    let weight = table.weight();
    let touched = weight.row_gradient(&grads).unwrap().rows.to_vec1::<u32>().unwrap();
    assert_eq!(grads.get(weight.var()).unwrap().dims(), [touched.len(), 5]);
    let dense = values(&weight.gradient(&want).unwrap().unwrap());
    assert_close("whole", &values(&weight.gradient(&grads).unwrap().unwrap()), &dense, 1e-6);
    let norm = dense.iter().map(|g| g * g).sum::<f64>().sqrt();
    let told = clip_grad_norm(std::slice::from_ref(weight), &mut grads, norm / 2.0).unwrap();
    assert_close("norm", &[told], &[norm], 1e-6);
    let half: Vec<f64> = dense.iter().map(|g| g / 2.0).collect();
    assert_close("clipped", &values(&weight.gradient(&grads).unwrap().unwrap()), &half, 1e-4);
    // Neither without a graph nor while frozen.
    let ys = autograd::no_grad(|| table.forward(&ids(0))).unwrap();
    assert!(!ys.track_op());
}

/// A learner that fits one number for each of 40 things.
fn learner(checkpoint: Option<&std::path::Path>) -> Learner {
    let params: Params = params(5);
    let table = Embedding::new(40, 1, &params.pp("table")).unwrap();
    let xs: Vec<u32> = (0..200).map(|i| hash("x", i) % 30).collect();
    let ys: Vec<f32> = xs.iter().map(|&x| (x as f32 * 0.7).sin()).collect();
    let (xs, ys) = (Tensor::new(xs, &Device::Cpu).unwrap(), Tensor::from_vec(ys, (200, 1), &Device::Cpu).unwrap());
    let loader = DataLoader::new(TensorDataset::new(&xs, &ys).unwrap(), 8).unwrap();
    let dls = DataLoaders { train: loader.clone().shuffle(&Rng::new(1)), valid: loader };
    let learner = Learner::new(dls, move |xs: &Tensor| table.forward(xs), &params, losses::mse)
        .callback(GradientAccumulation::new(16))
        .callback(GradientClip { max_norm: 0.05 });
    match checkpoint {
        None => learner,
        Some(file) => learner.checkpoints(Checkpoints {
            file: file.to_path_buf(),
            every: std::time::Duration::ZERO,
            resume: true,
        }),
    }
}

#[test]
fn accumulated_clipped_and_resumed() {
    let mut whole = learner(None);
    whole.fit(4, 0.05).unwrap();
    let first = whole.recorder().rows[0].valid_loss;
    let last = whole.recorder().rows[3].valid_loss;
    assert!(last < 0.5 * first, "{first} {last}");
    let folder = std::env::temp_dir().join(format!("tallow-embedding-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("checkpoint.safetensors");
    let mut broken = learner(Some(&file)).callback(StopAt(60));
    assert!(broken.fit(4, 0.05).is_err());
    let mut resumed = learner(Some(&file)).callback(StopAt(usize::MAX));
    resumed.fit(4, 0.05).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let of = |learner: &Learner| values(learner.params().get("table.weight").unwrap().var());
    assert_same_bits("resumed", &of(&resumed), &of(&whole));
    assert!(of(&whole).iter().all(|w| w.is_finite()) && DType::F32 == resumed.params().all()[0].var().dtype());
}

struct StopAt(usize);

impl tallow::train::Callback for StopAt {
    fn after_batch(&mut self, state: &mut tallow::train::TrainState) -> tallow::Result<()> {
        let batch = state.epoch * state.n_batches + state.batch;
        if batch == self.0 { Err(tallow::Error::Value("killed".into())) } else { Ok(()) }
    }
}
