//! How fast several processes train, for docs/cluster.md: `mpirun -n 2 ranks resnet18 128 32 10`, with the feature
//! `mpi`. Without mpirun one process trains, on all threads that it is given.
//!
//! Takes the network, the side of its square pictures, the pictures of a batch and the number of steps, and `process`
//! for batch statistics of each process. Process 0 writes seconds a step, the median of the steps after the first, and
//! the megabytes that it sends in one.
#![allow(clippy::print_stdout)] // a program: its results are for stdout

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tallow::candle::{DType, Device, Tensor};
use tallow::collective::{BatchStatistics, World};
use tallow::data::{DataLoader, DataLoaders, TensorDataset};
use tallow::models::Arch;
use tallow::nn::{Params, losses::cross_entropy};
use tallow::optim::Sgd;
use tallow::rng::Rng;
use tallow::train::{Callback, Learner, TrainState};
use tallow::{Error, Result};

/// When each step ended, and what had been sent by then.
#[derive(Default, Clone)]
struct Steps(Arc<Mutex<Vec<(Instant, u64)>>>, Option<World>);

impl Callback for Steps {
    fn after_batch(&mut self, _: &mut TrainState) -> Result<()> {
        let sent = self.1.as_ref().map_or(0, World::bytes_sent);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((Instant::now(), sent));
        Ok(())
    }
}

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let usage = || Error::Usage("ranks NETWORK SIDE BATCH STEPS [process]".into());
    let [arch, side, batch, steps, rest @ ..] = &args[..] else { return Err(usage()) };
    let number = |text: &String| text.parse::<usize>().map_err(|_| usage());
    let (arch, side, batch, steps) = (arch.parse::<Arch>()?, number(side)?, number(batch)?, number(steps)?);
    let statistics = if rest.is_empty() { BatchStatistics::Synchronised } else { BatchStatistics::PerRank };
    let world = join()?.map(|world| world.batch_statistics(statistics));

    let n = batch * steps;
    let xs = Tensor::zeros((n, 3, side, side), DType::F32, &Device::Cpu)?;
    let ys = Tensor::zeros(n, DType::U32, &Device::Cpu)?;
    let train = DataLoader::new(TensorDataset::new(&xs, &ys)?, batch)?;
    let few = TensorDataset::new(&xs.narrow(0, 0, 1)?, &ys.narrow(0, 0, 1)?)?;
    let dls = DataLoaders { train, valid: DataLoader::new(few, 1)? };
    let params = Params::new(&Rng::new(1), &Device::Cpu);
    let measured = Steps(Arc::default(), world.clone());
    let network = arch.build(10, &params)?;
    let mut learner = Learner::new(dls, network, &params, cross_entropy).opt(Sgd::new()).callback(measured.clone());
    if let Some(world) = &world {
        learner = learner.distributed(world);
    }
    learner.fit(1, 1e-3)?;

    let ends = measured.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut seconds: Vec<f64> = ends.windows(2).map(|pair| (pair[1].0 - pair[0].0).as_secs_f64()).collect();
    seconds.sort_by(f64::total_cmp);
    let (rank, size) = world.as_ref().map_or((0, 1), |world| (world.rank(), world.size()));
    if let (0, [first, .., last]) = (rank, &ends[..]) {
        let megabytes = (last.1 - first.1) as f64 / 1e6 / seconds.len() as f64;
        let (median, least) = (seconds[seconds.len() / 2], seconds[0]);
        println!("{size} processes: {median:.3} s a step, at best {least:.3}; {megabytes:.1} MB sent in each");
    }
    match world {
        Some(world) => world.finish(None),
        None => Ok(()),
    }
}

#[cfg(feature = "mpi")]
fn join() -> Result<Option<World>> {
    match std::env::var_os("OMPI_COMM_WORLD_SIZE") {
        Some(_) => World::start(tallow::collective::Mpi::connect).map(Some),
        None => Ok(None),
    }
}

#[cfg(not(feature = "mpi"))]
fn join() -> Result<Option<World>> {
    Ok(None)
}
