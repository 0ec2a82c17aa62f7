//! Steps in a row: fused and plain, stored, explained, turned into what validation does.

use crate::common::values;
use candle_core::Device;
use tallow::rng::Rng;
use tallow::vision::{
    CenterCrop, Compose, Image, Item, Normalize, PadMode, RandomErasing, RandomHorizontalFlip, RandomResizedCrop,
    RandomRotation, Resize, Transform, aug_transforms, pad,
};

fn photo(w: usize, h: usize) -> Image {
    Image::from_fn(w, h, |x, y| [(x * 5 + y) as u8, (y * 7) as u8, (x * y / 3) as u8]).unwrap()
}

fn many() -> Compose {
    Compose::new()
        .then(Resize::crop(48).size(64, 48))
        .then(RandomRotation::new(5.0))
        .then(RandomHorizontalFlip::default())
        .then(RandomResizedCrop::new(32))
        .then(Transform::ToTensor)
        .then(aug_transforms().size(24))
        .then(Normalize::imagenet())
        .then(RandomErasing::default())
}

#[test]
fn appended_values_are_those_of_the_single_steps() {
    let plain = Compose::new().then(Resize::short_side(40)).then(CenterCrop::new(32)).then(Normalize::imagenet());
    let trained = Compose::new()
        .then(RandomResizedCrop::new(32))
        .then(RandomHorizontalFlip::default())
        .then(Normalize::imagenet());
    for (tfms, tolerance) in [(plain, 0.02), (trained, 0.0), (many(), 0.0), (Compose::new(), 0.0)] {
        for seed in 0..10 {
            let picture = photo(90, 60);
            let mut out = vec![5.0];
            let (w, h) = tfms.append(picture.clone(), &mut Rng::new(seed), &mut out).unwrap();
            let steps = tfms.explain_with(picture.clone(), &mut Rng::new(seed)).unwrap();
            let last = steps.last().unwrap().item.clone().into_planes();
            assert_eq!((w, h, out.len(), out[0]), (last.width(), last.height(), 3 * w * h + 1, 5.0));
            let pairs = out[1..].iter().zip(last.values());
            // Resizing and cropping in one may round one level differently: 1 / 255 / 0.224 = 0.0175.
            assert!(pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) <= tolerance);
            let tensor = tfms.tensor_with(picture, &mut Rng::new(seed)).unwrap();
            assert_eq!(values(&tensor), out[1..].iter().map(|&v| f64::from(v)).collect::<Vec<_>>());
        }
    }
}

#[test]
fn random_steps_need_a_stream() {
    for error in [many().tensor(photo(90, 60)).unwrap_err(), many().explain(photo(90, 60)).unwrap_err()] {
        let error = error.to_string();
        assert!(error.contains("cropped at random") && error.contains("valid()"), "{error}");
    }
    let valid = many().valid();
    let last = valid.explain(photo(90, 60)).unwrap().pop().unwrap().item;
    assert_eq!(values(&valid.tensor(photo(90, 60)).unwrap()), values(&last.to_tensor(&Device::Cpu).unwrap()));
}

#[test]
fn an_item_is_explained_step_by_step() {
    let steps = many().explain_with(photo(90, 60), &mut Rng::new(3)).unwrap();
    let sizes: Vec<(usize, usize)> = steps.iter().map(|step| step.item.size()).collect();
    assert_eq!(sizes, [(90, 60), (64, 48), (64, 48), (64, 48), (32, 32), (32, 32), (24, 24), (24, 24), (24, 24)]);
    assert_eq!(steps[0].description, "as read");
    assert_eq!(steps[1].description, "resize to 64 x 48, cropped at random");
    assert!(steps[7].description.starts_with("normalize by mean [0.485"), "{}", steps[7].description);
    // Undone, normalisation shows the picture of the step before.
    assert_eq!(steps[7].image(Some(Normalize::imagenet())), steps[6].image(None));
}

#[test]
fn validation_keeps_what_is_certain() {
    let valid = many().valid();
    let words: Vec<String> = valid.transforms().iter().map(ToString::to_string).collect();
    assert_eq!(
        words,
        [
            "resize to 64 x 48, cropped in the middle",
            "resize to 40 x 40, squished",
            "the middle 32 x 32",
            "numbers between 0 and 1",
            "resampled to 24 x 24",
            "normalize by mean [0.485, 0.456, 0.406] and std [0.229, 0.224, 0.225]",
        ]
    );
    let of = |seed: u64| values(&valid.tensor_with(photo(90, 60), &mut Rng::new(seed)).unwrap());
    assert_eq!(of(1), of(2));
    assert_eq!(valid.valid(), valid);
    // fast.ai: xtra = ceil(224 * 0.14 / 8) * 8 = 32.
    assert_eq!(
        RandomResizedCrop::new(224).valid(),
        [Transform::from(Resize::squish(256)), Transform::from(CenterCrop::new(224))]
    );
}

#[test]
fn a_pipeline_is_written_to_json_and_read_again() {
    for tfms in [many(), many().valid(), Compose::new()] {
        let text = serde_json::to_string_pretty(&tfms).unwrap();
        assert_eq!(serde_json::from_str::<Compose>(&text).unwrap(), tfms, "{text}");
    }
    let text = r#"[{"transform":"resize","width":192,"height":192,"method":"squish"},
                   {"transform":"resize","width":8,"height":8,"method":{"pad":"border"},"filter":"bicubic"},
                   {"transform":"greyscale"}]"#;
    let tfms: Compose = serde_json::from_str(text).unwrap();
    assert_eq!(tfms.transforms()[0], Resize::squish(192).into());
    assert_eq!(tfms.transforms()[2], Transform::Greyscale);
    let error = serde_json::from_str::<Compose>(r#"[{"transform":"melt"}]"#).unwrap_err().to_string();
    assert!(error.contains("melt"), "{error}");
}

#[test]
fn batch_transforms_come_in_fastais_order_and_normalisation_can_be_changed() {
    let tfms = Compose::new().then(RandomErasing::default()).then(Normalize::imagenet()).then(aug_transforms());
    let order: Vec<bool> = tfms.in_order().transforms().iter().map(|t| matches!(t, Transform::Normalize(_))).collect();
    assert_eq!(order, [false, true, false]);
    let half = Normalize { mean: [0.5; 3], std: [0.5; 3] };
    let changed = many().normalized(half);
    assert_eq!((changed.normalization(), changed.transforms().len()), (Some(half), 8));
    assert!(matches!(changed.transforms()[7], Transform::RandomErasing(_)));
    assert_eq!(Compose::new().normalized(half).transforms(), [half.into()]);
}

#[test]
fn normalisation_is_undone_by_its_inverse() {
    let normalize = Normalize::imagenet();
    let picture = photo(5, 4);
    let plain = picture.to_tensor(&Device::Cpu).unwrap();
    let x = Compose::from([normalize]).tensor_with(picture.clone(), &mut Rng::new(0)).unwrap();
    let first = f64::from(f32::from(picture.pixel(0, 0)[0]) / 255.0);
    assert!((values(&x)[0] - (first - 0.485) / 0.229).abs() < 1e-6);
    let back = normalize.inverse(&x).unwrap();
    assert!(values(&back).iter().zip(values(&plain)).all(|(a, b)| (a - b).abs() < 1e-6));
    assert_eq!(Image::from_tensor(&back).unwrap(), picture);
    let batch = normalize.inverse(&x.unsqueeze(0).unwrap()).unwrap();
    assert_eq!(batch.dims(), [1, 3, 4, 5]);
    let zero = Normalize { std: [1.0, 0.0, 1.0], ..normalize };
    assert!(zero.apply(Item::from(picture).into_planes()).unwrap_err().to_string().contains("deviations"));
}

#[test]
fn steps_for_pictures_refuse_numbers() {
    let tfms = Compose::new().then(Normalize::imagenet()).then(Resize::squish(8));
    let error = tfms.tensor_with(photo(9, 9), &mut Rng::new(0)).unwrap_err().to_string();
    assert!(error.contains("resize to 8 x 8") && error.contains("further to the front"), "{error}");
    let error = Resize::squish(0).apply(&photo(9, 9), &mut Rng::new(0)).unwrap_err().to_string();
    assert!(error.contains("0 by 0"), "{error}");
    assert!(CenterCrop::new(0).apply(&photo(9, 9)).is_err());
    assert!(Image::new(0, 3, vec![]).is_err() && Image::new(1, 1, vec![0; 4]).is_err());
}

#[test]
fn padding_is_numpys() {
    // np.pad(np.arange(3), (4, 5), mode) with "reflect", "edge" and "constant".
    let row = Image::from_fn(3, 1, |x, _| [x as u8 + 1; 3]).unwrap();
    let padded = |mode| {
        let picture = pad(&row, [4, 0, 5, 0], mode);
        (0..12).map(|x| picture.pixel(x, 0)[0]).collect::<Vec<u8>>()
    };
    assert_eq!(padded(PadMode::Reflection), [1, 2, 3, 2, 1, 2, 3, 2, 1, 2, 3, 2]);
    assert_eq!(padded(PadMode::Border), [1, 1, 1, 1, 1, 2, 3, 3, 3, 3, 3, 3]);
    assert_eq!(padded(PadMode::Zeros), [0, 0, 0, 0, 1, 2, 3, 0, 0, 0, 0, 0]);
}

#[test]
fn fastais_resize_methods_keep_crop_and_pad() {
    let picture = Image::from_fn(60, 30, |x, _| [x as u8 * 4; 3]).unwrap();
    let middle = |resize: Resize| match resize.valid()[0] {
        Transform::Resize(resize) => resize.apply(&picture, &mut Rng::new(0)).unwrap(),
        _ => unreachable!(),
    };
    // The middle 30 columns, 15 to 44, at their own size.
    let cropped = middle(Resize::crop(30));
    assert_eq!((cropped.pixel(0, 0)[0], cropped.pixel(29, 0)[0]), (60, 176));
    // 60 rows wanted, 30 there: 15 above and 15 below.
    let padded = middle(Resize::pad(60, PadMode::Zeros));
    assert_eq!([14, 15, 44, 45].map(|y| padded.pixel(10, y)[0]), [0, 40, 40, 0]);
    // In training the place is random, and every place occurs.
    let starts: std::collections::BTreeSet<u8> = (0..300)
        .map(|seed| Resize::crop(30).apply(&picture, &mut Rng::new(seed)).unwrap().pixel(0, 0)[0] / 4)
        .collect();
    assert_eq!((starts.first(), starts.last(), starts.len()), (Some(&0), Some(&29), 30));
}
