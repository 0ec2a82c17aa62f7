//! What looks wrong with the files of two sides before anything is trained.

use super::duplicates::{across, equal_files};
use super::inspect::files_with_pages;
use super::{ImageDataLoaders, ImageLoader};
use std::path::PathBuf;

/// What looks wrong with the loaders' files, in sentences: training files that occur again, byte for byte, in the
/// validation or the test set, files that are in two classes, and files with several pages. No picture is decoded.
pub fn file_warnings(dls: &ImageDataLoaders) -> Vec<String> {
    let sides: Vec<&ImageLoader> = [&dls.train, &dls.valid].into_iter().chain(&dls.test).collect();
    let files: Vec<PathBuf> = sides.iter().flat_map(|side| side.files().to_vec()).collect();
    let targets = sides.iter().map(|side| side.dataset().targets());
    let labels: Vec<&[u32]> = targets.flat_map(|all| (0..all.len()).map(|item| all.of(item))).collect();
    warnings_of(&files, &labels, dls.train.files().len())
}

/// The same of files, of which the first `n_train` are to train with, with the classes of each.
pub(super) fn warnings_of(files: &[PathBuf], labels: &[&[u32]], n_train: usize) -> Vec<String> {
    let name = |i: usize| files[i].display();
    let mut warnings = Vec::new();

    let groups = equal_files(files);
    let on_both_sides = across(&groups, n_train);
    if let Some(&(one, other)) = on_both_sides.first() {
        warnings.push(format!(
            "{} on both sides of the split, byte for byte, such as {} and {}: the network is validated on what it has \
             seen; `tallow check` names all copies",
            are(on_both_sides.len(), "photo"),
            name(one),
            name(other)
        ));
    }

    let other_class = |group: &Vec<usize>| {
        let other = group.iter().find(|&&i| labels[i] != labels[group[0]])?;
        Some((group[0], *other))
    };
    let in_two_classes: Vec<(usize, usize)> = groups.iter().filter_map(other_class).collect();
    if let Some(&(one, other)) = in_two_classes.first() {
        warnings.push(format!(
            "{} in two classes, byte for byte, such as {} and {}: one of the two labels is wrong",
            are(in_two_classes.len(), "photo"),
            name(one),
            name(other)
        ));
    }

    let with_pages = files_with_pages(files);
    if let Some((file, pages)) = with_pages.first() {
        let n = with_pages.len();
        let all = if n == 1 { "1 file has".to_string() } else { format!("{n} files have") };
        let file = file.display();
        warnings.push(format!("{all} several pages, such as {file} with {pages}: the first page is used"));
    }
    warnings
}

/// `1 photo is`, `2 photos are`.
fn are(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what} is") } else { format!("{n} {what}s are") }
}
