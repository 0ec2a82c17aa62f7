//! Where the files of a dataset are in its folder: whole, unfinished, or unpacked.

use std::path::{Path, PathBuf};

use crate::manifest::{Entry, Unpack};

/// Where `entry` is, if it is: the file, or the same without `.gz`, or the record of an unpacked archive, or the first
/// of the paths that an archive provides if somebody else unpacked it.
pub(crate) fn present(folder: &Path, entry: &Entry) -> Option<PathBuf> {
    let file = folder.join(&entry.name);
    match entry.unpack {
        Unpack::None if file.is_file() => Some(file),
        Unpack::None if entry.content_sha256.is_some() && entry.name.ends_with(".gz") => {
            Some(file.with_extension("")).filter(|plain| plain.is_file())
        }
        Unpack::None => None,
        Unpack::Tgz | Unpack::Zip => {
            // The archive itself is removed last: while it is here, its files are not all in place.
            let unfinished = part(folder, entry).exists();
            let mut provided = entry.provides.iter().map(|path| folder.join(path));
            (!unfinished && provided.all(|path| path.exists())).then(|| {
                let receipt = receipt(folder, entry);
                if receipt.is_file() { receipt } else { folder.join(&entry.provides[0]) }
            })
        }
    }
}

/// The name of an unfinished download.
pub(crate) fn part(folder: &Path, entry: &Entry) -> PathBuf {
    folder.join(format!("{}.part", entry.name))
}

/// The record of what an archive held: a line `<sha256>  <path>` for each file, which `sha256sum --check` reads.
pub(crate) fn receipt(folder: &Path, entry: &Entry) -> PathBuf {
    folder.join(format!("{}.sha256", entry.name.replace('/', "_")))
}
