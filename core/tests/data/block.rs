//! The data block: from a folder to loaders that know their task.

use crate::classes;
use tallow::data::{DataBlock, DataLoaders, RandomSplitter, image_files, parent_label, regex_label};
use tallow::vision::{Compose, Image, Normalize, RandomErasing, Resize, Transform, aug_transforms};

fn block() -> DataBlock {
    DataBlock::images()
        .items(image_files)
        .label(parent_label)
        .split(RandomSplitter { valid: 0.25, seed: 42 })
        .item_tfms([Resize::squish(16)])
        .batch_tfms(aug_transforms())
}

#[test]
fn loaders_know_classes_files_and_transforms() {
    let dir = tempfile::tempdir().unwrap();
    let files = classes(dir.path(), &[("cat", 20), ("dog", 20)]);
    let dls = block().dataloaders(dir.path(), 8).unwrap();
    assert_eq!(dls.vocab().classes(), ["cat", "dog"]);
    assert_eq!((dls.train.n_items(), dls.valid.n_items(), dls.n_classes()), (30, 10, 2));
    let mut all = [dls.train.files(), dls.valid.files()].concat();
    all.sort();
    assert_eq!(all, files);
    for loader in [&dls.train, &dls.valid] {
        let class = |file: &std::path::Path| u32::from(file.parent().unwrap().ends_with("dog"));
        assert!(loader.files().iter().zip(loader.labels()).all(|(file, &label)| class(file) == label));
    }
    assert_eq!(dls.valid_tfms(), &Compose::from([Resize::squish(16)]));
    assert_eq!(dls.train.tfms().transforms().len(), 2);
    let (train, valid) = (dls.train.one_batch().unwrap(), dls.valid.one_batch().unwrap());
    assert_eq!(
        (train.xs.dims(), train.ys.dims(), valid.xs.dims()),
        (&[8, 3, 16, 16][..], &[8][..], &[8, 3, 16, 16][..])
    );
    assert_eq!((dls.train.n_batches(), dls.valid.n_batches()), (3, 2));
    let plain: DataLoaders = (&dls).into();
    assert_eq!(plain.valid.one_batch().unwrap().ys.to_vec1::<u32>().unwrap(), dls.valid.labels()[..8]);
}

#[test]
fn normalisation_is_set_and_replaced_and_comes_with_prediction() {
    let dir = tempfile::tempdir().unwrap();
    let files = classes(dir.path(), &[("cat", 8), ("dog", 8)]);
    let tfms = Compose::new().then(RandomErasing::default()).then(aug_transforms());
    let plain = block().batch_tfms(tfms).dataloaders(dir.path(), 4).unwrap();
    let half = Normalize { mean: [0.5; 3], std: [0.25; 3] };
    let dls = plain.normalize(Normalize::imagenet()).unwrap().normalize(half).unwrap();
    assert_eq!(dls.valid_tfms(), &Compose::new().then(Resize::squish(16)).then(half));
    let kinds: Vec<u8> = dls
        .train
        .tfms()
        .transforms()
        .iter()
        .map(|t| match t {
            Transform::Resize(_) => 0,
            Transform::AugTransforms(_) => 1,
            Transform::Normalize(_) => 2,
            _ => 3,
        })
        .collect();
    assert_eq!(kinds, [0, 1, 2, 3]);
    let test = dls.test_dl(&files[..3]).unwrap();
    let batch = test.one_batch().unwrap();
    assert_eq!((batch.xs.dims(), batch.ys.to_vec1::<u32>().unwrap()), (&[3, 3, 16, 16][..], vec![0; 3]));
    let by_hand = Resize::squish(16).apply(&Image::open(&files[1]).unwrap(), &mut tallow::rng::Rng::new(0)).unwrap();
    let first = (f32::from(by_hand.pixel(0, 0)[1]) / 255.0 - 0.5) / 0.25;
    assert_eq!(batch.xs.get(1).unwrap().get(1).unwrap().to_vec2::<f32>().unwrap()[0][0], first);
    assert!(dls.test_dl(&[]).is_err());
}

#[test]
fn validation_may_have_transforms_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    classes(dir.path(), &[("cat", 8), ("dog", 8)]);
    let dls = block().valid_tfms([Resize::squish(12)]).dataloaders(dir.path(), 4).unwrap();
    let half = Normalize { mean: [0.5; 3], std: [0.25; 3] };
    let dls = dls.normalize(half).unwrap();
    assert_eq!(dls.valid_tfms(), &Compose::new().then(Resize::squish(12)).then(half));
    assert_eq!(dls.train.one_batch().unwrap().xs.dims(), [4, 3, 16, 16]);
    assert_eq!(dls.valid.one_batch().unwrap().xs.dims()[2..], [12, 12]);
    let plain = dls.without_augmentation().unwrap();
    assert_eq!((plain.train.tfms(), plain.train.files()), (dls.valid_tfms(), dls.train.files()));
    assert_eq!(dls.augmented_valid().unwrap().tfms(), dls.train.tfms());
}

#[test]
fn a_summary_tells_each_step() {
    let dir = tempfile::tempdir().unwrap();
    classes(dir.path(), &[("cat", 40), ("dog", 2)]);
    let text = block().normalize(Normalize::imagenet()).summary(dir.path(), 8).unwrap();
    for line in [
        "42 items in",
        "2 classes:",
        "  cat: ",
        "one training item: ",
        "  as read: 2",
        "  resize to 16 x 16, squished: 16 x 16",
        "  augment: flip, warp to 0.2, rotation to 10",
        "  normalize by",
        "batches of [8, 3, 16, 16]",
        "warning: classes are of very different sizes",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}

#[test]
fn mistakes_are_told_with_their_remedy() {
    let dir = tempfile::tempdir().unwrap();
    classes(dir.path(), &[("cat", 8), ("dog", 8)]);
    let sizes = block().item_tfms(Compose::new()).batch_tfms(Compose::new()).dataloaders(dir.path(), 4).unwrap();
    let error = sizes.train.one_batch().unwrap_err().to_string();
    assert!(error.contains("a batch needs one size; add a `Resize`"), "{error}");
    let error =
        block().label(regex_label(r"(\D+)\.png").unwrap()).dataloaders(dir.path(), 4).err().unwrap().to_string();
    assert!(error.contains("000.png"), "{error}");
    let error = block().items(|_: &std::path::Path| Ok(vec![])).dataloaders(dir.path(), 4).err().unwrap().to_string();
    assert!(error.contains("no items"), "{error}");
    assert!(block().dataloaders(dir.path(), 0).is_err());
    assert!(block().dataloaders(dir.path().join("none"), 4).err().unwrap().to_string().contains("none"));
}
