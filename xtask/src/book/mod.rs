//! `cargo xtask book`: a static site of the chapters' pages, their READMEs, the guides and the API documentation.
//!
//! Every page is a Markdown file of the repository, at the same place in the site. Files of other kinds that they link
//! to get pages too, so that a reader never leaves the site by a link to the sources.

mod links;
mod markdown;
mod shell;
mod site;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;

use crate::results::Results;
use crate::{cargo, root, run_all, stamp};
use site::{Page, Site};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The folder that `cargo xtask run-all` has filled; chapters without results there have a page that says so
    /// [default: out]
    #[arg(long, value_name = "DIR")]
    results: Option<PathBuf>,

    /// The folder for the site [default: out/book]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Leave out the API documentation
    #[arg(long)]
    no_api: bool,

    /// The workspace, for tests
    #[arg(long, value_name = "DIR", hide = true)]
    root: Option<PathBuf>,
}

/// More broken links than this are counted and not listed.
const MOST_BROKEN: usize = 20;

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let root = args.root.clone().unwrap_or_else(root);
    let results = args.results.clone().unwrap_or_else(|| root.join("out"));
    let out = args.out.clone().unwrap_or_else(|| root.join("out/book"));
    let mut site = Site::new(&root, &out)?;
    let mut without = Vec::new();
    for chapter in run_all::chapters(&root)? {
        if !add_chapter(&mut site, &root, &results, &chapter)? {
            without.push(chapter);
        }
    }
    for (group, file) in guides(&root)? {
        site.add(Page::of_file(&root, group, &file)?)?;
    }
    if !args.no_api {
        add_api(&mut site, &root)?;
    }
    let written = site.write()?;
    let broken = links::broken(&out)?;
    for link in broken.iter().take(MOST_BROKEN) {
        eprintln!("broken link: {link}");
    }
    if broken.len() > MOST_BROKEN {
        eprintln!("and {} more", broken.len() - MOST_BROKEN);
    }
    if !without.is_empty() {
        eprintln!("no results of {} in {}: `cargo xtask run-all` makes them", without.join(", "), results.display());
    }
    println!("{written} pages, {} broken links: {}", broken.len(), out.join("index.html").display());
    Ok(ExitCode::from(u8::from(!broken.is_empty())))
}

/// A chapter's README, and the page of its last run beside it. False if it was not run.
fn add_chapter(site: &mut Site, root: &Path, results: &Path, chapter: &str) -> anyhow::Result<bool> {
    let mut page = Page::of_file(root, "Chapters", &format!("chapters/{chapter}/README.md"))?;
    let report = results.join(chapter).join("report.html");
    let was_run = report.is_file();
    page.above = match Results::read(&results.join(chapter).join("metrics.json")) {
        Ok(Some(found)) if was_run => {
            let quick = if found.quick { " It was a quick run, whose figures are not the chapter's best." } else { "" };
            let origin = stamp::of(results, chapter)?.map_or("Run by hand".into(), |stamp| stamp.to_string());
            format!(
                "<p class=\"run\"><a href=\"report.html\">The page of a run</a>: {} of {} printed figures as good or \
                 better.{quick}<br>{}</p>\n",
                found.verdicts().better + found.verdicts().as_good,
                found.verdicts().total() - found.verdicts().other,
                shell::escape(&origin)
            )
        }
        _ => format!("<p class=\"run\">Not run yet: <code>cargo run -p {}</code></p>\n", shell::escape(chapter)),
    };
    site.add(page)?;
    if was_run {
        site.add_report(&format!("chapters/{chapter}/report.html"), &report)?;
    }
    Ok(was_run)
}

/// The other Markdown files that readers want: the front page, the guides and the project's own papers.
fn guides(root: &Path) -> anyhow::Result<Vec<(&'static str, String)>> {
    let mut files = vec![("", "README.md".to_string())];
    let folder = root.join("docs");
    let mut guides = Vec::new();
    for entry in folder.read_dir().with_context(|| format!("cannot list {}", folder.display()))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        guides.extend(name.ends_with(".md").then(|| ("Guides", format!("docs/{name}"))));
    }
    guides.sort();
    files.extend(guides);
    let project = ["datasets/README.md", "CONTRIBUTING.md", "CHANGELOG.md", "NOTICES.md"];
    files.extend(project.into_iter().filter(|file| root.join(file).is_file()).map(|file| ("Project", file.into())));
    Ok(files)
}

/// The documentation that cargo makes of the sources.
fn add_api(site: &mut Site, root: &Path) -> anyhow::Result<()> {
    let status = cargo().args(["doc", "--workspace", "--no-deps"]).current_dir(root).status();
    anyhow::ensure!(status.context("cannot start cargo doc")?.success(), "cargo doc failed");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    site.add_folder("api", &target.join("doc"))
}
