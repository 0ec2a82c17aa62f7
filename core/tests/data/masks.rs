//! Pictures with masks: from folders to batches, and what is refused.

use candle_core::{DType, Tensor};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tallow::data::{
    BadFiles, DataBlock, DataLoader, Dataset, FnSplitter, ImageBlock, MaskBlock, RandomSplitter,
    SegmentationDataLoaders, Show, Shown, mask_beside, mask_in,
};
use tallow::event::{Event, Listener};
use tallow::interpret::show_batch;
use tallow::vision::{Image, Mask, Normalize, PadMode, Resize, aug_transforms};

const CODES: [&str; 4] = ["sky", "road", "car", "void"];

/// The class of a pixel of picture `i`, which its colour tells too.
fn class(i: usize, x: usize, y: usize) -> u16 {
    ((x / 6 + y / 5 + i) % 4) as u16
}

/// Writes picture and mask number `i` as `images/<i>.png` and `labels/<i>_P.png` under `root`.
fn write(root: &Path, i: usize, w: usize, h: usize) {
    let picture = Image::from_fn(w, h, |x, y| [class(i, x, y) as u8 * 60, 9, i as u8]).unwrap();
    picture.save(root.join(format!("images/{i:02}.png"))).unwrap();
    Mask::from_fn(w, h, |x, y| class(i, x, y))
        .unwrap()
        .save(root.join(format!("labels/{i:02}_P.png")), Some(3))
        .unwrap();
}

fn folder(n: usize) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    (0..n).for_each(|i| write(dir.path(), i, 24, 20));
    dir
}

fn block() -> DataBlock<ImageBlock, MaskBlock> {
    DataBlock::segmentation().label(mask_beside("labels", "_P")).codes(CODES).void("void").workers(2)
}

fn told(block: DataBlock<ImageBlock, MaskBlock>) -> (DataBlock<ImageBlock, MaskBlock>, Arc<Mutex<Vec<String>>>) {
    let notes: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = notes.clone();
    let listener = Listener::new(move |event| {
        if let Event::Note(note) = event {
            kept.lock().unwrap().push(note.to_string());
        }
    });
    (block.listener(listener), notes)
}

fn bits(loader: &DataLoader, epoch: usize) -> Vec<(Vec<u32>, Vec<u32>)> {
    let values =
        |xs: &Tensor| xs.flatten_all().unwrap().to_vec1::<f32>().unwrap().iter().map(|v| v.to_bits()).collect();
    let batch = |batch: tallow::data::Batch| (values(&batch.xs), batch.ys.flatten_all().unwrap().to_vec1().unwrap());
    loader.epoch(epoch).map(|b| batch(b.unwrap())).collect()
}

#[test]
fn pictures_and_masks_come_in_batches_that_agree() {
    let dir = folder(11);
    let dls = block().item_tfms([Resize::crop(12)]).dataloaders(dir.path(), 3).unwrap();
    assert_eq!((dls.codes(), dls.void()), (&CODES.map(String::from)[..], Some(3)));
    assert_eq!((dls.train.n_items(), dls.valid.n_items(), dls.test.is_none()), (9, 2, true));
    let batch = dls.train.one_batch().unwrap();
    assert_eq!((batch.xs.dims(), batch.ys.dims()), (&[3, 3, 12, 12][..], &[3, 12, 12][..]));
    assert_eq!((batch.xs.dtype(), batch.ys.dtype()), (DType::F32, DType::U32));

    // Without a transform each pixel's colour tells its class.
    let plain = block().normalize(Normalize::imagenet()).dataloaders(dir.path(), 4).unwrap();
    let batch = plain.valid.one_batch().unwrap();
    let xs = Normalize::imagenet().inverse(&batch.xs).unwrap().narrow(1, 0, 1).unwrap();
    let red = xs.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let classes = batch.ys.flatten_all().unwrap().to_vec1::<u32>().unwrap();
    assert!(red.iter().zip(&classes).all(|(red, &class)| (red * 255.0 / 60.0 - class as f32).abs() < 0.01));
    assert_eq!(plain.train.pixel_counts().unwrap().iter().sum::<u64>(), 9 * 24 * 20);

    // Files of another list have no masks: all void.
    let test = plain.test_dl(&plain.valid.files()[..1]).unwrap();
    assert!(test.one_batch().unwrap().ys.flatten_all().unwrap().to_vec1::<u32>().unwrap().iter().all(|&c| c == 3));
}

#[test]
fn workers_change_no_bit_and_epochs_differ() {
    let dir = folder(10);
    let tfms = aug_transforms().size(16);
    let dls = block().batch_tfms(tfms).normalize(Normalize::imagenet()).dataloaders(dir.path(), 3).unwrap();
    let alone = dls.workers(0).unwrap();
    let (first, second) = (bits(alone.train.loader(), 0), bits(alone.train.loader(), 1));
    assert_ne!(first, second);
    for workers in [1, 3] {
        let many = dls.workers(workers).unwrap();
        assert!(bits(many.train.loader(), 0) == first && bits(many.train.loader(), 1) == second, "{workers}");
    }
    assert_eq!(bits(dls.valid.loader(), 0), bits(dls.valid.loader(), 1));
    let plain = dls.without_augmentation().unwrap();
    assert_eq!(plain.train.tfms(), dls.valid_tfms());
}

#[test]
fn folders_of_sides_and_splitters_decide_who_judges() {
    let dir = tempfile::tempdir().unwrap();
    (0..6).for_each(|i| write(&dir.path().join("train"), i, 24, 20));
    (6..9).for_each(|i| write(&dir.path().join("valid"), i, 24, 20));
    std::fs::remove_file(dir.path().join("valid/images/08.png")).unwrap();
    let (block, notes) = told(block());
    let dls = block.dataloaders(dir.path(), 2).unwrap();
    assert_eq!((dls.train.n_items(), dls.valid.n_items()), (6, 2));
    assert_eq!(dls.valid.dataset().masks()[1].as_deref(), Some(&*dir.path().join("valid/labels/07_P.png")));
    let notes = notes.lock().unwrap().clone();
    assert_eq!(notes, ["1 mask belongs to no picture and is left out (08_P.png)"]);

    let last = |file: &Path| file.ends_with("00.png");
    let dls = block.clone().split(FnSplitter(last)).dataloaders(dir.path(), 2).unwrap();
    assert_eq!((dls.train.n_items(), dls.valid.files()), (7, &[dir.path().join("train/images/00.png")][..]));
    let dls = block.split(RandomSplitter { valid: 0.5, seed: 1 }).dataloaders(dir.path(), 2).unwrap();
    assert_eq!((dls.train.n_items(), dls.valid.n_items()), (4, 4));
}

#[test]
fn masks_may_lie_in_a_folder_of_their_own() {
    let (dir, images) = (folder(6), "images");
    let masks = mask_in(dir.path().join(images), dir.path().join("labels"), "_P");
    let dls = block().label(masks).dataloaders(dir.path().join(images), 2).unwrap();
    assert_eq!(dls.train.n_items() + dls.valid.n_items(), 6);
    let everything = |_: &Path| Ok(Vec::<PathBuf>::new());
    let error = block().items(everything).dataloaders(dir.path(), 2).err().unwrap();
    assert!(error.to_string().contains("no items"), "{error}");
}

/// The error of going through all data.
fn refused(block: &DataBlock<ImageBlock, MaskBlock>, dir: &Path) -> String {
    let all = |dls: SegmentationDataLoaders| {
        dls.train.pixel_counts()?;
        dls.valid.pixel_counts()?;
        for batch in dls.train.epoch(0).chain(dls.valid.epoch(0)) {
            batch?;
        }
        Ok(())
    };
    block.dataloaders(dir, 8).and_then(all).unwrap_err().to_string()
}

#[test]
fn what_is_wrong_with_a_mask_is_told_with_files_and_numbers() {
    let dir = folder(6);
    let mask = |name: &str| dir.path().join("labels").join(name);
    let expect = |error: String, words: &[&str]| words.iter().for_each(|w| assert!(error.contains(w), "{w}: {error}"));

    Mask::new(2, 2, vec![0, 1, 9, 2]).unwrap().resize(24, 20).unwrap().save(mask("02_P.png"), None).unwrap();
    expect(refused(&block(), dir.path()), &["02_P.png", "number 9", "column 0, row 10", "4 codes", "0 to 3", "void"]);
    Mask::from_fn(20, 24, |_, _| 1).unwrap().save(mask("02_P.png"), None).unwrap();
    expect(refused(&block(), dir.path()), &["02_P.png", "20 by 24", "02.png", "24 by 20"]);
    Image::from_fn(24, 20, |_, _| [1, 2, 3]).unwrap().save(mask("02_P.png")).unwrap();
    expect(refused(&block(), dir.path()), &["02_P.png", "colours (RGB)", "palette"]);
    std::fs::write(mask("02_P.png"), "no picture").unwrap();
    expect(refused(&block(), dir.path()), &["02_P.png", "no picture"]);

    // Left out, and told.
    let (skipping, notes) = told(block().bad_files(BadFiles::Skip));
    std::fs::remove_file(mask("04_P.png")).unwrap();
    let dls = skipping.dataloaders(dir.path(), 2).unwrap();
    assert_eq!((dls.left_out().len(), dls.train.n_items() + dls.valid.n_items()), (2, 4));
    let notes = notes.lock().unwrap().join("\n");
    assert!(
        notes.contains("02_P.png") && notes.contains("04_P.png: is not there, and would be the mask of"),
        "{notes}"
    );
    assert!(notes.contains("04.png; nothing beside it has a name like it"), "{notes}");

    expect(refused(&block(), dir.path()), &["04_P.png", "is not there", "04.png"]);
    (0..6).for_each(|i| write(dir.path(), i, 24, 20));
    write(dir.path(), 3, 22, 20);
    expect(refused(&block(), dir.path()), &["22 by 20", "24 by 20", "Resize"]);
    expect(refused(&block().codes(["a"]), dir.path()), &["at least two classes"]);
    expect(refused(&block().void("Void"), dir.path()), &["`Void`", "sky, road, car, void"]);
    expect(refused(&DataBlock::segmentation().codes(CODES), dir.path()), &["mask_beside"]);
    expect(refused(&block().items(tallow::data::image_files), dir.path()), &["00_P_P.png"]);
}

#[test]
fn a_number_of_masks_can_stand_for_a_class() {
    let dir = folder(5);
    for i in 0..5 {
        let file = dir.path().join(format!("labels/{i:02}_P.png"));
        Mask::from_fn(24, 20, |x, _| if x < 12 { 255 } else { 1 }).unwrap().save(file, None).unwrap();
    }
    let dls = block().mask_value(255, "void").dataloaders(dir.path(), 2).unwrap();
    assert_eq!(dls.train.pixel_counts().unwrap(), [0, 4 * 240, 0, 4 * 240]);
}

#[test]
fn black_around_a_picture_is_void() {
    let dir = folder(5);
    let padded = Resize::pad(0, PadMode::Zeros).size(48, 20);
    let corner = |block: DataBlock<ImageBlock, MaskBlock>| {
        let dls = block.item_tfms([padded]).dataloaders(dir.path(), 1).unwrap();
        dls.valid.one_batch().unwrap().ys.flatten_all().unwrap().to_vec1::<u32>().unwrap()[0]
    };
    assert_eq!(corner(block()), 3);
    assert_eq!(corner(DataBlock::segmentation().label(mask_beside("labels", "_P")).codes(CODES)), 0);
}

#[test]
fn a_fingerprint_knows_masks_and_codes() {
    let dir = folder(5);
    let print = |block: DataBlock<ImageBlock, MaskBlock>| {
        let dls = block.dataloaders(dir.path(), 2).unwrap();
        let mut all: Vec<String> = Vec::new();
        for side in [&dls.train, &dls.valid] {
            let print = side.dataset().fingerprint().unwrap();
            all.extend(print.entries().map(|(name, value)| format!("{name}: {value}")));
        }
        all
    };
    let before = print(block());
    assert_eq!(print(block()), before);
    assert_ne!(print(DataBlock::segmentation().label(mask_beside("labels", "_P")).codes(CODES)), before);
    Mask::from_fn(24, 20, |_, _| 2).unwrap().save(dir.path().join("labels/03_P.png"), None).unwrap();
    let after = print(block());
    let changed: Vec<&String> = after.iter().filter(|entry| !before.contains(entry)).collect();
    assert!(changed.len() == 1 && changed[0].starts_with("photo 03.png: mask of"), "{changed:?}");
}

#[test]
fn a_batch_is_shown_with_its_masks_and_names() {
    let dir = folder(8);
    let dls = block().batch_tfms(aug_transforms()).normalize(Normalize::imagenet()).dataloaders(dir.path(), 4).unwrap();
    let Shown::Masks { items, codes, void } = dls.train.shown(3).unwrap() else { panic!("no masks") };
    let batch = dls.train.one_batch().unwrap();
    let plain = Normalize::imagenet().inverse(&batch.xs).unwrap();
    assert_eq!((items.len(), codes, void), (3, CODES.map(String::from).to_vec(), Some(3)));
    for (i, item) in items.iter().enumerate() {
        assert_eq!(item.image, Image::from_tensor(&plain.get(i).unwrap()).unwrap());
        assert_eq!(item.mask.clone().outside(0), Mask::from_tensor(&batch.ys.get(i).unwrap()).unwrap());
    }
    let svg = show_batch(&dls.train, 4).unwrap().svg().unwrap();
    assert!(CODES.iter().all(|code| svg.contains(code)), "{svg}");
}

/// Road scenes with twelve classes, if they are here: 367 to train with and 101 for validation. By Pillow's nearest
/// pixels at 120 by 90, the most frequent class is .29890151 of the validation pixels that are not void.
#[test]
fn camvid_is_read_whole() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/camvid");
    if !root.exists() {
        eprintln!("skipped: ../shared/data/camvid is not here");
        return;
    }
    let codes = "Sky Building Pole Road Pavement Tree SignSymbol Fence Car Pedestrian Bicyclist Unlabelled";
    let (block, notes) = told(DataBlock::segmentation().codes(codes.split(' ')).void("Unlabelled"));
    let resize = Resize::squish(0).size(120, 90);
    let dls = block.label(mask_beside("labels", "")).item_tfms([resize]).dataloaders(&root, 8).unwrap();
    assert_eq!((dls.train.n_items(), dls.valid.n_items()), (367, 101));
    assert_eq!((dls.void(), notes.lock().unwrap().clone()), (Some(11), Vec::<String>::new()));
    let batch = dls.train.one_batch().unwrap();
    assert_eq!((batch.xs.dims(), batch.ys.dims()), (&[8, 3, 90, 120][..], &[8, 90, 120][..]));
    // As the files have them: numpy's bincount.
    let of_files = dls.valid.pixel_counts().unwrap();
    assert_eq!(of_files[..4], [398_283, 1_128_455, 24_608, 1_269_605]);
    let mut counts = [0u32; 12];
    for batch in dls.valid.epoch(0) {
        let classes = batch.unwrap().ys.flatten_all().unwrap().to_vec1::<u32>().unwrap();
        classes.into_iter().for_each(|class| counts[class as usize] += 1);
    }
    let share = f64::from(counts[3]) / f64::from(counts[..11].iter().sum::<u32>());
    assert!((share - 0.298_901_51).abs() < 1e-8, "{share}");
}
