//! Which way the dependencies point: between the modules of core as `docs/architecture.md` draws them, and never in a
//! circle between files.
#![allow(clippy::unwrap_used, missing_docs)]

#[allow(dead_code, unreachable_pub)] // `tidy` uses the rest of it
mod sources;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use sources::{assert_none, code_lines, root, rust_files};

/// For each module or file, those that it uses.
type Edges = BTreeMap<String, BTreeSet<String>>;

/// A path that a source names: its line, and its words, such as `crate`, `nn`, `Params`.
type Named = (usize, Vec<String>);

/// Every path of our own that a source names. Re-exports count where `re_exports` says so.
fn named(source: &str, re_exports: bool) -> Vec<Named> {
    let mut code = String::new();
    let mut numbers = Vec::new();
    for (number, line) in code_lines(source) {
        numbers.extend(std::iter::repeat_n(number, line.len() + 1));
        code.push_str(line);
        code.push('\n');
    }
    let mut found = Vec::new();
    for (at, _) in code.match_indices("::") {
        let before = code[..at].trim_end_matches(is_name);
        let (first, is_head) = (&code[before.len()..at], !before.ends_with("::"));
        let line = before.rsplit('\n').next().unwrap_or_default().trim_start();
        let is_use = line.ends_with("use ");
        let is_ours = is_use || ["crate", "super", "self"].contains(&first);
        if is_head && is_ours && (re_exports || !(is_use && line.starts_with("pub"))) {
            let paths = branches(&code[before.len()..]);
            found.extend(paths.into_iter().map(|path| (numbers[at], path.into_iter().map(String::from).collect())));
        }
    }
    found
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The paths with which a text begins: of `a::{b, c::d}` both `a::b` and `a::c::d`.
fn branches(text: &str) -> Vec<Vec<&str>> {
    let text = text.trim_start();
    if let Some(list) = text.strip_prefix('{') {
        return members(list).into_iter().flat_map(branches).collect();
    }
    let (name, rest) = text.split_at(text.find(|c| !is_name(c)).unwrap_or(text.len()));
    match rest.strip_prefix("::") {
        Some(rest) => branches(rest).into_iter().map(|path| [&[name], &path[..]].concat()).collect(),
        None => vec![vec![name]],
    }
}

/// The members of a list in braces, of which `text` begins after the first brace.
fn members(text: &str) -> Vec<&str> {
    let (mut found, mut start, mut depth) = (Vec::new(), 0, 0);
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            ',' | '}' if depth == 0 => {
                found.push(&text[start..at]);
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    found.retain(|member| !member.trim().is_empty());
    found
}

/// The rows of the table of dependencies: each module, and those that it may use.
fn table(document: &str) -> Edges {
    let mut sections = document.split("\n## ");
    let section = sections.find(|section| section.starts_with("Which way the dependencies point")).unwrap_or_default();
    let names = |cell: &str| cell.split('`').skip(1).step_by(2).map(String::from).collect::<BTreeSet<String>>();
    let cells = section.lines().filter(|line| line.starts_with("| `")).map(|row| row.split('|').collect::<Vec<&str>>());
    cells.flat_map(|cells| names(cells[1]).into_iter().map(move |module| (module, names(cells[2])))).collect()
}

/// What a file of core uses of other modules: a line and a module each.
fn uses(module: &str, source: &str) -> BTreeSet<(usize, String)> {
    let ours = named(source, true).into_iter().filter(|(_, path)| path[0] == "crate");
    ours.map(|(line, mut path)| (line, path.swap_remove(1))).filter(|(_, used)| used != module).collect()
}

/// Where the table and the code differ. `lib` is the library's root, which says which modules there are.
fn differences(table: &Edges, files: &[(String, String)], lib: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let mut unused = table.clone();
    for (file, source) in files {
        let module = module_path(file)[0].clone();
        let Some(allowed) = table.get(&module) else {
            problems.push(format!("{file}: `{module}` has no row in the table of docs/architecture.md"));
            continue;
        };
        for (line, used) in uses(&module, source) {
            if !allowed.contains(&used) {
                problems.push(format!("{file}:{line}: `{module}` may use {allowed:?}, not `{used}`"));
            }
            unused.entry(module.clone()).or_default().remove(&used);
        }
    }
    for (module, unused) in &unused {
        if !lib.contains(&format!(" {module};")) {
            problems.push(format!("docs/architecture.md has a row for `{module}`, which is not a module"));
        }
        problems.extend(unused.iter().map(|used| {
            format!("docs/architecture.md lets `{module}` use `{used}`, and no code does: take it out of the table")
        }));
    }
    problems
}

/// The module of a file, from the folder `src` on: `nn`, `layers` for `core/src/nn/layers.rs` and for
/// `core/src/nn/layers/mod.rs`.
fn module_path(file: &str) -> Vec<String> {
    let inside = file.split_once("src/").map_or(file, |(_, inside)| inside).trim_end_matches(".rs");
    let inside = inside.trim_end_matches("/mod");
    inside.split('/').filter(|word| *word != "lib").map(String::from).collect()
}

/// Which file of a package uses which. The root uses them all and is left out, and so are re-exports: that a module's
/// face shows an item does not make the module need it.
fn file_edges(files: &[(String, String)]) -> Edges {
    let modules: BTreeMap<Vec<String>, &String> = files.iter().map(|(file, _)| (module_path(file), file)).collect();
    let mut edges = Edges::new();
    for (file, source) in files {
        let module = module_path(file);
        for (_, path) in named(source, false) {
            let mut used = module.clone();
            for word in path {
                match word.as_str() {
                    "crate" => used.clear(),
                    "super" => drop(used.pop()),
                    "self" => {}
                    _ => used.push(word),
                }
            }
            let target = (1..=used.len()).rev().find_map(|n| modules.get(&used[..n]));
            if let Some(target) = target.filter(|target| **target != file) {
                edges.entry(file.clone()).or_default().insert(target.to_string());
            }
        }
    }
    edges
}

/// Groups of nodes of which each leads to all others.
fn circles(edges: &Edges) -> BTreeSet<Vec<String>> {
    let reach: Edges = edges.keys().map(|node| (node.clone(), reachable(edges, node))).collect();
    let leads = |from: &String, to: &String| reach.get(from).is_some_and(|reach| reach.contains(to));
    let in_circles = reach.iter().filter(|(node, reach)| reach.contains(*node));
    in_circles.map(|(node, reach)| reach.iter().filter(|other| leads(other, node)).cloned().collect()).collect()
}

fn reachable(edges: &Edges, from: &str) -> BTreeSet<String> {
    let (mut found, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(node) = open.pop() {
        let next = edges.get(node).into_iter().flatten();
        open.extend(next.filter(|next| found.insert(next.to_string())).map(String::as_str));
    }
    found
}

#[test]
fn modules_of_core_use_what_the_table_says_and_nothing_else() {
    let document = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let mut files = rust_files("core/src");
    // The programs use the library as others do.
    files.retain(|(file, _)| !file.starts_with("core/src/bin/"));
    let at = files.iter().position(|(file, _)| file == "core/src/lib.rs").unwrap();
    let (_, lib) = files.swap_remove(at);
    let table = table(&document);
    assert!(table.len() > 10, "the table in docs/architecture.md is not found, or has another form: {table:?}");
    assert_none(differences(&table, &files, &lib));
    assert_eq!(circles(&table), BTreeSet::new(), "circles in the table of docs/architecture.md");
}

#[test]
fn forbidden_unused_and_unknown_dependencies_would_be_found() {
    let document = "# Map\n\n## Which way the dependencies point\n\n| module | uses |\n|---|---|\n\
                    | `error` | nothing |\n| `nn`, `optim` | `kernels` (its steps), `error` |\n\
                    | `kernels` | nothing |\n\n\
                    ## More\n\n| `a` | `b` |\n";
    let table = table(document);
    assert_eq!(table.keys().collect::<Vec<_>>(), ["error", "kernels", "nn", "optim"]);
    assert_eq!(table["optim"].iter().collect::<Vec<_>>(), ["error", "kernels"]);

    let lib = "pub mod error;\npub use tallow_kernels as kernels;\npub mod nn;\npub mod optim;\n";
    let nn = "use crate::error::Result;\nuse crate::{\n    kernels::{self, conv2d},\n    train::Learner,\n};\n\
              // crate::cli\nfn f() { crate::report::g() }\n#[cfg(test)]\nuse crate::plot;\n";
    let files = |nn: &str| {
        let optim = String::from("use crate::error::Result;\nuse crate::kernels::step;\n");
        [("core/src/nn/mod.rs".to_string(), nn.to_string()), ("core/src/optim.rs".to_string(), optim)]
    };
    let found = differences(&table, &files(nn), lib);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("nn/mod.rs:2: `nn`") && found[0].contains("not `train`"), "{found:?}");
    assert!(found[1].contains("nn/mod.rs:7: `nn`") && found[1].contains("not `report`"), "{found:?}");

    let found = differences(&table, &files("use crate::error::Result;\n"), lib);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("lets `nn` use `kernels`"), "{found:?}");

    let found = differences(&table, &[("core/src/newcomer.rs".into(), String::new())], "pub mod nn;");
    assert!(found.iter().any(|problem| problem.contains("`newcomer` has no row")), "{found:?}");
    assert!(found.iter().any(|problem| problem.contains("`optim`, which is not a module")), "{found:?}");
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    let mut folders = ["core/src", "core/kernels/src", "datasets/src", "io/src"].map(String::from).to_vec();
    for chapter in fs::read_dir(root().join("chapters")).unwrap() {
        folders.push(format!("chapters/{}/src", chapter.unwrap().file_name().to_string_lossy()));
    }
    let found = folders.iter().flat_map(|folder| circles(&file_edges(&rust_files(folder))));
    assert_none(found.map(|files| format!("these files use each other in a circle: {files:?}")).collect());
}

#[test]
fn a_circle_of_files_would_be_found() {
    let file = |name: &str, source: &str| (format!("core/src/{name}.rs"), source.to_string());
    let files = [
        file("m/mod", "mod a;\nmod b;\nmod c;\npub use a::A;\npub(crate) use self::b::{B, c};\npub struct Shared;\n"),
        file("m/a", "use super::Shared;\nfn f() -> super::b::B { B }\n"),
        file("m/b", "use super::{Shared, c::C};\n"),
        file("m/c", "use crate::m::a::A;\n#[cfg(test)]\nuse super::b::B;\n"),
        file("n", "use crate::m::c::C;\n"),
    ];
    let circle: Vec<String> = ["a", "b", "c"].map(|name| format!("core/src/m/{name}.rs")).into();
    assert_eq!(circles(&file_edges(&files)), BTreeSet::from([circle]));

    let files = [file("m/mod", "mod a;\nuse a::A;\n"), file("m/a", "use super::Shared;\n")];
    assert_eq!(circles(&file_edges(&files)).len(), 1);
    let files = [file("m/mod", "mod a;\nuse a::A;\n"), file("m/a", "use super::other::Thing;\n"), file("m/other", "")];
    assert!(circles(&file_edges(&files)).is_empty());
}
