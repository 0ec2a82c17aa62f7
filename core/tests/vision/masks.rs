//! Masks beside their pictures: fast.ai's geometry (`fixtures/masks.json`), and the same chance for both.

use crate::common::{assert_close, formula};
use crate::{fixtures, json, numbers};
use tallow::rng::Rng;
use tallow::vision::{
    AugDraw, AugTransforms, CenterCrop, ChannelPlanes, Compose, Image, Interpolation, Item, Mask, Normalize, PadMode,
    RandomErasing, RandomHorizontalFlip, RandomResizedCrop, RandomRotation, RandomVerticalFlip, ResampleTo, Resize,
    Transform, aug_transforms,
};

const W: usize = 32;
const H: usize = 24;

/// The picture and the mask number `b` of the fixture.
fn pair(b: usize) -> (ChannelPlanes, Mask) {
    let noise = formula("aug", 2 * 3 * H * W);
    let value = |channel: usize, y: usize, x: usize| {
        let (x01, y01) = (x as f64 / (W - 1) as f64, y as f64 / (H - 1) as f64);
        let ramp = [x01, y01, (x + y) as f64 / (H + W - 2) as f64][channel];
        (0.5 * ramp + 0.25 * (noise[((b * 3 + channel) * H + y) * W + x] + 1.0)) as f32
    };
    let places = (0..3).flat_map(|c| (0..H).flat_map(move |y| (0..W).map(move |x| (c, y, x))));
    let planes = ChannelPlanes::new(W, H, places.map(|(c, y, x)| value(c, y, x)).collect()).unwrap();
    (planes, Mask::from_fn(W, H, |x, y| ((x / 6 + 2 * (y / 5) + b) % 5) as u16).unwrap())
}

#[test]
fn given_the_same_draws_picture_and_mask_are_fastais() {
    let reference = json(&fixtures().join("masks.json"));
    let draws = |key: &str, b: usize| numbers(&reference["draws"][key])[b];
    let (mut compared, mut near) = (0, 0);
    for case in reference["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let (kinds, size) = name.split_once('@').unwrap_or((name, ""));
        let has = |kind: &str| kinds.split('+').any(|k| k == kind);
        let size = size.split_once('x').map(|(h, w)| (w.parse().unwrap(), h.parse().unwrap()));
        let tfms = AugTransforms { size, ..aug_transforms() };
        let want_size = numbers(&case["size"]);
        let (h, w) = (want_size[0] as usize, want_size[1] as usize);
        let rows: Vec<&str> = case["mask"].as_array().unwrap().iter().map(|row| row.as_str().unwrap()).collect();
        let ties: Vec<Vec<f64>> = case["mask_near_ties"].as_array().unwrap().iter().map(numbers).collect();
        let mut squares = 0.0;
        for b in 0..2 {
            let mut draw = AugDraw::NEUTRAL;
            if has("flip") {
                draw.dihedral = draws("flip", b) as usize;
            }
            if has("warp") {
                draw.warp = (draws("warp_x", b), draws("warp_y", b));
            }
            if has("rotate") {
                draw.degrees = draws("deg", b);
            }
            if has("zoom") {
                draw.zoom = draws("zoom", b);
                draw.centre = (draws("zoom_x", b), draws("zoom_y", b));
            }
            let (planes, mask) = pair(b);
            let planes = tfms.apply_draw(&Item::ChannelPlanes(planes), &draw).unwrap();
            let mask = tfms.apply_draw_to_mask(&mask, &draw).unwrap();
            assert_eq!((planes.width(), planes.height(), mask.width(), mask.height()), (w, h, w, h), "{name}");
            squares += planes.values().iter().map(|v| f64::from(*v).powi(2)).sum::<f64>();
            let (mut got, mut want) = (Vec::new(), Vec::new());
            for value in case["values"].as_array().unwrap().iter().map(numbers).filter(|v| v[0] == b as f64) {
                let [channel, y, x] = [1, 2, 3].map(|i| value[i] as usize);
                got.push(f64::from(planes.values()[(channel * h + y) * w + x]));
                want.push(value[4]);
            }
            assert_close(name, &got, &want, 1e-4);
            for (y, row) in rows[b * h..(b + 1) * h].iter().enumerate() {
                for (x, want) in row.bytes().enumerate() {
                    let is_near = ties.contains(&vec![b as f64, y as f64, x as f64]);
                    let got = mask.class(x, y).unwrap();
                    assert!(is_near || got == u16::from(want - b'0'), "{name}: {got} in item {b} at ({x}, {y})");
                    near += usize::from(is_near);
                    compared += 1;
                }
            }
        }
        assert_close(name, &[squares.sqrt()], &[case["image_l2"].as_f64().unwrap()], 1e-3);
    }
    assert_eq!((compared, near), (2 * (6 * 24 * 32 + 16 * 20 + 36 * 40), 4));
}

/// A picture whose red is a class that changes in blocks, and the mask of the same numbers.
fn twins(w: usize, h: usize) -> (Image, Mask) {
    let class = |x: usize, y: usize| (x / 5 * 11 + y / 4 * 17 + 1) % 200 + 1;
    let picture = Image::from_fn(w, h, |x, y| [class(x, y) as u8, 7, 9]).unwrap();
    (picture, Mask::from_fn(w, h, |x, y| class(x, y) as u16).unwrap())
}

/// Every step by nearest pixels gives picture and mask the same numbers, at every size and for every draw.
#[test]
fn what_moves_a_picture_by_nearest_pixels_moves_its_mask_alike() {
    let nearest = |resize: Resize| resize.interpolation(Interpolation::Nearest);
    let part = RandomResizedCrop { interpolation: Interpolation::Nearest, ..RandomResizedCrop::new(17) };
    let steps: Vec<(&str, Compose)> = vec![
        ("short side", [nearest(Resize::short_side(19))].into()),
        ("squish", [nearest(Resize::squish(0).size(23, 31))].into()),
        ("crop", [nearest(Resize::crop(16).size(16, 9))].into()),
        ("pad with zeros", [nearest(Resize::pad(40, PadMode::Zeros))].into()),
        ("pad with reflection", [nearest(Resize::pad(40, PadMode::Reflection).size(21, 37))].into()),
        ("pad with the border", [nearest(Resize::pad(11, PadMode::Border))].into()),
        ("middle", [CenterCrop::new(13)].into()),
        ("middle and black", [CenterCrop { width: 60, height: 20 }].into()),
        ("resize and middle", Compose::new().then(nearest(Resize::short_side(20))).then(CenterCrop::new(16))),
        ("part", [part].into()),
        ("part in validation", Compose::from([part]).valid()),
        ("rotation", [RandomRotation::new(40.0)].into()),
        ("quarter turn", [RandomRotation { degrees: (90.0, 90.0), ..RandomRotation::new(0.0) }].into()),
        ("half turn", [RandomRotation { degrees: (180.0, 180.0), ..RandomRotation::new(0.0) }].into()),
        ("three quarters", [RandomRotation { degrees: (270.0, 270.0), ..RandomRotation::new(0.0) }].into()),
        ("flips", Compose::new().then(RandomHorizontalFlip::default()).then(RandomVerticalFlip { p: 0.5 })),
        ("both flips", [Transform::HorizontalFlip, Transform::VerticalFlip].into()),
    ];
    let mut all = Compose::new();
    for (w, h) in [(41, 29), (24, 24), (13, 37)] {
        let (picture, mask) = twins(w, h);
        for (name, tfms) in &steps {
            for seed in 0..12 {
                let (item, moved) = tfms.apply_both(picture.clone(), mask.clone(), &mut Rng::new(seed)).unwrap();
                let red: Vec<u16> = item.to_image().bytes().iter().step_by(3).map(|&v| u16::from(v)).collect();
                assert_eq!((moved.width(), moved.height()), item.size(), "{name}");
                assert!(moved.values() == red, "{name} of {w} x {h} with seed {seed}");
                // The picture is what it is without a mask.
                assert_eq!(item, tfms.apply_with(picture.clone(), &mut Rng::new(seed)).unwrap(), "{name}");
            }
        }
    }
    for (_, tfms) in steps {
        all = all.chain(tfms);
    }
    let (picture, mask) = twins(41, 29);
    let (item, moved) = all.apply_both(picture, mask, &mut Rng::new(5)).unwrap();
    let red: Vec<u16> = item.to_image().bytes().iter().step_by(3).map(|&v| u16::from(v)).collect();
    assert!(moved.values() == red);
}

/// A picture whose colours tell the place of each pixel, and a mask whose numbers do: after augmentation, bilinear for
/// the one and nearest for the other, both are of the same place to half a pixel, or a little more where two steps
/// resample.
#[test]
fn augmentation_moves_picture_and_mask_to_the_same_place() {
    let (w, h) = (64, 48);
    let picture = Image::from_fn(w, h, |x, y| [3 * x as u8, 4 * y as u8, 0]).unwrap();
    let mask = Mask::from_fn(w, h, |x, y| (y * w + x) as u16).unwrap();
    let plain = AugTransforms { max_lighting: 0.0, flip_vert: true, ..aug_transforms() };
    let then_erased = RandomErasing { p: 0.0, ..RandomErasing::default() };
    for (tfms, apart) in [
        (Compose::from(plain), 0.5),
        (Compose::from(AugTransforms { size: Some((40, 56)), ..plain }), 0.5),
        (Compose::from([ResampleTo { width: 30, height: 30, square: true }]), 0.5),
        // The perspective stretches the second half pixel by up to a half.
        (Compose::from(plain.size(24).min_scale(0.6)), 1.25),
        (Compose::new().then(Resize::crop(32)).then(plain).then(then_erased), 1.5),
    ] {
        for seed in 0..30 {
            let (item, moved) = tfms.apply_both(picture.clone(), mask.clone(), &mut Rng::new(seed)).unwrap();
            let (planes, n) = (item.into_planes(), moved.values().len());
            for (i, &place) in moved.values().iter().enumerate() {
                let (x, y) = (f64::from(planes.values()[i]) * 85.0, f64::from(planes.values()[n + i]) * 63.75);
                let (to_x, to_y) = ((x - f64::from(place % 64)).abs(), (y - f64::from(place / 64)).abs());
                // A level of rounding in bytes is a third of a pixel.
                let most = apart + if apart == 1.5 { 0.34 } else { 1e-3 };
                assert!(to_x <= most && to_y <= most, "{tfms:?}, seed {seed}, pixel {i}: {to_x} and {to_y} apart");
            }
        }
    }
}

#[test]
fn colours_and_erasing_leave_the_mask_alone_and_sizes_must_agree() {
    let (picture, mask) = twins(20, 10);
    let tfms = Compose::new()
        .then(Transform::Greyscale)
        .then(AugTransforms { max_zoom: 1.0, do_flip: false, max_rotate: 0.0, max_warp: 0.0, ..aug_transforms() })
        .then(Normalize::imagenet())
        .then(RandomErasing { p: 1.0, ..RandomErasing::default() });
    let mut values = Vec::new();
    let same = tfms.append_both(picture.clone(), mask.clone(), &mut Rng::new(1), &mut values).unwrap();
    assert_eq!(same, mask);
    let planes = tfms.apply_with(picture.clone(), &mut Rng::new(1)).unwrap().into_planes();
    assert_eq!(values, planes.values());
    let error = tfms.apply_both(picture, mask.resize(21, 10).unwrap(), &mut Rng::new(1)).unwrap_err();
    assert!(error.to_string().contains("(21, 10)") && error.to_string().contains("(20, 10)"), "{error}");
}

#[test]
fn beyond_the_border_is_class_0_or_the_one_that_is_asked_for() {
    let (_, mask) = twins(9, 9);
    let black = Resize::pad(0, PadMode::Zeros).size(18, 9);
    let run = |mask: Mask| {
        let picture = Image::from_fn(9, 9, |_, _| [1; 3]).unwrap();
        Compose::from([black]).valid().apply_both(picture, mask, &mut Rng::new(0)).unwrap().1
    };
    assert_eq!(run(mask.clone()).class(0, 0), Some(0));
    assert_eq!(run(mask.outside(31)).class(0, 0), Some(31));
}
