//! Memory for pictures that are being decoded, which all threads share: on a machine of many cores, as many large
//! pictures at once would fill the memory though each is within its limit.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// For all pictures together, in bytes.
const TOTAL: u64 = 1 << 30;

static LEFT: Mutex<u64> = Mutex::new(TOTAL);
static FREED: Condvar = Condvar::new();

/// Memory that is held until this is dropped.
pub(super) struct Held(u64);

/// Waits until so much memory is left, and holds it. Who asks for more than there is in all waits until nobody else
/// holds any. While it is held, nothing may be waited for that other threads decode.
pub(super) fn hold(bytes: u64) -> Held {
    let bytes = bytes.min(TOTAL);
    let mut left = left();
    while *left < bytes {
        left = FREED.wait(left).unwrap_or_else(PoisonError::into_inner);
    }
    *left -= bytes;
    Held(bytes)
}

impl Drop for Held {
    fn drop(&mut self) {
        *left() += self.0;
        FREED.notify_all();
    }
}

fn left() -> MutexGuard<'static, u64> {
    LEFT.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[test]
    fn threads_never_hold_more_than_there_is() {
        let (now, most) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let (now, most) = (&now, &most);
                scope.spawn(move || {
                    for i in 0..50 {
                        let bytes = TOTAL / 5 * (1 + (thread + i) % 7);
                        let held = hold(bytes);
                        most.fetch_max(now.fetch_add(held.0, Ordering::SeqCst) + held.0, Ordering::SeqCst);
                        now.fetch_sub(held.0, Ordering::SeqCst);
                    }
                });
            }
        });
        assert!((TOTAL / 5..=TOTAL).contains(&most.load(Ordering::SeqCst)));
    }
}
