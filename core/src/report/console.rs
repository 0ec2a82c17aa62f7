//! The terminal: results on stdout, progress bars on stderr, and a transcript of all that was said.

use std::fs::File;
use std::io::Write;
use std::time::Duration;

use crate::text::{visible, visible_line};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Where a run's words go.
pub(crate) struct Console {
    out: Box<dyn Write + Send>,
    silent: bool,
    quiet: bool,
    transcript: String,
    /// Fed line by line, so that the words of a run that is killed are not lost.
    file: Option<File>,
    all_bars: MultiProgress,
    bars: Vec<ProgressBar>,
}

impl Console {
    /// A console that prints to `out`, unless `silent`, and says on stderr how the work goes, unless `quiet`.
    pub(crate) fn new(out: Box<dyn Write + Send>, silent: bool, quiet: bool, file: Option<File>) -> Console {
        // indicatif hides bars by itself where stderr is not a terminal.
        let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let all_bars = MultiProgress::with_draw_target(target);
        Console { out, silent, quiet, transcript: String::new(), file, all_bars, bars: Vec::new() }
    }

    /// All that was said so far.
    pub(crate) fn transcript(&self) -> &str {
        &self.transcript
    }

    /// Says one or more lines.
    pub(crate) fn say(&mut self, text: &str) {
        let text = visible(text);
        self.keep(&text);
        if !self.silent {
            self.print(&text);
        }
    }

    /// Prints to stdout and nowhere else, even when silent: the JSON object that a program asked for.
    pub(crate) fn print(&mut self, text: &str) {
        let out = &mut self.out;
        // The bars step aside, so that the line does not land in the middle of one.
        let written = self.all_bars.suspend(|| writeln!(out, "{text}").and_then(|()| out.flush()));
        // A reader that has gone, as `head` does, wants no more lines; that is no failure of the run.
        self.silent |= written.is_err();
    }

    /// A remark on stderr, and in the transcript.
    pub(crate) fn warn(&mut self, text: &str) {
        let line = format!("note: {}", visible(text));
        self.keep(&line);
        if !self.quiet {
            self.all_bars.suspend(|| {
                let _ = writeln!(std::io::stderr(), "{line}");
            });
        }
    }

    fn keep(&mut self, text: &str) {
        self.transcript.push_str(text);
        self.transcript.push('\n');
        if let Some(file) = &mut self.file {
            // A copy for the worst case; the transcript itself is written, and checked, at the end.
            let _ = writeln!(file, "{text}");
        }
    }

    /// Begins a bar below those that are there.
    pub(crate) fn begin(&mut self, task: &str, total: usize) {
        let bar = self.all_bars.add(ProgressBar::new(total as u64));
        let style = ProgressStyle::with_template("{prefix}  {bar:30}  {pos}/{len}  {eta} left  {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸ "));
        bar.set_prefix(visible_line(task).into_owned());
        // The time left goes on counting while a slow step runs.
        bar.enable_steady_tick(Duration::from_millis(500));
        self.bars.push(bar);
    }

    /// Moves the newest bar.
    pub(crate) fn progress(&mut self, done: usize, note: &str) {
        if let Some(bar) = self.bars.last() {
            bar.set_position(done as u64);
            bar.set_message(visible_line(note).into_owned());
        }
    }

    /// Takes the newest bar away.
    pub(crate) fn end(&mut self) {
        if let Some(bar) = self.bars.pop() {
            bar.finish_and_clear();
            self.all_bars.remove(&bar);
        }
    }

    /// Takes all bars away: the run is over, well or badly.
    pub(crate) fn end_all(&mut self) {
        while !self.bars.is_empty() {
            self.end();
        }
    }
}
