//! The targets by cargo-fuzz, which needs a nightly compiler:
//! `TALLOW_FUZZ_TARGET=jpegs cargo +nightly fuzz run --fuzz-dir fuzz/libfuzzer target -- -rss_limit_mb=512 -timeout=2`
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;
use tallow_fuzz::{Answer, TARGETS, Target};

static TARGET: LazyLock<(&'static Target, PathBuf)> = LazyLock::new(|| {
    let name = std::env::var("TALLOW_FUZZ_TARGET").unwrap_or_default();
    let target = TARGETS.iter().find(|target| target.name == name);
    let target = target.unwrap_or_else(|| panic!("TALLOW_FUZZ_TARGET is none of the targets"));
    let folder = std::env::temp_dir().join(format!("tallow-fuzz-{}", std::process::id()));
    let _ = std::fs::create_dir_all(&folder);
    (target.seeds)(&folder);
    (target, folder)
});

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    if let Answer::Fault(words) = TARGET.0.answer(input, &TARGET.1) {
        panic!("{words}");
    }
});
