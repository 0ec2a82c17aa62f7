//! Processes of MPI: what `mpirun` starts, on one machine or on many.

use super::Collective;
use crate::error::{Error, Result};
use mpi::Threading;
use mpi::environment::Universe;
use mpi::point_to_point::send_receive_into;
use mpi::topology::{Communicator, SimpleCommunicator};

/// This process among those that `mpirun` started. It stays in the thread that made it:
/// `World::start(Mpi::connect)`.
pub struct Mpi {
    /// Goes out of scope, and so says goodbye, in [`Collective::finish`] only.
    universe: Option<Universe>,
    world: SimpleCommunicator,
}

impl Mpi {
    /// Joins the others.
    ///
    /// # Errors
    /// When this process has done so before. MPI itself ends a process that it cannot connect, and says why.
    pub fn connect() -> Result<Mpi> {
        // Only the thread that is here makes calls.
        let (universe, _) = mpi::initialize_with_threading(Threading::Funneled)
            .ok_or_else(|| Error::Value("this process has joined its MPI job before; pass the `World` on".into()))?;
        let world = universe.world();
        Ok(Mpi { universe: Some(universe), world })
    }
}

impl Collective for Mpi {
    fn rank(&self) -> usize {
        self.world.rank() as usize
    }

    fn size(&self) -> usize {
        self.world.size() as usize
    }

    fn exchange(&self, to: usize, sent: &[u8], from: usize, received: &mut [u8]) -> Result<()> {
        if sent.len().max(received.len()) > i32::MAX as usize {
            return Err(Error::Value("MPI takes messages of at most 2 GiB; this one is larger".into()));
        }
        let (to, from) = (self.world.process_at_rank(to as i32), self.world.process_at_rank(from as i32));
        // A failure ends the process: that is what MPI does unless it is told otherwise.
        send_receive_into(sent, &to, received, &from);
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.barrier()?;
        drop(self.universe.take());
        Ok(())
    }
}

impl Drop for Mpi {
    fn drop(&mut self) {
        // `MPI_Finalize` would wait for processes that wait for this one.
        std::mem::forget(self.universe.take());
    }
}
