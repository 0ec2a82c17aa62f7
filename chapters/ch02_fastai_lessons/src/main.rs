//! `cargo run -p ch02_fastai_lessons`

use std::process::ExitCode;

fn main() -> ExitCode {
    tallow::cli::main(&ch02_fastai_lessons::CHAPTER, ch02_fastai_lessons::run)
}
