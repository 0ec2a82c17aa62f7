//! Resizing, cropping and turning, against `../shared/reference/images.json`: what torchvision and Pillow make of
//! photos and of pictures made by a formula.

use crate::common::formula;
use crate::{grid, json, largest_difference, numbers};
use std::path::Path;
use tallow::rng::Rng;
use tallow::vision::{CenterCrop, Compose, Image, Interpolation, Resize};

/// The transforms of `images.py`, by their names there.
fn transformed(picture: &Image) -> Vec<(&'static str, Image)> {
    let run = |tfms: Compose| tfms.apply_with(picture.clone(), &mut Rng::new(0)).unwrap().to_image();
    let bicubic = |resize: Resize| resize.interpolation(Interpolation::Bicubic);
    // torchvision's crop takes what lies beyond the border for black.
    let crop = if picture.width() >= 140 {
        picture.crop(20, 10, 120, 100).unwrap()
    } else {
        Image::from_fn(120, 100, |x, y| picture.pixel(x + 20, y + 10)).unwrap()
    };
    vec![
        ("resize256_bilinear", run([Resize::short_side(256)].into())),
        ("resize256_bicubic", run([bicubic(Resize::short_side(256))].into())),
        ("squish192_bilinear", run([Resize::squish(192)].into())),
        ("squish64_bilinear", run([Resize::squish(64)].into())),
        ("squish300_bicubic", run([bicubic(Resize::squish(300))].into())),
        ("resize256_center224", run(Compose::new().then(Resize::short_side(256)).then(CenterCrop::new(224)))),
        ("center_crop_700_pads_zero", run([CenterCrop::new(700)].into())),
        ("crop_10_20_100_120_to_96", Resize::squish(96).apply(&crop, &mut Rng::new(0)).unwrap()),
        ("rotate15_nearest", picture.rotate(15.0, Interpolation::Nearest)),
        ("rotate-7.5_bilinear", picture.rotate(-7.5, Interpolation::Bilinear)),
        ("hflip", picture.clone().flip_horizontal()),
        ("grey", picture.clone().greyscale()),
    ]
}

#[test]
fn pixels_are_torchvisions() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let file = shared.join("reference/images.json");
    if !file.exists() {
        eprintln!("skipped: ../shared/reference/images.json is not here");
        return;
    }
    let (mut compared, wrong) = (0, std::cell::RefCell::new(Vec::new()));
    for (name, want) in json(&file).as_object().unwrap() {
        let made = name.strip_prefix("formula_");
        let picture = match made.and_then(|size| size.split_once('x')) {
            Some((w, h)) => {
                let (w, h) = (w.parse::<usize>().unwrap(), h.parse::<usize>().unwrap());
                let bytes =
                    formula("pixel", w * h * 3).into_iter().map(|v| (127.5 * (1.0 + v)).round_ties_even() as u8);
                Image::new(w, h, bytes.collect()).unwrap()
            }
            None if shared.join("data").join(name).exists() => Image::open(shared.join("data").join(name)).unwrap(),
            None => {
                eprintln!("skipped: ../shared/data/{name} is not here");
                continue;
            }
        };
        let compare = |what: &str, picture: &Image, allowed: f64| {
            let want = &want[what];
            assert_eq!(vec![picture.width() as f64, picture.height() as f64], numbers(&want["size"]), "{name} {what}");
            let worst = largest_difference(&grid(picture, 16), &numbers(&want["grid"]));
            let n = (picture.width() * picture.height()) as f64;
            let sums = picture.bytes().chunks_exact(3).fold([0.0; 3], |sum: [f64; 3], pixel| {
                std::array::from_fn(|channel| sum[channel] + f64::from(pixel[channel]))
            });
            let mean = largest_difference(&sums.map(|v| v / n), &numbers(&want["mean"]));
            eprintln!("{name} {what}: at most {worst} levels, means {mean:.4}");
            if worst > allowed || mean > 0.05 {
                wrong.borrow_mut().push(format!("{name} {what}: at most {worst} levels, {mean} in the mean"));
            }
        };
        compare("decoded", &picture, 0.0);
        for (what, result) in transformed(&picture) {
            let exact = ["hflip", "grey", "center_crop_700_pads_zero", "rotate15_nearest"].contains(&what);
            compare(what, &result, if exact { 0.0 } else { 1.0 });
            compared += 1;
        }
    }
    assert!(wrong.borrow().is_empty(), "{:#?}", wrong.borrow());
    assert!(compared >= 36, "{compared}");
}
