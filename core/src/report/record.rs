//! The record of a run: what is said on the terminal and what will stand on the page, in one order.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::console::Console;
use super::table::{LiveTable, Table};
use crate::event::{Event, Listener};

/// A piece of the page.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Block {
    /// A heading.
    Section(String),
    /// Prose, in our markup.
    Text(String),
    /// Results, as they were printed.
    Said(Vec<String>),
    /// A plot.
    Figure { name: String, caption: String, drawing: Drawing, size: (u32, u32) },
    /// A table.
    Table(Table),
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
    pub(crate) blocks: Vec<Block>,
    /// The table that is growing, and the place of its block.
    live: Option<(LiveTable, usize)>,
}

impl Record {
    pub(crate) fn new(console: Console) -> Record {
        Record { console, blocks: Vec::new(), live: None }
    }

    /// The section that is being written, or nothing before the first.
    pub(crate) fn section(&self) -> &str {
        let sections = self.blocks.iter().rev().find_map(|block| match block {
            Block::Section(title) => Some(title.as_str()),
            _ => None,
        });
        sections.unwrap_or("")
    }

    /// Begins a section. It gets the next number, unless its title begins with one.
    pub(crate) fn begin_section(&mut self, title: &str) {
        let number = 1 + self.blocks.iter().filter(|block| matches!(block, Block::Section(_))).count();
        let numbered = title.starts_with(|c: char| c.is_ascii_digit());
        let title = if numbered { String::from(title) } else { format!("{number}. {title}") };
        self.heading(&title);
        self.blocks.push(Block::Section(title));
    }

    /// A heading on the terminal only.
    pub(crate) fn heading(&mut self, title: &str) {
        self.console.say(&format!("\n{title}\n{}", "─".repeat(title.chars().count())));
    }

    /// A result. Results that follow one another share a block.
    pub(crate) fn say(&mut self, text: &str) {
        self.console.say(text);
        let lines = text.lines().map(String::from);
        if let Some(Block::Said(said)) = self.blocks.last_mut() {
            said.extend(lines);
        } else {
            self.blocks.push(Block::Said(lines.collect()));
        }
    }

    pub(crate) fn table(&mut self, table: Table) {
        self.console.say(&table.lines().join("\n"));
        self.blocks.push(Block::Table(table));
    }

    /// Something a user should know: not a result, so it goes to stderr.
    fn note(&mut self, text: &str) {
        self.console.warn(text);
        self.blocks.push(Block::Note(String::from(text)));
    }

    fn hear(&mut self, event: Event<'_>) {
        match event {
            Event::Begin { task, total } => self.console.begin(task, total),
            Event::Progress { done, note } => self.console.progress(done, note),
            Event::End => self.console.end(),
            Event::Columns(columns) => {
                let (live, line) = LiveTable::begin(columns);
                self.console.say(&line);
                self.live = Some((live, self.blocks.len()));
                self.blocks.push(Block::Table(Table::new(columns, &[])));
            }
            Event::Row(cells) => self.row(cells),
            Event::Note(text) => self.note(text),
        }
    }

    fn row(&mut self, cells: &[String]) {
        let Some((live, place)) = &self.live else {
            // A row without heads: nothing to line it up with.
            return self.say(&cells.join("  "));
        };
        let (line, place) = (live.row(cells), *place);
        self.console.say(&line);
        if let Some(Block::Table(table)) = self.blocks.get_mut(place) {
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
