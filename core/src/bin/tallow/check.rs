//! `tallow check`: which files of a folder are not photos, which are there twice, and which show nothing.

use crate::{say_csv, say_line};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tallow::clean::{Finding, Problem};
use tallow::data::{FolderLayout, PassedOverReason, Side, duplicates_of, find_images, inspect_images};
use tallow::vision::other_kind;
use tallow::{Error, Result};
use tallow_io::csv;

/// How many files with the same problem are named; `--csv` names all.
const NAMED: usize = 12;

#[derive(Debug, clap::Args)]
#[command(after_help = "What is looked for:\n  \
                  passed_over  a picture of a kind that is not read, such as HEIC, or without a picture's ending\n  \
                  unreadable   no picture, damaged, cut short, or of a kind that cannot be read\n  \
                  two_classes  the same photo in two classes: one of the two labels is wrong\n  \
                  both_sides   the same photo in training and validation: the result will look too good\n  \
                  copy         the same photo twice in one class\n  \
                  blank        one colour only, as it is read: without transparency\n  \
                  tiny         a side of less than 32 pixels\n  \
                  other_kind   the content is of another kind than the extension says; it is read all the same\n  \
                  pages        a TIFF of several pages, of which the first is read\n\n\
                  Photos are the same if their bytes are, or if one was resized, compressed again, brightened or \
                  cropped a little (distance: how many of 144 bits of their perceptual hashes differ, 26 at most).\n\n\
                  Exit codes: 0 if all files can be read, whatever else is found; 3 if some cannot.")]
pub(crate) struct Args {
    /// A folder of photos
    #[arg(value_name = "PHOTOS")]
    photos: PathBuf,

    /// Print a table with a line for each problem: file, problem, class, other file, its class, distance, in words
    #[arg(long)]
    csv: bool,
}

/// Those that are reported file by file; what is passed over is reported by folder.
const REPORTED: [Problem; 8] = {
    use Problem::{Blank, BothSides, Copy, OtherKind, Pages, Tiny, TwoClasses, Unreadable};
    [Unreadable, TwoClasses, BothSides, Copy, Blank, Tiny, OtherKind, Pages]
};

/// Decodes every file, on all processors, and names those that something is wrong with.
pub(crate) fn run(args: &Args) -> Result<()> {
    let found = find_images(&args.photos)?.require_pictures(&args.photos)?;
    let files = &found.files;
    let places = Places::read(&args.photos, files)?;
    let mut findings = Vec::new();
    for passed in &found.passed_over {
        let what = match passed.reason {
            PassedOverReason::OtherKind => other_kind(&passed.path).map(|kind| kind.to_string()).unwrap_or_default(),
            PassedOverReason::OtherName => {
                "is a picture by its bytes and not by its name, so it is not read; rename it".into()
            }
            _ => continue,
        };
        findings.push(Finding::new(Problem::PassedOver, &passed.path, format!("{}: {what}", passed.path.display())));
    }
    let mut facts = Vec::new();
    for (file, inspected) in files.iter().zip(inspect_images(files)) {
        findings.extend(match &inspected {
            Ok(facts) => Finding::of_facts(file, facts),
            Err(e) => vec![Finding::new(Problem::Unreadable, file, e.to_string())],
        });
        facts.push(inspected.ok());
    }
    let (class, trains) = (|file: &Path| places.class(file), |file: &Path| places.trains(file));
    findings.extend(duplicates_of(files, &facts).iter().flat_map(|copy| Finding::of_copy(copy, class, trains)));
    findings.sort_by_key(|finding| finding.problem);
    let (n, readable) = (files.len() + found.n_unread(), facts.iter().flatten().count());
    if args.csv {
        print_table(&places, &findings)?;
    } else {
        found.notes().iter().chain(&places.notes).try_for_each(say_line)?;
        print_words(&findings)?;
        say_line(format!("{readable} of {n} files can be read"))?;
    }
    match n - readable {
        0 => Ok(()),
        1 => Err(Error::file(&args.photos, "holds a file that cannot be read; it is named above")),
        n => Err(Error::file(&args.photos, format!("holds {n} files that cannot be read; they are named above"))),
    }
}

/// What the folders say of each file.
struct Places {
    of: BTreeMap<PathBuf, (String, Option<Side>)>,
    notes: Vec<String>,
}

impl Places {
    fn read(photos: &Path, files: &[PathBuf]) -> Result<Places> {
        let layout = FolderLayout::read(photos, files)?;
        let place = |(file, placed): (&PathBuf, &tallow::data::Placed)| {
            (file.clone(), (placed.label.clone().unwrap_or_default(), placed.side))
        };
        Ok(Places { of: files.iter().zip(layout.placed()).map(place).collect(), notes: layout.notes().to_vec() })
    }

    /// The class; empty where no folder says it.
    fn class(&self, file: &Path) -> &str {
        self.of.get(file).map_or("", |(class, _)| class)
    }

    /// Whether it is to train with; where nothing is split, all are.
    fn trains(&self, file: &Path) -> bool {
        self.of.get(file).is_none_or(|(_, side)| side.is_none_or(|side| side == Side::Train))
    }
}

fn print_words(findings: &[Finding]) -> Result<()> {
    for problem in REPORTED {
        let all: Vec<&Finding> = findings.iter().filter(|finding| finding.problem == problem).collect();
        if all.is_empty() {
            continue;
        }
        say_line(format!("{}:", problem.of(all.len())))?;
        // What cannot be read is the result, so all of it is named.
        let named = if problem == Problem::Unreadable { all.len() } else { NAMED };
        for finding in all.iter().take(named) {
            say_line(format!("  {}", finding.words))?;
        }
        if all.len() > named {
            say_line(format!("  and {} more, which `--csv` names", all.len() - named))?;
        }
    }
    Ok(())
}

fn print_table(places: &Places, findings: &[Finding]) -> Result<()> {
    let path = |path: &Path| path.display().to_string();
    let row = |f: &Finding| {
        let other = f.other.as_deref();
        let distance = f.distance.map(|distance| distance.to_string());
        let (problem, class_of_other) =
            (f.problem.name().to_string(), other.map(|file| places.class(file).to_string()));
        let (other, words) = (other.map(path), f.words.clone());
        let cells = [
            Some(path(&f.file)),
            Some(problem),
            Some(places.class(&f.file).to_string()),
            other,
            class_of_other,
            distance,
            Some(words),
        ];
        cells.map(Option::unwrap_or_default)
    };
    let head = ["file", "problem", "class", "other", "other_class", "distance", "words"].map(String::from);
    say_csv(&csv::to_string(std::iter::once(head).chain(findings.iter().map(row))))
}
