//! `cargo xtask api`: the public items of the published packages, and whether they are those that `docs/api` lists.
//!
//! They are read from the pages that rustdoc writes: its JSON would be easier, but needs a nightly toolchain.

mod html;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use tallow_io::atomic;

use crate::{cargo, root};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Write the lists anew; what changed then shows in the commit
    #[arg(long)]
    bless: bool,
}

/// Packages whose items others call. `tallow-efficientnet-lite0` has one function.
const PACKAGES: [&str; 4] = ["tallow", "tallow-kernels", "tallow-datasets", "tallow-io"];

const REMEDY: &str = "if that is meant, `cargo xtask api --bless`; RELEASE.md says which version it asks for";

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let version = rustdoc_version()?;
    let mut command = cargo();
    command.args(["doc", "--workspace", "--no-deps", "--quiet"]).current_dir(root());
    if !command.status().context("cannot start cargo doc")?.success() {
        bail!("cargo doc failed");
    }
    let mut problems = Vec::new();
    for package in PACKAGES {
        let pages = crate::package::target().join("doc").join(package.replace('-', "_"));
        let list = html::items(&pages)?;
        let file = root().join("docs/api").join(format!("{package}.txt"));
        let n_items = names(&list).iter().filter(|name| !name.contains('.')).count();
        println!("{n_items:>5} public items, {:>5} lines  {package}", list.len());
        let text = format!("# Public items of {package}, as rustdoc {version} shows them: cargo xtask api --bless\n");
        let text = text + &list.join("\n") + "\n";
        if args.bless {
            atomic::write(&file, text.as_bytes())?;
        } else {
            problems.extend(differences(&file, &list, &version)?);
        }
    }
    if !problems.is_empty() {
        bail!("the public items are not those in docs/api; {REMEDY}\n  {}", problems.join("\n  "));
    }
    Ok(ExitCode::SUCCESS)
}

/// What the list on disk and the items of today do not share. Another rustdoc may spell the same declaration in
/// another way: then names alone are compared.
fn differences(file: &Path, list: &[String], version: &str) -> anyhow::Result<Vec<String>> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}; {REMEDY}", file.display()))?;
    let (head, rest) = text.split_once('\n').unwrap_or_default();
    let then: Vec<String> = rest.lines().map(String::from).collect();
    let package = file.file_stem().unwrap_or_default().to_string_lossy();
    let same_rustdoc = head.contains(&format!("rustdoc {version} "));
    if !same_rustdoc {
        println!("skipped: {package}'s declarations, which another rustdoc than {version} wrote; names are compared");
    }
    let all = |lines: &[String]| lines.iter().cloned().collect::<BTreeSet<String>>();
    let (then, now) = if same_rustdoc { (all(&then), all(list)) } else { (names(&then), names(list)) };
    let gone = then.difference(&now).map(|line| format!("{package}: - {line}"));
    Ok(gone.chain(now.difference(&then).map(|line| format!("{package}: + {line}"))).collect())
}

/// What stands before the declarations.
fn names(list: &[String]) -> BTreeSet<String> {
    list.iter().filter_map(|line| line.split_once(": ")).map(|(name, _)| name.into()).collect()
}

/// Major and minor version: `1.95`.
fn rustdoc_version() -> anyhow::Result<String> {
    let rustdoc = std::env::var_os("RUSTDOC").unwrap_or_else(|| "rustdoc".into());
    let output = std::process::Command::new(rustdoc).arg("--version").output().context("cannot start rustdoc")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = text.split_whitespace().nth(1).and_then(|version| version.rsplit_once('.'));
    Ok(version.with_context(|| format!("rustdoc says `{text}`"))?.0.into())
}

#[cfg(test)]
mod tests {
    use super::differences;
    use std::fs;

    #[test]
    fn what_went_and_what_came_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("zoo.txt");
        fs::write(
            &file,
            "# Public items of zoo, as rustdoc 1.95 shows them: so\nfeed: pub fn feed()\npet: pub fn pet()\n",
        )
        .unwrap();
        let now = ["feed: pub fn feed(n: u8)", "look: pub fn look()"].map(String::from);
        let same = ["zoo: - feed: pub fn feed()", "zoo: - pet: pub fn pet()"];
        assert_eq!(differences(&file, &now, "1.95").unwrap()[..2], same);
        assert_eq!(differences(&file, &now, "1.96").unwrap(), ["zoo: - pet", "zoo: + look"]);
    }
}
