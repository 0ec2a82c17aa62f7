//! What the manifests of published packages have to say, and what lies beside them.

use std::fs;

use anyhow::{Context, bail};
use serde::Deserialize;

use super::PACKAGES;
use crate::{cargo, root};

/// What `cargo metadata` says of a package.
#[derive(Deserialize)]
pub(super) struct Package {
    name: String,
    version: String,
    publish: Option<Vec<String>>,
    description: Option<String>,
    documentation: Option<String>,
    repository: Option<String>,
    readme: Option<String>,
    license: Option<String>,
    rust_version: Option<String>,
    keywords: Vec<String>,
    categories: Vec<String>,
    manifest_path: std::path::PathBuf,
    metadata: serde_json::Value,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    req: String,
    kind: Option<String>,
    path: Option<String>,
}

/// The packages of the workspace.
pub(super) fn read() -> anyhow::Result<Vec<Package>> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    let mut command = cargo();
    command.args(["metadata", "--no-deps", "--offline", "--format-version", "1"]).current_dir(root());
    let output = command.output().context("cannot start cargo metadata")?;
    if !output.status.success() {
        bail!("cargo metadata failed:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    let metadata: Metadata = serde_json::from_slice(&output.stdout).context("cargo metadata")?;
    Ok(metadata.packages)
}

/// The version that all packages share.
pub(super) fn version() -> anyhow::Result<String> {
    let mut packages = read()?.into_iter().filter(|package| package.name == "tallow");
    packages.next().map(|package| package.version).context("no package `tallow` in this workspace")
}

/// What is missing or wrong, in sentences. Where the sources are published is asked for a release only.
pub(super) fn problems(packages: &[Package], release: bool) -> anyhow::Result<Vec<String>> {
    let mut problems = Vec::new();
    for package in packages {
        let published = package.publish.as_ref().is_none_or(|registries| !registries.is_empty());
        if published != PACKAGES.contains(&package.name.as_str()) {
            let verb = if published { "would be published" } else { "would not be published" };
            problems.push(format!("{} {verb}; see `PACKAGES` in xtask/src/package", package.name));
        } else if published {
            problems.extend(of_manifest(package, release));
            problems.extend(of_dependencies(package, packages));
            problems.extend(of_licences(package)?);
        }
    }
    let missing = PACKAGES.iter().filter(|name| !packages.iter().any(|package| package.name == **name));
    problems.extend(missing.map(|name| format!("{name} is not in the workspace")));
    Ok(problems)
}

fn of_manifest(package: &Package, release: bool) -> Vec<String> {
    let filled = |field: &Option<String>| field.as_ref().is_some_and(|text| !text.trim().is_empty());
    let short = |word: &String| word.len() <= 20 && word.starts_with(|c: char| c.is_ascii_alphanumeric());
    let folder = package.manifest_path.parent();
    let readme = package.readme.as_ref().and_then(|readme| Some(folder?.join(readme)));
    let wants = [
        (filled(&package.description), "a description"),
        (
            package.documentation == Some(format!("https://docs.rs/{}", package.name)),
            "the address of its documentation",
        ),
        (readme.is_some_and(|readme| readme.is_file()), "a readme that is there"),
        (filled(&package.license), "a licence"),
        (filled(&package.rust_version), "a rust-version"),
        ((1..=5).contains(&package.keywords.len()), "one to five keywords"),
        (package.keywords.iter().all(short), "keywords of 20 characters at most"),
        ((1..=5).contains(&package.categories.len()), "one to five categories"),
        (package.metadata.pointer("/docs/rs/targets").is_some(), "[package.metadata.docs.rs]"),
        (!release || filled(&package.repository), "`repository` in [workspace.package]: where are the sources?"),
    ];
    wants.iter().filter(|(there, _)| !there).map(|(_, what)| format!("{}: lacks {what}", package.name)).collect()
}

/// A published package names versions, also of what lies beside it, since its path means nothing elsewhere.
fn of_dependencies(package: &Package, packages: &[Package]) -> Vec<String> {
    let mut problems = Vec::new();
    for Dependency { name, req, kind, path } in &package.dependencies {
        let version = packages.iter().find(|other| other.name == *name).map(|other| format!("^{}", other.version));
        let helper = kind.as_deref() == Some("dev") && !PACKAGES.contains(&name.as_str());
        if path.is_some() && !helper && Some(req) != version.as_ref() {
            problems.push(format!("{}: wants `{name}` in version `{req}`, which is {version:?}", package.name));
        }
    }
    problems
}

/// The texts of the licences lie in each package, as they are at the root.
fn of_licences(package: &Package) -> anyhow::Result<Vec<String>> {
    let folder = package.manifest_path.parent().context("a manifest is in no folder")?;
    let mut files = vec!["LICENSE-APACHE"];
    if package.license.as_deref().is_some_and(|licence| licence.contains("MIT")) {
        files.push("LICENSE-MIT");
    }
    if package.license.as_deref().is_some_and(|licence| licence.starts_with('(')) {
        files.push("NOTICES.md");
    }
    let same = |file: &&str| fs::read(folder.join(file)).ok() == fs::read(root().join(file)).ok();
    files.retain(|file| !same(file));
    Ok(files.iter().map(|file| format!("{}: its {file} is not the one at the root: copy it", package.name)).collect())
}

#[cfg(test)]
mod tests {
    use super::{Package, problems, read};

    fn changed(change: impl Fn(&mut Package)) -> Vec<String> {
        let mut packages = read().unwrap();
        packages.iter_mut().filter(|package| package.name == "tallow").for_each(change);
        problems(&packages, false).unwrap()
    }

    #[test]
    fn the_manifests_have_what_the_registry_wants() {
        assert_eq!(changed(|_| ()), Vec::<String>::new());
    }

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(changed(|package| package.description = Some(" ".into())), ["tallow: lacks a description"]);
        assert_eq!(changed(|package| package.keywords.clear()), ["tallow: lacks one to five keywords"]);
        assert_eq!(
            changed(|package| package.publish = Some(Vec::new())),
            ["tallow would not be published; see `PACKAGES` in xtask/src/package"]
        );
        let wrong = changed(|package| package.dependencies.iter_mut().for_each(|one| one.req = "*".into()));
        assert!(wrong.iter().any(|line| line.starts_with("tallow: wants `tallow-io` in version `*`")), "{wrong:?}");
    }
}
