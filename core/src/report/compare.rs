//! A figure that the source printed beside the figure that this run measured, and the verdict on the pair.

use serde_json::{Value, json};

/// What a measured figure must do to count as good.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Expect {
    /// Agree with the printed figure in all the digits that are printed: data and arithmetic, where no training is
    /// involved.
    Exact,
    /// Lie within this fraction of the printed figure: `Within(0.02)` is two percent either way.
    Within(f64),
    /// Be at least the printed figure: accuracies.
    AtLeast,
    /// Be at most the printed figure: losses, error rates.
    AtMost,
    /// Reach this goal from below: the printed figure is the source's, the goal is ours (other data, another network).
    AtLeastGoal(f64),
    /// Nothing: another random draw. Shown, not judged.
    Draw,
    /// Nothing: a quick run does too little for this figure to be comparable. Shown, not judged.
    Quick,
}

impl Expect {
    /// Whether the figure comes out of training, and so means nothing in a quick run.
    fn is_trained(self) -> bool {
        matches!(self, Expect::AtLeast | Expect::AtMost | Expect::AtLeastGoal(_))
    }

    /// The rule in words, as it stands in `metrics.json`.
    pub fn describe(self) -> String {
        match self {
            Expect::Exact => String::from("exact"),
            Expect::Within(fraction) => format!("within {}%", trim(fraction * 100.0)),
            Expect::AtLeast => String::from("at least"),
            Expect::AtMost => String::from("at most"),
            Expect::AtLeastGoal(goal) => format!("at least {goal}"),
            Expect::Draw => String::from("another draw"),
            Expect::Quick => String::from("quick run"),
        }
    }
}

/// What came of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The measured figure, rounded to the printed digits, is the printed one.
    Same,
    /// The measured figure beats the printed one.
    Better,
    /// The measured figure is not the printed one, and is as near or as high as was asked.
    AsGood,
    /// The measured figure is not what was asked.
    Worse,
    /// There is nothing to judge: another random draw, a quick run, or nothing measured.
    NotJudged,
}

impl Verdict {
    /// The word for the table and for `metrics.json`.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Same => "same",
            Verdict::Better => "better",
            Verdict::AsGood => "as good",
            Verdict::Worse => "worse",
            Verdict::NotJudged => "not judged",
        }
    }

    /// Whether the figure is as good as it had to be. A figure that is not judged is not.
    pub fn is_good(self) -> bool {
        matches!(self, Verdict::Same | Verdict::Better | Verdict::AsGood)
    }
}

/// One row of the printed-versus-measured table: a single figure, or a series of them such as the accuracy of each
/// epoch.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    pub(crate) what: String,
    pub(crate) section: String,
    pub(crate) series: bool,
    pub(crate) printed: Vec<String>,
    pub(crate) measured: Vec<f64>,
    pub(crate) expect: Expect,
    pub(crate) note: String,
    pub(crate) quick: bool,
}

impl Comparison {
    /// One figure: what it is, how the source prints it (`0.9168`, `1e-5`, `6,131`, `98.3%`), and what this run
    /// measured, in the same unit.
    pub fn new(what: impl Into<String>, printed: impl Into<String>, measured: f64, expect: Expect) -> Comparison {
        Comparison { series: false, ..Comparison::series(what, &[printed.into()], &[measured], expect) }
    }

    /// A series of figures. Printed figures beyond the end of `measured` are shown as not measured.
    pub fn series(
        what: impl Into<String>,
        printed: &[impl AsRef<str>],
        measured: &[f64],
        expect: Expect,
    ) -> Comparison {
        Comparison {
            what: what.into(),
            section: String::new(),
            series: true,
            printed: printed.iter().map(|p| String::from(p.as_ref())).collect(),
            measured: measured.to_vec(),
            expect,
            note: String::new(),
            quick: false,
        }
    }

    /// Adds a remark: other data, another split, why the figure differs.
    pub fn note(mut self, note: impl Into<String>) -> Comparison {
        self.note = note.into();
        self
    }

    /// The judged figures, one for each printed figure.
    pub(crate) fn judged(&self) -> Vec<Judged<'_>> {
        self.printed
            .iter()
            .enumerate()
            .map(|(i, printed)| {
                let measured = self.measured.get(i).copied();
                let verdict = match measured {
                    None => Verdict::NotJudged,
                    Some(_) if self.quick && self.expect.is_trained() => Verdict::NotJudged,
                    Some(measured) => verdict(printed, measured, self.expect),
                };
                let shown = measured.map_or_else(|| String::from("not measured"), |m| show_like(printed, m));
                Judged { printed, measured, shown, verdict }
            })
            .collect()
    }

    /// The remark, with the reason why a row is not judged in front where the reader could wonder.
    pub(crate) fn remark(&self) -> String {
        let reason = if self.printed.iter().all(|p| number(p).is_none()) && !self.printed.is_empty() {
            "the source prints no number"
        } else if matches!(self.expect, Expect::Quick) || (self.quick && self.expect.is_trained()) {
            "not comparable: a quick run"
        } else if self.expect == Expect::Draw && self.note.is_empty() {
            "another random draw"
        } else if self.measured.len() < self.printed.len() {
            "not all measured in this run"
        } else if let Expect::AtLeastGoal(goal) = self.expect {
            &format!("our goal: {goal}")
        } else {
            ""
        };
        [reason, &self.note].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ")
    }

    /// The rows of `metrics.json`: one for each figure, so that every printed figure can be looked up.
    pub(crate) fn json(&self) -> Vec<Value> {
        let count = self.printed.len();
        let rows = self.judged().into_iter().enumerate().map(|(i, row)| {
            let mut value = json!({
                "what": self.what,
                "section": self.section,
                "printed": row.printed,
                "measured": row.measured,
                "shown": row.shown,
                "expect": self.expect.describe(),
                "verdict": row.verdict.word(),
                "note": self.remark(),
            });
            if self.series {
                value["what"] = json!(format!("{} ({} of {count})", self.what, i + 1));
                value["series"] = json!(self.what);
            }
            value
        });
        rows.collect()
    }
}

/// One judged figure.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Judged<'a> {
    pub(crate) printed: &'a str,
    pub(crate) measured: Option<f64>,
    pub(crate) shown: String,
    pub(crate) verdict: Verdict,
}

/// The verdict on one pair of figures.
///
/// Where the measured figure, rounded as the printed one is, shows the same digits, the two are the same whatever was
/// asked: the source says no more than its digits.
///
/// ```
/// use tallow::report::{Expect, Verdict, verdict};
/// assert_eq!(verdict("0.9168", 0.91683, Expect::Exact), Verdict::Same);
/// assert_eq!(verdict("0.9168", 0.93, Expect::AtLeast), Verdict::Better);
/// assert_eq!(verdict("0.95", 0.931, Expect::AtLeastGoal(0.93)), Verdict::AsGood);
/// ```
pub fn verdict(printed: &str, measured: f64, expect: Expect) -> Verdict {
    let Some(value) = number(printed) else { return Verdict::NotJudged };
    let rounded = number(&show_like(printed, measured)).unwrap_or(f64::NAN);
    let same = rounded == value || (rounded.is_nan() && value.is_nan());
    let judge = |good: bool, word: Verdict| if good { word } else { Verdict::Worse };
    match expect {
        Expect::Draw | Expect::Quick => Verdict::NotJudged,
        // The goal binds even where the digits agree, unless the source itself falls short of it.
        Expect::AtLeastGoal(goal) if measured < goal && !(same && goal <= value) => Verdict::Worse,
        _ if same => Verdict::Same,
        Expect::AtLeastGoal(_) => {
            if measured > value {
                Verdict::Better
            } else {
                Verdict::AsGood
            }
        }
        Expect::Exact => Verdict::Worse,
        Expect::Within(fraction) => judge((measured - value).abs() <= fraction * value.abs(), Verdict::AsGood),
        Expect::AtLeast => judge(measured > value, Verdict::Better),
        Expect::AtMost => judge(measured < value, Verdict::Better),
    }
}

/// The number behind a printed figure, or nothing where it is not one. Thousands separators and a percent sign are
/// allowed; the percent sign is only a unit.
fn number(printed: &str) -> Option<f64> {
    let (digits, _) = split_unit(printed);
    digits.replace([',', '_'], "").parse().ok()
}

fn split_unit(printed: &str) -> (&str, &str) {
    let printed = printed.trim();
    match printed.strip_suffix('%') {
        Some(digits) => (digits.trim_end(), "%"),
        None => (printed, ""),
    }
}

/// The measured figure in the printed figure's format: as many decimals, an exponent if it has one.
pub(crate) fn show_like(printed: &str, measured: f64) -> String {
    let (digits, unit) = split_unit(printed);
    if number(printed).is_none() || !measured.is_finite() {
        return format!("{measured}");
    }
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (digits, None),
    };
    let decimals = mantissa.split_once('.').map_or(0, |(_, after)| after.len());
    let text = match exponent {
        None => format!("{measured:.decimals$}"),
        Some(exponent) => {
            let shown = format!("{measured:.decimals$e}");
            let (shown, power) = shown.split_once('e').unwrap_or((&shown, "0"));
            // Python writes at least two digits, as in 1e-05; we follow the printed figure.
            let width = exponent.trim_start_matches(['+', '-']).len();
            let (sign, power) = match power.strip_prefix('-') {
                Some(power) => ("-", power),
                None if exponent.starts_with('+') => ("+", power),
                None => ("", power),
            };
            format!("{shown}e{sign}{power:0>width$}")
        }
    };
    // What rounds to nothing has no sign.
    let negative_zero = text.starts_with('-') && !text.contains(|c: char| ('1'..='9').contains(&c));
    format!("{}{unit}", if negative_zero && exponent.is_none() { &text[1..] } else { &text })
}

/// A number without needless zeros: 2 for 2.0, and 0.5 for 0.5000000001.
fn trim(value: f64) -> String {
    let text = format!("{value:.6}");
    String::from(text.trim_end_matches('0').trim_end_matches('.'))
}
