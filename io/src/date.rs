//! The date in words.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The date of today, UTC: `6 August 2026`.
pub fn today() -> String {
    of(SystemTime::now())
}

/// The date of a time, UTC: `6 August 2026`. Times before 1970 are shown as its first day.
pub fn of(time: SystemTime) -> String {
    words(time.duration_since(UNIX_EPOCH).unwrap_or_default())
}

/// The date so long after 1970 began, by the civil-from-days rule: years begin in March, so that the leap day is last.
fn words(since_1970: Duration) -> String {
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
    format!("{day} {} {year}", MONTHS.get(month as usize).copied().unwrap_or_default())
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
            assert_eq!(words(Duration::from_secs(seconds)), expected);
        }
    }
}
