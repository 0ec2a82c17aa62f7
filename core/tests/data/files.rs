//! Finding, verifying, resizing and arranging files.

use crate::{broken, classes};
use std::collections::BTreeMap;
use tallow::data::{
    BadFiles, DataBlock, GrandparentSplitter, LinkMode, RandomSplitter, StratifiedSplitter, empty_folders, image_files,
    make_train_valid, resize_images, verify_images,
};
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
fn links_are_followed_and_a_circle_of_links_is_refused() {
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

    symlink(at("here"), at("here/sub/.back")).unwrap();
    assert_eq!(image_files(&at("here")).unwrap().len(), 3);
    symlink(at("here"), at("here/sub/back")).unwrap();
    let error = image_files(&at("here")).unwrap_err().to_string();
    let expected = format!("is a link back to {}, a folder above it", at("here").display());
    assert!(error.starts_with(&at("here/sub/back").display().to_string()) && error.contains(&expected), "{error}");
    assert_eq!(empty_folders(&at("here")).unwrap_err().to_string(), error);
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

    let going = block.bad_files(BadFiles::Skip).dataloaders(dir.path(), 4).unwrap();
    let mut seen = Vec::new();
    for workers in [0, 2] {
        let dls = going.workers(workers).unwrap();
        let train: usize = dls.train.epoch(0).map(|b| b.unwrap().len()).sum();
        let valid: usize = dls.valid.epoch(0).map(|b| b.unwrap().len()).sum();
        seen.push((train, valid));
        let skipped = [dls.train.dataset().skipped(), dls.valid.dataset().skipped()].concat();
        // Every file of either side is looked at, but for those of a smaller last batch of training.
        assert!((3..=4).contains(&skipped.len()), "{skipped:?}");
        // What is shown leaves them out too, and what was judged can be found again.
        assert_eq!(dls.train.captioned(1000).unwrap().len(), dls.train.dataset().kept().len());
        assert_eq!(dls.valid.dataset().kept().len(), valid);
        assert!(dls.valid.dataset().kept().iter().all(|&i| dls.valid.dataset().image(i).is_ok()));
    }
    assert_eq!(seen[0], seen[1]);
    let notes = notes.lock().unwrap();
    assert!(notes.iter().any(|note| note.contains("bird: the folder is empty")), "{notes:?}");
    assert!(notes.iter().any(|note| note.starts_with("left out: ") && note.contains("empty.jpg")), "{notes:?}");
}

#[test]
fn a_batch_of_nothing_but_broken_files_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    for i in 0..4 {
        std::fs::create_dir_all(dir.path().join("x")).unwrap();
        std::fs::write(dir.path().join(format!("x/{i}.jpg")), "no").unwrap();
    }
    let dls = DataBlock::images().bad_files(BadFiles::Skip).dataloaders(dir.path(), 2);
    // A fifth of four items is none at all.
    let error = dls.err().unwrap().to_string();
    assert!(error.contains("left none for validation"), "{error}");
    let block = DataBlock::images().bad_files(BadFiles::Skip).split(RandomSplitter { valid: 0.5, seed: 1 });
    let error = block.dataloaders(dir.path(), 2).unwrap().train.one_batch().unwrap_err().to_string();
    assert!(error.contains("none of the 2 pictures") && error.contains("verify_images"), "{error}");
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
    classes(&source.join("more"), &[("cat", 1)]);
    let error = make_train_valid(&source, &dir.path().join("new"), &splitter, LinkMode::Copy).unwrap_err().to_string();
    // Only if both land on the same side do they meet.
    assert!(error.contains("000.png") && error.contains("rename"), "{error}");
    assert!(std::fs::read_dir(dir.path()).unwrap().all(|e| !e.unwrap().file_name().to_string_lossy().contains("part")));
}
