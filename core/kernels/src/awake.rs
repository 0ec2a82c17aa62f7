//! Keeping threads awake from one operation to the next.

use super::graph::{apart, grad_enabled};
use super::trace;
use std::hint::spin_loop;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Looks for work in vain after which a thread lets others have its core.
const PATIENCE: u32 = 64;

/// How long a thread stays without work. Longer than what a network computes on one thread between two layers.
const STAYS: Duration = Duration::from_micros(500);

/// Runs `f`, such as a network's forward pass or a step of its training, on one of rayon's threads, while the others
/// look for work of it until it ends, instead of going to sleep after each operation: to wake a thread takes as long as
/// a small layer. Other threads that want a core meanwhile get it.
///
/// What belongs to a thread, but for [`no_grad`](super::no_grad), is not seen inside of `f`. On one of rayon's threads
/// already `f` runs there. Where rayon has but one, `f` runs on that, since otherwise each of its operations would
/// change threads twice.
pub fn awake<T: Send>(f: impl FnOnce() -> T + Send) -> T {
    let gradients = grad_enabled();
    // A thread of rayon's that waits for a piece of one network may take this up: neither sees the other.
    let f = || trace::apart(|| apart(gradients, f));
    if rayon::current_thread_index().is_some() {
        return f();
    }
    let done = AtomicBool::new(false);
    rayon::scope(|scope| {
        // Done however `f` ends: nobody waits for what panicked.
        let _end = End(&done);
        let (runs_f, done) = (rayon::current_thread_index(), &done);
        scope.spawn_broadcast(move |_, _| {
            // The thread of `f` must not wait for its own end when it comes by while it waits for others.
            if rayon::current_thread_index() != runs_f {
                work_until(done);
            }
        });
        f()
    })
}

/// Works on whatever rayon has to do, until it is done or there was nothing for a while. Not to wait for the end alone
/// matters: a thread that looks around just as [`awake`] begins can steal a piece of `f` first, and then meet this call
/// while it waits for a part of that piece; `f` waits for the piece, which is below this call.
fn work_until(done: &AtomicBool) {
    let (mut idle, mut idle_since) = (0, None);
    while !done.load(Ordering::Acquire) {
        match rayon::yield_now() {
            Some(rayon::Yield::Executed) => (idle, idle_since) = (0, None),
            _ if idle < PATIENCE => {
                idle += 1;
                spin_loop();
            }
            _ if idle_since.get_or_insert_with(Instant::now).elapsed() > STAYS => return,
            _ => {
                idle = 0;
                std::thread::yield_now();
            }
        }
    }
}

struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{backward, linear, no_grad, recorded};
    use candle_core::{DType, Device, Tensor, Var};
    use rayon::prelude::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    #[test]
    fn it_is_a_call_inside_of_itself_from_many_threads_and_after_a_panic() {
        let sum = |n: u64| awake(|| awake(|| (0..n).into_par_iter().sum::<u64>()));
        assert!(catch_unwind(AssertUnwindSafe(|| awake(|| panic!("no")))).is_err());
        std::thread::scope(|threads| {
            for _ in 0..8 {
                threads.spawn(|| (0..200).for_each(|n| assert_eq!(sum(n), n * n.saturating_sub(1) / 2)));
            }
        });
        assert!(no_grad(|| awake(|| !grad_enabled())) && awake(grad_enabled));
    }

    #[test]
    fn networks_that_share_threads_do_not_see_each_other() {
        let tensor = |rows: usize| Tensor::ones((rows, 96), DType::F32, &Device::Cpu).unwrap();
        let trains = |rows: usize| {
            let weight = Var::from_tensor(&tensor(64)).unwrap();
            let loss = recorded(|| linear(&tensor(rows), &weight, None)?.sum_all()).unwrap();
            let grads = backward(&loss).unwrap();
            grads.get(&weight).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap()
        };
        let judges = || !linear(&tensor(200), &Var::from_tensor(&tensor(64)).unwrap(), None).unwrap().track_op();
        std::thread::scope(|threads| {
            for thread in 0..8 {
                threads.spawn(move || {
                    for rows in 100..200 {
                        match thread % 2 {
                            0 => assert_eq!(awake(|| trains(rows)), vec![rows as f32; 64 * 96]),
                            _ => assert!(no_grad(|| awake(judges))),
                        }
                    }
                });
            }
        });
    }

    #[test]
    fn a_thread_without_work_does_not_wait_for_an_end_that_may_wait_for_it() {
        rayon::scope(|scope| scope.spawn(|_| work_until(&AtomicBool::new(false))));
    }
}
