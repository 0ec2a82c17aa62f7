//! Other loaders for the same learner.

use crate::{learner, stripes};
use tallow::Error;
use tallow::data::DataBlock;
use tallow::vision::{Image, Resize};

#[test]
fn new_loaders_change_everything_that_depends_on_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut learner = learner(&stripes(folder.path()));
    let larger = DataBlock::images().item_tfms([Resize::squish(96)]).workers(0).dataloaders(folder.path(), 4).unwrap();
    learner.set_dls(&larger).unwrap();
    // Training, validation, features, prediction and export see the new size, normalised as the weights want.
    assert_eq!(learner.learner().dls().train.one_batch().unwrap().xs.dims(), [4, 3, 96, 96]);
    assert_eq!(learner.image_dls().valid.one_batch().unwrap().xs.dims()[2..], [96, 96]);
    assert!(learner.image_dls().valid_tfms().normalization().is_some());
    assert_eq!(learner.predictor().tfms(), learner.image_dls().valid_tfms());
    assert_eq!(learner.predictor().tfms().transforms()[0], Resize::squish(96).into());
}

#[test]
fn loaders_of_other_classes_are_refused_and_change_nothing() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut learner = learner(&stripes(folder.path()));
    for (class, grey) in [("black", 0), ("white", 255)] {
        for i in 0..5 {
            let image = Image::from_fn(8, 8, |_, _| [grey; 3]).unwrap();
            image.save(other.path().join(class).join(format!("{i}.png"))).unwrap();
        }
    }
    let greys = DataBlock::images().item_tfms([Resize::squish(64)]).dataloaders(other.path(), 4).unwrap();
    let error = learner.set_dls(&greys).unwrap_err();
    assert!(matches!(&error, Error::Config { setting: "dls", .. }), "{error}");
    assert!(error.to_string().contains("across") && error.to_string().contains("white"), "{error}");
    assert_eq!(learner.image_dls().vocab().classes(), ["across", "down"]);
}
