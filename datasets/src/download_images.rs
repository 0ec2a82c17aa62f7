//! Photos from a list of addresses, many at a time: how a collection of one's own begins.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ureq::Agent;

use crate::atomic;
use crate::error::{Error, Result};
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
    /// How long a photo may take in all.
    pub timeout: Duration,
}

impl Default for DownloadImages {
    /// 1000 photos of at most 20 MB, eight at a time, four seconds each.
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

/// The beginnings of the formats that photos come in, and their usual extensions.
const FORMATS: [(&[u8], &str); 5] =
    [(b"\xff\xd8\xff", "jpg"), (b"\x89PNG\r\n\x1a\n", "png"), (b"GIF8", "gif"), (b"RIFF", "webp"), (b"BM", "bmp")];

impl DownloadImages {
    /// Fetches the photos at `urls` into `folder`, as `00000000.jpg`, `00000001.png` and so on: the number is the place in
    /// the list, the extension that of what came. A number that is there already is not fetched again, so a list can be gone
    /// through twice. What is no picture, too large or too slow is told, and the others go on.
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
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .user_agent(concat!("tallow/", env!("CARGO_PKG_VERSION")))
            .timeout_global(Some(self.timeout));
        config.build().new_agent()
    }

    /// One photo, to `place` with an extension; or why there is none.
    fn one(&self, agent: &Agent, url: &str, place: &Path) -> Result<Result<PathBuf, String>> {
        let there = FORMATS.iter().map(|(_, extension)| place.with_extension(extension)).find(|file| file.is_file());
        if let Some(file) = there {
            return Ok(Ok(file));
        }
        match self.fetch(agent, url) {
            Err(why) => Ok(Err(why)),
            Ok(bytes) => match FORMATS.iter().find(|(start, _)| bytes.starts_with(start)) {
                None => Ok(Err("what came is no picture that can be read (JPEG, PNG, GIF, WebP, BMP)".into())),
                Some((_, extension)) => {
                    let file = place.with_extension(extension);
                    atomic::write(&file, &bytes)?;
                    Ok(Ok(file))
                }
            },
        }
    }

    fn fetch(&self, agent: &Agent, url: &str) -> Result<Vec<u8>, String> {
        if !safe_url(url) {
            return Err("is no https:// address (http:// only on this machine)".into());
        }
        let mut request = agent.get(url).config().https_only(url.starts_with("https://"));
        if !url.starts_with("https://") {
            // Plain http is for this machine only, and a proxy is not on the way there.
            request = request.proxy(None);
        }
        let response = request.build().call().map_err(|error| error.to_string())?;
        if !response.status().is_success() {
            return Err(response.status().to_string());
        }
        let mut bytes = Vec::new();
        let mut body = response.into_body().into_reader().take(self.max_bytes + 1);
        body.read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        if bytes.len() as u64 > self.max_bytes {
            return Err(format!("is larger than {} bytes", self.max_bytes));
        }
        Ok(bytes)
    }
}
