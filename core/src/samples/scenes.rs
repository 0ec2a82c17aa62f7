//! Pictures with masks, composed, so that each pixel's class is known.

use super::Sample;
use super::cut_outs::{CutOut, CutOuts};
use super::texture::{Colour, Textures};
use crate::error::{Error, Result};
use crate::rng::Rng;
use image::{ExtendedColorType, ImageEncoder};

/// The classes of a scene's pixels. `void` is the rim of a drawing, half of it background.
pub const SCENE_CODES: [&str; 8] = ["background", "bird", "bug", "flower", "fruit", "mammal", "vehicle", "void"];

const BACKGROUND: u8 = 0;
const VOID: u8 = 7;
const WIDTH: usize = 128;
const HEIGHT: usize = 96;

/// From this alpha on a pixel is of the drawing; below the other one it is of the background.
const OPAQUE: f32 = 0.75;
const TRANSPARENT: f32 = 0.25;

/// Scenes of 128 by 96 pixels: one to three drawings on a texture each. `train/images/*.png` and, under the same names,
/// `train/labels/*.png`, grey, with the numbers of the classes; `valid/` the same, made of other drawings, so that
/// validation tells how drawings are found that were never seen; and `codes.txt`, the names of the classes.
///
/// # Errors
/// None but for embedded bytes that do not decode, which a test rules out.
pub fn scenes(n_train: usize, n_valid: usize, seed: u64) -> Result<Sample> {
    let (cut_outs, textures) = (CutOuts::of(&SCENE_CODES[1..usize::from(VOID)])?, Textures::new()?);
    let rng = Rng::new(seed).stream("scenes");
    let mut files = vec![("codes.txt".into(), SCENE_CODES.map(|code| format!("{code}\n")).concat().into_bytes())];
    for (side, n, drawings) in [("train", n_train, &cut_outs.train), ("valid", n_valid, &cut_outs.valid)] {
        for i in 0..n {
            let scene = compose(&textures, drawings, &mut rng.stream(side).substream(i as u64));
            files.push((format!("{side}/images/{i:04}.png"), png(&scene.rgb(), ExtendedColorType::Rgb8)?));
            files.push((format!("{side}/labels/{i:04}.png"), png(&scene.mask, ExtendedColorType::L8)?));
        }
    }
    let about = "Scenes composed of drawings (public domain, Debian's package openclipart-png 0.18) on made textures, \
                 with the class of each pixel. Validation scenes are made of drawings that no training scene has. \
                 Made data: what is learnt from it says little of photos.";
    Ok(Sample { about: about.into(), files })
}

struct Scene {
    pixels: Vec<Colour>,
    mask: Vec<u8>,
}

fn compose(textures: &Textures, drawings: &[CutOut], rng: &mut Rng) -> Scene {
    let pixels = textures.draw(WIDTH, HEIGHT, &mut rng.stream("texture"));
    let mut scene = Scene { pixels, mask: vec![BACKGROUND; WIDTH * HEIGHT] };
    for _ in 0..1 + rng.below(3) {
        scene.add(&drawings[rng.below(drawings.len())], rng);
    }
    scene
}

impl Scene {
    /// Puts a drawing at a random place, in front of what is there; a part of it may be outside.
    fn add(&mut self, drawing: &CutOut, rng: &mut Rng) {
        let size = HEIGHT * 2 / 5 + rng.below(HEIGHT * 2 / 5);
        let cut_out = drawing.scaled(size, rng.below(2) == 1);
        let mut place = |length: usize, drawn: u32| {
            let outside = f64::from(drawn) / 4.0;
            rng.uniform(-outside, length as f64 - f64::from(drawn) + outside).round() as i64
        };
        let (left, top) = (place(WIDTH, cut_out.width()), place(HEIGHT, cut_out.height()));
        for (x, y, pixel) in cut_out.enumerate_pixels() {
            let (x, y) = (left + i64::from(x), top + i64::from(y));
            if !(0..WIDTH as i64).contains(&x) || !(0..HEIGHT as i64).contains(&y) {
                continue;
            }
            let place = y as usize * WIDTH + x as usize;
            let [r, g, b, alpha] = pixel.0;
            for (below, above) in self.pixels[place].iter_mut().zip([r, g, b]) {
                *below = *below * (1.0 - alpha) + above;
            }
            if alpha >= OPAQUE {
                self.mask[place] = drawing.class as u8 + 1;
            } else if alpha > TRANSPARENT {
                self.mask[place] = VOID;
            }
        }
    }

    fn rgb(&self) -> Vec<u8> {
        self.pixels.iter().flatten().map(|&value| (value.clamp(0.0, 1.0) * 255.0).round() as u8).collect()
    }
}

fn png(pixels: &[u8], colour: ExtendedColorType) -> Result<Vec<u8>> {
    let mut file = Vec::new();
    let written =
        image::codecs::png::PngEncoder::new(&mut file).write_image(pixels, WIDTH as u32, HEIGHT as u32, colour);
    written.map_err(|e| Error::Value(format!("a scene cannot be written as PNG: {e}")))?;
    Ok(file)
}
