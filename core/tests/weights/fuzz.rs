//! Files cut at every length, and files with flipped bytes: an error or a success, never a panic, and never more memory
//! than the file's size can explain.

use super::pickles::{archive, program, tensor, text};
use super::{fixture, open, safetensors_file};
use tallow::rng::Rng;

/// Opens the bytes and reads every tensor.
fn exercise(bytes: Vec<u8>) {
    let len = bytes.len();
    let Ok(weights) = open(bytes) else { return };
    for name in weights.names() {
        let count = weights.tensor(name).unwrap().elem_count();
        assert!(count <= len, "a tensor of {count} numbers from a file of {len} bytes");
    }
}

fn files() -> Vec<Vec<u8>> {
    let names = ["network.pth", "network_before_1_6.pth", "checkpoint.pth", "kinds.pth", "kinds_before_1_6.pth"];
    let mut files: Vec<Vec<u8>> = names.iter().map(|name| std::fs::read(fixture(name)).unwrap()).collect();
    files.push(safetensors_file(&[("a", &[2, 2], vec![1.0; 4]), ("b.c", &[3], vec![2.0; 3]), ("d", &[], vec![0.0])]));
    files
}

/// The largest address space that this process has had, in bytes, where the system tells.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmPeak:")).unwrap_or("0 kB");
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

#[test]
fn no_file_makes_it_panic_or_fills_the_memory() {
    let before = peak();
    let mut rng = Rng::new(1).stream("fuzz");
    for file in files() {
        (0..file.len()).for_each(|len| exercise(file[..len].to_vec()));
        for round in 0..3_000 {
            let mut damaged = file.clone();
            for _ in 0..=round % 4 {
                let at = rng.below(damaged.len());
                damaged[at] = [0, 1, 0x7f, 0x80, 0xff, rng.below(256) as u8][rng.below(6)];
            }
            exercise(damaged);
        }
    }
    // Checksums keep most damage away from the machine, so its programs are damaged before they are packed.
    let whole = program(&[
        b"}q\x00(",
        &text("w"),
        &tensor(4, 0, &[2, 2], &[2, 1]),
        &text("v"),
        &tensor(4, 1, &[3], &[1]),
        b"u",
    ]);
    for round in 0..20_000 {
        let mut damaged = whole.clone();
        for _ in 0..=round % 3 {
            let at = rng.below(damaged.len());
            damaged[at] = rng.below(256) as u8;
        }
        exercise(archive(&damaged, &[("0", &[0; 16])]));
    }
    (0..whole.len()).for_each(|len| exercise(archive(&whole[..len], &[("0", &[0; 16])])));
    // The other tests of this program run meanwhile; the largest of them takes some tens of megabytes.
    assert!(peak() - before < 1 << 30, "{} MB more", (peak() - before) >> 20);
}
