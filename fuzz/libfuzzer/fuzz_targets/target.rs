//! The targets under libFuzzer, which keeps the inputs that reach code that none reached before. `cargo xtask fuzz
//! --guided` builds this with the compiler's coverage counters, on stable Rust, and runs it; `cargo fuzz run
//! --sanitizer none --fuzz-dir fuzz/libfuzzer target` does as well.
//!
//! `TALLOW_FUZZ_TARGET` names the target, and inputs that are right go into the folder `TALLOW_FUZZ_CORPUS`.
#![no_main]

use cap::Cap;
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use std::alloc::System;
use std::path::PathBuf;
use std::sync::LazyLock;
use tallow::rng::Rng;
use tallow_fuzz::{Answer, MEMORY, TARGETS, Target, mutate};

// libFuzzer keeps its inputs and counters in the same memory, by another allocator.
#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, MEMORY);

static TARGET: LazyLock<(&'static Target, PathBuf)> = LazyLock::new(|| {
    let name = std::env::var("TALLOW_FUZZ_TARGET").unwrap_or_default();
    let target = TARGETS.iter().find(|target| target.name == name);
    let target = target.unwrap_or_else(|| panic!("TALLOW_FUZZ_TARGET is none of the targets"));
    let memory = PathBuf::from("/dev/shm");
    let folder = if memory.is_dir() { memory } else { std::env::temp_dir() };
    let folder = folder.join(format!("tallow-fuzz-guided-{name}"));
    std::fs::create_dir_all(&folder).expect("a folder for the target's files");
    let seeds = (target.seeds)(&folder);
    if let Some(corpus) = std::env::var_os("TALLOW_FUZZ_CORPUS").map(PathBuf::from) {
        for (i, seed) in seeds.iter().enumerate() {
            std::fs::write(corpus.join(format!("seed-{i}")), seed).expect("a place for the seeds");
        }
    }
    (target, folder)
});

fuzz_target!(
    init: {
        LazyLock::force(&TARGET);
    },
    |input: &[u8]| {
        if let Answer::Fault(words) = TARGET.0.answer(input, &TARGET.1) {
            panic!("{words}");
        }
    }
);

// A third by libFuzzer, which learns what inputs are compared with; the others know the format's words and structure.
fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let mut rng = Rng::new(u64::from(seed));
    let (target, old) = (TARGET.0, &data[..size]);
    let new = match rng.below(3) {
        0 => None,
        1 => Some(mutate(&[old.to_vec()], target.tokens, &mut rng)),
        _ => target.structure.and_then(|structure| structure(old, &mut rng)),
    };
    match new.filter(|new| new.len() <= max_size.min(data.len())) {
        Some(new) => {
            data[..new.len()].copy_from_slice(&new);
            new.len()
        }
        None => fuzzer_mutate(data, size, max_size),
    }
});
