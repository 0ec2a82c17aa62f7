//! What a chapter talks to: it says and shows, and the run prints, keeps and in the end writes it all.

use std::io::Write;
use std::panic::Location;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::code::Source;
use super::compare::{Comparison, Expect};
use super::console::Console;
use super::folder::Folder;
use super::history::History;
use super::machine;
use super::passage::Passage;
use super::record::{At, Block, Drawing, Record, Shared};
use super::summary::Target;
use super::table::Table;
use crate::error::{Error, Result};
use crate::event::{Interrupter, Listener};
use crate::plot::{Explorer, Figure};

/// Above this size an SVG weighs the page down, and the figure goes in as PNG.
const LARGEST_SVG: usize = 200_000;

/// The same for an SVG that has more to say than its PNG: a text for each dot.
const LARGEST_SPEAKING_SVG: usize = 1_000_000;

/// The file that a run writes last: who finds it finds a whole run.
pub(super) const LAST: &str = "metrics.json";

/// What a run is asked to do.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunConfig {
    /// The chapter's name, as in `ch04_mnist`.
    pub chapter: String,
    /// The title of the page.
    pub title: String,
    /// The folder to write to.
    pub out: PathBuf,
    /// A short run, on little data: what training measures is not comparable with the source.
    pub quick: bool,
    /// Print one JSON object instead of the transcript.
    pub json: bool,
    /// Print nothing.
    pub quiet: bool,
    /// What else determines the run: seed, device, versions. An object; it becomes `config.json`.
    pub config: Value,
}

/// A run of a chapter.
///
/// A run that is dropped before [`Run::finish`] leaves `config.json` and `transcript.txt`, and no report.
pub struct Run {
    pub(super) config: RunConfig,
    pub(super) folder: Folder,
    pub(super) record: Shared,
    pub(super) comparisons: Vec<Comparison>,
    pub(super) metrics: Map<String, Value>,
    /// What stands beside the metrics in `metrics.json`.
    pub(super) details: Map<String, Value>,
    pub(super) history: History,
    pub(super) data: Vec<String>,
    pub(super) conclusions: Vec<String>,
    pub(super) targets: Vec<Target>,
    pub(super) artifacts: Vec<String>,
    pub(super) begun: Instant,
    pub(super) finished: bool,
    pub(super) sources: &'static [Source],
    pub(super) readme: &'static str,
    interrupter: Interrupter,
}

/// What a finished run leaves behind.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The folder.
    pub folder: PathBuf,
    /// The page.
    pub report: PathBuf,
    /// Printed figures that were matched or beaten.
    pub good: usize,
    /// Printed figures that were not reached.
    pub worse: usize,
    /// Printed figures that were not judged.
    pub not_judged: usize,
    /// The targets that were missed, in words.
    pub missed: Vec<String>,
    /// The contents of `metrics.json`.
    pub metrics: Value,
}

impl Run {
    /// Begins a run: makes its folder, clears away what an earlier run left there, and prints the title. Results go to
    /// stdout.
    ///
    /// # Errors
    /// [`Error::Io`], naming the folder, where it cannot be made or written.
    pub fn create(config: RunConfig) -> Result<Run> {
        Run::create_with(config, Box::new(std::io::stdout()))
    }

    /// As [`Run::create`], with results going to `out`.
    ///
    /// # Errors
    /// As [`Run::create`].
    pub fn create_with(config: RunConfig, out: Box<dyn Write + Send>) -> Result<Run> {
        let mut folder = Folder::create(&config.out)?;
        let transcript = std::fs::File::create(folder.claim("transcript.txt")?).map_err(Error::io(&config.out))?;
        let console = Console::new(out, config.quiet || config.json, config.quiet, Some(transcript));
        let mut run = Run {
            folder,
            record: Shared::new(Record::new(console)),
            comparisons: Vec::new(),
            metrics: Map::new(),
            details: Map::new(),
            history: History::default(),
            data: Vec::new(),
            conclusions: Vec::new(),
            targets: Vec::new(),
            artifacts: Vec::new(),
            begun: Instant::now(),
            finished: false,
            sources: &[],
            readme: "",
            interrupter: Interrupter::default(),
            config,
        };
        run.write_config()?;
        let title = &run.config.title;
        let facts = run.facts().into_iter().map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>();
        let underline = "═".repeat(title.chars().count());
        run.record.lock().console.say(&format!("{title}\n{underline}\n{}", facts.join(", ")));
        Ok(run)
    }

    /// Work that reports to this run stops when `interrupter` says so.
    #[must_use]
    pub fn interrupter(mut self, interrupter: &Interrupter) -> Run {
        self.interrupter = interrupter.clone();
        self
    }

    /// Puts the code of these source files on the page, each statement before what it reported.
    #[must_use]
    pub fn sources(mut self, sources: &'static [Source]) -> Run {
        self.sources = sources;
        self
    }

    /// Puts on the page what a README has from its heading "Coming from ..." on: a table for readers of other
    /// libraries, exercises, a questionnaire with folded answers.
    #[must_use]
    pub fn readme(mut self, readme: &'static str) -> Run {
        self.readme = readme;
        self
    }

    /// The folder of the run.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Whether this is a quick run.
    pub fn quick(&self) -> bool {
        self.config.quick
    }

    /// Begins a section: a heading on the terminal and on the page, and an entry in the page's table of contents. The
    /// section is numbered, unless its title begins with a number of its own.
    #[track_caller]
    pub fn section(&mut self, title: impl AsRef<str>) {
        self.record.lock().begin_section(Location::caller(), title.as_ref());
    }

    /// Prose in Markdown, on the page only. It may be indented as the code around it is; HTML in it is text.
    #[track_caller]
    pub fn text(&mut self, prose: impl AsRef<str>) {
        self.record.lock().push(Some(Location::caller()), Block::Text(String::from(prose.as_ref())));
    }

    /// A curve with sliders, on the page only; without JavaScript the page shows the curve as it begins.
    #[track_caller]
    pub fn explorer(&mut self, caption: impl AsRef<str>, explorer: &Explorer) {
        let (caption, html) = (String::from(caption.as_ref()), explorer.html());
        self.record.lock().push(Some(Location::caller()), Block::Explorer { caption, html });
    }

    /// A result: printed, and on the page in fixed width. Results that follow one another share a block.
    #[track_caller]
    pub fn say(&mut self, result: impl AsRef<str>) {
        self.record.lock().say(Some(Location::caller()), result.as_ref());
    }

    /// A figure: written to `plots/` as PNG and SVG, and put on the page. `name` is a file name without an ending; a
    /// second figure of one name gets a number.
    ///
    /// # Errors
    /// [`Error::Config`] where the name is not a plain file name, and what drawing or writing the figure fails with.
    #[track_caller]
    pub fn figure(&mut self, name: &str, caption: impl AsRef<str>, figure: &Figure) -> Result<()> {
        check_plain(name, "a figure")?;
        let taken = |name: &str| self.folder.files().contains(&format!("plots/{name}.png"));
        let numbered = (2..).map(|i| format!("{name}_{i}"));
        let name = [String::from(name)].into_iter().chain(numbered).find(|name| !taken(name)).unwrap_or_default();

        let (svg, png) = (figure.svg()?, figure.png()?);
        self.folder.write(&format!("plots/{name}.svg"), svg.as_bytes())?;
        let path = self.folder.write(&format!("plots/{name}.png"), &png)?;
        let largest = if svg.contains("<title>") { LARGEST_SPEAKING_SVG } else { LARGEST_SVG };
        let drawing = if svg.len() <= largest { Drawing::Svg(svg) } else { Drawing::Png(png) };
        let caption = String::from(caption.as_ref());
        let mut record = self.record.lock();
        record.console.say(&format!("[plot] {}", machine::short(&path)));
        record.push(Some(Location::caller()), Block::Figure { name, caption, drawing, size: figure.size() });
        Ok(())
    }

    /// A figure that the source prints beside the one that this run measured, in the same unit: one row of the
    /// printed-versus-measured table.
    #[track_caller]
    pub fn compare(&mut self, what: impl Into<String>, printed: &str, measured: f64, expect: Expect) {
        self.add(Comparison::new(what, printed, measured, expect));
    }

    /// As [`Run::compare`], with a remark: other data, another split, why the figure differs.
    #[track_caller]
    pub fn compare_with_note(
        &mut self,
        what: impl Into<String>,
        printed: &str,
        measured: f64,
        expect: Expect,
        note: impl Into<String>,
    ) {
        self.add(Comparison::new(what, printed, measured, expect).note(note));
    }

    /// A series that the source prints, such as the accuracy of each epoch, beside ours: one row on the page, one entry
    /// for each figure in `metrics.json`.
    #[track_caller]
    pub fn compare_series(
        &mut self,
        what: impl Into<String>,
        printed: &[impl AsRef<str>],
        measured: &[f64],
        expect: Expect,
    ) {
        self.add(Comparison::series(what, printed, measured, expect));
    }

    /// Adds a comparison that was built by hand.
    #[track_caller]
    pub fn add(&mut self, comparison: Comparison) {
        let section = self.mark(Location::caller());
        self.comparisons.push(Comparison { section, quick: self.config.quick, ..comparison });
    }

    /// A number for `metrics.json`. One that is not finite becomes `null`: JSON knows no other numbers.
    #[track_caller]
    pub fn metric(&mut self, name: impl Into<String>, value: f64) {
        self.mark(Location::caller());
        self.metrics.insert(name.into(), json!(value));
    }

    /// What is not a number, for `metrics.json`: a table, the names of classes, counts. It stands there beside
    /// `metrics`, under a name of its own.
    ///
    /// # Errors
    /// [`Error::Config`] where the name is one that `metrics.json` has already, or the value is nothing that JSON can
    /// hold.
    pub fn detail(&mut self, name: &str, value: impl Serialize) -> Result<()> {
        if self.metrics_json(0.0).get(name).is_some() {
            return Err(Error::config("name", format!("`metrics.json` has a `{name}` already: take another name")));
        }
        self.details.insert(String::from(name), json_value(name, value)?);
        Ok(())
    }

    /// Settings that shaped the run, such as the arguments of a program: the fields of a struct become entries of
    /// `config.json`, beside those that the run began with.
    ///
    /// # Errors
    /// [`Error::Config`] where `settings` is not a struct or map that JSON can hold; [`Error::Io`] where the file
    /// cannot be written.
    pub fn settings(&mut self, settings: impl Serialize) -> Result<()> {
        let Value::Object(settings) = json_value("settings", settings)? else {
            return Err(Error::config("settings", "settings have names: expected a struct or a map"));
        };
        if !self.config.config.is_object() {
            self.config.config = json!({});
        }
        if let Value::Object(own) = &mut self.config.config {
            for (name, value) in settings {
                own.entry(name).or_insert(value);
            }
        }
        self.write_config()
    }

    /// A file of the run, by its name inside of the folder: written whole or not at all, listed in `metrics.json`, and
    /// cleared away by the next run.
    ///
    /// # Errors
    /// [`Error::Config`] where the name is not a plain file name, [`Error::Io`] where the file cannot be written.
    pub fn file(&mut self, name: &str, contents: impl AsRef<[u8]>) -> Result<PathBuf> {
        check_plain(name, "a file")?;
        let path = self.folder.write(name, contents.as_ref())?;
        self.record.lock().console.say(&format!("[file] {}", machine::short(&path)));
        Ok(path)
    }

    /// A target that this run set out to reach: `value` must be at least `goal`. Those that it missed are in its
    /// [`Outcome`].
    #[track_caller]
    pub fn target(&mut self, name: impl Into<String>, value: f64, goal: f64) {
        self.mark(Location::caller());
        self.targets.push(Target { name: name.into(), value, goal });
    }

    /// What a fit recorded, for `history.csv`. Leave times out: two runs with one seed write the same bytes.
    ///
    /// # Errors
    /// [`Error::Shape`] where a row is not as long as `columns`.
    #[track_caller]
    pub fn history(&mut self, fit: &str, columns: &[impl AsRef<str>], rows: &[Vec<f64>]) -> Result<()> {
        self.mark(Location::caller());
        self.history.push(fit, columns, rows)
    }

    /// A table: printed, and on the page.
    #[track_caller]
    pub fn table(&mut self, headers: &[impl AsRef<str>], rows: &[Vec<String>]) {
        self.record.lock().table(Location::caller(), Table::new(headers, rows));
    }

    /// Texts with coloured words: on the page in colours, each word with its number; printed with their summaries.
    #[track_caller]
    pub fn passages(&mut self, passages: &[Passage]) {
        let mut record = self.record.lock();
        let lines: Vec<String> = passages.iter().flat_map(Passage::lines).collect();
        record.console.say(&lines.join("\n"));
        record.push(Some(Location::caller()), Block::Passages(passages.to_vec()));
    }

    /// What the run comes to, in a sentence or two: printed, and at the top of the page. Further ones are added.
    pub fn conclude(&mut self, conclusion: impl AsRef<str>) {
        let conclusion = conclusion.as_ref();
        self.record.lock().console.say(conclusion);
        self.conclusions.push(String::from(conclusion));
    }

    /// The data that this run used, with their licence: printed, in the page's header and in `config.json`.
    pub fn data(&mut self, data: impl AsRef<str>) {
        let data = data.as_ref();
        self.record.lock().console.say(&format!("data: {data}"));
        if !self.data.iter().any(|known| known == data) {
            self.data.push(String::from(data));
        }
    }

    /// The path of a file that the program is about to write itself below the run's folder, `model/learner.json` for
    /// one. It is listed in `metrics.json`, and the next run removes it with all else that this one wrote.
    ///
    /// # Errors
    /// [`Error::Io`] where the list of files cannot be written.
    pub fn claim(&mut self, name: &str) -> Result<PathBuf> {
        self.folder.claim(name)
    }

    /// Whether there is a finished run in a folder.
    pub fn is_finished(folder: impl AsRef<Path>) -> bool {
        folder.as_ref().join(LAST).is_file()
    }

    /// Whether a run, finished or not, has written this file of a folder, so that the next run there removes it.
    pub fn wrote(folder: impl AsRef<Path>, name: &str) -> bool {
        super::folder::listed(folder.as_ref()).any(|listed| listed == name)
    }

    /// A file or folder that the chapter wrote itself below the run's folder, such as an exported model. It is listed
    /// in `metrics.json`; the next run does not remove it.
    pub fn artifact(&mut self, path: impl AsRef<Path>) {
        let path = path.as_ref();
        let inside = path.strip_prefix(self.folder.path()).unwrap_or(path);
        self.artifacts.push(inside.display().to_string());
    }

    /// Remembers where something was reported that is not on the page itself. Returns the section.
    fn mark(&self, at: At) -> String {
        let mut record = self.record.lock();
        record.mark(at);
        String::from(record.section())
    }

    /// A listener for the library's events: it draws progress bars on stderr, and its tables are results, printed and
    /// on the page.
    pub fn listener(&self) -> Listener {
        self.record.listener().interrupter(&self.interrupter)
    }
}

/// An error unless `name` is a file name that means the same everywhere.
fn check_plain(name: &str, what: &str) -> Result<()> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
        let message = format!("`{name}` cannot name {what}: letters, digits, `_`, `-` and `.` can");
        return Err(Error::config("name", message));
    }
    Ok(())
}

fn json_value(name: &str, value: impl Serialize) -> Result<Value> {
    serde_json::to_value(value)
        .map_err(|e| Error::Config { setting: "value", message: format!("`{name}` cannot be written as JSON: {e}") })
}
