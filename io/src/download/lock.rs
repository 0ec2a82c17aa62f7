//! Taking turns with other processes.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

use super::retry::pause;
use super::{Failure, Observer, Progress};
use crate::error::Error;

/// How often a lock that another process holds is tried again.
const INTERVAL: Duration = Duration::from_millis(100);

/// Takes the lock at `path`, waiting for another process if need be; it is released when the file is dropped. `None`
/// where the file system has no locks, as some network file systems: a download must still be possible there. The empty
/// file stays: removing it would let a third process lock a new one while a second still waits for the old.
///
/// # Errors
/// [`Failure::Ours`] where the file cannot be made, [`Failure::Interrupted`].
pub fn lock(path: &Path, observer: &mut dyn Observer) -> Result<Option<File>, Failure> {
    // A pipe would be waited for, and through a link a file elsewhere would be made.
    if std::fs::symlink_metadata(path).is_ok_and(|found| !found.is_file()) {
        let what = "a lock is a regular file, and there is something else: remove it";
        return Err(Error::io("write", path)(std::io::Error::other(what)).into());
    }
    let file = File::options().create(true).append(true).open(path).map_err(Error::io("write", path))?;
    let mut has_told = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::Error(_)) => return Ok(None),
            Err(TryLockError::WouldBlock) => {}
        }
        if !std::mem::replace(&mut has_told, true) {
            observer.tell(Progress::Waiting);
        }
        pause(INTERVAL, observer)?;
    }
}
