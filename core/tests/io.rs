//! A target that cannot be written is an I/O error that names it, whatever was to be written there.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod common;

use common::training::learner;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tallow::models::weights;
use tallow::plot::{Figure, Plot};
use tallow::report::{Run, RunConfig};
use tallow::train::export::{Exported, export};
use tallow::train::{Checkpoints, CsvLogger};
use tallow::vision::Image;
use tallow::{Error, Result};

/// Writes something below a folder.
type Writer = fn(&Path) -> Result<()>;

/// Every kind of file that the library writes.
fn writers() -> Vec<(&'static str, Writer)> {
    vec![
        ("plot", |folder| Figure::from(Plot::new("")).save(folder.join("figure.png"))),
        ("image", |folder| Image::new(1, 1, vec![0; 3])?.save(folder.join("image.png"))),
        ("report", |folder| Run::create(RunConfig { out: folder.join("out"), ..RunConfig::default() }).map(drop)),
        ("checkpoint", |folder| {
            let file = folder.join("checkpoint.safetensors");
            let checkpoints = Checkpoints { file, every: Duration::ZERO, resume: false };
            learner(1, 0).checkpoints(checkpoints).fit(1, 0.01)
        }),
        ("history", |folder| learner(1, 0).callback(CsvLogger::new(folder.join("history.csv"))).fit(1, 0.01)),
        ("weights", |folder| weights::save(learner(1, 0).params(), folder.join("model.safetensors"), &BTreeMap::new())),
        ("export", |folder| {
            let weights = learner(1, 0).params().state_dict()?;
            let (kind, recipe, vocab) = ("image_classifier".into(), json!({}), vec!["ant".into()]);
            export(folder.join("model"), &Exported { kind, recipe, vocab, metrics: BTreeMap::new(), weights })
        }),
    ]
}

#[test]
fn a_file_where_a_folder_should_be_is_an_io_error_that_names_it() {
    let place = tempfile::tempdir().unwrap();
    let file: PathBuf = place.path().join("file");
    std::fs::write(&file, "kept").unwrap();
    for (what, write) in writers() {
        let error = write(&file).unwrap_err();
        assert!(matches!(&error, Error::Io { path, .. } if path.starts_with(&file)), "{what}: {error:?}");
        assert!(error.to_string().contains(&file.display().to_string()), "{what}: {error}");
        assert_eq!(tallow::cli::exit_code(&error), 1, "{what}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "kept");
    }
}

/// On a disk without room, bytes are refused while they are written. The error of the package that writes them arrives
/// as it is.
#[test]
fn a_full_disk_is_an_io_error_that_names_the_file() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("a.bin");
    let full = || std::io::Error::from(std::io::ErrorKind::StorageFull);
    let error = Error::from(tallow_io::atomic::write_with(&file, |_| Err(full())).unwrap_err());
    assert!(matches!(&error, Error::Io { path, source } if *path == file && source.kind() == full().kind()));
    assert!(!file.exists());
}
