//! What the machine can tell about a run: its memory, the date, and how a path is best shown.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

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

/// The date of today in words, UTC: `6 August 2026`.
pub(crate) fn today() -> String {
    date(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

/// The date so long after 1970 began, by the civil-from-days rule: years begin in March, so that the leap day is last.
fn date(since_1970: Duration) -> String {
    const MONTHS: [&str; 12] = [
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
        "January",
        "February",
    ];
    let days = since_1970.as_secs() / 86_400 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let year = era * 400 + year_of_era + u64::from(month >= 10);
    format!("{day} {} {year}", MONTHS[month as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_right_around_leap_days_and_centuries() {
        // for s in [0, 951782399, 951782400, 951868800, 1709164800, 1785974400, 4107542400]:
        //     print(datetime.fromtimestamp(s, UTC).strftime("%-d %B %Y"))
        for (seconds, expected) in [
            (0, "1 January 1970"),
            (951_782_399, "28 February 2000"),
            (951_782_400, "29 February 2000"),
            (951_868_800, "1 March 2000"),
            (1_709_164_800, "29 February 2024"),
            (1_785_974_400, "6 August 2026"),
            (4_107_542_400, "1 March 2100"),
        ] {
            assert_eq!(date(Duration::from_secs(seconds)), expected);
        }
    }
}
