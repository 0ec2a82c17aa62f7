//! The handle to processes that compute together.

use super::Collective;
use crate::error::{Error, Result};
use candle_core::{DType, Device, Tensor};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Of what batch normalisation takes its statistics where a batch is shared by several processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BatchStatistics {
    /// The whole batch, as in one process: two small messages for each layer, each way. PyTorch's `SyncBatchNorm`.
    #[default]
    Synchronised,
    /// The rows of each process: faster, and another training, since they are fewer. The running statistics are the
    /// mean of all processes'.
    PerRank,
}

/// Something to be done with all processes.
type Job = dyn FnOnce(&dyn Collective) + Send;

enum Message {
    Job(Box<Job>),
    Finish(Sender<Result<()>>),
}

/// Processes that compute together. Clones share them.
///
/// All communication is that of one thread, which blocks in it while others compute, and takes one job after the other.
/// So all processes must hand over the same jobs in the same order.
///
/// A world that is dropped before it was [finished](World::finish) leaves without a goodbye. By that MPI knows that a
/// process has failed, and ends the others, which would else wait for it forever.
#[derive(Clone)]
pub struct World {
    rank: usize,
    size: usize,
    statistics: BatchStatistics,
    jobs: Arc<Mutex<Sender<Message>>>,
    sent: Arc<AtomicU64>,
}

/// What is being exchanged.
#[derive(Debug)]
pub struct Pending<T>(Receiver<Result<T>>);

impl<T> Pending<T> {
    /// Waits until it is there.
    ///
    /// # Errors
    /// When a process is gone.
    pub fn wait(self) -> Result<T> {
        self.0.recv().unwrap_or_else(|_| Err(ended()))
    }
}

fn ended() -> Error {
    Error::Value("the thread that communicates has ended; its message is above".into())
}

/// Counts what is sent.
struct Counting<'a>(&'a dyn Collective, &'a AtomicU64);

impl Collective for Counting<'_> {
    fn rank(&self) -> usize {
        self.0.rank()
    }

    fn size(&self) -> usize {
        self.0.size()
    }

    fn exchange(&self, to: usize, sent: &[u8], from: usize, received: &mut [u8]) -> Result<()> {
        self.1.fetch_add(sent.len() as u64, Ordering::Relaxed);
        self.0.exchange(to, sent, from, received)
    }

    fn finish(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}

impl World {
    /// Begins to communicate by what `connect` makes, in the thread that it is to stay in.
    ///
    /// # Errors
    /// Those of `connect`.
    pub fn start<C: Collective + 'static>(connect: impl FnOnce() -> Result<C> + Send + 'static) -> Result<World> {
        let (jobs, inbox) = channel();
        let (say, hear) = channel();
        let sent = Arc::new(AtomicU64::new(0));
        let count = sent.clone();
        std::thread::spawn(move || {
            let collective = match connect() {
                Ok(collective) => Box::new(collective),
                Err(error) => return drop(say.send(Err(error))),
            };
            let _ = say.send(Ok((collective.rank(), collective.size())));
            for message in inbox {
                match message {
                    Message::Job(job) => job(&Counting(&*collective, &count)),
                    Message::Finish(done) => return drop(done.send(collective.finish())),
                }
            }
        });
        let (rank, size) = hear.recv().unwrap_or_else(|_| Err(ended()))?;
        let statistics = BatchStatistics::default();
        Ok(World { rank, size, statistics, jobs: Arc::new(Mutex::new(jobs)), sent })
    }

    /// Sets of what batch normalisation takes its statistics; of the whole batch by default.
    #[must_use]
    pub fn batch_statistics(self, statistics: BatchStatistics) -> World {
        World { statistics, ..self }
    }

    /// Of what batch normalisation takes its statistics.
    pub fn statistics(&self) -> BatchStatistics {
        self.statistics
    }

    /// The number of this process, from 0. Number 0 writes files and tells how it goes.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// The number of processes.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The bytes that this process has sent so far.
    pub fn bytes_sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Ends the communication in peace, once all processes have come here. With `patience`, one that does not come is
    /// waited for so long and no longer.
    ///
    /// # Errors
    /// When a process is gone, or has not come.
    pub fn finish(self, patience: Option<Duration>) -> Result<()> {
        let (say, hear) = channel();
        self.send(Message::Finish(say))?;
        let heard = match patience {
            None => hear.recv().map_err(|_| ended()),
            Some(patience) => hear.recv_timeout(patience).map_err(|error| match error {
                RecvTimeoutError::Timeout => Error::Value("another process has not come to its end".into()),
                RecvTimeoutError::Disconnected => ended(),
            }),
        };
        heard?
    }

    /// Does something with all processes as soon as what was handed over before is done.
    ///
    /// # Errors
    /// When the thread that communicates has ended.
    pub fn later<T: Send + 'static>(
        &self,
        job: impl FnOnce(&dyn Collective) -> Result<T> + Send + 'static,
    ) -> Result<Pending<T>> {
        let (say, hear) = channel();
        self.send(Message::Job(Box::new(move |collective| drop(say.send(job(collective))))))?;
        Ok(Pending(hear))
    }

    /// The sums of numbers over all processes ([`Collective::all_reduce_sum`]).
    ///
    /// # Errors
    /// As [`World::later`].
    pub fn all_reduce_later(&self, mut values: Vec<f32>) -> Result<Pending<Vec<f32>>> {
        self.later(move |all| all.all_reduce_sum(&mut values).map(|()| values))
    }

    /// What every process has, by rank ([`Collective::all_gather`]).
    ///
    /// # Errors
    /// When a process is gone.
    pub fn all_gather(&self, own: Vec<u8>) -> Result<Vec<Vec<u8>>> {
        self.later(move |all| all.all_gather(&own))?.wait()
    }

    /// The numbers of every process, by rank.
    ///
    /// # Errors
    /// When a process is gone.
    pub fn gather_numbers(&self, own: &[f64]) -> Result<Vec<Vec<f64>>> {
        let all = self.all_gather(bytemuck::cast_slice(own).to_vec())?;
        Ok(all.iter().map(|bytes| bytemuck::pod_collect_to_vec(bytes)).collect())
    }

    /// Replaces a few numbers by their sums over all processes, added in the order of the ranks.
    ///
    /// # Errors
    /// When a process is gone.
    pub fn sum(&self, values: &mut [f64]) -> Result<()> {
        let all = self.gather_numbers(values)?;
        for (i, value) in values.iter_mut().enumerate() {
            *value = all.iter().map(|values| values[i]).sum();
        }
        Ok(())
    }

    /// What process 0 hands over.
    ///
    /// # Errors
    /// When a process is gone.
    pub fn broadcast(&self, bytes: Vec<u8>) -> Result<Vec<u8>> {
        self.later(move |all| all.broadcast(0, bytes))?.wait()
    }

    /// Waits until all processes have come here.
    ///
    /// # Errors
    /// When a process is gone.
    pub fn barrier(&self) -> Result<()> {
        self.later(|all| all.barrier())?.wait()
    }

    /// The rows of all processes, in the order of the ranks, of which this one gives its first `n`.
    ///
    /// # Shapes
    /// `own` `[M, ..]` with `M ≥ n` → `[sum of all n, ..]`, of the same type, on the same device
    ///
    /// # Errors
    /// When rows have other shapes in other processes, or a process is gone.
    pub fn gather_rows(&self, own: &Tensor, n: usize) -> Result<Tensor> {
        let of_row: usize = own.dims().iter().skip(1).product();
        let rows = own.narrow(0, 0, n)?.to_device(&Device::Cpu)?.flatten_all()?;
        let (bytes, width): (Vec<u8>, usize) = match own.dtype() {
            DType::F32 => (bytemuck::cast_slice(&rows.to_vec1::<f32>()?).to_vec(), 4),
            _ => (bytemuck::cast_slice(&rows.to_dtype(DType::F64)?.to_vec1::<f64>()?).to_vec(), 8),
        };
        let all = self.all_gather(bytes)?.concat();
        let of_row_bytes = (of_row * width).max(1);
        if all.len() % of_row_bytes != 0 {
            let message = format!("the processes have rows of different shapes; here they are {:?}", own.dims());
            return Err(Error::shape(message, own.dims()));
        }
        let dims = [&[all.len() / of_row_bytes], own.dims().get(1..).unwrap_or_default()].concat();
        let gathered = match own.dtype() {
            DType::F32 => Tensor::from_vec(bytemuck::pod_collect_to_vec::<u8, f32>(&all), dims, &Device::Cpu)?,
            _ => Tensor::from_vec(bytemuck::pod_collect_to_vec::<u8, f64>(&all), dims, &Device::Cpu)?,
        };
        Ok(gathered.to_dtype(own.dtype())?.to_device(own.device())?)
    }

    fn send(&self, message: Message) -> Result<()> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).send(message).map_err(|_| ended())
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "process {} of {}", self.rank, self.size)
    }
}
