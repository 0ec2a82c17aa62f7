//! Finding the pictures of a folder, and telling what is passed over.

use crate::error::{Error, Result};
use crate::vision::{EXTENSIONS, Kind, other_kind};
use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::path::{Path, PathBuf};
use tallow_io::text::visible_path;

/// What is under a folder of pictures.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FoundImages {
    /// The pictures by their names, sorted; each real file once, by whatever links it can be reached.
    pub files: Vec<PathBuf>,
    /// What is not read, sorted.
    pub passed_over: Vec<PassedOver>,
    /// Folders without any visible entry, the searched one included, sorted: often classes without images.
    pub empty_folders: Vec<PathBuf>,
}

/// A file or folder that is not read as a picture, or not looked into.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PassedOver {
    /// Why.
    pub reason: PassedOverReason,
    /// What.
    pub path: PathBuf,
}

/// Why something under a folder is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum PassedOverReason {
    /// A picture of a kind that is not read, such as HEIC.
    OtherKind,
    /// A pipe, a socket or a device: reading one could wait for ever.
    NoRegularFile,
    /// A picture by its first bytes, whose name has no picture's ending.
    OtherName,
    /// A link to a file or folder that is read in its own place, or to a folder above.
    Link,
    /// A folder with the results of a run, whose plots are not photos of the user's.
    RunFolder,
    /// A folder that a system or a network drive keeps for itself, such as thumbnails in `@eaDir`.
    SystemFolder,
    /// A file that is not a picture by its name.
    NoPicture,
}

/// Endings of files that belong to pictures and are none: they are not opened to see what they are. Of labels in files
/// of their own there are as many as pictures.
const KNOWN_OTHERS: [&str; 21] = [
    "cfg", "csv", "db", "gz", "htm", "html", "ini", "ipynb", "json", "jsonl", "log", "md", "npy", "py", "tsv", "txt",
    "toml", "xml", "yaml", "yml", "zip",
];

/// The list that a run keeps of its files ([`crate::report`]); the folder it lies in is a run's.
const RUN_LIST: &str = ".tallow-files";

/// Folders that are not made for photos: of Synology, QNAP, macOS archives, Windows, and file systems.
const SYSTEM_FOLDERS: [&str; 10] = [
    "@eadir",
    "#recycle",
    "@recycle",
    "@recently-snapshot",
    "#snapshot",
    "__macosx",
    "$recycle.bin",
    "system volume information",
    "lost+found",
    "__pycache__",
];

/// Finds all pictures under `folder`, in subfolders too, and tells what it passes over. A file counts by its extension;
/// hidden files and folders, READMEs and licences do not count. Links are followed, but each real folder and file is
/// visited once, so a link back to a folder above changes nothing.
///
/// # Errors
/// When `folder` is a file or not there, or a folder in it cannot be read.
pub fn find_images(folder: &Path) -> Result<FoundImages> {
    if !folder.exists() {
        return Err(Error::file(folder, "is not there; expected a folder of pictures"));
    }
    if !folder.is_dir() {
        return Err(Error::file(folder, "is a file; expected a folder of pictures"));
    }
    let root = folder.canonicalize().map_err(Error::io(folder))?;
    let mut walk = Walk { root: root.clone(), ..Walk::default() };
    walk.folder(folder, &root)?;
    // Real files first, so that one that is linked to keeps its own place.
    while let Some((link, target)) = walk.links.pop_front() {
        walk.follow(&link, &target)?;
    }
    let mut found = walk.found;
    found.files.sort();
    found.passed_over.sort();
    found.empty_folders.sort();
    Ok(found)
}

#[derive(Default)]
struct Walk {
    /// The searched folder, without links in its path.
    root: PathBuf,
    /// Folders and files that were visited, without links in their paths.
    visited: HashSet<PathBuf>,
    /// Links that were met, with what they lead to.
    links: VecDeque<(PathBuf, PathBuf)>,
    found: FoundImages,
}

impl Walk {
    /// Visits all that is in a folder; `real` is its path without links.
    fn folder(&mut self, folder: &Path, real: &Path) -> Result<()> {
        self.visited.insert(real.to_path_buf());
        let mut entries = std::fs::read_dir(folder)
            .and_then(|entries| entries.collect::<std::io::Result<Vec<_>>>())
            .map_err(Error::io(folder))?;
        entries.retain(|entry| !entry.file_name().to_string_lossy().starts_with('.'));
        entries.sort_by_key(std::fs::DirEntry::file_name);
        if entries.is_empty() {
            self.found.empty_folders.push(folder.to_path_buf());
        }
        for entry in entries {
            let path = entry.path();
            let kind = entry.file_type().map_err(Error::io(&path))?;
            if kind.is_symlink() {
                match path.canonicalize() {
                    Ok(target) => self.links.push_back((path, target)),
                    // A link to nowhere is a file that cannot be read, which is found out when it is opened.
                    Err(_) => self.file(path),
                }
            } else if kind.is_dir() {
                self.subfolder(&path, &real.join(entry.file_name()))?;
            } else if kind.is_file() {
                self.visited.insert(real.join(entry.file_name()));
                self.file(path);
            } else {
                self.pass_over(path, PassedOverReason::NoRegularFile);
            }
        }
        Ok(())
    }

    fn subfolder(&mut self, folder: &Path, real: &Path) -> Result<()> {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        if self.visited.contains(real) {
            self.pass_over(folder, PassedOverReason::Link);
        } else if SYSTEM_FOLDERS.contains(&name.as_str()) {
            self.pass_over(folder, PassedOverReason::SystemFolder);
        } else if folder.join(RUN_LIST).exists() {
            self.pass_over(folder, PassedOverReason::RunFolder);
        } else {
            self.folder(folder, real)?;
        }
        Ok(())
    }

    fn follow(&mut self, link: &Path, target: &Path) -> Result<()> {
        let is_above = self.root.starts_with(target);
        if is_above || self.visited.contains(target) {
            self.pass_over(link, PassedOverReason::Link);
        } else if target.is_dir() {
            self.subfolder(link, target)?;
        } else if target.is_file() {
            self.visited.insert(target.to_path_buf());
            self.file(link.to_path_buf());
        } else {
            self.pass_over(link, PassedOverReason::NoRegularFile);
        }
        Ok(())
    }

    fn file(&mut self, file: PathBuf) {
        match Kind::of_path(&file) {
            Some(Kind { remedy: None, .. }) => self.found.files.push(file),
            Some(_) => self.pass_over(file, PassedOverReason::OtherKind),
            // What a folder says of itself is missed by nobody.
            None if speaks_of_the_folder(&file) => {}
            None if is_picture_inside(&file) => self.pass_over(file, PassedOverReason::OtherName),
            None => self.pass_over(file, PassedOverReason::NoPicture),
        }
    }

    fn pass_over(&mut self, path: impl Into<PathBuf>, reason: PassedOverReason) {
        self.found.passed_over.push(PassedOver { reason, path: path.into() });
    }
}

impl FoundImages {
    /// The same, if there is a picture at all.
    ///
    /// # Errors
    /// When there is none; then what was passed over is named.
    pub fn require_pictures(self, folder: &Path) -> Result<FoundImages> {
        if !self.files.is_empty() {
            return Ok(self);
        }
        let known = EXTENSIONS.join(", ");
        let mut what = format!("holds no picture ({known}), nor do its subfolders");
        self.notes().iter().for_each(|note| what += &format!("; {note}"));
        Err(Error::file(folder, what))
    }

    /// What was passed over and which folders are empty, in sentences: one for each kind of file of each folder, with
    /// what can be done.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for folder in &self.empty_folders {
            notes.push(format!("{}: the folder is empty, so it makes no class", folder.display()));
        }
        notes.extend(self.passed_over_notes());
        let with_pictures: HashSet<&Path> = self.files.iter().flat_map(|file| file.ancestors().skip(1)).collect();
        let others = self.passed_over.iter().filter(|passed| passed.reason == PassedOverReason::OtherKind);
        let folders: BTreeSet<&Path> = others.filter_map(|passed| passed.path.parent()).collect();
        for folder in folders.difference(&with_pictures.into_iter().collect()) {
            notes.push(format!("{}: no picture in it is read, so it makes no class", folder.display()));
        }
        notes
    }

    /// What was passed over, in sentences, for those who take no classes from folders.
    pub fn passed_over_notes(&self) -> Vec<String> {
        let mut groups: BTreeMap<(PassedOverReason, &Path, String), Vec<&Path>> = BTreeMap::new();
        for PassedOver { reason, path } in &self.passed_over {
            let folder = path.parent().unwrap_or(path);
            let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
            let extension = if *reason == PassedOverReason::OtherKind { extension } else { String::new() };
            groups.entry((*reason, folder, extension)).or_default().push(path);
        }
        groups.iter().map(|((reason, folder, extension), paths)| note(*reason, folder, extension, paths)).collect()
    }

    /// How many were passed over that a user would miss: pictures of kinds that are not read or without a picture's
    /// ending, and what is no regular file.
    pub fn n_unread(&self) -> usize {
        use PassedOverReason::{NoRegularFile, OtherKind, OtherName};
        let unread = [OtherKind, NoRegularFile, OtherName];
        self.passed_over.iter().filter(|passed| unread.contains(&passed.reason)).count()
    }
}

/// Whether the first bytes of a file are those of a picture that can be read. What cannot be opened is none.
fn is_picture_inside(file: &Path) -> bool {
    let extension = file.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    let is_known = extension.is_some_and(|extension| KNOWN_OTHERS.contains(&extension.as_str()));
    !is_known && Kind::of_file(file).ok().flatten().is_some_and(|kind| kind.remedy.is_none())
}

/// A README or a licence.
fn speaks_of_the_folder(file: &Path) -> bool {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
    ["readme", "license", "licence", "copying"].contains(&stem.as_str())
}

fn note(reason: PassedOverReason, folder: &Path, extension: &str, paths: &[&Path]) -> String {
    let names = some_names(paths);
    let folder = visible_path(folder);
    let n = paths.len();
    let files = if n == 1 { "1 file".to_string() } else { format!("{n} files") };
    match reason {
        PassedOverReason::OtherKind => {
            let (kind, remedy) = other_kind(paths[0]).map_or(("", ""), |kind| (kind.name, kind.remedy));
            format!(
                "{folder}: passed over {files} of the kind {kind} (.{extension}), which is not read ({names}): {remedy}"
            )
        }
        PassedOverReason::NoRegularFile => {
            format!("{folder}: passed over {names}: no regular file but a pipe, a socket or a device; remove it")
        }
        PassedOverReason::OtherName => {
            let what = if n == 1 { "is a picture by its bytes" } else { "are pictures by their bytes" };
            format!(
                "{folder}: passed over {files} that {what} and not by name ({names}): rename such files with a \
                 picture's ending, as in `a.jpg`"
            )
        }
        PassedOverReason::Link => {
            format!("{folder}: passed over {names}: a link to what is read in its own place, or to a folder above")
        }
        PassedOverReason::RunFolder => {
            format!("{folder}: passed over the folder {names}: it holds the results of a run, not photos")
        }
        PassedOverReason::SystemFolder => {
            format!("{folder}: passed over the folder {names}: a system keeps it for itself")
        }
        PassedOverReason::NoPicture if n == 1 => format!("{folder}: passed over {names}, which is not a picture"),
        PassedOverReason::NoPicture => format!("{folder}: passed over {files} that are not pictures ({names})"),
    }
}

/// The first three names, and that there are more.
pub(super) fn some_names<P: AsRef<Path>>(paths: &[P]) -> String {
    let name = |path: &P| visible_path(path.as_ref().file_name().unwrap_or_default().as_ref());
    let mut names: Vec<String> = paths.iter().take(3).map(name).collect();
    if paths.len() > 3 {
        names.push("...".into());
    }
    names.join(", ")
}
