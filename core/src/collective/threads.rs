//! Processes that are threads of one: what is built on collectives, without MPI.

use super::{Collective, gone};
use crate::error::{Error, Result};
use std::sync::mpsc::{Receiver, Sender, channel};

/// One of [`threads`].
#[derive(Debug)]
pub struct ThreadRank {
    rank: usize,
    /// One for each process, by its rank.
    to: Vec<Sender<Vec<u8>>>,
    from: Vec<Receiver<Vec<u8>>>,
}

/// The ends of `size` processes that are threads of this one, by rank. Each goes to a thread of its own.
pub fn threads(size: usize) -> Vec<ThreadRank> {
    let mut ranks: Vec<ThreadRank> = (0..size).map(|rank| ThreadRank { rank, to: vec![], from: vec![] }).collect();
    for from in 0..size {
        for to in 0..size {
            let (sender, receiver) = channel();
            ranks[from].to.push(sender);
            ranks[to].from.push(receiver);
        }
    }
    ranks
}

impl Collective for ThreadRank {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.to.len()
    }

    fn exchange(&self, to: usize, sent: &[u8], from: usize, received: &mut [u8]) -> Result<()> {
        self.to[to].send(sent.to_vec()).map_err(|_| gone(to))?;
        let came = self.from[from].recv().map_err(|_| gone(from))?;
        if came.len() != received.len() {
            let (n, expected) = (came.len(), received.len());
            return Err(Error::Value(format!("process {from} sent {n} bytes, where {expected} were expected")));
        }
        received.copy_from_slice(&came);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<()> {
        self.barrier()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn each<T: Send>(size: usize, work: impl Fn(&ThreadRank) -> T + Sync) -> Vec<T> {
        let work = &work;
        std::thread::scope(|scope| {
            let started: Vec<_> = threads(size).into_iter().map(|rank| scope.spawn(move || work(&rank))).collect();
            started.into_iter().map(|thread| thread.join().unwrap()).collect()
        })
    }

    #[test]
    fn sums_are_those_in_the_order_of_the_ranks() {
        // Numbers whose sum depends on the order.
        let value =
            |rank: usize, i: usize| ((rank * 7919 + i * 104_729) % 1000) as f32 * 10f32.powi(rank as i32 * 3 - 4);
        for size in 1..=5 {
            for n in [0, 1, 3, 1000] {
                let expected: Vec<f32> =
                    (0..n).map(|i| (1..size).fold(value(0, i), |sum, rank| sum + value(rank, i))).collect();
                let sums = each(size, |rank| {
                    let mut values: Vec<f32> = (0..n).map(|i| value(rank.rank(), i)).collect();
                    rank.all_reduce_sum(&mut values).unwrap();
                    values
                });
                assert!(sums.iter().all(|sums| *sums == expected), "{size} processes, {n} numbers");
            }
        }
    }

    #[test]
    fn what_one_knows_all_learn() {
        let gathered = each(4, |rank| rank.all_gather(&vec![rank.rank() as u8; rank.rank()]).unwrap());
        assert!(gathered.iter().all(|all| *all == [vec![], vec![1], vec![2, 2], vec![3, 3, 3]]));
        let told = each(3, |rank| rank.broadcast(2, vec![rank.rank() as u8]).unwrap());
        assert_eq!(told, [[2]; 3]);
    }

    #[test]
    fn a_process_that_is_gone_is_named() {
        let [first, second] = threads(2).try_into().unwrap();
        drop(second);
        let error = first.barrier().unwrap_err().to_string();
        assert!(error.starts_with("process 1 has ended before its work was done"), "{error}");
    }
}
