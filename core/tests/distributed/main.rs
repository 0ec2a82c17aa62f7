//! Several processes that train one network, as threads of this one: the same as one process, to rounding.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod checkpoints;
#[cfg(feature = "mpi")]
mod mpi;
mod training;

use std::collections::BTreeMap;
use tallow::candle::{Device, Tensor};
use tallow::collective::{BatchStatistics, World, threads};
use tallow::data::{DataLoader, DataLoaders, TensorDataset};
use tallow::models::Arch;
use tallow::nn::losses::{CrossEntropy, cross_entropy};
use tallow::nn::{Params, Sequential};
use tallow::optim::Sgd;
use tallow::rng::Rng;
use tallow::train::{GradientAccumulation, GradientClip, Learner, accuracy, f1_score};

/// What a process has in the end.
#[derive(Debug, Clone, PartialEq)]
struct End {
    weights: BTreeMap<String, Vec<f32>>,
    losses: Vec<f64>,
    rows: Vec<Vec<f64>>,
}

impl End {
    fn of(learner: &Learner) -> End {
        let values = |t: Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let weights = learner.params().state_dict().unwrap().into_iter().map(|(name, t)| (name, values(t))).collect();
        let recorder = learner.recorder();
        let rows = recorder.rows.iter().map(|row| row.numbers()).collect();
        End { weights, losses: recorder.losses.clone(), rows }
    }

    /// All numbers are within `tolerance` of another's, or that share of them.
    #[track_caller]
    fn is_near(&self, other: &End, tolerance: f64) {
        let near = |a: f64, b: f64, what: &str| {
            assert!((a - b).abs() <= tolerance * f64::max(1.0, b.abs()), "{what}: {a} and {b}");
        };
        assert_eq!(self.weights.len(), other.weights.len());
        for (name, values) in &self.weights {
            values.iter().zip(&other.weights[name]).for_each(|(a, b)| near(f64::from(*a), f64::from(*b), name));
        }
        assert_eq!((self.losses.len(), self.rows.len()), (other.losses.len(), other.rows.len()));
        self.losses.iter().zip(&other.losses).for_each(|(a, b)| near(*a, *b, "a loss"));
        self.rows.concat().iter().zip(other.rows.concat()).for_each(|(a, b)| near(*a, b, "a row of the table"));
    }
}

/// Pictures of noise, `n` for training and five for validation, each of one of three classes.
fn noise(n: usize, side: usize, batch_size: usize) -> DataLoaders {
    let rng = Rng::new(7);
    let set = |name: &str, n: usize| {
        let xs = rng.stream(name).randn((n, 3, side, side), 1.0, &Device::Cpu).unwrap();
        let ys = Tensor::from_vec((0..n as u32).map(|i| i % 3).collect::<Vec<u32>>(), n, &Device::Cpu).unwrap();
        DataLoader::new(TensorDataset::new(&xs, &ys).unwrap(), batch_size).unwrap()
    };
    DataLoaders { train: set("train", n).shuffle(&rng.stream("order")), valid: set("valid", 5) }
}

/// ResNet-18 on small pictures.
fn resnet(dls: DataLoaders) -> Learner {
    let params = Params::new(&Rng::new(3), &Device::Cpu);
    let network = Arch::ResNet18.build(3, &params).unwrap();
    Learner::new(dls, network, &params, cross_entropy).opt(Sgd::torch(0.9, 0.0)).metrics([accuracy(), f1_score()])
}

/// A network on pictures of 4 x 4 pixels with a batch normalisation of features and a dropout, and with class weights,
/// accumulated and clipped gradients, and metrics of its training batches.
fn small_learner(dls: DataLoaders) -> Learner {
    let params = Params::new(&Rng::new(5), &Device::Cpu);
    let network = Sequential::new(&params).flatten().linear(3 * 16, 20).unwrap().batch_norm(20).unwrap();
    let network = network.relu().dropout(0.5).unwrap().linear(20, 3).unwrap();
    let loss = CrossEntropy { weights: Some(vec![1.0, 2.0, 0.5]), ..CrossEntropy::default() };
    let weight = loss.clone();
    Learner::new(dls, network, &params, move |xs, ys| loss.of(xs, ys))
        .loss_weight(move |ys| weight.weight_of(ys))
        .opt(Sgd::torch(0.9, 0.0))
        .metrics([accuracy()])
        .train_metrics()
        .callback(GradientAccumulation::new(6))
        .callback(GradientClip { max_norm: 0.5 })
}

/// Runs `work` in as many processes; `None` stands for one that is alone.
fn each<T: Send + 'static>(size: usize, work: impl Fn(Option<World>) -> T + Clone + Send + 'static) -> Vec<T> {
    if size == 1 {
        return vec![work(None)];
    }
    let start = |rank| {
        let work = work.clone();
        std::thread::spawn(move || {
            let world = World::start(move || Ok(rank)).unwrap();
            let done = work(Some(world.clone()));
            world.finish(None).unwrap();
            done
        })
    };
    let started: Vec<_> = threads(size).into_iter().map(start).collect();
    started.into_iter().map(|thread| thread.join().unwrap()).collect()
}

/// A learner among others, if there are any.
fn among(learner: Learner, world: &Option<World>, statistics: BatchStatistics) -> Learner {
    match world {
        Some(world) => learner.distributed(&world.clone().batch_statistics(statistics)),
        None => learner,
    }
}
