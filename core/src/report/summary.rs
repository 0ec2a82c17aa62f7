//! The printed-versus-measured table as rows of words, for the terminal and for the page.

use super::compare::{Comparison, Verdict};
use super::table::Table;

/// How many figures came out how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) good: usize,
    pub(crate) worse: usize,
    pub(crate) not_judged: usize,
}

impl Count {
    fn add(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::NotJudged => self.not_judged += 1,
            Verdict::Worse => self.worse += 1,
            _ => self.good += 1,
        }
    }

    pub(crate) fn of(comparisons: &[Comparison]) -> Count {
        let mut count = Count::default();
        comparisons.iter().flat_map(Comparison::judged).for_each(|figure| count.add(figure.verdict));
        count
    }

    fn judged(self) -> usize {
        self.good + self.worse
    }

    /// The count in words: `31 of 33 figures as good as printed, 9 not judged`.
    pub(crate) fn words(self) -> String {
        let judged = self.judged();
        let mut words = match judged {
            0 => String::from("no figures judged"),
            1 => format!("{} of 1 figure as good as printed", self.good),
            _ => format!("{} of {judged} figures as good as printed", self.good),
        };
        if self.not_judged > 0 {
            words.push_str(&format!(", {} not judged", self.not_judged));
        }
        words
    }
}

/// How a row looks: all good, some good, none good, not judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Good,
    Mixed,
    Bad,
    Neutral,
}

/// One comparison in words; a series is one row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) section: String,
    pub(crate) what: String,
    pub(crate) printed: String,
    pub(crate) shown: String,
    pub(crate) verdict: String,
    pub(crate) mood: Mood,
    pub(crate) note: String,
    /// The figures of a series one by one: printed, measured, verdict.
    pub(crate) details: Vec<[String; 3]>,
}

impl Row {
    pub(crate) fn new(comparison: &Comparison) -> Row {
        let figures = comparison.judged();
        let mut count = Count::default();
        figures.iter().for_each(|figure| count.add(figure.verdict));
        let mood = match (count.good, count.worse) {
            (0, 0) => Mood::Neutral,
            (_, 0) => Mood::Good,
            (0, _) => Mood::Bad,
            _ => Mood::Mixed,
        };
        let verdict = match figures.as_slice() {
            [one] => String::from(one.verdict.word()),
            _ if count.judged() == 0 => String::from(Verdict::NotJudged.word()),
            _ => format!("{} as good of {}", count.good, count.judged()),
        };
        let details = figures.iter().map(|f| [f.printed.to_string(), f.shown.clone(), f.verdict.word().to_string()]);
        let measured = figures.iter().filter(|figure| figure.measured.is_some()).map(|figure| figure.shown.as_str());
        Row {
            section: comparison.section.clone(),
            what: comparison.what.clone(),
            printed: ends(figures.iter().map(|figure| figure.printed)),
            shown: ends(measured),
            verdict,
            mood,
            note: comparison.remark(),
            details: if figures.len() > 1 { details.collect() } else { Vec::new() },
        }
    }
}

/// First and last of a series.
fn ends<'a>(figures: impl Iterator<Item = &'a str>) -> String {
    let figures: Vec<&str> = figures.collect();
    match figures.as_slice() {
        [] => String::from("–"),
        [one] => String::from(*one),
        [first, .., last] => format!("{first} … {last}"),
    }
}

/// The table for the terminal. Remarks stand below their rows, so that the lines stay short.
pub(crate) fn lines(comparisons: &[Comparison]) -> Vec<String> {
    let rows: Vec<Row> = comparisons.iter().map(Row::new).collect();
    let cells = |row: &Row| vec![row.what.clone(), row.printed.clone(), row.shown.clone(), row.verdict.clone()];
    let cells: Vec<Vec<String>> = rows.iter().map(cells).collect();
    let mut table = Table::new(&["what", "printed", "measured", "verdict"], &cells).lines().into_iter();
    let mut lines: Vec<String> = table.by_ref().take(2).collect();
    for (line, row) in table.zip(&rows) {
        lines.push(line);
        if !row.note.is_empty() {
            lines.push(format!("    ({})", row.note));
        }
    }
    lines
}

/// A figure that a run set out to reach.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) value: f64,
    pub(crate) goal: f64,
}

/// Four decimals at most, without zeros at the end.
fn rounded(value: f64) -> String {
    format!("{}", (value * 1e4).round() / 1e4)
}

impl Target {
    /// Whether the figure is there. One that is not a number never is.
    pub(crate) fn met(&self) -> bool {
        self.value >= self.goal
    }

    /// The target in words: `accuracy: 0.9512, goal 0.95: reached`.
    pub(crate) fn words(&self) -> String {
        let outcome = if self.met() { "reached" } else { "missed" };
        format!("{}: {}, goal {}: {outcome}", self.name, rounded(self.value), self.goal)
    }
}
