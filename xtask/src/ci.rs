//! `cargo xtask ci`: what the continuous integration runs, on this machine.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;

use crate::{cargo, root};

const STEPS: [&[&str]; 3] = [
    &["fmt", "--all", "--check"],
    &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"],
    &["test", "--workspace"],
];

pub(crate) fn run() -> anyhow::Result<ExitCode> {
    for step in STEPS {
        let name = format!("cargo {}", step.join(" "));
        eprintln!("==> {name}");
        let start = Instant::now();
        let status = cargo().args(step).current_dir(root()).status().with_context(|| format!("cannot start {name}"))?;
        let verdict = if status.success() { "ok" } else { "FAILED" };
        println!("{verdict:<6} {:>6.1} s  {name}", start.elapsed().as_secs_f64());
        if !status.success() {
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}
