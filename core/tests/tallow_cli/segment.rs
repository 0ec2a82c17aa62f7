//! Pictures with masks, from the command line.

use crate::{Ran, fails};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;
use tallow::vision::{Image, Mask};

fn tallow(here: &Path, args: &str) -> Ran {
    crate::tallow(&args.split(' ').collect::<Vec<_>>(), here)
}

#[track_caller]
fn fine(here: &Path, args: &str) -> Ran {
    let ran = tallow(here, args);
    assert_eq!(ran.code, Some(0), "{args}: {}\n{}", ran.stdout, ran.stderr);
    ran
}

/// Twenty pictures of a square and a bar on a dark ground, with their masks: ground 0, square 1, bar 2, the frame void.
fn pictures(here: &Path) {
    for i in 0..20 {
        let (left, top, low) = (6 + i % 5 * 6, 5 + i % 3 * 4, 36 + i % 4);
        let class = |x: usize, y: usize| match () {
            () if x == 0 || y == 0 || x == 63 || y == 47 => 3,
            () if (left..left + 20).contains(&x) && (top..top + 20).contains(&y) => 1,
            () if (low..low + 7).contains(&y) => 2,
            () => 0u16,
        };
        let colours = [[30, 30, 30], [220, 60, 50], [60, 90, 230], [120, 120, 120]];
        let pixel =
            |x: usize, y: usize| colours[usize::from(class(x, y))].map(|c: u8| c + ((x * 7 + y * 5 + i) % 9) as u8);
        Image::from_fn(64, 48, pixel).unwrap().save(here.join(format!("photos/{i:02}.png"))).unwrap();
        Mask::from_fn(64, 48, class).unwrap().save(here.join(format!("masks/{i:02}.png")), Some(3)).unwrap();
    }
    fs::write(here.join("codes.txt"), "ground\nsquare\nbar\nedge\n").unwrap();
}

const TRAIN: &str = "segment photos masks --void edge --size 64x48 --batch-size 4 --augment light";

fn metrics(run: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(run.join("metrics.json")).unwrap()).unwrap()
}

#[test]
fn from_pictures_with_masks_to_masks_of_photos() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    pictures(here);
    fs::write(here.join("photos/cut.png"), "cut").unwrap();
    let ran = fine(here, &format!("{TRAIN} --epochs 6 --lr 0.004 --best --out run"));
    assert!(ran.stderr.contains("left out: ") && ran.stderr.contains("cut.png"), "{}", ran.stderr);
    for words in ["16 pictures to train with and 4 for validation", "edge (void)", "intersection over union", "kept is"]
    {
        assert!(ran.stdout.contains(words), "no `{words}` in {}", ran.stdout);
    }
    let run = here.join("run");
    for file in ["report.html", "history.csv", "config.json", "model/learner.json", "model/model.safetensors"] {
        assert!(run.join(file).is_file(), "{file}");
    }
    for figure in ["training_pictures", "losses", "classes", "results", "top_losses"] {
        assert!(run.join(format!("plots/{figure}.png")).is_file(), "{figure}");
    }
    let metrics = metrics(&run);
    assert_eq!(metrics["pictures"], serde_json::json!({ "train": 16, "valid": 4, "test": 0, "left_out": 1 }));
    let value = |name: &str| metrics["metrics"][name].as_f64().unwrap();
    assert!(value("pixel_accuracy") > 0.9 && value("mean_jaccard") > 0.7, "{metrics}");
    assert!(metrics["classes"][3]["jaccard"].is_null() && metrics["classes"][1]["class"] == "square");
    assert_eq!(fs::read_to_string(run.join("predictions.csv")).unwrap().lines().count(), 5);
    let config: Value = serde_json::from_str(&fs::read_to_string(run.join("config.json")).unwrap()).unwrap();
    assert_eq!((&config["void"], &config["size"]), (&"edge".into(), &serde_json::json!([64, 48])));

    // Photos of their own sizes, in a folder and by name.
    let photo = Image::open(here.join("photos/03.png")).unwrap();
    fs::create_dir_all(here.join("new/day1")).unwrap();
    photo.save(here.join("new/day1/a.png")).unwrap();
    photo.resize(tallow::vision::Resize::squish(0).size(100, 75)).unwrap().save(here.join("new/b.jpg")).unwrap();
    fs::write(here.join("new/empty.jpg"), "").unwrap();
    let ran = tallow(here, "segment predict run new photos/05.png --out found");
    fails(&ran, 3, &["empty.jpg", "1 of 4 photos"]);
    assert!(ran.stdout.contains("new/b.jpg: ground 0.") && ran.stdout.contains("found/b_mask.png"), "{}", ran.stdout);
    for (name, size) in [("day1/a", (64, 48)), ("b", (100, 75)), ("05", (64, 48))] {
        let mask = Mask::open(here.join(format!("found/{name}_mask.png"))).unwrap();
        let overlay = Image::open(here.join(format!("found/{name}_overlay.png"))).unwrap();
        assert_eq!(((mask.width(), mask.height()), (overlay.width(), overlay.height())), (size, size));
        assert!(mask.counts(4)[1] > 200, "{:?}", mask.counts(4));
    }
    #[cfg(feature = "serve")]
    crate::serve_kinds::masks(here, &fs::read(here.join("photos/05.png")).unwrap(), &here.join("found/05_mask.png"));
    let again = "segment predict run photos/05.png --out found";
    fails(&tallow(here, again), 2, &["found/05_mask.png: is there already", "--overwrite", "--out"]);
    let json = fine(here, &format!("{again} --overwrite --json --opacity 1")).stdout;
    let json: Value = serde_json::from_str(json.trim()).unwrap();
    assert!(json["mask"] == "found/05_mask.png" && json["classes"][0]["share"].as_f64().unwrap() > 0.3, "{json}");
    fails(&tallow(here, "segment predict run photos/05.png new/../photos/05.png --out x"), 2, &["would both become"]);
    assert!(!here.join("x").exists());
    // A model of the one kind is not one of the other.
    fails(&tallow(here, "predict run photos/05.png"), 3, &["run/model", "`tallow segment predict` uses it"]);
}

#[test]
fn training_that_is_killed_and_resumed_ends_as_if_nothing_had_been() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    pictures(here);
    let train = format!("{TRAIN} --epochs 2 --checkpoint-every 0");
    fine(here, &format!("{train} --out a"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_tallow"));
    let mut child = command.args(train.split(' ')).args(["--out", "b", "--quiet"]).current_dir(here).spawn().unwrap();
    while !here.join("b/checkpoints/unet.safetensors").is_file() {
        assert!(child.try_wait().unwrap().is_none(), "the run ended too early");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!here.join("b/metrics.json").exists());
    fine(here, &format!("{train} --out b --resume"));
    for file in ["history.csv", "predictions.csv", "model/model.safetensors"] {
        assert!(fs::read(here.join("a").join(file)).unwrap() == fs::read(here.join("b").join(file)).unwrap(), "{file}");
    }
    // Another mask is another run.
    fs::remove_file(here.join("b/metrics.json")).unwrap();
    Mask::from_fn(64, 48, |_, _| 0).unwrap().save(here.join("masks/07.png"), None).unwrap();
    fails(&tallow(here, &format!("{train} --out b --resume")), 3, &["photo 07.png was mask of"]);
    // A finished run stays.
    fails(&tallow(here, &format!("{train} --out a")), 2, &["a: holds a finished run", "--overwrite"]);
}

#[test]
fn what_cannot_be_trained_on_is_said_with_the_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    pictures(here);
    fails(&tallow(here, "segment fotos masks"), 3, &["fotos: is not there"]);
    fails(&tallow(here, "segment photos masks --codes nowhere.txt"), 3, &["nowhere.txt: is not there"]);
    fails(&tallow(here, &format!("{TRAIN} --void sky --out o")), 2, &["cannot be used multiple times"]);
    fails(&tallow(here, "segment photos masks --void sky --out o"), 1, &["`sky`", "ground, square, bar, edge"]);
    fails(&tallow(here, "segment photos masks --size 64 --out o"), 2, &["120x90"]);
    fails(&tallow(here, "segment photos masks --mask-value 255 --out o"), 2, &["255=void"]);
    fails(&tallow(here, "segment photos --out o"), 3, &["labels"]);
    fs::write(here.join("codes.txt"), "ground\nsquare\n").unwrap();
    let strict = "segment photos masks --strict --out o";
    fails(&tallow(here, strict), 3, &["masks/", "the number", "2 codes", "0 to 1"]);
    fs::remove_file(here.join("masks/04.png")).unwrap();
    fails(&tallow(here, strict), 3, &["masks/04.png", "is not there", "photos/04.png"]);
    fs::remove_file(here.join("codes.txt")).unwrap();
    fails(&tallow(here, "segment photos masks"), 2, &["--codes FILE"]);
    let help = fine(here, "segment --help").stdout;
    assert!(help.contains("train") && help.contains("predict"), "{help}");
}
