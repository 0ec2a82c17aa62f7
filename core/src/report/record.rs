//! The record of a run: what is said on the terminal and what will stand on the page, in one order.

use std::panic::Location;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::console::Console;
use super::passage::Passage;
use super::table::{LiveTable, Table};
use crate::event::{Event, Listener};

/// Where in a program something was reported.
pub(crate) type At = &'static Location<'static>;

/// Something that was reported: where, and what of it stands on the page. What a listener heard has no place; what only
/// goes into tables at the end, such as a metric, has no block.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) at: Option<At>,
    pub(crate) block: Option<Block>,
}

impl Entry {
    pub(crate) fn is_section(&self) -> bool {
        matches!(self.block, Some(Block::Section(_)))
    }
}

/// A piece of the page.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Block {
    /// A heading.
    Section(String),
    /// Prose, in our markup.
    Text(String),
    /// A curve with sliders, as HTML.
    Explorer { caption: String, html: String },
    /// Results, as they were printed.
    Said(Vec<String>),
    /// A plot.
    Figure { name: String, caption: String, drawing: Drawing, size: (u32, u32) },
    /// A table.
    Table(Table),
    /// Texts with coloured words.
    Passages(Vec<Passage>),
    /// Something the reader should know.
    Note(String),
}

/// A plot as it goes into the page.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Drawing {
    Svg(String),
    Png(Vec<u8>),
}

/// Terminal and page together.
pub(crate) struct Record {
    pub(crate) console: Console,
    pub(crate) entries: Vec<Entry>,
    /// The table that is growing, and the place of its entry.
    live: Option<(LiveTable, usize)>,
}

impl Record {
    pub(crate) fn new(console: Console) -> Record {
        Record { console, entries: Vec::new(), live: None }
    }

    /// The section that is being written, or nothing before the first.
    pub(crate) fn section(&self) -> &str {
        let sections = self.entries.iter().rev().find_map(|entry| match &entry.block {
            Some(Block::Section(title)) => Some(title.as_str()),
            _ => None,
        });
        sections.unwrap_or("")
    }

    /// Puts a block on the page.
    pub(crate) fn push(&mut self, at: Option<At>, block: Block) {
        self.entries.push(Entry { at, block: Some(block) });
    }

    /// Remembers that something was reported that has no block.
    pub(crate) fn mark(&mut self, at: At) {
        self.entries.push(Entry { at: Some(at), block: None });
    }

    /// Begins a section. It gets the next number, unless its title begins with one.
    pub(crate) fn begin_section(&mut self, at: At, title: &str) {
        let number = 1 + self.entries.iter().filter(|entry| entry.is_section()).count();
        let numbered = title.starts_with(|c: char| c.is_ascii_digit());
        let title = if numbered { String::from(title) } else { format!("{number}. {title}") };
        self.heading(&title);
        self.push(Some(at), Block::Section(title));
    }

    /// A heading on the terminal only.
    pub(crate) fn heading(&mut self, title: &str) {
        self.console.say(&format!("\n{title}\n{}", "─".repeat(title.chars().count())));
    }

    /// A result.
    pub(crate) fn say(&mut self, at: Option<At>, text: &str) {
        self.console.say(text);
        self.push(at, Block::Said(text.lines().map(String::from).collect()));
    }

    pub(crate) fn table(&mut self, at: At, table: Table) {
        self.console.say(&table.lines().join("\n"));
        self.push(Some(at), Block::Table(table));
    }

    /// Something a user should know: not a result, so it goes to stderr.
    fn note(&mut self, text: &str) {
        self.console.warn(text);
        self.push(None, Block::Note(String::from(text)));
    }

    fn hear(&mut self, event: Event<'_>) {
        match event {
            Event::Begin { task, total } => self.console.begin(task, total),
            Event::Progress { done, note } => self.console.progress(done, note),
            Event::End => self.console.end(),
            Event::Columns(columns) => {
                let (live, line) = LiveTable::begin(columns);
                self.console.say(&line);
                self.live = Some((live, self.entries.len()));
                self.push(None, Block::Table(Table::new(columns, &[])));
            }
            Event::Row(cells) => self.row(cells),
            Event::Note(text) => self.note(text),
        }
    }

    fn row(&mut self, cells: &[String]) {
        let Some((live, place)) = &self.live else {
            // A row without heads: nothing to line it up with.
            return self.say(None, &cells.join("  "));
        };
        let (line, place) = (live.row(cells), *place);
        self.console.say(&line);
        let entry = self.entries.get_mut(place).and_then(|entry| entry.block.as_mut());
        if let Some(Block::Table(table)) = entry {
            table.rows.push(cells.to_vec());
        }
    }
}

/// A record that the run and its listeners share.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Mutex<Record>>);

impl Shared {
    pub(crate) fn new(record: Record) -> Shared {
        Shared(Arc::new(Mutex::new(record)))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Record> {
        // A panic elsewhere leaves the record as readable as before.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn listener(&self) -> Listener {
        let shared = self.clone();
        Listener::new(move |event| shared.lock().hear(event))
    }
}

/// A listener that shows progress without a run: bars on stderr while work goes on, tables on stdout, remarks on
/// stderr. It makes no folder and no page. For a program of one's own:
/// `VisionConfig::default().listener(tallow::cli::console())`.
pub fn console() -> Listener {
    let mut console = Console::new(Box::new(std::io::stdout()), false, false, None);
    if cfg!(debug_assertions) {
        console.warn("this program was built without optimisation and will be slow: `cargo run --release`");
    }
    Shared::new(Record::new(console)).listener()
}
