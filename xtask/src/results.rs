//! What a chapter leaves in its `metrics.json`, as far as the overview needs it. Every key may be missing: a chapter
//! that was stopped half-way should still have its card.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Results {
    pub(crate) title: String,
    pub(crate) quick: bool,
    pub(crate) data: Vec<String>,
    pub(crate) metrics: BTreeMap<String, Value>,
    pub(crate) comparisons: Vec<Comparison>,
}

/// A figure that the source document prints, beside the one that this run measured.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Comparison {
    pub(crate) what: String,
    pub(crate) printed: String,
    /// The measured figure in the printed one's format.
    pub(crate) shown: String,
    pub(crate) verdict: String,
    pub(crate) note: String,
}

/// How many of the printed figures this run reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Verdicts {
    pub(crate) better: usize,
    pub(crate) as_good: usize,
    pub(crate) worse: usize,
    pub(crate) other: usize,
}

impl Results {
    /// Reads a chapter's results: none where the file is not there, an error's text where it is not readable.
    pub(crate) fn read(path: &Path) -> Result<Option<Results>, String> {
        match std::fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| format!("metrics.json: {error}")),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("metrics.json: {error}")),
        }
    }

    pub(crate) fn verdicts(&self) -> Verdicts {
        let mut count = Verdicts::default();
        for comparison in &self.comparisons {
            match comparison.verdict.as_str() {
                "better" => count.better += 1,
                "same" | "as good" => count.as_good += 1,
                "worse" => count.worse += 1,
                _ => count.other += 1,
            }
        }
        count
    }
}

impl Verdicts {
    pub(crate) fn total(&self) -> usize {
        self.better + self.as_good + self.worse + self.other
    }
}

impl std::fmt::Display for Verdicts {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let parts =
            [(self.better, "better"), (self.as_good, "as good"), (self.worse, "worse"), (self.other, "not comparable")];
        let parts: Vec<_> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
        f.write_str(if parts.is_empty() { "-" } else { "" })?;
        f.write_str(&parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_and_unknown_keys_do_no_harm() {
        let text = r#"{"version":1,"new":[],"comparisons":[{"verdict":"better"},{"verdict":"same","printed":"1"},
            {"verdict":"as good"},{"verdict":"worse"},{"verdict":"not comparable"},{}]}"#;
        let results: Results = serde_json::from_str(text).unwrap();
        assert_eq!(results.verdicts(), Verdicts { better: 1, as_good: 2, worse: 1, other: 2 });
        assert_eq!(results.verdicts().to_string(), "1 better, 2 as good, 1 worse, 2 not comparable");
        assert_eq!(Results::default().verdicts().to_string(), "-");
    }
}
