//! `cargo run -p ch02_fastai_lessons`

use std::process::ExitCode;

fn main() -> ExitCode {
    ch02_fastai_lessons::main()
}
