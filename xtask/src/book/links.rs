//! Links that lead nowhere.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

/// The links of the site's pages that lead to no file, or to no place in one: `page: link`. Links into the web are not
/// followed, and pages of the API documentation, whose links cargo checks, are only looked for.
pub(crate) fn broken(site: &Path) -> anyhow::Result<Vec<String>> {
    let mut pages = BTreeMap::new();
    read(site, Path::new(""), &mut pages)?;
    let mut broken = Vec::new();
    for (page, html) in &pages {
        for link in ["href=\"", "src=\""].iter().flat_map(|name| html.split(name).skip(1)) {
            let link = link.split('"').next().unwrap_or_default();
            if !leads(site, page, link, &pages) {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    Ok(broken)
}

fn leads(site: &Path, page: &Path, link: &str, pages: &BTreeMap<PathBuf, String>) -> bool {
    if link.contains("://") || link.starts_with("data:") || link.starts_with("mailto:") {
        return true;
    }
    let (path, id) = link.split_once('#').unwrap_or((link, ""));
    let mut target = page.to_path_buf();
    if !path.is_empty() {
        target.pop();
        for part in path.split('/') {
            match part {
                ".." => {
                    if !target.pop() {
                        return false;
                    }
                }
                "." | "" => {}
                part => target.push(part),
            }
        }
    }
    let found = pages.get(&target);
    match found {
        Some(html) => id.is_empty() || html.contains(&format!("id=\"{id}\"")),
        None => id.is_empty() && site.join(&target).is_file(),
    }
}

/// All pages except the API documentation's, by their path in the site.
fn read(site: &Path, folder: &Path, pages: &mut BTreeMap<PathBuf, String>) -> anyhow::Result<()> {
    let here = site.join(folder);
    for entry in here.read_dir().with_context(|| format!("cannot list {}", here.display()))? {
        let (entry, mut path) = (entry?, folder.to_path_buf());
        path.push(entry.file_name());
        if entry.file_type()?.is_dir() {
            if path != Path::new("api") {
                read(site, &path, pages)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "html") {
            let html = fs::read_to_string(entry.path()).with_context(|| format!("cannot read {}", path.display()))?;
            pages.insert(path, html);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_missing_files_and_places_are_found() {
        let site = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = site.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("api/x.html", "<a href=\"nowhere\">");
        write("a/b.html", "<h2 id=\"s1\">");
        write(
            "index.html",
            "<a href=\"a/b.html#s1\"><a href=\"a/b.html#s2\"><img src=\"c.png\"><a href=\"https://d\"><a href=\"#e\">\
             <a href=\"api/x.html\"><a href=\"../f.html\">",
        );
        let found = broken(site.path()).unwrap();
        assert_eq!(found, ["a/b.html#s2", "#e", "../f.html", "c.png"].map(|link| format!("index.html: {link}")));
    }
}
