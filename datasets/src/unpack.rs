//! Opening archives that come from the network, trusting nothing that they say.
//!
//! An archive may name paths outside the folder, hold links that lead there, or unpack to more than the disk holds. So
//! each path is checked, links and devices are refused, bytes are counted as they are written, and everything goes to a
//! temporary folder first: what fails leaves nothing behind.
#![warn(clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use tallow_io::hash::Hasher;
use tallow_io::{atomic, fault};
use zip::ZipArchive;

use crate::error::{Error, Result};
use crate::layout::receipt;
use crate::manifest::{Entry, Unpack, safe_path};

/// Unpacks `archive` into `folder` as `entry` says, and leaves a record of what came, `<archive>.sha256`, which
/// verifying reads. `progress` gets the number of files so far.
///
/// # Errors
/// [`Error::UnsafeArchive`] for a path outside the folder, a link, a device, too many files, or too many bytes;
/// [`Error::Damaged`] where the archive cannot be read or lacks what `entry.provides` lists; [`Error::Io`]. Nothing is
/// left in the folder then.
pub fn unpack(archive: &Path, folder: &Path, entry: &Entry, progress: &mut dyn FnMut(u64)) -> Result<()> {
    // A run that was killed may have left one; the dataset's lock says that it is not in use.
    let temporary = folder.join(unpacking(entry));
    remove(&temporary)?;
    let mut sink = Sink { archive, entry, root: &temporary, files: BTreeMap::new(), count: 0, bytes: 0, progress };
    let result = sink.fill().and_then(|()| settle(&temporary, folder, entry, &sink.files));
    let removed = remove(&temporary);
    result.and(removed)
}

/// Where an archive's entries go, counting.
struct Sink<'a> {
    archive: &'a Path,
    entry: &'a Entry,
    root: &'a Path,
    files: BTreeMap<String, String>,
    count: u64,
    bytes: u64,
    progress: &'a mut dyn FnMut(u64),
}

impl Sink<'_> {
    fn fill(&mut self) -> Result<()> {
        fs::create_dir_all(self.root).map_err(Error::io("create", self.root))?;
        match self.entry.unpack {
            Unpack::Tgz => self.fill_from_tar()?,
            Unpack::Zip => self.fill_from_zip()?,
            Unpack::None => {}
        }
        match self.entry.provides.iter().find(|path| !self.root.join(path).exists()) {
            None => Ok(()),
            Some(path) => Err(Error::damaged(self.archive, format!("an archive that holds {path}"), "one without it")),
        }
    }

    fn fill_from_tar(&mut self) -> Result<()> {
        let file = tallow_io::read::open(self.archive).map_err(Error::io("read", self.archive))?;
        // Headers and padding come on top of the files' own bytes. The bound also keeps an endless header from filling
        // the memory.
        let limit = self.entry.unpacked_limit().saturating_add(self.entry.max_unpacked_files.saturating_mul(2_048));
        let mut archive =
            tar::Archive::new(MultiGzDecoder::new(BufReader::new(file)).take(limit.saturating_add(10_240)));
        for item in archive.entries().map_err(|error| self.damaged(error))? {
            let mut item = item.map_err(|error| self.damaged(error))?;
            let kind = item.header().entry_type();
            if kind.is_pax_global_extensions() {
                continue; // a comment, such as the commit that `git archive` notes
            }
            let name = String::from_utf8_lossy(&item.path_bytes()).into_owned();
            match kind {
                tar::EntryType::Regular | tar::EntryType::Continuous => self.file(&name, &mut item)?,
                tar::EntryType::Directory => self.folder(&name)?,
                tar::EntryType::Symlink | tar::EntryType::Link => return Err(self.refuse(&name, "is a link")),
                _ => return Err(self.refuse(&name, "is neither a file nor a folder")),
            }
        }
        Ok(())
    }

    fn fill_from_zip(&mut self) -> Result<()> {
        let file = tallow_io::read::open(self.archive).map_err(Error::io("read", self.archive))?;
        let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|error| self.damaged(error))?;
        for i in 0..archive.len() {
            let mut item = archive.by_index(i).map_err(|error| self.damaged(error))?;
            let name = item.name().map_err(|error| self.damaged(error))?.into_owned();
            // The upper bits of a Unix mode tell the kind; zero where the archive was made elsewhere.
            match item.unix_mode().unwrap_or(0) & 0o170_000 {
                0 | 0o100_000 | 0o040_000 if item.is_dir() => self.folder(&name)?,
                0 | 0o100_000 => self.file(&name, &mut item)?,
                0o120_000 => return Err(self.refuse(&name, "is a link")),
                _ => return Err(self.refuse(&name, "is neither a file nor a folder")),
            }
        }
        Ok(())
    }

    fn folder(&mut self, name: &str) -> Result<()> {
        let Some(path) = self.place(name)? else { return Ok(()) };
        let path = self.root.join(path);
        fs::create_dir_all(&path).map_err(Error::io("create", &path))
    }

    fn file(&mut self, name: &str, contents: &mut dyn Read) -> Result<()> {
        let Some(path) = self.place(name)? else { return Ok(()) };
        let target = self.root.join(&path);
        if self.files.contains_key(&slashed(&path)) || target.is_dir() {
            return Err(self.refuse(name, "is there twice"));
        }
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).map_err(Error::io("create", parent))?;
        }
        let created = fault::point().and_then(|()| File::create(&target));
        let mut file = BufWriter::new(created.map_err(Error::io("write", &target))?);
        let mut hasher = Hasher::default();
        let mut buffer = [0; 1 << 14];
        loop {
            let n = contents.read(&mut buffer).map_err(|error| self.damaged(error))?;
            if n == 0 {
                break;
            }
            self.bytes += n as u64;
            if self.bytes > self.entry.unpacked_limit() {
                let why = format!("takes the archive beyond its limit of {} bytes", self.entry.unpacked_limit());
                return Err(self.refuse(name, &why));
            }
            let bytes = buffer.get(..n).unwrap_or_default();
            hasher.update(bytes);
            let written = fault::point().and_then(|()| file.write_all(bytes));
            written.map_err(Error::io("write", &target))?;
        }
        file.flush().map_err(Error::io("write", &target))?;
        self.files.insert(slashed(&path), hasher.finish().sha256);
        (self.progress)(self.files.len() as u64);
        Ok(())
    }

    /// Where an entry goes, below the root; none for the leading folders that `strip` drops.
    fn place(&mut self, name: &str) -> Result<Option<PathBuf>> {
        self.count += 1;
        if self.count > self.entry.max_unpacked_files {
            let why = format!("takes the archive beyond its limit of {} entries", self.entry.max_unpacked_files);
            return Err(self.refuse(name, &why));
        }
        let plain = name.trim_start_matches("./");
        if plain.is_empty() || plain == "." {
            return Ok(None);
        }
        let Some(path) = safe_path(plain) else {
            return Err(self.refuse(name, "is not a plain path inside the folder"));
        };
        let path: PathBuf = path.components().skip(self.entry.strip).collect();
        if let Some(own) = own_names(self.entry).into_iter().find(|own| path.starts_with(own)) {
            return Err(self.refuse(name, &format!("would be in the place of `{}`, a file of our own", own.display())));
        }
        Ok(Some(path).filter(|path| !path.as_os_str().is_empty()))
    }

    fn refuse(&self, entry: &str, why: &str) -> Error {
        // Names come from the network and end up on a terminal.
        let entry = entry.chars().flat_map(char::escape_debug).take(200).collect();
        Error::UnsafeArchive { archive: self.archive.to_path_buf(), entry, why: why.into() }
    }

    fn damaged(&self, error: impl std::fmt::Display) -> Error {
        Error::damaged(self.archive, "a readable archive", error.to_string())
    }
}

/// Moves the files to their places, then writes the record. A dataset counts as incomplete until the archive's `.part`
/// file is gone, so being killed in between does no harm.
fn settle(temporary: &Path, folder: &Path, entry: &Entry, files: &BTreeMap<String, String>) -> Result<()> {
    // All places first: what fails leaves nothing behind.
    let record = receipt(folder, entry);
    for to in files.keys().map(|path| folder.join(path)).chain([record.clone()]) {
        let inside = to.strip_prefix(folder).unwrap_or(&to);
        if let Some(link) = tallow_io::inside::link_on_the_way(folder, inside) {
            let what = "a folder, and not a link that leads out of the dataset";
            return Err(Error::damaged(&link, what, "a link: remove it, and fetch again"));
        }
        if to.is_dir() {
            return Err(Error::damaged(&to, "a file", "a folder: remove it, and fetch again"));
        }
    }
    let mut lines = String::new();
    for (path, sha256) in files {
        let (from, to) = (temporary.join(path), folder.join(path));
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent).map_err(Error::io("create", parent))?;
        }
        fault::point().and_then(|()| fs::rename(&from, &to)).map_err(Error::io("write", &to))?;
        lines.push_str(&format!("{sha256}  {path}\n"));
    }
    Ok(atomic::write(record, lines)?)
}

/// The files that fetching an entry makes, relative to the dataset's folder.
fn own_names(entry: &Entry) -> [PathBuf; 5] {
    let beside = |ending: &str| PathBuf::from(format!("{}{ending}", entry.name));
    let [archive, part, record] = ["", ".part", ".sha256"].map(beside);
    [archive, part, record, PathBuf::from(".lock"), PathBuf::from(unpacking(entry))]
}

/// The name of the folder in which an archive is unpacked.
fn unpacking(entry: &Entry) -> String {
    format!(".{}.unpacking", entry.name.replace('/', "_"))
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(Error::io("remove", folder)(source)),
        _ => Ok(()),
    }
}

fn slashed(path: &Path) -> String {
    path.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}
