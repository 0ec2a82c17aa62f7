//! `cargo run -p ch01_transfer_learning`

use std::process::ExitCode;

fn main() -> ExitCode {
    tallow::cli::main(&ch01_transfer_learning::CHAPTER, ch01_transfer_learning::run)
}
