//! Dates, and the columns that fast.ai makes of them.

use super::cells::Cells;
use super::table::Table;
use crate::error::Result;

/// A day, and the time of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Date {
    year: i64,
    month: i64,
    day: i64,
    /// Seconds since midnight.
    seconds: i64,
}

/// How dates may be written.
pub(super) const FORMS: &str =
    "2026-03-31, 2026/03/31, 31.03.2026 or 03/31/2026, with or without a time as in 14:30:00";

impl Date {
    /// Reads a date in one of the [`FORMS`]. Between slashes the month comes before the day, as in pandas.
    pub(super) fn parse(text: &str) -> Option<Date> {
        let (day, time) = text.split_once(['T', ' ']).unwrap_or((text, ""));
        let parts = |separator: char| -> Option<[&str; 3]> { day.split(separator).collect::<Vec<_>>().try_into().ok() };
        let (year, month, day) = match (parts('-').or_else(|| parts('/')), parts('.')) {
            (Some([year, month, day]), _) if year.len() == 4 => (year, month, day),
            (Some([month, day, year]), _) if year.len() == 4 && text.contains('/') => (year, month, day),
            (None, Some([day, month, year])) if year.len() == 4 => (year, month, day),
            _ => return None,
        };
        let (year, month, day) = (natural(year)?, natural(month)?, natural(day)?);
        let whole = (1..=12).contains(&month) && (1..=days_of(year, month)).contains(&day);
        whole.then_some(Date { year, month, day, seconds: seconds(time.trim())? })
    }

    /// Days since 1 January 1970.
    fn days(self) -> i64 {
        let leaps = |year: i64| year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
        let before = (self.year - 1970) * 365 + leaps(self.year - 1) - leaps(1969);
        before + self.day_of_year() - 1
    }

    /// From 1.
    fn day_of_year(self) -> i64 {
        (1..self.month).map(|month| days_of(self.year, month)).sum::<i64>() + self.day
    }

    /// From 0, a Monday.
    fn day_of_week(self) -> i64 {
        // 1 January 1970 was a Thursday.
        (self.days() + 3).rem_euclid(7)
    }

    /// The week of ISO 8601: the first is the one with the year's first Thursday.
    fn week(self) -> i64 {
        let thursday = self.day_of_year() + 3 - self.day_of_week();
        match thursday {
            ..=0 => Date { year: self.year - 1, month: 12, day: 31, ..self }.week(),
            _ if thursday > length(self.year) => 1,
            _ => (thursday - 1) / 7 + 1,
        }
    }

    /// Its parts, in the order of [`PARTS`].
    fn parts(self) -> [String; PARTS.len()] {
        let quarter = |month: i64| self.month % 3 == month % 3;
        let (first, last) = (self.day == 1, self.day == days_of(self.year, self.month));
        let flag = |is: bool| if is { "True" } else { "False" }.to_string();
        [
            self.year.to_string(),
            self.month.to_string(),
            self.week().to_string(),
            self.day.to_string(),
            self.day_of_week().to_string(),
            self.day_of_year().to_string(),
            flag(last),
            flag(first),
            flag(last && quarter(3)),
            flag(first && quarter(1)),
            flag(last && self.month == 12),
            flag(first && self.month == 1),
            (self.days() * 86_400 + self.seconds).to_string(),
        ]
    }
}

/// What a date becomes, by the names that fast.ai gives to it.
const PARTS: [&str; 13] = [
    "Year",
    "Month",
    "Week",
    "Day",
    "Dayofweek",
    "Dayofyear",
    "Is_month_end",
    "Is_month_start",
    "Is_quarter_end",
    "Is_quarter_start",
    "Is_year_end",
    "Is_year_start",
    "Elapsed",
];

/// The names of the columns that a column of dates becomes: `saleYear`, `saleMonth`, ... of `saledate`.
pub(super) fn part_names(column: &str) -> [String; PARTS.len()] {
    let prefix = column.strip_suffix("date").or_else(|| column.strip_suffix("Date")).unwrap_or(column);
    PARTS.map(|part| format!("{prefix}{part}"))
}

/// The table with columns of dates replaced by their parts. fast.ai's `add_datepart`.
///
/// # Errors
/// When a column is not there, or a cell is not a date.
pub(super) fn with_date_parts(mut table: Table, columns: &[String]) -> Result<Table> {
    for column in columns {
        let place = table.place(column)?;
        let mut parts = vec![Cells::default(); PARTS.len()];
        for row in 0..table.n_rows() {
            let date = table.cell(row, place).map(|cell| {
                Date::parse(cell)
                    .ok_or_else(|| table.error(row, place, format!("`{cell}` is not a date; expected {FORMS}")))
            });
            let texts = date.transpose()?.map(Date::parts);
            for (i, part) in parts.iter_mut().enumerate() {
                part.push(texts.as_ref().map(|texts| texts[i].as_str()));
            }
        }
        table = table.replaced(place, part_names(column).into_iter().zip(parts).collect())?;
    }
    Ok(table)
}

fn natural(text: &str) -> Option<i64> {
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

/// Seconds since midnight of a time such as `14:30`, `14:30:05` or `14:30:05.250Z`; of no time 0.
fn seconds(time: &str) -> Option<i64> {
    if time.is_empty() {
        return Some(0);
    }
    let whole = time.trim_end_matches('Z').split('.').next()?;
    let parts = whole.split(':').map(natural).collect::<Option<Vec<i64>>>()?;
    match parts[..] {
        [h @ 0..24, m @ 0..60] => Some(h * 3600 + m * 60),
        [h @ 0..24, m @ 0..60, s @ 0..=60] => Some(h * 3600 + m * 60 + s),
        _ => None,
    }
}

fn length(year: i64) -> i64 {
    if (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 { 366 } else { 365 }
}

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 => length(year) - 337,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::Date;

    #[test]
    fn parts_are_those_of_pandas() {
        // pd.Timestamp(...).isocalendar().week, .dayofweek, .dayofyear, .is_quarter_end, ..., timestamp()
        let cases = [
            ("2024-12-30", "2024 12 1 30 0 365 False False False False False False 1735516800"),
            ("2021-01-01", "2021 1 53 1 4 1 False True False True False True 1609459200"),
            ("1968-02-29T23:59:59", "1968 2 9 29 3 60 True False False False False False -57974401"),
            ("30.06.2000 14:30", "2000 6 26 30 4 182 True False True False False False 962375400"),
            ("12/31/1999", "1999 12 52 31 4 365 True False True False True False 946598400"),
        ];
        for (text, parts) in cases {
            assert_eq!(Date::parse(text).unwrap().parts().join(" "), parts, "{text}");
        }
        for bad in ["2023-02-29", "31/12/1999", "2023-13-01", "yesterday", "2023-01", "2023-01-01 25:00", "1-2-3"] {
            assert!(Date::parse(bad).is_none(), "{bad}");
        }
    }
}
