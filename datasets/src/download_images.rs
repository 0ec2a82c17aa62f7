//! Photos from a list of addresses, many at a time: how a collection of one's own begins.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tallow_io::atomic;
use ureq::Agent;

use crate::error::{Error, Result};
use crate::http;
use crate::manifest::safe_url;

/// How many photos, how large, how many at a time, how patiently. fast.ai's `download_images` has the same defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DownloadImages {
    /// At most so many of the addresses are asked, the first ones.
    pub max_images: usize,
    /// The largest file that is taken, in bytes.
    pub max_bytes: u64,
    /// How many are fetched at the same time.
    pub workers: usize,
    /// How long to wait for a connection, for an answer, and for the next bytes. A photo may take a minute in all.
    pub timeout: Duration,
}

impl Default for DownloadImages {
    /// 1000 photos of at most 20 MB, eight at a time, four seconds without a sign of life.
    fn default() -> DownloadImages {
        DownloadImages { max_images: 1000, max_bytes: 20_000_000, workers: 8, timeout: Duration::from_secs(4) }
    }
}

/// What came of a list of addresses.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Downloaded {
    /// The files, in the order of the list: those that came, and those that were there.
    pub files: Vec<PathBuf>,
    /// The addresses that gave no photo, each with the reason.
    pub failed: Vec<(String, String)>,
}

/// The extensions of the formats that photos come in.
const EXTENSIONS: [&str; 5] = ["jpg", "png", "gif", "webp", "bmp"];

/// As many bytes as tell the format.
const HEAD: u64 = 12;

/// The extension of the format that these bytes begin as.
fn format(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xd8, 0xff, ..] => Some("jpg"),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("png"),
        [b'G', b'I', b'F', b'8', ..] => Some("gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("webp"),
        // The four bytes after the size are reserved, and zero.
        [b'B', b'M', _, _, _, _, 0, 0, 0, 0, ..] => Some("bmp"),
        _ => None,
    }
}

impl DownloadImages {
    /// Fetches the photos at `urls` into `folder`, as `00000000.jpg`, `00000001.png` and so on: the number is the place
    /// in the list, the extension that of what came. A number that is there already is not fetched again, so a list can
    /// be gone through twice. What is not a picture, too large or too slow is reported, and the others go on.
    ///
    /// # Errors
    /// [`Error::Io`] where the folder cannot be made or a file not be written.
    pub fn run(&self, urls: &[impl AsRef<str> + Sync], folder: &Path) -> Result<Downloaded> {
        std::fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        let urls = &urls[..urls.len().min(self.max_images)];
        let agent = self.agent();
        let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        std::thread::scope(|scope| {
            for _ in 0..self.workers.clamp(1, urls.len().max(1)) {
                scope.spawn(|| {
                    loop {
                        let i = next.fetch_add(1, Ordering::Relaxed);
                        let Some(url) = urls.get(i) else { break };
                        let result = self.one(&agent, url.as_ref().trim(), &folder.join(format!("{i:08}")));
                        results.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((i, result));
                    }
                });
            }
        });
        let mut results = results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        results.sort_by_key(|(i, _)| *i);
        let mut downloaded = Downloaded::default();
        for (i, result) in results {
            match result? {
                Ok(file) => downloaded.files.push(file),
                Err(why) => downloaded.failed.push((urls[i].as_ref().into(), why)),
            }
        }
        Ok(downloaded)
    }

    fn agent(&self) -> Agent {
        let settings =
            http::settings(self.timeout, self.timeout).timeout_global(Some(Duration::from_secs(60).max(self.timeout)));
        settings.build().new_agent()
    }

    /// One photo, to `place` with an extension; or why there is none.
    fn one(&self, agent: &Agent, url: &str, place: &Path) -> Result<Result<PathBuf, String>> {
        let there = EXTENSIONS.iter().map(|extension| place.with_extension(extension)).find(|file| file.is_file());
        if let Some(file) = there {
            return Ok(Ok(file));
        }
        match self.fetch(agent, url) {
            Err(why) => Ok(Err(why)),
            Ok((bytes, extension)) => {
                let file = place.with_extension(extension);
                atomic::write(&file, &bytes)?;
                Ok(Ok(file))
            }
        }
    }

    /// The bytes of a photo, and the extension of their format.
    fn fetch(&self, agent: &Agent, url: &str) -> Result<(Vec<u8>, &'static str), String> {
        if !safe_url(url) {
            return Err("is not an https:// address (http:// only on this machine)".into());
        }
        let response = http::get(agent, url).call().map_err(|error| error.to_string())?;
        if !response.status().is_success() {
            return Err(response.status().to_string());
        }
        let too_large = || format!("is larger than {} bytes", self.max_bytes);
        if response.body().content_length().is_some_and(|length| length > self.max_bytes) {
            return Err(too_large());
        }
        // The beginning tells whether the rest is worth its time.
        let mut bytes = Vec::new();
        let mut body = response.into_body().into_reader().take(self.max_bytes + 1);
        body.by_ref().take(HEAD).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        let extension =
            format(&bytes).ok_or("what came is not a picture that can be read (JPEG, PNG, GIF, WebP, BMP)")?;
        body.read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        if bytes.len() as u64 > self.max_bytes {
            return Err(too_large());
        }
        Ok((bytes, extension))
    }
}
