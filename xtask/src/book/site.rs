//! The pages of the site and the files beside them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use tallow_io::atomic;

use super::markdown::{self, Heading};
use super::shell;

/// A file that says of a folder that it is a site, which may be replaced.
const MARK: &str = ".tallow-book";

/// A Markdown file on its way to become a page.
pub(crate) struct Page {
    /// The heading under which the list of pages has it; none for the front page.
    pub(crate) group: &'static str,
    /// Where it is in the repository.
    pub(crate) file: String,
    pub(crate) text: String,
    /// HTML that comes before it.
    pub(crate) above: String,
}

impl Page {
    pub(crate) fn of_file(root: &Path, group: &'static str, file: &str) -> anyhow::Result<Page> {
        let path = root.join(file);
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Page { group, file: file.into(), text, above: String::new() })
    }
}

/// An entry of the list of pages.
pub(crate) struct Entry {
    pub(crate) group: &'static str,
    pub(crate) title: String,
    pub(crate) place: String,
}

/// A section that can be searched for.
pub(crate) struct Section {
    /// The title of its page.
    pub(crate) page: String,
    pub(crate) title: String,
    /// Its address, from the root of the site.
    pub(crate) place: String,
}

pub(crate) struct Site {
    root: PathBuf,
    out: PathBuf,
    pages: Vec<Page>,
    sections: Vec<Section>,
    /// Files that are no pages, and that pages link to.
    shown: BTreeSet<String>,
    has_api: bool,
}

impl Site {
    /// An empty site in `out`, which must be free or hold an older one.
    pub(crate) fn new(root: &Path, out: &Path) -> anyhow::Result<Site> {
        if out.exists() {
            let empty = out.read_dir().with_context(|| format!("cannot list {}", out.display()))?.next().is_none();
            ensure!(
                empty || out.join(MARK).is_file(),
                "{} holds other files than a site of this program's: name an empty folder with --out",
                out.display()
            );
            fs::remove_dir_all(out).with_context(|| format!("cannot remove the older {}", out.display()))?;
        }
        fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
        fs::write(out.join(MARK), "").with_context(|| format!("cannot write into {}", out.display()))?;
        let (root, out) = (root.to_path_buf(), out.to_path_buf());
        Ok(Site { root, out, pages: Vec::new(), sections: Vec::new(), shown: BTreeSet::new(), has_api: false })
    }

    pub(crate) fn add(&mut self, page: Page) -> anyhow::Result<()> {
        ensure!(self.pages.iter().all(|other| other.file != page.file), "{} is a page twice", page.file);
        self.pages.push(page);
        Ok(())
    }

    /// A whole page that a chapter wrote, with what it links to: sources of the repository, and files beside it.
    pub(crate) fn add_report(&mut self, place: &str, report: &Path) -> anyhow::Result<()> {
        let html = fs::read_to_string(report).with_context(|| format!("cannot read {}", report.display()))?;
        let (mut parts, mut linked) = (html.split("<a "), String::new());
        linked += parts.next().unwrap_or_default();
        for part in parts {
            let rest = match between(part, "href=\"", "\"") {
                Some(link) if !link.starts_with('#') && !link.contains("://") => {
                    let line = between(part, ">", "<").and_then(|text| text.rsplit_once(':')?.1.parse::<u32>().ok());
                    part.replacen(link, &self.beside_report(place, report, link, line)?, 1)
                }
                _ => part.into(),
            };
            linked += &format!("<a {rest}");
        }
        self.save(place, linked.as_bytes())?;
        let title = between(&html, "<title>", "</title>").unwrap_or(place).to_string();
        for part in html.split("<h2 id=\"").skip(1) {
            if let (Some((id, _)), Some(text)) = (part.split_once('"'), between(part, ">", "</h2>")) {
                let section = shell::without_tags(text);
                let (page, place) = (title.clone(), format!("{place}#{id}"));
                self.sections.push(Section { page, title: section, place });
            }
        }
        Ok(())
    }

    /// Where a link of a report leads in the site. The report was written for its own folder, below the repository.
    fn beside_report(&mut self, place: &str, report: &Path, link: &str, line: Option<u32>) -> anyhow::Result<String> {
        let file = report.with_file_name(link);
        if !link.contains('/') && file.is_file() {
            let bytes = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
            self.save(&format!("{}{link}", &place[..place.rfind('/').map_or(0, |slash| slash + 1)]), &bytes)?;
            return Ok(link.into());
        }
        let source = link.trim_start_matches("../");
        if !self.root.join(source).is_file() || normal(source).as_deref() != Some(source) {
            return Ok(link.into());
        }
        self.shown.insert(source.into());
        let line = line.map_or(String::new(), |line| format!("#L{line}"));
        Ok(format!("{}{source}.html{line}", shell::way_up(place)))
    }

    /// All files of a folder.
    pub(crate) fn add_folder(&mut self, place: &str, folder: &Path) -> anyhow::Result<()> {
        self.has_api = true;
        copy(folder, &self.out.join(place))
    }

    /// Writes all pages, and tells how many there are.
    pub(crate) fn write(mut self) -> anyhow::Result<usize> {
        let places: BTreeMap<String, String> =
            self.pages.iter().map(|page| (page.file.clone(), place(&page.file))).collect();
        let titles: Vec<String> = self.pages.iter().map(|page| markdown::title(&page.text, &page.file)).collect();
        let entries: Vec<Entry> = self.pages.iter().zip(&titles).map(|(page, title)| entry(page, title)).collect();
        let (mut shown, mut count) = (std::mem::take(&mut self.shown), 0);
        for (page, title) in self.pages.iter().zip(&titles) {
            let here = &places[&page.file];
            let mut resolve = |link: &str| self.resolve(&page.file, here, link, &places, &mut shown);
            let (html, headings) = markdown::render(&page.text, &mut resolve)?;
            let html = shell::page(title, here, &format!("{}{html}", page.above), &entries, self.has_api);
            self.save(here, html.as_bytes())?;
            self.sections.extend(headings.into_iter().map(|Heading { id, title: section }| Section {
                page: title.clone(),
                title: section,
                place: format!("{here}#{id}"),
            }));
            count += 1;
        }
        for file in shown {
            let here = format!("{file}.html");
            let html = shell::page(&file, &here, &self.listing(&file)?, &entries, self.has_api);
            self.save(&here, html.as_bytes())?;
            count += 1;
        }
        self.save("book.css", shell::STYLE.as_bytes())?;
        self.save("search.js", shell::search(&self.sections)?.as_bytes())?;
        Ok(count)
    }

    /// Where a link of `file`, whose page is at `here`, leads in the site. Files that are no pages are noted in
    /// `shown`.
    fn resolve(
        &self,
        file: &str,
        here: &str,
        link: &str,
        places: &BTreeMap<String, String>,
        shown: &mut BTreeSet<String>,
    ) -> anyhow::Result<String> {
        if link.starts_with('#') || link.contains("://") || link.starts_with("mailto:") {
            return Ok(link.into());
        }
        let (path, fragment) =
            link.split_once('#').map_or((link, String::new()), |(path, id)| (path, format!("#{id}")));
        let target = normal(&format!("{}/{path}", file.rsplit_once('/').map_or("", |(folder, _)| folder)))
            .with_context(|| format!("{file}: the link to {link} leads out of the repository"))?;
        let there = self.root.join(&target);
        let place = if let Some(place) = places.get(&target) {
            place.clone()
        } else if target.ends_with(".png") || target.ends_with(".svg") {
            let bytes = fs::read(&there).with_context(|| format!("{file}: cannot read {target}"))?;
            self.save(&target, &bytes)?;
            target
        } else {
            ensure!(there.exists(), "{file}: there is no {target}, to which it links");
            shown.insert(target.clone());
            format!("{target}.html")
        };
        Ok(format!("{}{place}{fragment}", shell::way_up(here)))
    }

    /// The text of a file, or of all files of a folder, one after the other.
    fn listing(&self, file: &str) -> anyhow::Result<String> {
        let path = self.root.join(file);
        let text = |path: &Path| fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()));
        if path.is_file() {
            return Ok(format!("<h1>{}</h1>\n{}", shell::escape(file), code(&text(&path)?, "L")));
        }
        let entries = path.read_dir().with_context(|| format!("cannot list {}", path.display()))?;
        let mut files: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
        files.retain(|file| file.is_file());
        files.sort();
        let mut html = format!("<h1>{}</h1>\n", shell::escape(file));
        for file in files {
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            html += &format!(
                "<h2 id=\"{0}\">{0}</h2>\n{1}",
                shell::escape(&name),
                code(&text(&file)?, &format!("{name}-L"))
            );
        }
        Ok(html)
    }

    fn save(&self, place: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let path = self.out.join(place);
        let folder = path.parent().unwrap_or(&self.out);
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(atomic::write(path, bytes)?)
    }
}

/// A file's text, with a name for each line: `prefix` and its number.
fn code(text: &str, prefix: &str) -> String {
    let prefix = shell::escape(prefix);
    let lines = text.lines().enumerate();
    let lines: String =
        lines.map(|(i, line)| format!("<span id=\"{prefix}{}\">{}</span>\n", i + 1, shell::escape(line))).collect();
    format!("<pre><code>{lines}</code></pre>\n")
}

/// The place of a file's page: a README is its folder's front page.
fn place(file: &str) -> String {
    match file.strip_suffix("README.md") {
        Some(folder) => format!("{folder}index.html"),
        None => format!("{}.html", file.trim_end_matches(".md")),
    }
}

fn entry(page: &Page, title: &str) -> Entry {
    Entry { group: page.group, title: title.into(), place: place(&page.file) }
}

/// A path without `.` and `..`; none if it leads out of where it begins.
fn normal(path: &str) -> Option<String> {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(start)?;
    rest.split_once(end).map(|(found, _)| found)
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    for entry in from.read_dir().with_context(|| format!("cannot list {}", from.display()))? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
        } else if entry.file_type()?.is_file() {
            fs::copy(entry.path(), &to).with_context(|| format!("cannot copy to {}", to.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_paths() {
        let places = ["README.md", "chapters/a/README.md", "docs/photos.md"].map(place);
        assert_eq!(places, ["index.html", "chapters/a/index.html", "docs/photos.html"]);
        assert_eq!(normal("chapters/a/../../docs/./b.md").as_deref(), Some("docs/b.md"));
        assert_eq!(normal("docs/../../b.md"), None);
    }
}
