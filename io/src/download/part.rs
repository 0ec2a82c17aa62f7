//! The unfinished file of a download.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::Path;

use super::{Cut, Failure, Observer, Progress};
use crate::error::{Error, Result};
use crate::fault;
use crate::hash::Mismatch;

/// An unfinished file, which a [`ByteSource`](super::ByteSource) appends to. The file is made with its first bytes.
pub struct Part<'a> {
    path: &'a Path,
    file: Option<File>,
    len: u64,
    bytes: u64,
    observer: &'a mut dyn Observer,
}

impl<'a> Part<'a> {
    /// What there is of a file of `bytes` bytes. More than the whole cannot be a part of it, and is dropped.
    pub(super) fn open(path: &'a Path, bytes: u64, observer: &'a mut dyn Observer) -> Result<Part<'a>> {
        let mut len = match fs::metadata(path) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == ErrorKind::NotFound => 0,
            Err(source) => return Err(Error::io("read", path)(source)),
        };
        if len > bytes {
            fs::remove_file(path).map_err(Error::io("remove", path))?;
            len = 0;
        }
        Ok(Part { path, file: None, len, bytes, observer })
    }

    /// The length of what is here: the first byte to ask for.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether nothing is here.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The length of the whole file.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Drops what stands after the first `len` bytes.
    ///
    /// # Errors
    /// [`Failure::Ours`] where the file cannot be written.
    pub fn truncate(&mut self, len: u64) -> Result<(), Cut> {
        self.file = Some(truncate(self.path, len).map_err(Failure::Ours)?);
        self.len = len;
        Ok(())
    }

    /// Reports that the source answers, from the end of the part on.
    pub fn connected(&mut self) {
        self.observer.tell(Progress::Connected { done: self.len, bytes: self.bytes });
    }

    /// Reports bytes that have arrived and are not yet appended.
    pub fn arriving(&mut self, n: u64) {
        self.observer.tell(Progress::Received { done: (self.len + n).min(self.bytes), bytes: self.bytes });
    }

    /// Appends bytes, and reports them.
    ///
    /// # Errors
    /// [`Failure::Wrong`] where they are more than are missing; nothing is kept then. [`Failure::Ours`] where the file
    /// cannot be written.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), Cut> {
        let len = self.len + bytes.len() as u64;
        if len > self.bytes {
            self.truncate(0)?;
            let (expected, got) = (format!("{} bytes", self.bytes), format!("more than {} bytes", self.bytes));
            return Err(Failure::Wrong(Mismatch { expected, got }).into());
        }
        if self.file.is_none() {
            self.truncate(self.len)?;
        }
        if let Some(file) = &mut self.file {
            let written = fault::point().and_then(|()| file.write_all(bytes)).map_err(Error::io("write", self.path));
            written.map_err(Failure::Ours)?;
        }
        self.len = len;
        self.observer.tell(Progress::Received { done: len, bytes: self.bytes });
        Ok(())
    }

    /// Makes the file durable once it is whole.
    pub(super) fn sync(&mut self) -> Result<(), Cut> {
        let whole = self.file.as_ref().filter(|_| self.len == self.bytes);
        let synced = fault::point().and_then(|()| whole.map_or(Ok(()), File::sync_all));
        Ok(synced.map_err(Error::io("write", self.path)).map_err(Failure::Ours)?)
    }
}

/// Opens a file for appending at `len`, dropping what follows.
fn truncate(path: &Path, len: u64) -> Result<File> {
    let file = fault::point().and_then(|()| OpenOptions::new().create(true).append(true).open(path));
    file.and_then(|file| file.set_len(len).map(|()| file)).map_err(Error::io("write", path))
}
