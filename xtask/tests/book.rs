//! The book as a user makes it, of a small workspace.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn book(root: &Path, out: &Path) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(["book", "--no-api", "--root"]).arg(root).arg("--out").arg(out);
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

fn write(root: &Path, files: &[(&str, &str)]) {
    for (file, text) in files {
        let path = root.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

const REPORT: &str = "<title>A chapter</title><h2 id=\"s1\">1. The <code>first</code> step</h2>\n\
<a class=\"place\" href=\"../../chapters/ch01_a/src/lib.rs\">chapters/ch01_a/src/lib.rs:2</a>\n\
<a href=\"metrics.json\">figures</a><a href=\"#s1\">up</a>";

/// A front page, a guide, two chapters, of which one was run.
fn workspace() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let files = [
        (
            "README.md",
            "# Front\n\n[one](chapters/ch01_a/README.md#run-it), [guide](docs/guide.md), [licence](LICENSE)\n",
        ),
        ("LICENSE", "Do <what> you like.\n"),
        ("docs/guide.md", "# A guide\n\n## To photos\n\n![plot](images/plot.png)\n"),
        ("docs/images/plot.png", "no picture, but a file"),
        ("chapters/ch01_a/Cargo.toml", ""),
        ("chapters/ch01_a/src/lib.rs", "//! A chapter.\nfn a() {}\n"),
        ("chapters/ch01_a/README.md", "# One\n\n## Run it\n\n[front](../../README.md)\n"),
        ("chapters/ch02_b/Cargo.toml", ""),
        ("chapters/ch02_b/README.md", "# Two\n"),
        ("out/ch01_a/report.html", REPORT),
        ("out/ch01_a/metrics.json", r#"{"quick": true, "comparisons": [{"verdict": "same"}, {"verdict": "worse"}]}"#),
    ];
    write(root.path(), &files);
    root
}

#[test]
fn chapters_guides_and_the_files_they_link_to_are_pages() {
    let root = workspace();
    let out = root.path().join("site");
    let (code, stdout, stderr) = book(root.path(), &out);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("6 pages, 0 broken links"), "{stdout}");
    assert!(stderr.contains("no results of ch02_b"), "{stderr}");
    let page = |name: &str| fs::read_to_string(out.join(name)).unwrap();
    let front = page("index.html");
    assert!(front.contains("href=\"chapters/ch01_a/index.html#run-it\""), "{front}");
    assert!(front.contains("href=\"docs/guide.html\"") && front.contains("href=\"LICENSE.html\""), "{front}");
    assert!(page("LICENSE.html").contains("Do &lt;what&gt; you like."));
    let one = page("chapters/ch01_a/index.html");
    assert!(one.contains("1 of 2 printed figures as good or better. It was a quick run"), "{one}");
    assert!(one.contains("href=\"../../index.html\">front"), "{one}");
    assert!(page("chapters/ch02_b/index.html").contains("Not run yet"));
    let report = page("chapters/ch01_a/report.html");
    assert!(report.contains("href=\"../../chapters/ch01_a/src/lib.rs.html#L2\""), "{report}");
    assert!(page("chapters/ch01_a/src/lib.rs.html").contains("<span id=\"L2\">fn a() {}</span>"));
    assert!(out.join("chapters/ch01_a/metrics.json").is_file() && out.join("docs/images/plot.png").is_file());
    let search = page("search.js");
    assert!(search.contains(r#"["1. The first step","A chapter","chapters/ch01_a/report.html#s1"]"#), "{search}");
    assert!(search.contains(r#"["To photos","A guide","docs/guide.html#to-photos"]"#), "{search}");
    // Made again, it replaces itself.
    assert_eq!(book(root.path(), &out).0, 0);
}

#[test]
fn broken_links_fail_and_nothing_else_is_replaced() {
    let root = workspace();
    write(root.path(), &[("docs/guide.md", "# A guide\n\n[up](../README.md#nowhere)\n")]);
    let out = root.path().join("site");
    let (code, stdout, stderr) = book(root.path(), &out);
    assert_eq!(code, 1, "{stdout}");
    assert!(stderr.contains("broken link: docs/guide.html: ../index.html#nowhere"), "{stderr}");

    write(root.path(), &[("docs/guide.md", "# A guide\n\n[gone](gone.md)\n")]);
    let (code, _, stderr) = book(root.path(), &out);
    assert!(code == 1 && stderr.contains("docs/guide.md: there is no docs/gone.md"), "{stderr}");

    let (code, _, stderr) = book(root.path(), &root.path().join("docs"));
    assert!(code == 1 && stderr.contains("holds other files than a site"), "{stderr}");
    assert!(root.path().join("docs/guide.md").is_file());
}
