//! The loader of pictures: the same for any number of workers, and what it shows.

use crate::classes;
use candle_core::{DType, Device, Tensor};
use tallow::data::{DataBlock, DataLoader, ImageDataLoaders, ImageFolder, LabelledImage, LabelledImages, Pixels};
use tallow::rng::Rng;
use tallow::vision::{
    Compose, Image, Normalize, RandomHorizontalFlip, RandomResizedCrop, Resize, aug_transforms, make_grid,
};

fn dls(dir: &std::path::Path) -> ImageDataLoaders {
    DataBlock::images()
        .item_tfms([RandomResizedCrop::new(16)])
        .batch_tfms(aug_transforms())
        .normalize(Normalize::imagenet())
        .dataloaders(dir, 8)
        .unwrap()
}

fn epoch(loader: &DataLoader, epoch: usize) -> Vec<Vec<u32>> {
    let bits = |xs: &Tensor| xs.flatten_all().unwrap().to_vec1::<f32>().unwrap().iter().map(|v| v.to_bits()).collect();
    loader.epoch(epoch).map(|batch| bits(&batch.unwrap().xs)).collect()
}

#[test]
fn workers_change_no_bit_and_epochs_differ() {
    let dir = tempfile::tempdir().unwrap();
    classes(dir.path(), &[("cat", 25), ("dog", 25)]);
    let dls = dls(dir.path());
    let alone = dls.workers(0).unwrap();
    let (first, second) = (epoch(alone.train.loader(), 0), epoch(alone.train.loader(), 1));
    assert_ne!(first, second);
    for workers in [1, 2, 5] {
        let many = dls.workers(workers).unwrap();
        assert!(epoch(many.train.loader(), 0) == first && epoch(many.train.loader(), 1) == second, "{workers} workers");
    }
    let valid = epoch(dls.valid.loader(), 0);
    assert_eq!(epoch(dls.valid.loader(), 1), valid);
}

#[test]
fn an_item_gets_the_same_augmentation_in_any_batch() {
    let dir = tempfile::tempdir().unwrap();
    classes(dir.path(), &[("cat", 9), ("dog", 9)]);
    let loader = |size: usize| {
        let tfms = Compose::new().then(RandomResizedCrop::new(8)).then(RandomHorizontalFlip::default());
        DataLoader::new(ImageFolder::new(dir.path(), Pixels::Rgb).unwrap().transform(tfms), size).unwrap().workers(2)
    };
    assert_eq!(epoch(&loader(1), 3).concat(), epoch(&loader(7), 3).concat());
}

#[test]
fn a_batch_is_shown_as_the_network_sees_it_with_its_classes() {
    let dir = tempfile::tempdir().unwrap();
    classes(dir.path(), &[("cat", 12), ("dog", 12)]);
    let dls = dls(dir.path());
    let shown = dls.train.captioned(6).unwrap();
    let batch = dls.train.one_batch().unwrap();
    let plain = Normalize::imagenet().inverse(&batch.xs).unwrap();
    let labels = batch.ys.to_vec1::<u32>().unwrap();
    assert_eq!(shown.len(), 6);
    for (i, shown) in shown.iter().enumerate() {
        assert_eq!(shown.image, Image::from_tensor(&plain.get(i).unwrap()).unwrap());
        assert_eq!(shown.caption, ["cat", "dog"][labels[i] as usize]);
    }
    let same = dls.train.captioned_augmented(3, 4).unwrap();
    assert!(same.len() == 4 && same[0].image != same[1].image && same[0].caption == same[1].caption);
    // No more than there are.
    assert_eq!(dls.valid.captioned(100).unwrap().len(), dls.valid.n_items());
}

#[test]
fn the_speed_of_an_epoch_is_told() {
    let dir = tempfile::tempdir().unwrap();
    classes(dir.path(), &[("cat", 10), ("dog", 10)]);
    let speed = dls(dir.path()).train.loader().measure(0).unwrap();
    assert!(speed.items == 16 && speed.seconds > 0.0 && speed.waited <= speed.seconds, "{speed:?}");
    assert!((speed.per_second() - 16.0 / speed.seconds).abs() < 1e-9);
    assert!(speed.to_string().contains("items a second"), "{speed}");
}

#[test]
fn a_grid_is_torchvisions() {
    // torchvision.utils.make_grid(torch.arange(12.).reshape(3, 1, 2, 2), nrow=2, padding=1, pad_value=9)[0]
    let xs = Tensor::arange(0f32, 12., &Device::Cpu).unwrap().reshape((3, 1, 2, 2)).unwrap();
    let grid = make_grid(&xs, 2, 1, 9.0).unwrap();
    assert_eq!(grid.dims(), [3, 7, 7]);
    let n = 9.0;
    let want: [[f32; 7]; 7] = [
        [n, n, n, n, n, n, n],
        [n, 0., 1., n, 4., 5., n],
        [n, 2., 3., n, 6., 7., n],
        [n, n, n, n, n, n, n],
        [n, 8., 9., n, n, n, n],
        [n, 10., 11., n, n, n, n],
        [n, n, n, n, n, n, n],
    ];
    for channel in 0..3 {
        assert_eq!(grid.get(channel).unwrap().to_vec2::<f32>().unwrap(), want);
    }
    assert_eq!(make_grid(&xs, 8, 0, 0.0).unwrap().dims(), [3, 2, 6]);
    assert_eq!(make_grid(&xs.narrow(0, 0, 1).unwrap(), 8, 2, 0.0).unwrap().dims(), [3, 2, 2]);
    assert!(make_grid(&xs, 0, 2, 0.0).is_err());
    let small = make_grid(&xs.to_dtype(DType::U8).unwrap(), 3, 1, 1.0).unwrap();
    assert_eq!(small.dtype(), DType::U8);
}

#[test]
fn resizing_only_is_exact_between_the_data_block_and_by_hand() {
    let dir = tempfile::tempdir().unwrap();
    let files = classes(dir.path(), &[("cat", 5), ("dog", 5)]);
    let dls = DataBlock::images().item_tfms([Resize::squish(9)]).dataloaders(dir.path(), 2).unwrap();
    let file = &dls.valid.files()[0];
    assert!(files.contains(file));
    let tfms = Compose::from([Resize::squish(9)]);
    let x = tfms.tensor(Image::open(file).unwrap()).unwrap();
    let batch = dls.valid.one_batch().unwrap().xs.get(0).unwrap();
    assert_eq!(
        batch.flatten_all().unwrap().to_vec1::<f32>().unwrap(),
        x.flatten_all().unwrap().to_vec1::<f32>().unwrap()
    );
}

/// Every number of photos from 2 to 200 in 2 to 5 classes, in batches of 1 to 33: sides that are not empty, no class
/// without an item to train with, and no batch of a single photo, of which batch normalisation can take no statistics.
/// Or an error that says what to do.
#[test]
fn any_number_of_photos_makes_batches() {
    let (mut fine, mut refused) = (0, 0);
    for n_classes in 2..=5 {
        for n in 2..=200 {
            let image = |i: usize| LabelledImage {
                file: format!("{}/{i}.png", i % n_classes).into(),
                labels: vec![(i % n_classes).to_string()],
                side: None,
                group: None,
            };
            let images = LabelledImages { images: (0..n).map(image).collect(), notes: Vec::new(), sides: None };
            let dls = match DataBlock::images().labelled(images).workers(0).dataloaders(".", 2) {
                Ok(dls) => dls,
                Err(error) => {
                    // A single photo of each class leaves none for validation.
                    assert!(n <= n_classes && error.to_string().contains("two of a class or more"), "{n}: {error}");
                    refused += 1;
                    continue;
                }
            };
            assert!(dls.counts().iter().all(|&(train, valid)| train > 0 && valid <= train.max(1)));
            assert_eq!(dls.train.n_items() + dls.valid.n_items(), n);
            for batch_size in 1..=33 {
                // As the image loaders train, and as a head does on cached features.
                let loader = DataLoader::new(dls.train.dataset().clone(), batch_size).unwrap().shuffle(&Rng::new(1));
                let n_train = dls.train.n_items();
                for loader in [loader.clone().drop_last(), loader.drop_last_of_one()] {
                    let n_batches = loader.n_batches();
                    let last = n_train.min(n_batches * batch_size) - (n_batches - 1) * batch_size;
                    assert!(n_batches > 0 && (last > 1 || batch_size == 1), "{n_train} in batches of {batch_size}");
                }
            }
            fine += 1;
        }
    }
    assert_eq!((fine, refused), (4 * 199 - 10, 1 + 2 + 3 + 4));
}
