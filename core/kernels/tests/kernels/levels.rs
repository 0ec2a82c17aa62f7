//! All of these tests again with every instruction set that this machine has: each in a process of its own, since the
//! choice is made once.

use std::process::Command;
use tallow_kernels::{SIMD_VARIABLE, simd_level};

#[test]
fn every_instruction_set_passes() {
    if std::env::var_os(SIMD_VARIABLE).is_some() {
        return;
    }
    let below: &[&str] = match simd_level() {
        "AVX-512 with BF16 and AMX" => &["avx512-bf16", "avx512", "avx2", "plain"],
        "AVX-512 with BF16" => &["avx512", "avx2", "plain"],
        "AVX-512" => &["avx2", "plain"],
        "plain" => &[],
        _ => &["plain"],
    };
    for level in below {
        let run = this_program().args(["--skip", "every_instruction_set"]).env(SIMD_VARIABLE, level).output().unwrap();
        assert!(run.status.success(), "with {SIMD_VARIABLE}={level}:\n{}", String::from_utf8_lossy(&run.stdout));
        eprintln!("{} and {level}: all tests pass", simd_level());
    }
}

/// This program again: under the emulator that cargo was given to run it, if there was one.
fn this_program() -> Command {
    let exe = std::env::current_exe().unwrap();
    let target = format!("CARGO_TARGET_{}_", std::env::consts::ARCH.to_uppercase());
    let runner = std::env::vars().find(|(name, _)| name.starts_with(&target) && name.ends_with("_RUNNER"));
    let Some((_, runner)) = runner else { return Command::new(exe) };
    let mut words = runner.split_whitespace();
    let mut command = Command::new(words.next().unwrap());
    command.args(words).arg(exe);
    command
}

#[test]
fn the_variable_caps_the_level() {
    match std::env::var(SIMD_VARIABLE).as_deref() {
        Ok("plain") => assert_eq!(simd_level(), "plain"),
        Ok("avx2") => assert!(!simd_level().starts_with("AVX-512")),
        Ok("avx512") => assert!(!simd_level().contains("BF16")),
        Ok("avx512-bf16") => assert!(!simd_level().contains("AMX")),
        _ => {
            let x86 = ["AVX-512 with BF16 and AMX", "AVX-512 with BF16", "AVX-512", "AVX2"];
            assert!(x86.contains(&simd_level()) || ["NEON", "plain"].contains(&simd_level()));
        }
    }
}
