//! A few hundred inputs for each target, the same each time. `cargo xtask fuzz` has time for more.
#![allow(clippy::unwrap_used, missing_docs)]

use cap::Cap;
use std::alloc::System;
use std::time::{Duration, Instant};
use tallow_fuzz::{MEMORY, Pool, TARGETS, scratch};

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, MEMORY);

/// Inputs for each target, fewer where its time is over before.
const INPUTS: u64 = 2_000;
const TIME: Duration = Duration::from_secs(2);

/// `cargo xtask fuzz` names the targets before any is built.
#[test]
fn xtask_knows_each_target() {
    let list = include_str!("../../xtask/src/fuzz/coverage.rs");
    let (_, list) = list.split_once("READERS").unwrap();
    let (list, _) = list.split_once("];").unwrap();
    let names = list.split('"').skip(1).step_by(2).filter(|word| !word.contains('/')).collect::<Vec<_>>();
    assert_eq!(names, TARGETS.iter().map(|target| target.name).collect::<Vec<_>>());
}

#[test]
fn no_input_is_a_fault() {
    let mut faults = Vec::new();
    for target in TARGETS {
        let folder = scratch().unwrap();
        let mut pool = Pool::new(target, folder.path(), 1);
        let begin = Instant::now();
        while pool.n_inputs() < INPUTS && (begin.elapsed() < TIME || pool.n_inputs() < 100) {
            let input = pool.next_input();
            if let Some(fault) = pool.give(&input) {
                let shown = String::from_utf8_lossy(&input[..input.len().min(200)]).into_owned();
                faults.push(format!("{}, input {}: {fault}: {shown:?}", target.name, pool.n_inputs() - 1));
            }
        }
        eprintln!("{}: {} inputs, {} answers, {:.1?}", target.name, pool.n_inputs(), pool.n_answers(), begin.elapsed());
        if pool.n_answers() < 2 {
            faults.push(format!("{}: all inputs were answered alike", target.name));
        }
    }
    assert!(faults.is_empty(), "{} faults: {:#?}", faults.len(), &faults[..faults.len().min(10)]);
}
