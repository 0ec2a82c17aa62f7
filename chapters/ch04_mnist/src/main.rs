//! `cargo run -p ch04_mnist`

use std::process::ExitCode;

fn main() -> ExitCode {
    tallow::cli::main(&ch04_mnist::CHAPTER, ch04_mnist::run)
}
