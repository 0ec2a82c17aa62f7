//! fast.ai's augmentation against the same mathematics in torch (`fixtures/make.py`), and what chance does.

use crate::common::assert_close;
use crate::{fixtures, json, numbers, places};
use tallow::rng::Rng;
use tallow::vision::{
    AugDraw, AugTransforms, ChannelPlanes, Compose, Fill, Image, Item, PadMode, RandomErasing, RandomHorizontalFlip,
    RandomResizedCrop, Resize, aug_transforms,
};

/// `photo` of `make.py`.
fn photo(w: usize, h: usize) -> Image {
    let byte = |v: f64| v.round_ties_even().clamp(0.0, 255.0) as u8;
    let pixel = |x: usize, y: usize| {
        let (x, y) = (x as f64, y as f64);
        let red = 127.0 + 110.0 * (0.11 * x + 0.05 * y).sin();
        let green = 127.0 + 110.0 * (0.07 * x - 0.09 * y).cos();
        [byte(red), byte(green), byte(20.0 + 4.0 * x + 2.0 * y)]
    };
    Image::from_fn(w, h, pixel).unwrap()
}

fn grid(planes: &ChannelPlanes, n: usize) -> Vec<f64> {
    let (w, h) = (planes.width(), planes.height());
    let value = |x: usize, y: usize, channel: usize| f64::from(planes.values()[(channel * h + y) * w + x]);
    let pixels = places(h, n).into_iter().flat_map(|y| places(w, n).into_iter().map(move |x| (x, y)));
    pixels.flat_map(|(x, y)| [0, 1, 2].map(|channel| value(x, y, channel))).collect()
}

#[test]
fn given_the_same_draws_values_are_fastais() {
    let reference = json(&fixtures().join("augment.json"));
    let picture = photo(90, 61);
    for case in reference["cases"].as_array().unwrap() {
        let number = |key: &str| case[key].as_f64().unwrap();
        let pair = |key: &str| numbers(&case[key]).try_into().map(|[a, b]: [f64; 2]| (a, b)).unwrap();
        let some = |key: &str| case[key].as_array().map(|_| numbers(&case[key]));
        let draw = AugDraw {
            dihedral: number("dihedral") as usize,
            warp: pair("warp"),
            degrees: number("degrees"),
            zoom: number("zoom"),
            centre: pair("centre"),
            brightness: number("brightness"),
            contrast: number("contrast"),
            part: some("part").map(|part| std::array::from_fn(|i| part[i] as usize)),
        };
        let tfms = AugTransforms {
            size: some("size").map(|size| (size[0] as usize, size[1] as usize)),
            pad_mode: serde_json::from_value(case["pad"].clone()).unwrap(),
            ..aug_transforms()
        };
        for item in [Item::Image(picture.clone()), Item::ChannelPlanes(ChannelPlanes::from(&picture))] {
            let planes = tfms.apply_draw(&item, &draw).unwrap();
            assert_eq!(numbers(&case["shape"]), [planes.height() as f64, planes.width() as f64, 3.0]);
            // Coordinates in f32 are good to a few 1e-5 of a pixel, and neighbours differ by up to 0.1 here; where
            // black begins at the border, the whole value counts.
            assert_close(&format!("{draw:?}"), &grid(&planes, 12), &numbers(&case["grid"]), 3e-5);
        }
    }
}

#[test]
fn draws_stay_in_their_ranges_and_have_their_probabilities() {
    let tfms = AugTransforms { flip_vert: true, ..aug_transforms() };
    let root = Rng::new(1);
    let n = 4000;
    let draws: Vec<AugDraw> = (0..n).map(|i| tfms.draw(90, 60, &mut root.substream(i))).collect();
    let share = |test: &dyn Fn(&AugDraw) -> bool| draws.iter().filter(|d| test(d)).count() as f64 / n as f64;
    // Five standard errors of a share are at most 5 * 0.5 / sqrt(4000) = 0.04.
    for (what, got, want) in [
        ("dihedral", share(&|d| d.dihedral != 0), 0.5 * 7.0 / 8.0),
        ("warp x", share(&|d| d.warp.0 != 0.0), 0.75),
        ("warp y", share(&|d| d.warp.1 != 0.0), 0.75),
        ("rotation", share(&|d| d.degrees != 0.0), 0.75),
        ("zoom", share(&|d| d.zoom != 1.0), 0.75),
        ("brightness", share(&|d| d.brightness != 0.5), 0.75),
        ("contrast", share(&|d| d.contrast != 1.0), 0.75),
    ] {
        assert!((got - want).abs() < 0.04, "{what}: {got} instead of {want}");
    }
    assert!(draws.iter().all(|d| d.degrees.abs() <= 10.0 && (1.0..=1.1).contains(&d.zoom)));
    assert!(draws.iter().all(|d| (0.4..=0.6).contains(&d.brightness) && (0.799..=1.251).contains(&d.contrast)));
    assert!(draws.iter().all(|d| d.warp.0.abs() <= 0.2 && d.warp.1.abs() <= 0.2 && d.part.is_none()));
    let presized = aug_transforms().size(30).min_scale(0.75);
    for i in 0..200 {
        let Some([left, top, width, height]) = presized.draw(90, 60, &mut root.substream(i)).part else { panic!() };
        assert!(width == height && left + width <= 90 && top + height <= 60);
    }
    let picture = Item::Image(photo(90, 60));
    assert_eq!(presized.apply(&picture, &mut root.stream("x")).unwrap().width(), 30);
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    let item = Item::Image(photo(9, 9));
    for (tfms, word) in [
        (AugTransforms { max_lighting: 1.0, ..aug_transforms() }, "max_lighting"),
        (AugTransforms { min_zoom: 0.0, ..aug_transforms() }, "zoom"),
        (AugTransforms { max_warp: 0.5, ..aug_transforms() }, "max_warp"),
        (aug_transforms().min_scale(0.5), "min_scale"),
        (aug_transforms().size(0), "size"),
    ] {
        let error = tfms.apply(&item, &mut Rng::new(0)).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
}

#[test]
fn a_picture_of_one_pixel_survives_everything() {
    let dot = Image::new(1, 1, vec![10, 20, 30]).unwrap();
    for pad_mode in [PadMode::Zeros, PadMode::Border, PadMode::Reflection] {
        let tfms = Compose::new()
            .then(Resize::pad(3, pad_mode).size(3, 2))
            .then(RandomResizedCrop::new(1))
            .then(Resize::crop(2))
            .then(AugTransforms { pad_mode, ..aug_transforms() });
        for seed in 0..20 {
            assert_eq!(tfms.tensor_with(dot.clone(), &mut Rng::new(seed)).unwrap().dims(), [3, 2, 2]);
        }
        let planes =
            AugTransforms { pad_mode, ..aug_transforms() }.apply(&dot.clone().into(), &mut Rng::new(3)).unwrap();
        assert!(planes.values().iter().all(|v| v.is_finite()));
    }
}

#[test]
fn random_parts_have_the_area_and_proportions_asked_for() {
    // Red tells the column and green the row, so that the corners of the result tell which part it is.
    let picture = Image::from_fn(200, 150, |x, y| [x as u8, y as u8, 0]).unwrap();
    let tfm = RandomResizedCrop::new(64);
    let mut areas = Vec::new();
    for seed in 0..500 {
        let part = tfm.apply(&picture, &mut Rng::new(seed)).unwrap();
        let (first, last) = (part.pixel(0, 0), part.pixel(63, 63));
        let side = |channel: usize| f64::from(last[channel]) - f64::from(first[channel]);
        let (w, h) = (side(0) * 64.0 / 63.0, side(1) * 64.0 / 63.0);
        // Two levels of rounding at either end, in sides of about 30 and more.
        assert!((0.75 * 0.87..=4.0 / 3.0 / 0.87).contains(&(w / h)), "{w} x {h}");
        areas.push(w * h / 30_000.0);
    }
    let mean = areas.iter().sum::<f64>() / 500.0;
    assert!(areas.iter().all(|a| (0.07..1.01).contains(a)), "{areas:?}");
    // Uniform between 0.08 and 1, less the large ones whose proportions do not fit.
    assert!((0.4..0.56).contains(&mean), "{mean}");
    // A very wide picture: ten tries are mostly in vain, and the middle in the allowed proportion is taken.
    let wide = Image::from_fn(250, 10, |x, _| [x as u8, 0, 0]).unwrap();
    let whole = RandomResizedCrop { scale: (0.9, 1.0), ..RandomResizedCrop::new(20) };
    let part = whole.apply(&wide, &mut Rng::new(1)).unwrap();
    let (first, last) = (part.pixel(0, 5)[0], part.pixel(19, 5)[0]);
    assert!(first.abs_diff(118) <= 1 && last.abs_diff(131) <= 1, "{first} {last}");
}

#[test]
fn erasing_wipes_one_rectangle_in_half_of_the_items() {
    let mut erased = 0;
    for seed in 0..400 {
        let planes = ChannelPlanes::new(40, 30, vec![1.0; 3600]).unwrap();
        let out = RandomErasing::default().apply(planes, &mut Rng::new(seed)).unwrap();
        let zeros: Vec<usize> = (0..1200).filter(|&i| out.values()[i] == 0.0).collect();
        assert!((0..1200).all(|i| out.values()[i] == out.values()[1200 + i]));
        let Some((&first, &last)) = zeros.first().zip(zeros.last()) else { continue };
        erased += 1;
        let (w, h) = (last % 40 - first % 40 + 1, last / 40 - first / 40 + 1);
        assert_eq!(zeros.len(), w * h);
        let share = (w * h) as f64 / 1200.0;
        assert!((0.01..0.36).contains(&share), "{share}");
    }
    // Five standard errors: 5 * sqrt(400 / 4) = 50.
    assert!((150..=250).contains(&erased), "{erased}");
    let noise = RandomErasing { p: 1.0, fill: Fill::Noise, ..RandomErasing::default() };
    let out = noise.apply(ChannelPlanes::new(40, 30, vec![9.0; 3600]).unwrap(), &mut Rng::new(0)).unwrap();
    assert!(out.values().iter().any(|&v| v < 0.0));
    let wrong = RandomErasing { scale: (0.0, 0.1), ..noise };
    assert!(wrong.apply(ChannelPlanes::new(1, 1, vec![0.0; 3]).unwrap(), &mut Rng::new(0)).is_err());
}

#[test]
fn half_of_the_pictures_are_flipped() {
    let picture = Image::new(2, 1, vec![1, 2, 3, 4, 5, 6]).unwrap();
    let tfms: Compose = [RandomHorizontalFlip::default()].into();
    let flipped = |seed: u64| tfms.apply_with(picture.clone(), &mut Rng::new(seed)).unwrap().to_image() != picture;
    let n = (0..400).filter(|&seed| flipped(seed)).count();
    assert!((150..=250).contains(&n), "{n}");
}
