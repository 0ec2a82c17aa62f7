//! The examples, run as a user runs them. `cargo test` builds them beside the tests.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::path::{Path, PathBuf};
use std::process::Command;
use tallow::vision::Image;

/// Runs an example in a folder and returns what it printed; `None`, and a word about it, where it has not been built.
fn run(name: &str, folder: &Path, arguments: &[&str]) -> Option<String> {
    let tests = std::env::current_exe().unwrap(); // target/debug/deps/examples-…
    let program =
        tests.ancestors().nth(2).unwrap().join("examples").join(name).with_extension(std::env::consts::EXE_EXTENSION);
    if !program.is_file() {
        assert!(std::env::var_os("CI").is_none(), "{} has not been built", program.display());
        eprintln!(
            "skipped: {name} has not been built; `cargo test -p tallow` or `cargo build -p tallow --examples` does that"
        );
        return None;
    }
    let output =
        Command::new(program).args(arguments).current_dir(folder).env("TALLOW_DEVICE", "cpu").output().unwrap();
    let (stdout, stderr) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{name}: {stdout}\n{stderr}");
    Some(stdout)
}

fn lines(root: &Path) {
    for i in 0..12 {
        let (dark, width) = (20 + 7 * i as u8, 3 + i % 3);
        let stripe = |at: usize| [if (at / width).is_multiple_of(2) { dark } else { 255 - dark }; 3];
        Image::from_fn(80, 70, |_, y| stripe(y)).unwrap().save(root.join(format!("pets/across/{i:02}.png"))).unwrap();
        Image::from_fn(70, 80, |x, _| stripe(x)).unwrap().save(root.join(format!("pets/down/{i:02}.png"))).unwrap();
    }
}

fn number_after(text: &str, words: &str) -> f64 {
    let rest = &text[text.find(words).unwrap_or_else(|| panic!("no `{words}` in {text}")) + words.len()..];
    rest.split_whitespace().next().unwrap().trim_end_matches(',').parse().unwrap()
}

#[test]
fn a_network_is_fine_tuned_and_used_by_another_program() {
    let folder = tempfile::tempdir().unwrap();
    lines(folder.path());
    std::fs::copy(folder.path().join("pets/down/03.png"), folder.path().join("photo.jpg")).unwrap();
    let Some(said) = run("finetune", folder.path(), &[]) else { return };
    assert!(said.contains("epoch") && said.contains("train_loss") && said.contains("accuracy"), "{said}");
    // The class and its probability, by the model that was read back.
    let predicted = said.lines().last().unwrap().to_string();
    assert!(["across ", "down "].iter().any(|class| predicted.starts_with(class)), "{said}");
    for file in ["batch.png", "confusion.png", "model/learner.json", "model/model.safetensors"] {
        assert!(folder.path().join(file).is_file(), "{file}");
    }
    let entries = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(entries, 5, "pets, photo, two plots and the model, and no other folder");

    std::fs::write(folder.path().join("text.jpg"), "not a photo").unwrap();
    let photos = ["model", "photo.jpg", "text.jpg", "pets/across/05.png"];
    let Some(said) = run("predict", folder.path(), &photos) else { return };
    let said: Vec<&str> = said.lines().collect();
    assert_eq!(said[0], format!("photo.jpg: {predicted}"), "the other program predicts the same");
    assert!(said[1].starts_with("error: text.jpg") && said[2].starts_with("pets/across/05.png: "), "{said:?}");
}

#[test]
fn the_small_ones_do_what_they_say() {
    let folder = tempfile::tempdir().unwrap();
    if let Some(said) = run("custom_training_loop", folder.path(), &[]) {
        let (first, last) =
            (number_after(&said, "epoch  0: lr 0.0200, loss"), number_after(said.lines().last().unwrap(), "loss"));
        assert!(last < 1e-3 && last < first / 20.0, "{said}");
    }
    if let Some(said) = run("custom_module", folder.path(), &[]) {
        assert!(said.contains("0.gain") && said.contains("1.linear.weight"), "{said}");
    }
    if let Some(said) = run("callback", folder.path(), &[]) {
        assert!(said.contains("the gradient is"), "{said}");
    }
    if let Some(said) = run("classic", folder.path(), &[]) {
        assert!(number_after(&said, "one versus rest") > number_after(&said, "always the same class") + 0.3, "{said}");
    }
    // Nobody has rated everything: there is something left to recommend.
    let rated = (0..900).filter(|i| i % 7 > 0);
    let rows = rated.map(|i| format!("{},{},{}\n", i / 20, i % 20, if (i / 20 + i) % 2 == 0 { 4.5 } else { 1.5 }));
    std::fs::write(folder.path().join("ratings.csv"), format!("user,film,stars\n{}", rows.collect::<String>()))
        .unwrap();
    if let Some(said) = run("ratings", folder.path(), &["ratings.csv"]) {
        assert!(number_after(&said, "biases alone") > 1.0 && said.contains("for user 0: "), "{said}");
    }
    if run("plot", folder.path(), &[]).is_some() {
        let figure = Image::open(folder.path().join("figure.png")).unwrap();
        assert!(figure.width() > 500 && figure.height() > 300);
    }
}

#[test]
fn a_table_becomes_a_model() {
    let folder = tempfile::tempdir().unwrap();
    let row =
        |i: usize| format!("{},{}.5,{}\n", ["red", "blue"][i % 2], i % 37, ["no", "yes"][usize::from(i % 37 > 18)]);
    std::fs::write(
        folder.path().join("t.csv"),
        "color,size,big\n".to_string() + &(0..600).map(row).collect::<String>(),
    )
    .unwrap();
    let Some(said) = run("table", folder.path(), &["t.csv", "big"]) else { return };
    assert!(said.contains("color  size  big  predicted") && number_after(&said, "gradient boosting:") > 0.95, "{said}");
    assert!(said.lines().last().unwrap().starts_with("no 0."), "{said}");
    for file in ["batch.png", "importance.png", "model/learner.json"] {
        assert!(folder.path().join(file).is_file(), "{file}");
    }
}

#[test]
fn each_is_short() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    for file in files.iter().filter(|file| file.extension().is_some_and(|e| e == "rs")) {
        let lines = std::fs::read_to_string(file).unwrap().lines().count();
        assert!(lines < 60, "{} has {lines} lines", file.display());
    }
}
