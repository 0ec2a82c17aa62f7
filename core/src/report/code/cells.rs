//! Code between results: a section's function is cut after each statement that said or showed something.

use super::Source;
use super::items::{Item, items};
use super::tokens::tokens;
use crate::report::record::{At, Block, Entry};
use std::collections::HashSet;

/// A piece of a page.
#[derive(Debug)]
pub(in crate::report) enum Piece<'a> {
    Block(&'a Block),
    /// Statements of a section.
    Code(Listing),
    /// Items that those statements use, folded.
    Folded(Vec<(String, Listing)>),
}

/// Lines of a source file.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::report) struct Listing {
    /// The file, by its path from the root of the workspace.
    pub(in crate::report) path: String,
    /// The first line, from 1.
    pub(in crate::report) line: usize,
    pub(in crate::report) code: String,
}

/// The blocks of a run with the code that made them.
pub(in crate::report) fn interleave<'a>(entries: &'a [Entry], sources: &[Source]) -> Vec<Piece<'a>> {
    let files: Vec<File> = sources.iter().map(File::new).collect();
    let sections = entries.iter().filter(|e| e.is_section()).filter_map(|entry| locate(&files, entry.at));
    let mut page = Page { files: &files, here: None, shown: sections.collect(), pieces: Vec::new() };
    for (i, entry) in entries.iter().enumerate() {
        if entry.is_section() {
            page.section(locate(&files, entry.at), entry.at);
        } else if entry.block.is_some() {
            match entry.at {
                Some(at) => page.report(at),
                None => {
                    let rest = entries[i..].iter().take_while(|entry| !entry.is_section());
                    page.unlocated(rest.filter_map(|entry| entry.at).next());
                }
            }
        }
        page.pieces.extend(entry.block.as_ref().map(Piece::Block));
    }
    page.rest();
    page.pieces
}

/// A source file, read.
struct File {
    path: String,
    lines: Vec<&'static str>,
    items: Vec<Item>,
    /// The names that it takes from other files of the chapter.
    imports: HashSet<&'static str>,
}

impl File {
    fn new(source: &Source) -> File {
        let items = items(&tokens(source.text));
        File { path: source.path(), lines: source.text.lines().collect(), items, imports: imports(source.text) }
    }

    fn listing(&self, lines: &[usize], indent: usize) -> Listing {
        let text = |&line: &usize| {
            let text = self.lines.get(line).copied().unwrap_or_default();
            text.get(indent..).filter(|_| text[..indent].trim().is_empty()).unwrap_or(text.trim_start())
        };
        let code = lines.iter().map(text).collect::<Vec<_>>().join("\n");
        Listing { path: self.path.clone(), line: lines.first().map_or(1, |line| line + 1), code }
    }
}

/// The names that a file takes from other modules of its crate.
fn imports(text: &'static str) -> HashSet<&'static str> {
    let statements = text.split("\nuse ").skip(1).filter_map(|rest| rest.strip_prefix("crate")?.split(';').next());
    statements.flat_map(|names| names.split(|c: char| !c.is_alphanumeric() && c != '_')).collect()
}

/// An item: the number of its file, and its own in the file.
type Key = (usize, usize);

/// The function in which something was reported.
fn locate(files: &[File], at: Option<At>) -> Option<Key> {
    let at = at?;
    let line = at.line() as usize - 1;
    let file = files.iter().position(|file| file.path == at.file())?;
    let within = |item: &Item| item.is_function && (item.first..=item.last).contains(&line);
    Some((file, files[file].items.iter().position(within)?))
}

/// A page while it is put together.
struct Page<'f, 'a> {
    files: &'f [File],
    /// The function of the section, and how many of its statements stand on the page.
    here: Option<(Key, usize)>,
    /// The items that stand on the page, or are sections and shall not be folded into others.
    shown: HashSet<Key>,
    pieces: Vec<Piece<'a>>,
}

impl<'f> Page<'f, '_> {
    fn item(&self, key: Key) -> &'f Item {
        &self.files[key.0].items[key.1]
    }

    /// A section begins: what the one before it did after its last result comes first.
    fn section(&mut self, function: Option<Key>, at: Option<At>) {
        match (self.here, function, at) {
            (Some((here, _)), Some(function), Some(at)) if here == function => self.report(at),
            _ => {
                self.rest();
                self.here = function.map(|function| (function, 0));
            }
        }
    }

    /// Something is about to be said from `at`: the code so far comes before it.
    fn report(&mut self, at: At) {
        let Some((here, done)) = self.here else { return };
        let function = locate(self.files, Some(at));
        let statements = &self.item(here).statements;
        let end = if function == Some(here) {
            let line = at.line() as usize - 1;
            statements.iter().position(|statement| statement.last >= line).map(|i| i + 1)
        } else {
            self.call(function, done)
        };
        self.up_to(end.unwrap_or(done));
    }

    /// Something is about to be said that came through the listener. It belongs before the next place that reports.
    fn unlocated(&mut self, next: Option<At>) {
        let Some((here, done)) = self.here else { return };
        let statements = &self.item(here).statements;
        let Some(at) = next else { return self.up_to(statements.len()) };
        let function = locate(self.files, Some(at));
        let end = if function == Some(here) {
            let line = at.line() as usize - 1;
            statements.iter().position(|statement| statement.last >= line)
        } else {
            self.call(function, done)
        };
        self.up_to(end.unwrap_or(done));
    }

    /// The end of the first statement from `done` on that calls a function.
    fn call(&self, function: Option<Key>, done: usize) -> Option<usize> {
        let (here, _) = self.here?;
        let name = &self.item(function?).name;
        let rest = self.item(here).statements.get(done..)?;
        rest.iter().position(|statement| statement.names.contains(name)).map(|i| done + i + 1)
    }

    fn rest(&mut self) {
        if let Some((here, _)) = self.here {
            self.up_to(self.item(here).statements.len());
        }
    }

    /// Puts the statements before number `end` on the page, and what they use.
    fn up_to(&mut self, end: usize) {
        let Some((here, done)) = self.here.as_mut() else { return };
        let (key, from) = (*here, *done);
        *done = end.max(from);
        let statements = &self.item(key).statements[from..end.max(from)];
        let file = &self.files[key.0];
        let mut lines: Vec<usize> = Vec::new();
        for statement in statements.iter().filter(|statement| !statement.shown.is_empty()) {
            // An empty line between two statements stays.
            let blank = |line: usize| file.lines.get(line).is_some_and(|text| text.trim().is_empty());
            if !lines.is_empty() && statement.first > 0 && blank(statement.first - 1) {
                lines.push(statement.first - 1);
            }
            lines.extend(&statement.shown);
        }
        if lines.is_empty() {
            return;
        }
        let names: Vec<&String> = statements.iter().flat_map(|statement| &statement.names).collect();
        self.pieces.push(Piece::Code(file.listing(&lines, 4)));
        let used = self.used(key.0, &names);
        if !used.is_empty() {
            self.pieces.push(Piece::Folded(used));
        }
    }

    /// The items of the chapter that go by these names and do not stand on the page yet, and those that they use.
    fn used(&mut self, file: usize, names: &[&String]) -> Vec<(String, Listing)> {
        let mut used = Vec::new();
        for name in names {
            for key in self.named(file, name) {
                if self.shown.insert(key) {
                    let (item, source) = (self.item(key), &self.files[key.0]);
                    let lines: Vec<usize> = (item.first..=item.last).collect();
                    used.push((item.name.clone(), source.listing(&lines, 0)));
                    let inner: Vec<&String> = item.statements.iter().flat_map(|statement| &statement.names).collect();
                    used.extend(self.used(key.0, &inner));
                }
            }
        }
        used
    }

    /// The items of a name: those in `file` if there are any, else those that it imports from other files.
    fn named(&self, file: usize, name: &str) -> Vec<Key> {
        let of = |file: usize| {
            let items = self.files[file].items.iter().enumerate().filter(|(_, item)| item.name == name);
            items.map(|(i, _)| (file, i)).collect::<Vec<Key>>()
        };
        let own = of(file);
        match own.is_empty() && self.files[file].imports.contains(name) {
            true => (0..self.files.len()).flat_map(of).collect(),
            false => own,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"//! A chapter.

use tallow::Result;

/// Half of it.
fn half(x: f64) -> f64 {
    x / 2.0
}

// --- a rule between sections ---

struct Net {
    width: usize,
}

impl<T: Into<f64>> Model for Net {
    fn forward(&self) {}
}

pub(crate) fn section(s: &mut Session) -> Result<()> {
    s.section("Halves");
    s.text("
        Prose; with { and }.
    ");
    // Why.
    let a = half(4.0); // 2
    s.say(format!("{a}"));

    let net = Net { width: 3 };
    for i in 0..3 {
        net.forward();
        s.say(format!("{i}"));
    }
    for i in 0..3 {
        s.metric(i, 1.0);
    }
    let caption = "none";
    s.figure("x", caption)?;
    Ok(())
}
"#;

    fn read() -> File {
        File::new(&Source { beside: "chapters/x/src/lib.rs", name: "halves.rs", text: TEXT })
    }

    #[test]
    fn items_have_names_and_whole_ranges() {
        let names: Vec<(String, usize, usize)> =
            read().items.into_iter().map(|item| (item.name, item.first + 1, item.last + 1)).collect();
        let expected = [("half", 5, 8), ("Net", 12, 14), ("Net", 16, 18), ("section", 20, 40)];
        assert_eq!(names, expected.map(|(name, first, last)| (name.to_string(), first, last)));
    }

    #[test]
    fn what_only_reports_is_not_shown() {
        let file = read();
        let shown: Vec<String> = file.items[3]
            .statements
            .iter()
            .map(|statement| file.listing(&statement.shown, 4).code)
            .filter(|code| !code.is_empty())
            .collect();
        let expected = [
            "// Why.\nlet a = half(4.0); // 2",
            "let net = Net { width: 3 };",
            "for i in 0..3 {\n    net.forward();\n}",
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_file_is_found_beside_the_one_that_names_it() {
        assert_eq!(read().path, "chapters/x/src/halves.rs");
    }
}
