//! The end of a run: the summary, the files, and what is left when a run ends before its end.

use serde_json::{Value, json};

use super::machine;
use super::page::Page;
use super::run::{LAST, Outcome, Run};
use super::summary::{self, Count};
use crate::error::{Error, Result};
use crate::text::visible_json;

impl Run {
    /// Ends the run: prints the printed-versus-measured table and the targets, and writes every file of the folder.
    ///
    /// # Errors
    /// [`Error::Io`] when a file cannot be written.
    pub fn finish(mut self) -> Result<Outcome> {
        let seconds = self.begun.elapsed().as_secs_f64();
        let count = Count::of(&self.comparisons);
        let missed: Vec<String> = self.targets.iter().filter(|t| !t.met()).map(|t| t.words()).collect();
        self.say_summary(count, seconds);

        let transcript = String::from(self.record.lock().console.transcript());
        self.folder.write("transcript.txt", transcript.as_bytes())?;
        self.folder.write("history.csv", self.history.csv().as_bytes())?;
        self.write_config()?;
        let page = self.page(seconds);
        let report = self.folder.write("report.html", page.as_bytes())?;
        // Last, and naming itself.
        self.folder.claim(LAST)?;
        let metrics = self.metrics_json(seconds);
        let text = pretty(&metrics)?;
        self.folder.write(LAST, text.as_bytes())?;
        self.finished = true;

        if self.config.json {
            self.record.lock().console.print(&visible_json(text.trim_end()));
        }
        Ok(Outcome {
            folder: self.folder.path().to_path_buf(),
            report,
            good: count.good,
            worse: count.worse,
            not_judged: count.not_judged,
            missed,
            metrics,
        })
    }

    fn say_summary(&self, count: Count, seconds: f64) {
        let mut record = self.record.lock();
        record.console.end_all();
        if !self.comparisons.is_empty() {
            record.heading("Printed and measured");
            record.console.say(&summary::lines(&self.comparisons).join("\n"));
            record.console.say(&format!("\n{}", count.words()));
        }
        for target in &self.targets {
            record.console.say(&format!("target: {}", target.words()));
        }
        let report = self.folder.path().join("report.html");
        record.console.say(&format!("\n[report] {} ({})", machine::short(&report), machine::duration(seconds)));
    }

    fn page(&self, seconds: f64) -> String {
        let record = self.record.lock();
        let mut facts = vec![(String::from("date"), tallow_io::date::today())];
        facts.extend(self.facts());
        facts.push((String::from("took"), machine::duration(seconds)));
        let page = Page {
            chapter: &self.config.chapter,
            title: &self.config.title,
            quick: self.config.quick,
            facts,
            data: &self.data,
            conclusions: &self.conclusions,
            entries: &record.entries,
            sources: self.sources,
            readme: self.readme,
            root: machine::way_from(self.folder.path()),
            comparisons: &self.comparisons,
            targets: &self.targets,
            files: self.folder.files(),
            config: self.config_json(),
        };
        page.html()
    }

    /// What every reader wants to know first: the settings among the configuration that are one word.
    pub(super) fn facts(&self) -> Vec<(String, String)> {
        let known = ["seed", "device"].iter().filter_map(|&name| match self.config.config.get(name)? {
            Value::String(text) => Some((String::from(name), text.clone())),
            other => Some((String::from(name), other.to_string())),
        });
        let quick = self.config.quick.then(|| (String::from("run"), String::from("quick")));
        known.chain(quick).collect()
    }

    fn config_json(&self) -> Value {
        let mut config = json!({
            "chapter": self.config.chapter,
            "title": self.config.title,
            "quick": self.config.quick,
            "data": self.data,
        });
        if let (Value::Object(all), Value::Object(own)) = (&mut config, &self.config.config) {
            all.extend(own.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        config
    }

    pub(super) fn write_config(&mut self) -> Result<()> {
        let text = pretty(&self.config_json())?;
        self.folder.write("config.json", text.as_bytes())?;
        Ok(())
    }

    pub(super) fn metrics_json(&self, seconds: f64) -> Value {
        let targets = self.targets.iter().map(
            |target| json!({ "name": target.name, "value": target.value, "goal": target.goal, "met": target.met() }),
        );
        let mut all = json!({
            "version": 1,
            "chapter": self.config.chapter,
            "title": self.config.title,
            "quick": self.config.quick,
            "seconds": (seconds * 1000.0).round() / 1000.0,
            "peak_memory_mb": machine::peak_memory_mb(),
            "data": self.data,
            "metrics": self.metrics,
            "comparisons": self.comparisons.iter().flat_map(|comparison| comparison.json()).collect::<Vec<_>>(),
            "targets": targets.collect::<Vec<_>>(),
            "files": self.folder.files().iter().chain(&self.artifacts).collect::<Vec<_>>(),
        });
        if let Value::Object(all) = &mut all {
            all.extend(self.details.clone());
        }
        all
    }
}

impl Drop for Run {
    /// A run that fails half way keeps its words and its settings. A failure here has no caller to report to, and the
    /// failure that led here matters more.
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        let mut record = self.record.lock();
        record.console.end_all();
        let transcript = format!("{}(the run ended here, before its end)\n", record.console.transcript());
        drop(record);
        let _ = self.folder.write("transcript.txt", transcript.as_bytes());
        let _ = self.write_config();
    }
}

fn pretty(value: &Value) -> Result<String> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Error::Value(error.to_string()))?;
    Ok(text + "\n")
}
