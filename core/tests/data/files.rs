//! Finding, verifying, resizing and arranging files.

use crate::{broken, classes};
use std::collections::BTreeMap;
use std::path::PathBuf;
use tallow::data::{
    BadFiles, DataBlock, GrandparentSplitter, LinkMode, PassedOverReason, RandomSplitter, StratifiedSplitter,
    empty_folders, find_images, image_files, make_train_valid, resize_images, verify_images,
};
use tallow::report::{Run, RunConfig};
use tallow::vision::{Image, Resize};

#[test]
fn pictures_are_found_by_their_extensions_in_a_fixed_order() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["b/2.JPG", "b/1.webp", "a/x.gif", "a/.hidden.png", ".git/y.png", "a/notes.txt", "c.bmp"] {
        let file = dir.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, "").unwrap();
    }
    let names: Vec<String> = image_files(dir.path())
        .unwrap()
        .iter()
        .map(|file| file.strip_prefix(dir.path()).unwrap().display().to_string().replace('\\', "/"))
        .collect();
    assert_eq!(names, ["a/x.gif", "b/1.webp", "b/2.JPG", "c.bmp"]);
    let error = image_files(&dir.path().join("c.bmp")).unwrap_err().to_string();
    assert!(error.ends_with("c.bmp: is a file; expected a folder of pictures"), "{error}");
}

#[test]
fn folders_without_a_visible_entry_are_found() {
    let dir = tempfile::tempdir().unwrap();
    for folder in ["cat", "dog/puppies", "hidden/.git", "notes"] {
        std::fs::create_dir_all(dir.path().join(folder)).unwrap();
    }
    std::fs::write(dir.path().join("notes/a.txt"), "").unwrap();
    let expected = ["cat", "dog/puppies", "hidden"].map(|folder| dir.path().join(folder));
    assert_eq!(empty_folders(dir.path()).unwrap(), expected);
    assert_eq!(empty_folders(&expected[0]).unwrap(), expected[..1]);
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_each_real_file_is_found_once() {
    use std::os::unix::fs::symlink;
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    std::fs::create_dir_all(at("here/sub")).unwrap();
    std::fs::create_dir(at("elsewhere")).unwrap();
    std::fs::write(at("elsewhere/a.png"), "").unwrap();
    symlink(at("elsewhere"), at("here/linked")).unwrap();
    symlink(at("elsewhere/a.png"), at("here/b.png")).unwrap();
    // A link to nowhere counts by its name; that it cannot be read is found out when it is opened.
    symlink(at("nowhere"), at("here/c.png")).unwrap();
    symlink(at("nowhere"), at("here/.hidden.png")).unwrap();
    assert_eq!(image_files(&at("here")).unwrap(), ["b.png", "c.png", "linked/a.png"].map(|name| at("here").join(name)));
    assert_eq!(empty_folders(&at("here")).unwrap(), [at("here/sub")]);

    // Back to the folder itself, to one above it, to a folder and to a file that are read in their own places, and
    // twice to the same one elsewhere.
    let pictures = image_files(&at("here")).unwrap();
    symlink(at("here"), at("here/sub/back")).unwrap();
    symlink("../..", at("here/sub/up")).unwrap();
    symlink(at("here/sub"), at("here/again")).unwrap();
    symlink("b.png", at("here/same.png")).unwrap();
    symlink(at("elsewhere"), at("here/linked_too")).unwrap();
    let found = find_images(&at("here")).unwrap();
    assert_eq!(found.files, pictures);
    let passed: Vec<PathBuf> = found.passed_over.iter().map(|passed| passed.path.clone()).collect();
    assert!(found.passed_over.iter().all(|passed| passed.reason == PassedOverReason::Link));
    assert_eq!(passed, ["again", "linked_too", "same.png", "sub/back", "sub/up"].map(|name| at("here").join(name)));
    assert!(found.notes().iter().any(|note| note.contains("again, linked_too, same.png")), "{:?}", found.notes());
}

#[cfg(unix)]
#[test]
fn what_is_no_regular_file_is_neither_waited_for_nor_silent() {
    let dir = tempfile::tempdir().unwrap();
    let pipe = dir.path().join("x.jpg");
    classes(dir.path(), &[("cat", 2)]);
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let found = find_images(dir.path()).unwrap();
    assert_eq!((found.files.len(), &found.passed_over[0].path), (2, &pipe));
    assert_eq!(found.passed_over[0].reason, PassedOverReason::NoRegularFile);
    let error = Image::open(&pipe).unwrap_err().to_string();
    assert!(error.contains("x.jpg: is not a regular file"), "{error}");
    assert!(Image::size_of_file(&pipe).is_err());
    assert!(Image::open(dir.path()).unwrap_err().to_string().contains("is a folder"));
}

#[test]
fn a_picture_without_a_pictures_ending_is_told_by_its_bytes() {
    let dir = tempfile::tempdir().unwrap();
    classes(dir.path(), &[("cat", 4)]);
    let at = |name: &str| dir.path().join("cat").join(name);
    for (from, to) in [("000.png", "a"), ("001.png", "b.jpg_w=2")] {
        std::fs::rename(at(from), at(to)).unwrap();
    }
    std::fs::write(at("Thumbs.db"), "x").unwrap();
    let found = find_images(dir.path()).unwrap();
    let others: Vec<&PathBuf> =
        found.passed_over.iter().filter(|p| p.reason == PassedOverReason::OtherName).map(|p| &p.path).collect();
    assert_eq!((found.files.len(), others, found.n_unread()), (2, vec![&at("a"), &at("b.jpg_w=2")], 2));
    let notes = found.notes().join("\n");
    assert!(notes.contains("2 files that are pictures by their bytes and not by name (a, b.jpg_w=2): rename"));
    assert!(notes.contains("Thumbs.db, which is not a picture"), "{notes}");
}

#[test]
fn what_is_no_photo_of_the_users_is_passed_over_aloud() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    classes(dir.path(), &[("cat", 3), ("cat/@eaDir", 2), ("__MACOSX/cat", 1), ("out/run/plots", 2), ("dog", 1)]);
    // A run marks its folder by the list of its files.
    let config = RunConfig { chapter: "x".into(), title: "X".into(), out: at("out/run"), ..RunConfig::default() };
    Run::create_with(config, Box::new(std::io::sink())).unwrap().finish().unwrap();
    for name in ["dog/a.HEIC", "dog/b.heic", "dog/c.avif", "notes.txt", "dog/Thumbs.db"] {
        std::fs::write(at(name), "x").unwrap();
    }
    let found = find_images(dir.path()).unwrap();
    assert_eq!(found.files.len(), 4);
    let reasons: Vec<(PassedOverReason, PathBuf)> =
        found.passed_over.iter().map(|passed| (passed.reason, passed.path.clone())).collect();
    let expected = [
        (PassedOverReason::OtherKind, "dog/a.HEIC"),
        (PassedOverReason::OtherKind, "dog/b.heic"),
        (PassedOverReason::OtherKind, "dog/c.avif"),
        (PassedOverReason::RunFolder, "out/run"),
        (PassedOverReason::SystemFolder, "__MACOSX"),
        (PassedOverReason::SystemFolder, "cat/@eaDir"),
        (PassedOverReason::NoPicture, "dog/Thumbs.db"),
        (PassedOverReason::NoPicture, "notes.txt"),
    ];
    assert_eq!(reasons, expected.map(|(reason, name)| (reason, at(name))));
    assert_eq!(found.n_unread(), 3);
    let notes = found.notes().join("\n");
    for words in [
        "2 files of the kind HEIC (.heic)",
        "heif-convert",
        "1 file of the kind AVIF (.avif)",
        "results of a run",
        "@eaDir",
    ] {
        assert!(notes.contains(words), "no `{words}` in {notes}");
    }
    // The folder of a run may itself be searched, where a caller asks for it.
    assert_eq!(image_files(&at("out/run")).unwrap().len(), 2);
}

#[test]
fn what_cannot_be_read_is_named_with_its_reason() {
    let dir = tempfile::tempdir().unwrap();
    classes(dir.path(), &[("cat", 20)]);
    broken(&dir.path().join("cat"));
    let bad = verify_images(&image_files(dir.path()).unwrap());
    let reasons = ["is cut short", "is empty", "begins with the text", "is too large: 30000 by 30000"];
    let names = ["cut_short.jpg", "empty.jpg", "text.jpg", "too_large.png"];
    assert_eq!(bad.len(), 4, "{bad:?}");
    for ((bad, name), reason) in bad.iter().zip(names).zip(reasons) {
        assert!(bad.file.ends_with(name) && bad.reason.contains(name) && bad.reason.contains(reason), "{bad:?}");
    }
}

#[test]
fn a_folder_of_broken_files_stops_with_a_name_or_goes_on_as_asked() {
    let dir = tempfile::tempdir().unwrap();
    classes(dir.path(), &[("cat", 20), ("dog", 20)]);
    broken(&dir.path().join("cat"));
    std::fs::create_dir(dir.path().join("bird")).unwrap();
    let notes = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let heard = notes.clone();
    let listener = tallow::event::Listener::new(move |event| {
        if let tallow::event::Event::Note(note) = event {
            heard.lock().unwrap().push(note.to_string());
        }
    });
    let block = DataBlock::images().item_tfms([Resize::squish(8)]).listener(listener);
    let stopped = block.dataloaders(dir.path(), 4).unwrap();
    let errors: Vec<String> = stopped.train.epoch(0).filter_map(|b| b.err()).map(|e| e.to_string()).collect();
    assert!(!errors.is_empty() && errors.iter().all(|e| e.contains("cat")), "{errors:?}");

    // All files are read before anything is counted: 40 are left, of which each class has a fifth on the other side.
    let going = block.bad_files(BadFiles::Skip).dataloaders(dir.path(), 4).unwrap();
    assert_eq!((going.counts(), going.left_out().len()), (vec![(16, 4), (16, 4)], 4));
    for workers in [0, 2] {
        let dls = going.workers(workers).unwrap();
        let train: usize = dls.train.epoch(0).map(|b| b.unwrap().len()).sum();
        let valid: usize = dls.valid.epoch(0).map(|b| b.unwrap().len()).sum();
        assert_eq!((train, valid), (32, 8));
        assert_eq!(dls.train.captioned(1000).unwrap().len(), 32);
    }
    // One that cannot be read for a while stays out, so that everybody counts the same.
    let (file, loader) = (going.valid.files()[1].clone(), &going.valid);
    let whole = std::fs::read(&file).unwrap();
    for (bytes, left) in [(&whole[..0], 7), (&whole[..], 7)] {
        std::fs::write(&file, bytes).unwrap();
        let seen: usize = loader.epoch(0).map(|batch| batch.unwrap().len()).sum();
        assert_eq!((seen, loader.kept_files().len()), (left, left));
    }
    let notes = notes.lock().unwrap();
    assert!(notes.iter().any(|note| note.contains("bird: the folder is empty")), "{notes:?}");
    assert!(notes.iter().any(|note| note.starts_with("left out: ") && note.contains("empty.jpg")), "{notes:?}");
}

#[test]
fn files_that_vanish_while_a_network_trains_are_left_out_and_leave_no_batch_of_one() {
    let dir = tempfile::tempdir().unwrap();
    classes(dir.path(), &[("cat", 10), ("dog", 10)]);
    let block = DataBlock::images().item_tfms([Resize::squish(8)]).bad_files(BadFiles::Skip);
    let dls = block.dataloaders(dir.path(), 2).unwrap();
    let order = dls.train.loader().order(0);
    // One of each of the first three batches.
    for i in [0, 3, 4] {
        std::fs::remove_file(&dls.train.files()[order[i]]).unwrap();
    }
    for workers in [0, 2] {
        let dls = dls.workers(workers).unwrap();
        let sizes: Vec<usize> = dls.train.epoch(0).map(|b| b.unwrap().len()).collect();
        assert_eq!(sizes, [2; 5]);
        assert_eq!((dls.train.dataset().skipped().len(), dls.train.dataset().kept().len()), (3, 13));
    }
    assert_eq!(dls.train.captioned(1000).unwrap().len(), 13);
    dls.train.files().iter().for_each(|file| drop(std::fs::remove_file(file)));
    let error = dls.train.one_batch().unwrap_err().to_string();
    assert!(error.contains("none of the 2 pictures") && error.contains("verify_images"), "{error}");
}

#[test]
fn a_folder_of_nothing_but_broken_files_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    for i in 0..4 {
        std::fs::create_dir_all(dir.path().join("x")).unwrap();
        std::fs::write(dir.path().join(format!("x/{i}.jpg")), "no").unwrap();
    }
    let error = DataBlock::images().bad_files(BadFiles::Skip).dataloaders(dir.path(), 2).err().unwrap().to_string();
    assert!(error.contains("none of its 4 pictures can be read") && error.contains("tallow check"), "{error}");
}

#[test]
fn a_validation_set_of_nothing_but_broken_files_is_not_replaced_by_a_random_one() {
    let dir = tempfile::tempdir().unwrap();
    classes(&dir.path().join("train"), &[("cat", 10), ("dog", 10)]);
    classes(&dir.path().join("valid"), &[("cat", 1), ("dog", 2)]);
    for file in image_files(&dir.path().join("valid")).unwrap() {
        std::fs::write(file, "no").unwrap();
    }
    let block = || DataBlock::images().item_tfms([Resize::squish(8)]).bad_files(BadFiles::Skip);
    let error = block().dataloaders(dir.path(), 2).err().unwrap().to_string();
    assert!(error.contains("none of its 3 pictures for validation can be read"), "{error}");
    // Unasked, that is; a splitter takes what is left.
    let dls = block().split(RandomSplitter { valid: 0.2, seed: 1 }).dataloaders(dir.path(), 2).unwrap();
    assert_eq!((dls.train.files().len(), dls.valid.files().len()), (16, 4));
}

#[cfg(unix)]
#[test]
fn what_the_system_refuses_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    // A link to nowhere looks like a picture to a listing, and cannot be opened by anybody.
    std::os::unix::fs::symlink(dir.path().join("nowhere"), dir.path().join("link.jpg")).unwrap();
    let bad = verify_images(&image_files(dir.path()).unwrap());
    assert!(bad.len() == 1 && bad[0].reason.contains("link.jpg"), "{bad:?}");
    let locked = dir.path().join("locked");
    std::fs::create_dir(&locked).unwrap();
    let file = dir.path().join("locked.png");
    Image::from_fn(3, 3, |_, _| [0; 3]).unwrap().save(&file).unwrap();
    for path in [&locked, &file] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o0)).unwrap();
    }
    if std::fs::read(&file).is_ok() {
        eprintln!("skipped: this user may read everything, so permissions refuse nothing");
    } else {
        assert!(verify_images(&[file])[0].reason.contains("locked.png"));
        assert!(image_files(dir.path()).unwrap_err().to_string().contains("locked"));
    }
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn large_pictures_are_made_smaller_and_small_ones_copied() {
    let dir = tempfile::tempdir().unwrap();
    let (source, target) = (dir.path().join("from"), dir.path().join("to"));
    let picture = |w: usize, h: usize| Image::from_fn(w, h, |x, y| [x as u8, y as u8, 0]).unwrap();
    picture(200, 100).save(source.join("a/wide.jpg")).unwrap();
    picture(30, 90).save(source.join("tall.png")).unwrap();
    picture(40, 40).save(source.join("small.png")).unwrap();
    std::fs::write(source.join("text.jpg"), "text").unwrap();
    let done = resize_images(&source, &target, 50).unwrap();
    assert_eq!((done.resized, done.copied, done.bad.len()), (2, 1, 1));
    assert_eq!(Image::size_of_file(target.join("a/wide.jpg")).unwrap(), (50, 25));
    assert_eq!(Image::size_of_file(target.join("tall.png")).unwrap(), (16, 50));
    assert_eq!(std::fs::read(target.join("small.png")).unwrap(), std::fs::read(source.join("small.png")).unwrap());
    assert!(!target.join("text.jpg").exists());
}

#[test]
fn folders_for_training_and_validation_are_made_whole_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("all");
    classes(&source, &[("cat", 10), ("dog", 30)]);
    let splitter = StratifiedSplitter { valid: 0.2, seed: 1 };
    let mut places = vec![(LinkMode::Copy, "copied")];
    if cfg!(unix) {
        places.push((LinkMode::Link, "linked"));
    }
    for (place, name) in places {
        let target = dir.path().join(name);
        let counts = make_train_valid(&source, &target, &splitter, place).unwrap();
        assert_eq!(counts, BTreeMap::from([("cat".to_string(), (8, 2)), ("dog".to_string(), (24, 6))]));
        let block = DataBlock::images().split(GrandparentSplitter::default()).item_tfms([Resize::squish(8)]);
        let dls = block.dataloaders(&target, 4).unwrap();
        assert_eq!(dls.counts(), [(8, 2), (24, 6)]);
        assert_eq!(dls.valid.one_batch().unwrap().xs.dims(), [4, 3, 8, 8]);
        let error = make_train_valid(&source, &target, &splitter, place).unwrap_err().to_string();
        assert!(error.contains("exists already"), "{error}");
    }
    // Two files of one name in one class: nothing is left behind.
    classes(&source.join("cat"), &[("kittens", 1)]);
    let error = make_train_valid(&source, &dir.path().join("new"), &splitter, LinkMode::Copy).unwrap_err().to_string();
    // Only if both land on the same side do they meet.
    assert!(error.contains("000.png") && error.contains("rename"), "{error}");
    assert!(std::fs::read_dir(dir.path()).unwrap().all(|e| !e.unwrap().file_name().to_string_lossy().contains("part")));
}
