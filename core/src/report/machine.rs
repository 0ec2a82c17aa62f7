//! What the machine can tell about a run: its memory, and how a path and a time are best shown.

use std::path::Path;

/// The most memory that this process ever held, in megabytes, where the system tells (Linux).
pub(crate) fn peak_memory_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some((kib / 1024.0).round())
}

/// A path as a user in the current folder would type it.
pub(crate) fn short(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path).display().to_string()
}

/// The way from a folder below the current one back to it, as a page writes it: `../../`. None for other folders.
pub(crate) fn way_from(folder: &Path) -> Option<String> {
    let here = std::env::current_dir().ok()?;
    let below = std::path::absolute(folder).ok()?.strip_prefix(here).ok()?.components().count();
    Some("../".repeat(below))
}

/// A time in words: `4.2 s`, `3 min 07 s`.
pub(crate) fn duration(seconds: f64) -> String {
    if seconds < 60.0 {
        return format!("{seconds:.1} s");
    }
    let whole = seconds.round() as u64;
    format!("{} min {:02} s", whole / 60, whole % 60)
}
