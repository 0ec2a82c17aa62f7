//! Panics, also those that are caught on their way: [`tallow::vision::Image::decode`] catches those of decoders.

use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, Once, PoisonError};

/// The newest panic, and the newest in a file of ours.
static SEEN: Mutex<[Option<String>; 2]> = Mutex::new([None, None]);
static HOOK: Once = Once::new();
static WATCHED: AtomicBool = AtomicBool::new(false);

/// Runs `work`: its result, or the panic with which it ended, or one in a file of ours that was caught on the way.
pub(crate) fn watched<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| if WATCHED.load(Relaxed) { note(panic) } else { before(panic) }));
    });
    WATCHED.store(true, Relaxed);
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    WATCHED.store(false, Relaxed);
    let [any, ours] = std::mem::take(&mut *SEEN.lock().unwrap_or_else(PoisonError::into_inner));
    match (result, ours) {
        (Ok(result), None) => Ok(result),
        (Ok(_), Some(ours)) => Err(ours),
        (Err(_), ours) => Err(ours.or(any).unwrap_or_default()),
    }
}

fn note(panic: &panic::PanicHookInfo) {
    let Some(place) = panic.location() else { return };
    let payload = panic.payload();
    let words = payload.downcast_ref::<&str>().copied();
    let words = words.or(payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("a panic");
    let is_ours = ["core/", "datasets/", "io/", "fuzz/"].iter().any(|folder| place.file().starts_with(folder));
    let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    seen[usize::from(is_ours)] = Some(format!("a panic: {words}, at {place}"));
}
