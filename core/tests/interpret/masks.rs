//! Masks as people see them.

use tallow::interpret::{MaskResult, show_masks};
use tallow::vision::{Image, Mask, class_colours};

fn result(caption: &str, wrong: usize) -> MaskResult {
    let image = Image::from_fn(20, 10, |_, _| [100; 3]).unwrap();
    let class = |x: usize, y: usize| if y == 9 { 3 } else { (x / 10) as u16 };
    let target = Mask::from_fn(20, 10, class).unwrap();
    // The first `wrong` pixels are taken for class 2, and the void ones for anything.
    let took = |x: usize, y: usize| if y * 20 + x < wrong || y == 9 { 2 } else { class(x, y) };
    MaskResult { image, target, predicted: Mask::from_fn(20, 10, took).unwrap(), caption: caption.into() }
}

#[test]
fn rows_show_picture_target_and_prediction_with_the_names_of_what_occurs() {
    let codes = ["sky", "road", "car", "void", "bus"].map(String::from);
    // 180 pixels count, of which 9 are wrong: 95 %.
    assert_eq!(result("", 9).accuracy(Some(3)), Some(0.95));
    assert_eq!(result("", 0).accuracy(None), Some(0.9));
    let nothing = MaskResult { target: Mask::from_fn(20, 10, |_, _| 3).unwrap(), ..result("", 0) };
    assert_eq!(nothing.accuracy(Some(3)), None);

    let figure = show_masks("Road scenes", &[result("0001.png", 9), result("0002.png", 0)], &codes, Some(3)).unwrap();
    let svg = figure.svg().unwrap();
    for text in ["Road scenes", "0001.png", "0002.png", "target", "prediction: 95.0 % right", "100.0 % right"] {
        assert!(svg.contains(text), "{text}: {svg}");
    }
    assert!(codes[..4].iter().all(|code| svg.contains(code)) && !svg.contains("bus"), "{svg}");
    let png = image::load_from_memory(&figure.png().unwrap()).unwrap().to_rgb8();
    let has = |colour: [u8; 3]| png.pixels().any(|pixel| pixel.0 == colour);
    for colour in &class_colours(5, Some(3))[..4] {
        // The legend has the colour itself, the picture six tenths of it.
        assert!(
            has(*colour) && has(colour.map(|c| (100.0 + (f64::from(c) - 100.0) * 0.6).round() as u8)),
            "{colour:?}"
        );
    }
    let larger = Mask::from_fn(21, 10, |_, _| 0).unwrap();
    assert!(show_masks("", &[MaskResult { predicted: larger, ..result("", 0) }], &codes, None).is_err());
}
