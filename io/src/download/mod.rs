//! Downloads that resume, whatever brings the bytes.
//!
//! A [`Download`] fills an unfinished file (`<name>.part`) from a [`ByteSource`], asks again while there is hope
//! ([`Retry`]), and checks length and sha256. The caller gives the finished file its name. What happens meanwhile goes
//! to an [`Observer`], which may also stop it.

mod lock;
mod observer;
mod part;
mod retry;

pub use lock::lock;
pub use observer::{Observer, Progress};
pub use part::Part;
pub use retry::{Cut, Failure, Patience, Retry};

use std::fs;
use std::path::Path;

use crate::error::Error;
use crate::hash::{self, Digest, Expected};

/// An attempt that brought this much was no failure: a long download may be cut more often than [`Patience::attempts`].
const WORTHWHILE: u64 = 1 << 20;

/// Brings the bytes of one file, over whatever protocol.
pub trait ByteSource {
    /// Brings bytes from the end of `part` on: all that are missing, or a piece of them. A source that cannot begin
    /// there truncates the part first.
    ///
    /// # Errors
    /// [`Cut`], with what the part has kept until then.
    fn bring(&mut self, part: &mut Part) -> Result<(), Cut>;
}

/// One file to be received.
#[derive(Debug, Clone, Copy)]
pub struct Download<'a> {
    /// The unfinished file.
    pub part: &'a Path,
    /// The file's length.
    pub bytes: u64,
    /// The file's sha256, where it is known.
    pub sha256: Option<&'a str>,
}

impl Download<'_> {
    /// Receives what is missing of the file, checks all of it, and gives its digest.
    ///
    /// What an earlier run left may be of another source or another version. So a download that was resumed and turns
    /// out wrong is not the source's fault yet: it is asked once more.
    ///
    /// # Errors
    /// [`Failure`]. Where the finished file is wrong nothing of it is kept, otherwise what has come so far.
    pub fn run(
        &self,
        source: &mut dyn ByteSource,
        retry: &mut Retry,
        observer: &mut dyn Observer,
    ) -> Result<Digest, Failure> {
        let mut inherited = fs::metadata(self.part).is_ok_and(|part| part.len() > 0);
        loop {
            match self.fill(source, retry, observer).and_then(|()| self.check()) {
                Err(Failure::Wrong(_)) if std::mem::take(&mut inherited) => {}
                outcome => return outcome,
            }
        }
    }

    /// Asks the source until all bytes are there.
    fn fill(&self, source: &mut dyn ByteSource, retry: &mut Retry, observer: &mut dyn Observer) -> Result<(), Failure> {
        loop {
            let mut part = Part::open(self.part, self.bytes, observer)?;
            let before = part.len();
            if before == self.bytes {
                return Ok(());
            }
            let brought = source.bring(&mut part).and_then(|()| part.sync());
            let after = part.len();
            match brought {
                Ok(()) if after > before => retry.succeeded(),
                Ok(()) => retry.failed(Cut::again("the answer was empty"), observer)?,
                Err(cut) => {
                    if after > before {
                        retry.answered();
                    }
                    if after >= before + WORTHWHILE {
                        retry.succeeded();
                    }
                    retry.failed(cut, observer)?;
                }
            }
        }
    }

    fn check(&self) -> Result<Digest, Failure> {
        let found = hash::file(self.part)?;
        match (Expected { bytes: Some(self.bytes), sha256: self.sha256 }).differs_from(&found) {
            None => Ok(found),
            Some(mismatch) => {
                fs::remove_file(self.part).map_err(Error::io("remove", self.part))?;
                Err(Failure::Wrong(mismatch))
            }
        }
    }
}
