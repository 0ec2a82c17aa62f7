//! What may be wrong with a photo.

use crate::data::{Duplicate, ImageFacts};
use crate::vision::PerceptualHash;
use std::path::{Path, PathBuf};

/// Something about a file that its owner should know.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The kind.
    pub problem: Problem,
    /// The file.
    pub file: PathBuf,
    /// The file that it is compared with, of copies.
    pub other: Option<PathBuf>,
    /// In how many bits of their perceptual hashes copies differ.
    pub distance: Option<u32>,
    /// The class that it probably has, where its label is doubted.
    pub suggested: Option<String>,
    /// All of that in words, with the file's name.
    pub words: String,
}

/// The kinds of findings, in the order in which they are reported: first what harms a measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Problem {
    /// A picture of a kind that is not read, such as HEIC.
    PassedOver,
    /// No picture, damaged, cut short, or of a kind that cannot be read.
    Unreadable,
    /// The same photo in training and validation: the result will look too good.
    BothSides,
    /// The same photo in two classes: one of the two labels is wrong.
    TwoClasses,
    /// A label that is probably wrong.
    Label,
    /// The same photo twice in one class.
    Copy,
    /// Nearly the same as another photo, by what a network sees in both.
    Alike,
    /// One colour only.
    Blank,
    /// A side of less than 32 pixels.
    Tiny,
    /// Unlike all other photos.
    Odd,
    /// The content is of another kind than the extension says.
    OtherKind,
    /// A TIFF of several pages, of which the first is read.
    Pages,
}

impl Problem {
    /// Its name in tables: `two_classes`.
    pub fn name(self) -> &'static str {
        match self {
            Problem::PassedOver => "passed_over",
            Problem::Unreadable => "unreadable",
            Problem::BothSides => "both_sides",
            Problem::TwoClasses => "two_classes",
            Problem::Label => "label",
            Problem::Copy => "copy",
            Problem::Alike => "alike",
            Problem::Blank => "blank",
            Problem::Tiny => "tiny",
            Problem::Odd => "odd",
            Problem::OtherKind => "other_kind",
            Problem::Pages => "pages",
        }
    }

    /// What is said of so many files with it: `2 photos are blank`.
    pub fn of(self, n: usize) -> String {
        let (one, several) = match self {
            Problem::PassedOver => ("file is of a kind that is not read", "files are of kinds that are not read"),
            Problem::Unreadable => ("file cannot be read", "files cannot be read"),
            Problem::BothSides => ("photo is on both sides of the split", "photos are on both sides of the split"),
            Problem::TwoClasses => ("photo is in two classes", "photos are in two classes"),
            Problem::Label => ("label is probably wrong", "labels are probably wrong"),
            Problem::Copy => ("photo is there twice in one class", "photos are there twice in one class"),
            Problem::Alike => ("photo is nearly the same as another", "photos are nearly the same as others"),
            Problem::Blank => ("photo is blank", "photos are blank"),
            Problem::Tiny => ("photo is tiny", "photos are tiny"),
            Problem::Odd => ("photo is unlike all others", "photos are unlike all others"),
            Problem::OtherKind => {
                ("file is of another kind than its name says", "files are of other kinds than their names say")
            }
            Problem::Pages => ("file has several pages", "files have several pages"),
        };
        format!("{n} {}", if n == 1 { one } else { several })
    }
}

impl Finding {
    /// A finding about one file.
    pub fn new(problem: Problem, file: &Path, words: impl Into<String>) -> Finding {
        let (file, words) = (file.to_path_buf(), words.into());
        Finding { problem, file, other: None, distance: None, suggested: None, words }
    }

    /// What a file's own picture tells: blank, tiny, of another kind, several pages.
    pub fn of_facts(file: &Path, facts: &ImageFacts) -> Vec<Finding> {
        let ImageFacts { width, height, pages, .. } = *facts;
        let name = file.display();
        let mut findings = Vec::new();
        let mut add = |problem, words: String| findings.push(Finding::new(problem, file, words));
        if facts.is_blank {
            add(Problem::Blank, format!("{name}: has one colour only, as it is read: without transparency"));
        }
        if facts.is_tiny() {
            add(Problem::Tiny, format!("{name}: has {width} by {height} pixels"));
        }
        if let Some(kind) = facts.other_content {
            add(Problem::OtherKind, format!("{name}: is {kind}, and is read as that"));
        }
        if pages > 1 {
            add(Problem::Pages, format!("{name}: has {pages} pages, of which the first is read"));
        }
        findings
    }

    /// What two places of one photo mean: `class` says the class of each, `trains` whether it is to train with.
    pub fn of_copy<C: PartialEq>(
        copy: &Duplicate,
        class: impl Fn(&Path) -> C,
        trains: impl Fn(&Path) -> bool,
    ) -> Vec<Finding> {
        let Duplicate { file, other, distance, is_equal } = copy;
        let how = match is_equal {
            true => format!("the same bytes as {}", other.display()),
            false => {
                format!("shows what {} shows ({distance} of {} bits differ)", other.display(), PerceptualHash::BITS)
            }
        };
        let finding = |problem| Finding {
            other: Some(other.clone()),
            distance: Some(*distance),
            ..Finding::new(problem, file, format!("{}: {how}", file.display()))
        };
        Problem::of_places(class(file) == class(other), trains(file) == trains(other), Problem::Copy)
            .into_iter()
            .map(finding)
            .collect()
    }
}

impl Problem {
    /// What is wrong with two files that show the same: `same` if they are of one class and on one side.
    pub(super) fn of_places(one_class: bool, one_side: bool, same: Problem) -> Vec<Problem> {
        let two = [(!one_class, Problem::TwoClasses), (!one_side, Problem::BothSides)];
        let problems: Vec<Problem> = two.into_iter().filter_map(|(is, problem)| is.then_some(problem)).collect();
        if problems.is_empty() { vec![same] } else { problems }
    }
}
