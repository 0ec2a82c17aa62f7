//! From training to predictions, in this program and in another.

use crate::{config, files, learner, stripes, trained, weights};
use candle_core::Device;
use tallow::interpret::Interpretation;
use tallow::models::Arch;
use tallow::nn::ParamKind;
use tallow::vision::{CenterCrop, Compose, Interpolation, Normalize, Resize};
use tallow::vision_learner::{HeadKind, Pretrained, load_learner_on, predictions_csv, vision_learner};

/// What the weights' publisher states: (value - 127) / 128, after bicubic shrinking.
const LITE: Normalize = Normalize { mean: [127.0 / 255.0; 3], std: [128.0 / 255.0; 3] };

#[test]
fn the_body_has_its_weights_and_is_frozen_and_pictures_are_normalised() {
    let folder = tempfile::tempdir().unwrap();
    let learner = learner(&stripes(folder.path()));
    assert_eq!(learner.image_dls().valid_tfms().normalization(), Some(LITE));
    assert_eq!(learner.vocab(), ["across", "down"]);
    assert_eq!(learner.head_name(), "head");
    let stem = learner.params().get("_conv_stem.weight").unwrap();
    let file = weights().tensor("_conv_stem.weight").unwrap();
    let floats = |t: &candle_core::Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    assert_eq!(floats(&stem.tensor()), floats(&file.to_dtype(candle_core::DType::F32).unwrap()));
    for param in learner.params().all().iter().filter(|p| p.kind() == ParamKind::Weight) {
        assert_eq!(param.trainable(), param.name().starts_with("head."), "{}", param.name());
    }
    let lite = Compose::new()
        .then(Resize::short_side(256).interpolation(Interpolation::Bicubic))
        .then(CenterCrop::new(224))
        .then(LITE);
    assert_eq!(Arch::EfficientNetLite0.facts().published.preprocess.transforms(), lite);
}

#[test]
fn without_weights_nothing_is_frozen_or_normalised_and_the_head_may_be_the_published_one() {
    let folder = tempfile::tempdir().unwrap();
    let dls = stripes(folder.path());
    let random = config().pretrained(Pretrained::None).head(HeadKind::Published);
    let learner = vision_learner(&dls, Arch::ResNet18, random).unwrap();
    assert_eq!(learner.image_dls().valid_tfms().normalization(), None);
    assert_eq!(learner.head_name(), "fc");
    assert_eq!(learner.params().get("fc.weight").unwrap().dims(), [2, 512]);
    assert!(learner.params().all().iter().filter(|p| p.kind() != ParamKind::Buffer).all(|p| p.trainable()));
    // The file's head for 1000 classes gives way to one for two.
    let learner = vision_learner(&dls, Arch::EfficientNetLite0, config().head(HeadKind::Published)).unwrap();
    let last = learner.params().get("_fc.weight").unwrap();
    assert_eq!(last.dims(), [2, 1280]);
    // nn.Linear(1280, 2): uniform within 1/sqrt(1280), of which 2,560 draws come close to the bound.
    let widest = last.tensor().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
    assert!(widest <= 1.0 / 1280f32.sqrt() && widest > 0.99 / 1280f32.sqrt(), "{widest}");
}

#[test]
fn exported_and_read_again_it_predicts_the_same_and_rightly() {
    let folder = tempfile::tempdir().unwrap();
    let dls = stripes(folder.path());
    let learner = trained(&dls);
    let (loss, metrics) = learner.validate().unwrap();
    assert_eq!(metrics, [1.0], "loss {loss}");
    let model = folder.path().join("model");
    learner.export_with(&model, [("accuracy".to_string(), metrics[0])].into()).unwrap();
    let notes = std::fs::read_to_string(model.join("learner.json")).unwrap();
    for words in ["efficientnet_lite0", "\"fastai\"", "\"across\"", "\"accuracy\": 1.0", "Normalize"] {
        assert!(notes.to_lowercase().contains(&words.to_lowercase()), "no {words} in {notes}");
    }
    let read = load_learner_on(&model, &Device::Cpu).unwrap();
    assert_eq!((read.vocab(), read.arch()), (learner.vocab(), Arch::EfficientNetLite0));
    assert_eq!(read.tfms(), learner.image_dls().valid_tfms());

    let files = files(&dls);
    let (ours, theirs) = (learner.predictor().predict(&files).unwrap(), read.predict(&files).unwrap());
    for (((file, ours), theirs), &label) in files.iter().zip(&ours).zip(&theirs).zip(dls.valid.labels()) {
        let (ours, theirs) = (ours.as_ref().unwrap(), theirs.as_ref().unwrap());
        assert_eq!(ours, theirs, "{}", file.display());
        assert_eq!(ours.index, label as usize, "{}", file.display());
        assert!((ours.probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        let alone = read.predict_file(file).unwrap();
        assert_eq!(alone.class, ours.class);
        assert!((alone.probability - ours.probability).abs() < 1e-5);
    }
}

#[test]
fn each_loss_knows_its_own_file_though_the_loader_shuffles() {
    let folder = tempfile::tempdir().unwrap();
    let dls = stripes(folder.path());
    let learner = trained(&dls);
    let interp = Interpretation::from_loader(&learner, &learner.image_dls().train).unwrap();
    let top = interp.top_losses(usize::MAX);
    assert_eq!(top.len(), dls.train.files().len(), "none is left out, the smaller last batch's neither");
    for item in top {
        let file = item.file.unwrap();
        assert_eq!(file, dls.train.files()[item.index]);
        assert_eq!(file.parent().unwrap().file_name().unwrap(), &*item.actual, "{}", file.display());
    }
}

#[test]
fn many_files_are_predicted_though_one_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let dls = stripes(folder.path());
    let mut files = files(&dls);
    let bad = folder.path().join("not, a photo.jpg");
    std::fs::write(&bad, "I am a text").unwrap();
    files.insert(1, bad);
    let predictions = trained(&dls).predictor().predict(&files).unwrap();
    assert_eq!(predictions.len(), files.len());
    assert!(predictions.iter().enumerate().all(|(i, p)| p.is_ok() == (i != 1)));
    for (p, &label) in predictions.iter().flatten().zip(dls.valid.labels()) {
        assert_eq!(p.index, label as usize);
    }
    let csv = predictions_csv(&files, &predictions);
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!((lines[0], lines.len()), ("file,class,probability,error,strangeness", files.len() + 1));
    assert!(lines[2].contains("not, a photo.jpg\",,,"), "{}", lines[2]);
    let first = predictions[0].as_ref().unwrap();
    assert_eq!(lines[1], format!("{},{},{:.6},,", files[0].display(), first.class, first.probability));
}

#[test]
fn test_time_augmentation_mixes_views_as_fastai_does() {
    let folder = tempfile::tempdir().unwrap();
    let dls = stripes(folder.path());
    let learner = learner(&dls);
    let row = |scores: &candle_core::Tensor| -> Vec<f64> {
        let rows = scores.to_vec2::<f32>().unwrap();
        let softmax = |row: &Vec<f32>| {
            let exps: Vec<f64> = row.iter().map(|&v| f64::from(v).exp()).collect();
            exps.iter().map(|v| v / exps.iter().sum::<f64>()).collect::<Vec<_>>()
        };
        rows.iter().flat_map(softmax).collect()
    };
    let plain = row(&learner.get_preds(&learner.image_dls().valid).unwrap().0);
    let augmented = learner.image_dls().augmented_valid().unwrap();
    let mut want = vec![0.0; plain.len()];
    for epoch in 0..4 {
        let mut view = Vec::new();
        for batch in augmented.epoch(epoch) {
            view.extend(row(&learner.learner().predict(&batch.unwrap().xs).unwrap()));
        }
        assert_ne!(view, plain);
        want.iter_mut().zip(view).for_each(|(w, v)| *w += v / 4.0);
    }
    // torch.lerp(views, plain, 0.25)
    want.iter_mut().zip(&plain).for_each(|(w, p)| *w += 0.25 * (p - *w));
    let (got, ys) = learner.tta(4, 0.25).unwrap();
    let got: Vec<f64> = got.flatten_all().unwrap().to_vec1::<f32>().unwrap().into_iter().map(f64::from).collect();
    assert!(got.iter().zip(&want).all(|(g, w)| (g - w).abs() < 1e-5), "{got:?} {want:?}");
    assert_eq!(ys.to_vec1::<u32>().unwrap(), dls.valid.labels());
    assert!(learner.tta(0, 0.25).is_err());
}
