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
        "AVX-512" => &["avx2", "plain"],
        "plain" => &[],
        _ => &["plain"],
    };
    for level in below {
        let exe = std::env::current_exe().unwrap();
        let run =
            Command::new(exe).args(["--skip", "every_instruction_set"]).env(SIMD_VARIABLE, level).output().unwrap();
        assert!(run.status.success(), "with {SIMD_VARIABLE}={level}:\n{}", String::from_utf8_lossy(&run.stdout));
        eprintln!("{} and {level}: all tests pass", simd_level());
    }
}

#[test]
fn the_variable_caps_the_level() {
    match std::env::var(SIMD_VARIABLE).as_deref() {
        Ok("plain") => assert_eq!(simd_level(), "plain"),
        Ok("avx2") => assert_ne!(simd_level(), "AVX-512"),
        _ => assert!(["AVX-512", "AVX2", "NEON", "plain"].contains(&simd_level())),
    }
}
