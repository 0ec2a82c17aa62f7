//! Processes that compute together: sums over all of them, and what one knows told to all.
//!
//! A [`Collective`] is what carries bytes between processes: MPI (`Mpi`, with the feature `mpi`), or threads of one
//! process ([`threads`]), by which all that is built on it can be tried on any machine. A [`World`] is the handle that
//! a [`Learner`](crate::train::Learner::distributed) gets; it communicates on a thread of its own, while others
//! compute.
//!
//! **Sums are in a fixed order**, that of the ranks, whatever carries the bytes: for one number of processes a run
//! repeats itself bit for bit.
//!
//! ```
//! use tallow::collective::{World, threads};
//! # fn main() -> tallow::Result<()> {
//! let sums: Vec<_> = threads(3)
//!     .into_iter()
//!     .map(|rank| {
//!         std::thread::spawn(move || -> tallow::Result<Vec<f32>> {
//!             let world = World::start(move || Ok(rank))?;
//!             let sums = world.all_reduce_later(vec![world.rank() as f32, 1.0])?.wait()?;
//!             world.finish(None)?;
//!             Ok(sums)
//!         })
//!     })
//!     .collect();
//! for sum in sums {
//!     assert_eq!(sum.join().expect("no panic")?, [3.0, 3.0]); // 0 + 1 + 2, and three ones
//! }
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "mpi")]
mod mpi;
mod share;
mod threads;
mod world;

#[cfg(feature = "mpi")]
pub use mpi::Mpi;
pub use share::Share;
pub(crate) use share::{current_share, rows_of, with_share};
pub use threads::{ThreadRank, threads};
pub use world::{BatchStatistics, Pending, World};

use crate::error::{Error, Result};

/// Processes that exchange bytes. All of them call the same methods in the same order; each call blocks until the
/// others have come to it.
pub trait Collective {
    /// The number of this process, from 0.
    fn rank(&self) -> usize;

    /// The number of processes.
    fn size(&self) -> usize;

    /// Sends bytes to one process while it receives from another. `received` is as long as what comes.
    ///
    /// # Errors
    /// When a process is gone, or sends another number of bytes.
    fn exchange(&self, to: usize, sent: &[u8], from: usize, received: &mut [u8]) -> Result<()>;

    /// Says goodbye to the others, when all is done. A process that ends without it has failed.
    ///
    /// # Errors
    /// When a process is gone.
    fn finish(self: Box<Self>) -> Result<()>;

    /// Waits until all processes have come here.
    ///
    /// # Errors
    /// When a process is gone.
    fn barrier(&self) -> Result<()> {
        self.all_gather(&[]).map(drop)
    }

    /// What every process has, by rank. Lengths may differ.
    ///
    /// # Errors
    /// When a process is gone.
    fn all_gather(&self, own: &[u8]) -> Result<Vec<Vec<u8>>> {
        let (rank, size) = (self.rank(), self.size());
        let mut all = vec![Vec::new(); size];
        for round in 1..size {
            let (to, from) = neighbours(rank, size, round);
            let mut length = [0; 8];
            self.exchange(to, &(own.len() as u64).to_le_bytes(), from, &mut length)?;
            let mut received = vec![0; u64::from_le_bytes(length) as usize];
            self.exchange(to, own, from, &mut received)?;
            all[from] = received;
        }
        all[rank] = own.to_vec();
        Ok(all)
    }

    /// The bytes of process `root`, whatever the others hand over.
    ///
    /// # Errors
    /// When a process is gone.
    fn broadcast(&self, root: usize, bytes: Vec<u8>) -> Result<Vec<u8>> {
        if self.rank() == root {
            self.all_gather(&bytes)?;
            return Ok(bytes);
        }
        let mut all = self.all_gather(&[])?;
        Ok(all.swap_remove(root))
    }

    /// Replaces numbers by their sums over all processes, added in the order of the ranks. Each process adds up a part
    /// of the numbers and tells the others: it sends and receives twice the numbers, whatever the number of processes.
    ///
    /// # Errors
    /// When a process is gone.
    fn all_reduce_sum(&self, values: &mut [f32]) -> Result<()> {
        let (rank, size) = (self.rank(), self.size());
        let part = |owner: usize| owner * values.len() / size..(owner + 1) * values.len() / size;
        let parts: Vec<_> = (0..size).map(part).collect();
        let mut terms = vec![Vec::new(); size];
        for round in 1..size {
            let (to, from) = neighbours(rank, size, round);
            terms[from] = vec![0f32; parts[rank].len()];
            let sent = bytemuck::cast_slice(&values[parts[to].clone()]);
            self.exchange(to, sent, from, bytemuck::cast_slice_mut(&mut terms[from]))?;
        }
        terms[rank] = values[parts[rank].clone()].to_vec();
        let sums = &mut values[parts[rank].clone()];
        for (from, terms) in terms.iter().enumerate() {
            if from == 0 {
                sums.copy_from_slice(terms);
            } else {
                sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += term);
            }
        }
        for round in 1..size {
            let (to, from) = neighbours(rank, size, round);
            // What is sent and what comes are parts of one slice.
            let mut received = vec![0f32; parts[from].len()];
            let sent = bytemuck::cast_slice(&values[parts[rank].clone()]);
            self.exchange(to, sent, from, bytemuck::cast_slice_mut(&mut received))?;
            values[parts[from].clone()].copy_from_slice(&received);
        }
        Ok(())
    }
}

/// To whom a process sends in a round, and from whom it receives: each pair once in `size - 1` rounds.
fn neighbours(rank: usize, size: usize, round: usize) -> (usize, usize) {
    ((rank + round) % size, (rank + size - round) % size)
}

/// The error of a process that cannot reach another.
fn gone(rank: usize) -> Error {
    Error::Value(format!("process {rank} has ended before its work was done; its own message says why"))
}
