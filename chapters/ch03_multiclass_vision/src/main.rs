//! `cargo run -p ch03_multiclass_vision`

use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(code) = ch03_multiclass_vision::classify_command() {
        return code;
    }
    tallow::cli::main(&ch03_multiclass_vision::CHAPTER, ch03_multiclass_vision::run)
}
