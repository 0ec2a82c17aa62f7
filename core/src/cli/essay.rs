//! What a chapter says: the calls that make its page, in the words of [`crate::report::Run`].

use super::session::Session;
use crate::error::{Error, Result};
use crate::event::Listener;
use crate::plot::{Explorer, Figure};
use crate::report::Measured;

impl Session {
    /// Begins a section ([`Run::section`](crate::report::Run::section)).
    #[track_caller]
    pub fn section(&mut self, title: impl AsRef<str>) {
        self.run.section(title);
    }

    /// Prose in Markdown, on the page only ([`Run::text`](crate::report::Run::text)).
    #[track_caller]
    pub fn text(&mut self, prose: impl AsRef<str>) {
        self.run.text(prose);
    }

    /// A curve with sliders, on the page only ([`Run::explorer`](crate::report::Run::explorer)).
    #[track_caller]
    pub fn explorer(&mut self, caption: impl AsRef<str>, explorer: &Explorer) {
        self.run.explorer(caption, explorer);
    }

    /// A result: printed, and on the page ([`Run::say`](crate::report::Run::say)).
    #[track_caller]
    pub fn say(&mut self, result: impl AsRef<str>) {
        self.run.say(result);
    }

    /// A table: printed, and on the page ([`Run::table`](crate::report::Run::table)).
    #[track_caller]
    pub fn table(&mut self, headers: &[impl AsRef<str>], rows: &[Vec<String>]) {
        self.run.table(headers, rows);
    }

    /// A figure: as PNG and SVG in `plots/`, and on the page ([`Run::figure`](crate::report::Run::figure)).
    ///
    /// # Errors
    /// When drawing or writing the figure fails.
    #[track_caller]
    pub fn figure(&mut self, name: &str, caption: impl AsRef<str>, figure: impl Into<Figure>) -> Result<()> {
        self.run.figure(name, caption, &figure.into())
    }

    /// A number for `metrics.json` ([`Run::metric`](crate::report::Run::metric)).
    #[track_caller]
    pub fn metric(&mut self, name: impl Into<String>, value: f64) {
        self.run.metric(name, value);
    }

    /// A target that this run must reach ([`Run::target`](crate::report::Run::target)).
    #[track_caller]
    pub fn target(&mut self, name: impl Into<String>, value: f64, goal: f64) {
        self.run.target(name, value, goal);
    }

    /// The data of this run, with their licence ([`Run::data`](crate::report::Run::data)).
    pub fn data(&mut self, data: impl AsRef<str>) {
        self.run.data(data);
    }

    /// A listener for the library's events: bars on stderr, tables on stdout and on the page.
    pub fn listener(&self) -> Listener {
        self.run.listener()
    }

    /// Sets what was measured beside the figure that the source prints, which `what` finds among
    /// [`Chapter::printed`](super::Chapter::printed).
    ///
    /// # Errors
    /// [`Error::Config`] where the chapter has no such figure, and when a tensor cannot be read.
    #[track_caller]
    pub fn check(&mut self, what: &str, measured: impl Measured) -> Result<()> {
        self.check_with_note(what, measured, "")
    }

    /// [`Session::check`] with a remark that only this run can make: other data, another network.
    ///
    /// # Errors
    /// As [`Session::check`].
    #[track_caller]
    pub fn check_with_note(&mut self, what: &str, measured: impl Measured, note: impl AsRef<str>) -> Result<()> {
        let Some(printed) = self.printed.iter().find(|printed| printed.what == what) else {
            return Err(Error::config("what", format!("the chapter's table of printed figures has no `{what}`")));
        };
        self.run.add(printed.beside(&measured.numbers()?, note.as_ref()));
        Ok(())
    }
}
