//! Published weights: found in each place that may have them, and fetched from a server on this machine that speaks as
//! the Hugging Face Hub does, and fails in each way that real ones do.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod cache;
mod places;
#[cfg(feature = "hub")]
mod server;

#[cfg(feature = "hub")]
mod fetch;
#[cfg(feature = "hub")]
mod network;
#[cfg(feature = "hub")]
mod refuse;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tallow::event::{Event, Listener};
use tallow::models::hub::{HubConfig, HubFile, fetch};
use tallow_datasets::DataFolder;
use test_support::{payload, tree};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// A machine of its own, with nothing on it, and what was heard while fetching.
struct Machine {
    folder: tempfile::TempDir,
    config: HubConfig,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Machine {
    /// One whose Hub is at `endpoint`. It asks for pieces of a thousand bytes, and is impatient.
    fn new(endpoint: &str) -> Machine {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().as_os_str().to_owned();
        let data = DataFolder::resolve(Some(&folder.path().join("data")));
        let config = HubConfig::from_lookup(&data, |name| (name == "HOME").then(|| home.clone()));
        let config = HubConfig {
            endpoint: endpoint.into(),
            backoff: Duration::from_millis(1),
            timeout: Duration::from_secs(20),
            piece: 1000,
            ..config
        };
        Machine { folder, config, heard: Arc::default() }
    }

    /// One that must not ask anybody: the discard port of this machine, where nobody listens.
    fn offline() -> Machine {
        let machine = Machine::new("http://127.0.0.1:9");
        Machine { config: machine.config.clone().or_offline(true), ..machine }
    }

    fn listener(&self) -> Listener {
        let heard = self.heard.clone();
        Listener::new(move |event| {
            heard.lock().unwrap().push(match event {
                Event::Begin { task, total } => format!("begin {task} {total}"),
                Event::Progress { done, .. } => format!("{done}"),
                Event::End => "end".into(),
                Event::Note(note) => note.into(),
                other => format!("{other:?}"),
            });
        })
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    fn fetch(&self, file: &HubFile) -> tallow::Result<PathBuf> {
        fetch(file, &self.config, &self.listener())
    }

    /// The complaint about a file that is not there.
    #[track_caller]
    fn refusal(&self, file: &HubFile) -> String {
        let error = self.fetch(file).unwrap_err();
        assert_eq!(tallow::cli::exit_code(&error), 3, "{error}");
        error.to_string()
    }

    /// The repository's folder in the cache.
    fn repo(&self) -> PathBuf {
        self.config.cache.join("models--timm--tiny")
    }
}

fn sha256(bytes: &[u8]) -> &'static str {
    test_support::sha256(bytes).leak()
}

/// All that is known about a file with these bytes.
fn pinned(bytes: &[u8]) -> HubFile<'static> {
    let (repo, file) = ("timm/tiny", "model.safetensors");
    HubFile { repo, file, revision: Some(COMMIT), bytes: Some(bytes.len() as u64), sha256: Some(sha256(bytes)) }
}

fn write(path: impl AsRef<Path>, bytes: impl AsRef<[u8]>) {
    std::fs::create_dir_all(path.as_ref().parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}
