//! The list of datasets: the one that is built in, and how mistakes in one are told.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use tallow_datasets::{ErrorKind, Manifest};

const GOOD: &str = r#"[[dataset]]
name = "a"
title = "t"
licence = "l"
licence_url = "u"
credit = "c"
layout = "x"
[[dataset.file]]
name = "f.bin"
sources = ["https://example.org/f.bin"]
bytes = 3
"#;

fn refused(from: &str, to: &str) -> String {
    let text = GOOD.replace(from, to);
    assert_ne!(text, GOOD);
    Manifest::parse(&text, "list.toml").unwrap_err().to_string()
}

#[test]
fn the_builtin_list_is_good_and_says_what_an_unknown_name_could_have_been() {
    let manifest = Manifest::builtin().unwrap();
    let mnist = manifest.get("mnist").unwrap();
    assert_eq!((mnist.files.len(), mnist.bytes()), (4, 11_594_722));
    let error = manifest.get("mnits").unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no dataset `mnits`; the manifest lists mnist, mnist_sample, camvid_tiny, adult_sample, \
         movie_lens_sample, imdb_sample, pets, titanic, timm_results, wt103_fwd, wt103_bwd, minilm, cats_dogs, \
         animal_faces, lecture_photos"
    );
    assert_eq!(error.kind(), ErrorKind::Usage);
}

#[test]
fn errors_name_the_line_or_the_file() {
    assert!(refused("bytes = 3", "bytes = \"three\"").contains("line 11, column 9"));
    assert!(refused("bytes = 3\n", "bytes = 3\nsize = 3\n").contains("line 12"));
    assert!(refused("title = \"t\"\n", "").contains("missing field `title`"));
    assert!(refused("bytes = 3", "bytes = 0").starts_with("list.toml: dataset `a`: file `f.bin`: `bytes` must"));
    assert!(refused("\"f.bin\"", "\"../f.bin\"").contains("without `..`"));
    assert!(refused("\"f.bin\"", "\"/f.bin\"").contains("without `..`"));
    assert!(refused("\"a\"", "\"a/b\"").contains("plain folder name"));
    assert!(refused("https:", "http:").contains("must be https://"));
    assert!(refused("https:", "file:").contains("must be https://"));
    assert!(refused("[\"https://example.org/f.bin\"]", "[]").contains("no source"));
    assert!(refused("[\"https://example.org/f.bin\"]", "[3]").contains("a source is a URL"));
    assert!(refused("bytes = 3\n", "bytes = 3\nsha256 = \"abc\"\n").contains("64 lower-case"));
    assert!(refused("bytes = 3\n", "bytes = 3\nunpack = \"zip\"\n").contains("`provides`"));
}

#[test]
fn hub_sources_are_pinned_to_a_commit() {
    let hub = r#"{ repo = "o/n", file = "d/f.bin", revision = "0123456789012345678901234567890123456789" }"#;
    let text = GOOD.replace("\"https://example.org/f.bin\"", hub);
    let url = Manifest::parse(&text, "list.toml").unwrap().datasets[0].files[0].url();
    assert!(url.ends_with("/datasets/o/n/resolve/0123456789012345678901234567890123456789/d/f.bin"), "{url}");
    let error = Manifest::parse(&text.replace("0123456789\" }", "main\" }"), "list.toml").unwrap_err();
    assert!(error.to_string().contains("40 hexadecimal digits"), "{error}");
}

#[test]
fn a_tree_lists_many_files_below_one_address() {
    let hash = "0".repeat(64);
    let text = |list: &str| {
        format!(
            "[[dataset]]\nname = \"faces\"\ntitle = \"t\"\nlicence = \"l\"\nlicence_url = \"u\"\ncredit = \"c\"\n\
             layout = \"y\"\n[[dataset.tree]]\nbases = [\"https://example.org/faces/\"]\nlist = \"\"\"\n{list}\"\"\"\n"
        )
    };
    let manifest =
        Manifest::parse(&text(&format!("{hash} 12 train/cat/1.jpg\n{hash} 30 valid/dog/2.jpg\n")), "m").unwrap();
    let faces = manifest.get("faces").unwrap();
    assert_eq!((faces.files.len(), faces.bytes()), (2, 42));
    assert_eq!(faces.files[1].url(), "https://example.org/faces/valid/dog/2.jpg");
    for wrong in [
        "12 train/cat/1.jpg",
        &format!("{hash} twelve a.jpg"),
        &format!("{hash} 12 ../a.jpg"),
        &format!("{hash} 12 a b.jpg"),
    ] {
        assert!(Manifest::parse(&text(&format!("{wrong}\n")), "m").is_err(), "{wrong}");
    }

    let faces = Manifest::builtin().unwrap();
    let faces = faces.get("animal_faces").unwrap();
    assert_eq!((faces.files.len(), faces.bytes()), (300, 12_569_413));
}
