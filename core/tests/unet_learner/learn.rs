//! The learner learns, and what it exports predicts the same.

use crate::{CODES, VOID, block, config, loaders};
use candle_core::Device;
use tallow::interpret::{SegmentationInterpretation, show_results};
use tallow::train::{FineTune, jaccard_multi, pixel_accuracy};
use tallow::unet_learner::{Arch, load_segmenter_on, unet_learner};
use tallow::vision::{CenterCrop, Image, Mask, Resize, Transform};

#[test]
fn it_learns_and_what_it_exports_predicts_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let dls = loaders(&folder.path().join("pictures"));
    let metrics = [pixel_accuracy(Some(VOID)), jaccard_multi(Some(VOID))];
    let mut learner = unet_learner(&dls, Arch::EfficientNetLite0, config().metrics(metrics)).unwrap();
    // A pretrained encoder is frozen at first, but for its normalisations, and pictures are as its weights want them.
    let trainable = learner.params().trainable();
    assert!(trainable.iter().any(|param| param.name() == "layers.12.0.weight"));
    assert!(!trainable.iter().any(|param| param.name() == "layers.0._conv_stem.weight"));
    assert_eq!(learner.params().n_groups(), 2);
    assert!(learner.segmentation_dls().valid_tfms().normalization().is_some());
    assert_eq!((learner.codes(), learner.void(), learner.loss().void), (dls.codes(), Some(VOID), Some(VOID)));

    learner.fine_tune(6, FineTune { base_lr: 4e-3, ..FineTune::default() }).unwrap();
    let (loss, metrics) = learner.validate().unwrap();
    assert!(metrics[0] > 0.95 && metrics[1] > 0.8, "{metrics:?}");

    let seen = SegmentationInterpretation::from_learner(&learner).unwrap();
    // The means over batches and those over pictures are the same pixels' means.
    assert_eq!(seen.counts().accuracy(), Some(metrics[0]));
    assert_eq!(seen.counts().mean_jaccard(), Some(metrics[1]));
    assert_eq!(seen.counts().classes().iter().map(|class| class.actual).sum::<u64>(), 4 * 44 * 36);
    let mean = seen.pictures().iter().map(|picture| picture.loss).sum::<f64>() / 4.0;
    assert!((mean - loss).abs() < 1e-6 * loss, "{mean} and {loss}");
    let top = seen.top_losses(2);
    assert!(top.len() == 2 && top[0].loss >= top[1].loss);
    assert!(seen.pictures().iter().all(|picture| picture.loss <= top[0].loss));
    let classes = seen.per_class();
    assert_eq!(classes.iter().map(|class| class.class.as_str()).collect::<Vec<_>>(), CODES);
    assert_eq!((classes[2].dice, classes[2].jaccard), (None, None));
    assert!(seen.plot_per_class().size(400, 200).svg_text().contains("square"));
    let valid = &learner.segmentation_dls().valid;
    let figure = seen.plot_top_losses(&learner, valid, 1).unwrap().svg().unwrap();
    assert!(figure.contains("loss") && figure.contains("ground"), "{figure}");
    let figure = show_results(&learner, 2).unwrap().svg().unwrap();
    assert!(figure.contains("00.png") && figure.contains("02.png") && !figure.contains("01.png"));

    let model = folder.path().join("model");
    learner.export(&model).unwrap();
    let (ours, theirs) = (learner.segmenter(), load_segmenter_on(&model, &Device::Cpu).unwrap());
    assert_eq!((theirs.codes(), theirs.void()), (ours.codes(), Some(VOID)));
    let summary = theirs.export_onnx(folder.path().join("masks.onnx"), Default::default()).unwrap();
    assert!(summary.outputs[1].starts_with("probabilities float32 [batch, "), "{summary:?}");
    let files = dls.valid.files().to_vec();
    let (ours, theirs) = (ours.predict(&files).unwrap(), theirs.predict(&files).unwrap());
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_eq!(ours.as_ref().unwrap(), theirs.as_ref().unwrap());
    }
    let one = theirs[0].as_ref().unwrap();
    let (image, target) = dls.valid.dataset().pair(0).unwrap();
    let right = one.mask.values().iter().zip(target.values()).filter(|(_, t)| u32::from(**t) != VOID);
    let right = right.filter(|(p, t)| p == t).count() as f64 / (44.0 * 36.0);
    assert_eq!(Some(right), seen.pictures()[0].accuracy);
    assert!((one.shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    assert!(one.to_string().starts_with(&format!("ground {:.3}, square", one.shares[0])), "{one}");

    let file = folder.path().join("mask.png");
    one.save(&file).unwrap();
    assert_eq!(Mask::open(&file).unwrap().values(), one.mask.values());
    let over = one.overlay(&image, 0.5).unwrap();
    assert_eq!((over.width(), over.height()), (48, 40));
    assert_eq!(one.overlay(&image, 0.0).unwrap().bytes(), image.bytes());
}

/// Text of the picture.
trait SvgText {
    fn svg_text(self) -> String;
}

impl<T: Into<tallow::plot::Figure>> SvgText for T {
    fn svg_text(self) -> String {
        self.into().svg().unwrap()
    }
}

#[test]
fn masks_are_of_the_pictures_own_size_whatever_validation_cuts_off() {
    let folder = tempfile::tempdir().unwrap();
    crate::pictures(folder.path());
    let tfms: Vec<Transform> = vec![Resize::short_side(32).into(), CenterCrop::new(24).into()];
    let dls = block().item_tfms(tfms).dataloaders(folder.path(), 4).unwrap();
    let learner = unet_learner(&dls, Arch::EfficientNetLite0, config()).unwrap();
    let segmenter = learner.segmenter();
    let grey = |w: usize, h: usize| Image::from_fn(w, h, |x, y| [x as u8, y as u8, 90]).unwrap();
    for (w, h) in [(48, 40), (97, 31), (33, 120)] {
        let mask = segmenter.predict_image(&grey(w, h)).unwrap().mask;
        assert_eq!((mask.width(), mask.height()), (w, h));
    }
    // Files of one size and of several come out alike, and one that cannot be read does not stop the others.
    let file = |name: &str| folder.path().join(name);
    grey(60, 50).save(file("a.png")).unwrap();
    grey(90, 44).save(file("b.png")).unwrap();
    std::fs::write(file("c.png"), b"no picture").unwrap();
    let files = ["a.png", "b.png", "a.png", "c.png"].map(file);
    let all = segmenter.predict(&files).unwrap();
    assert_eq!(all[0].as_ref().unwrap(), &segmenter.predict_file(&files[0]).unwrap());
    assert_eq!(all[0].as_ref().unwrap(), all[2].as_ref().unwrap());
    assert_eq!((all[1].as_ref().unwrap().mask.width(), all[3].is_err()), (90, true));
    assert!(segmenter.predict(&[]).unwrap().is_empty());
    // What no memory would hold is refused before it is tried.
    let message = segmenter.predict_image(&grey(4, 20_000)).unwrap_err().to_string();
    assert!(message.contains("4 by 20000") && message.contains("32 by 160000"), "{message}");
}
