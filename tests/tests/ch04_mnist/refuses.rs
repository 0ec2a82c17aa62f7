//! Chapter 4 on bad input: each mistake has its message and its exit code.

use chapter_tests::Chapter;
use std::fs;

fn chapter() -> Chapter {
    Chapter::build("ch04_mnist")
}

#[test]
fn wrong_usage_is_exit_code_2() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out").display().to_string();
    chapter().run(&["--device", "tpu", "--out", &out]).assert_fails(2, &["unknown device `tpu`", "cuda:N"]);
    chapter().run(&["--device", "cuda:1", "--out", &out]).assert_fails(2, &["--features cuda", "--device cpu"]);
    chapter().run(&["--device", "metal", "--out", &out]).assert_fails(2, &["--features metal"]);
    chapter().run(&["--colour"]).assert_fails(2, &["--colour"]);
    chapter().run(&["--seed", "x"]).assert_fails(2, &["--seed"]);
    assert!(!folder.path().join("out").exists(), "a refused run leaves nothing");
}

#[test]
fn help_has_examples_and_the_environment() {
    let help = chapter().run(&["--help"]);
    assert_eq!(help.code, Some(0));
    for words in ["Examples:", "--quick", "TALLOW_DATA_DIR", "TALLOW_DEVICE", "[default: 42]", "cargo xtask fetch-data"]
    {
        assert!(help.stdout.contains(words), "no `{words}` in:\n{}", help.stdout);
    }
}

#[test]
fn a_folder_that_cannot_be_written_fails_before_any_work() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "in the way").unwrap();
    let out = file.join("out").display().to_string();
    chapter().run(&["--quick", "--out", &out]).assert_fails(1, &["file"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), "in the way");
}

#[test]
fn damaged_data_are_exit_code_3_and_found_before_any_training() {
    let folder = tempfile::tempdir().unwrap();
    let mnist = folder.path().join("mnist");
    fs::create_dir(&mnist).unwrap();
    let header = |n: u32| [&[0, 0, 8, 3][..], &n.to_be_bytes(), &28u32.to_be_bytes(), &28u32.to_be_bytes()].concat();
    let labels = |n: u32| [&[0, 0, 8, 1][..], &n.to_be_bytes(), &vec![3; n as usize]].concat();
    for name in ["train", "t10k"] {
        fs::write(mnist.join(format!("{name}-images-idx3-ubyte")), [header(2), vec![0; 2 * 784]].concat()).unwrap();
        fs::write(mnist.join(format!("{name}-labels-idx1-ubyte")), labels(2)).unwrap();
    }
    let (data, out) = (folder.path().display().to_string(), folder.path().join("out").display().to_string());
    let run = || chapter().run(&["--quick", "--data-dir", &data, "--out", &out]);

    let images = mnist.join("train-images-idx3-ubyte");
    fs::write(&images, [header(2), vec![0; 784]].concat()).unwrap();
    run().assert_fails(3, &["train-images-idx3-ubyte", "expected 1584 bytes", "800"]);
    fs::write(&images, b"GIF89a, not an IDX file").unwrap();
    run().assert_fails(3, &["train-images-idx3-ubyte"]);
    fs::write(&images, header(u32::MAX)).unwrap();
    run().assert_fails(3, &["train-images-idx3-ubyte"]);
    fs::write(&images, [header(2), vec![0; 2 * 784]].concat()).unwrap();
    fs::write(mnist.join("train-labels-idx1-ubyte"), labels(3)).unwrap();
    run().assert_fails(3, &["train-labels-idx1-ubyte"]);
    assert!(!folder.path().join("out/report.html").exists());
}

#[test]
fn a_damaged_checkpoint_is_exit_code_3_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = folder.path().join("checkpoints");
    fs::create_dir(&checkpoints).unwrap();
    fs::write(checkpoints.join("linear.safetensors"), b"not a checkpoint").unwrap();
    let out = folder.path().display().to_string();
    let run = chapter().run(&["--quick", "--resume", "--out", &out, "--data-dir", &out]);
    run.assert_fails(3, &["linear.safetensors", "remove it"]);
    assert_eq!(fs::read(checkpoints.join("linear.safetensors")).unwrap(), b"not a checkpoint");
    assert!(folder.path().join("transcript.txt").exists() && !folder.path().join("report.html").exists());
}

#[test]
fn epochs_must_be_positive() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().display().to_string();
    chapter().run(&["--quick", "--resnet-epochs", "0", "--out", &out]).assert_fails(2, &["--resnet-epochs"]);
}
