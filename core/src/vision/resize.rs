//! Resizing as in Pillow: antialiased, in bytes.

use super::interpolation::nearest_places;
use super::limits::check_size;
use super::pad::{PadMode, pad};
use super::{Image, Interpolation, Mask, Transform};
use crate::error::{Error, Result};
use crate::rng::Rng;
use fast_image_resize::images::{TypedCroppedImage, TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use fast_image_resize::{FilterType, ImageView, ResizeAlg, ResizeOptions, Resizer};
use serde::{Deserialize, Serialize};

/// How [`Resize`] treats an image with another aspect ratio. fast.ai's `ResizeMethod`, and torchvision's method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResizeMethod {
    /// Resizes the shorter side and keeps the aspect ratio: torchvision's `Resize(size)`.
    ShortSide,
    /// Does not keep the aspect ratio: fast.ai's `Squish`, torchvision's `Resize((h, w))`.
    Squish,
    /// Crops the largest part with the right aspect ratio: fast.ai's `Crop`. The position is random in training, the
    /// centre in validation.
    Crop,
    /// Keeps the whole image and pads it: fast.ai's `Pad`. The position is random in training, the centre in
    /// validation.
    Pad(PadMode),
}

/// Resizes images. fast.ai's and torchvision's `Resize`, with Pillow's pixels.
///
/// ```
/// use tallow::vision::{Image, Resize};
///
/// let image = Image::from_fn(8, 6, |x, y| [1, 2, 3].map(|c| (10 * x + 3 * y * c) as u8))?;
/// let small = image.resize(Resize::squish(4).size(4, 3))?;
/// // Pillow's `resize((4, 3), BILINEAR)`
/// assert_eq!([0, 1, 2, 3].map(|x| small.pixel(x, 0)[0]), [9, 27, 47, 65]);
/// // torchvision's `Resize(256)`
/// assert_eq!(Resize::short_side(256).output_size(500, 375), (341, 256));
/// # Ok::<(), tallow::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resize {
    /// Columns of the result.
    pub width: usize,
    /// Rows of the result.
    pub height: usize,
    /// The treatment of another aspect ratio.
    pub method: ResizeMethod,
    /// The interpolation; bilinear by default.
    #[serde(default, alias = "filter")]
    pub interpolation: Interpolation,
    /// Whether a crop or padding has a random position, as in training, or is centred.
    #[serde(default)]
    pub random: bool,
}

impl Resize {
    fn square(side: usize, method: ResizeMethod, random: bool) -> Resize {
        Resize { width: side, height: side, method, interpolation: Interpolation::Bilinear, random }
    }

    /// Resizes the shorter side to `side` pixels and keeps the aspect ratio. torchvision's `Resize(side)`.
    pub fn short_side(side: usize) -> Resize {
        Resize::square(side, ResizeMethod::ShortSide, false)
    }

    /// Resizes to `side` by `side` pixels without keeping the aspect ratio. fast.ai's `Resize(side, method='squish')`.
    pub fn squish(side: usize) -> Resize {
        Resize::square(side, ResizeMethod::Squish, false)
    }

    /// Crops the largest square, at a random position in training, and resizes it to `side` by `side` pixels. fast.ai's
    /// `Resize(side)`.
    pub fn crop(side: usize) -> Resize {
        Resize::square(side, ResizeMethod::Crop, true)
    }

    /// Fits the whole image into `side` by `side` pixels, at a random position in training. fast.ai's `Resize(side,
    /// method='pad', pad_mode=...)`.
    pub fn pad(side: usize, mode: PadMode) -> Resize {
        Resize::square(side, ResizeMethod::Pad(mode), true)
    }

    /// Sets another size than a square, in pixels.
    #[must_use]
    pub fn size(self, width: usize, height: usize) -> Resize {
        Resize { width, height, ..self }
    }

    /// Sets the interpolation.
    #[must_use]
    pub fn interpolation(self, interpolation: Interpolation) -> Resize {
        Resize { interpolation, ..self }
    }

    /// The size, (width, height), of the result for an image of `width` by `height` pixels.
    pub fn output_size(&self, width: usize, height: usize) -> (usize, usize) {
        match self.method {
            // torchvision's `_compute_resized_output_size`: the longer side is cut to a whole number.
            ResizeMethod::ShortSide if width <= height => (self.width, (self.width * height / width.max(1)).max(1)),
            ResizeMethod::ShortSide => ((self.width * width / height.max(1)).max(1), self.width),
            _ => (self.width, self.height),
        }
    }

    /// Resizes an image; a random position is drawn from `rng`.
    ///
    /// # Errors
    /// When a side of the result would be 0.
    pub fn apply(&self, picture: &Image, rng: &mut Rng) -> Result<Image> {
        let View { around, window, size: (width, height) } = self.view(picture.width(), picture.height(), rng);
        match around {
            Some((sides, mode)) => {
                let padded = pad(picture, sides, mode);
                resample(&padded, Window::all(&padded), width, height, self.interpolation)
            }
            None => resample(picture, window, width, height, self.interpolation),
        }
    }

    /// Resizes a mask, with the nearest pixels.
    pub(super) fn apply_mask(&self, mask: &Mask, rng: &mut Rng) -> Result<Mask> {
        let View { around, window, size: (width, height) } = self.view(mask.width(), mask.height(), rng);
        match around {
            Some((sides, mode)) => mask.pad(sides, mode).resize(width, height),
            None => window.of_mask(mask)?.resize(width, height),
        }
    }

    /// What becomes the result, of a picture of `w` by `h` pixels.
    fn view(&self, w: usize, h: usize, rng: &mut Rng) -> View {
        let size = self.output_size(w, h);
        let pad_mode = match self.method {
            ResizeMethod::ShortSide | ResizeMethod::Squish => {
                return View { around: None, window: Window { left: 0, top: 0, width: w, height: h }, size };
            }
            ResizeMethod::Crop => None,
            ResizeMethod::Pad(mode) => Some(mode),
        };
        // fast.ai's Resize: the window has the wanted proportions and is the largest within, or the smallest around.
        let (x, y) = (w as f64 / self.width as f64, h as f64 / self.height as f64);
        let scale = if pad_mode.is_some() { x.max(y) } else { x.min(y) };
        let side = |size: usize| ((scale * size as f64) as i64).max(1);
        let (crop_w, crop_h) = (side(self.width), side(self.height));
        let (px, py) = if self.random { (rng.uniform(0.0, 1.0), rng.uniform(0.0, 1.0)) } else { (0.5, 0.5) };
        let (left, top) = ((px * (w as i64 - crop_w) as f64) as i64, (py * (h as i64 - crop_h) as f64) as i64);
        let around = pad_mode.map(|mode| {
            // The window is as large as the picture in one direction and larger in the other.
            let after = |size: usize, crop: i64, start: i64| (crop - size as i64 + start).max(0) as usize;
            let before = |start: i64| (-start).max(0) as usize;
            ([before(left), before(top), after(w, crop_w, left), after(h, crop_h, top)], mode)
        });
        let (left, top) = (left.max(0) as usize, top.max(0) as usize);
        View { around, window: Window { left, top, width: crop_w as usize, height: crop_h as usize }, size }
    }

    /// The transform for validation: the same with a centred position.
    pub fn valid(&self) -> Vec<Transform> {
        vec![Resize { random: false, ..*self }.into()]
    }

    pub(super) fn describe(&self) -> String {
        let method = match self.method {
            ResizeMethod::ShortSide => return format!("resize: the shorter side becomes {}", self.width),
            ResizeMethod::Squish => "squished".to_string(),
            ResizeMethod::Crop if self.random => "cropped at random".into(),
            ResizeMethod::Crop => "cropped in the middle".into(),
            ResizeMethod::Pad(mode) => format!("padded with {mode}"),
        };
        format!("resize to {} x {}, {method}", self.width, self.height)
    }
}

impl Image {
    /// The image at another size, with a centred position if `resize` has a random one.
    ///
    /// # Errors
    /// When a side of the wanted size is 0.
    pub fn resize(&self, resize: Resize) -> Result<Image> {
        // Nothing draws from this stream.
        Resize { random: false, ..resize }.apply(self, &mut Rng::new(0))
    }
}

/// What a resizing makes its result of.
struct View {
    /// How much comes around the picture: then all of that is looked at.
    around: Option<([usize; 4], PadMode)>,
    /// The part of the picture that is looked at else.
    window: Window,
    /// Columns and rows of the result.
    size: (usize, usize),
}

/// A part of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) left: usize,
    pub(super) top: usize,
    pub(super) width: usize,
    pub(super) height: usize,
}

impl Window {
    pub(super) fn all(picture: &Image) -> Window {
        Window { left: 0, top: 0, width: picture.width(), height: picture.height() }
    }

    pub(super) fn of_mask(&self, mask: &Mask) -> Result<Mask> {
        mask.crop(self.left, self.top, self.width, self.height)
    }
}

/// The window of a picture as a picture of another size; nothing outside of the window is looked at. Pillow's
/// `crop(...).resize(...)`, without copying the window.
pub(super) fn resample(
    picture: &Image,
    window: Window,
    width: usize,
    height: usize,
    interpolation: Interpolation,
) -> Result<Image> {
    let Window { left, top, width: w, height: h } = window;
    if interpolation == Interpolation::Nearest {
        let places = |start: usize, all: usize, n: usize| nearest_places(all, n).into_iter().map(move |i| start + i);
        return look_up(picture, places(left, w, width), places(top, h, height));
    }
    let failed = |e: &dyn std::fmt::Display| {
        Error::Value(format!("a part of {w} by {h} pixels of {picture:?} cannot become {width} by {height}: {e}"))
    };
    let whole = source(picture).map_err(|e| failed(&e))?;
    let part = TypedCroppedImage::new(whole, left as u32, top as u32, w as u32, h as u32).map_err(|e| failed(&e))?;
    run(&part, None, width, height, interpolation).map_err(|e| failed(&e))
}

/// The `width` by `height` pixels from (`left`, `top`) on of what the picture resized to `full` would be. The pixels
/// are those that resizing first and cropping then gives, without making the others.
pub(super) fn resample_part(
    picture: &Image,
    full: (usize, usize),
    (left, top): (usize, usize),
    (width, height): (usize, usize),
    interpolation: Interpolation,
) -> Result<Image> {
    if interpolation == Interpolation::Nearest {
        let places =
            |start: usize, all: usize, full: usize, n: usize| nearest_places(all, full).into_iter().skip(start).take(n);
        let columns = places(left, picture.width(), full.0, width);
        return look_up(picture, columns, places(top, picture.height(), full.1, height));
    }
    let (x, y) = (picture.width() as f64 / full.0 as f64, picture.height() as f64 / full.1 as f64);
    let part = [left as f64 * x, top as f64 * y, width as f64 * x, height as f64 * y];
    let failed =
        |e: &dyn std::fmt::Display| Error::Value(format!("{picture:?} cannot become {width} by {height}: {e}"));
    let whole = source(picture).map_err(|e| failed(&e))?;
    run(&whole, Some(part), width, height, interpolation).map_err(|e| failed(&e))
}

/// The picture of these columns and rows.
fn look_up(picture: &Image, columns: impl Iterator<Item = usize>, rows: impl Iterator<Item = usize>) -> Result<Image> {
    let (columns, rows): (Vec<usize>, Vec<usize>) = (columns.collect(), rows.collect());
    check_size(columns.len(), rows.len()).map_err(Error::Value)?;
    let pixels = rows.iter().flat_map(|&y| columns.iter().flat_map(move |&x| picture.pixel(x, y)));
    Image::new(columns.len(), rows.len(), pixels.collect())
}

fn source(picture: &Image) -> Result<TypedImageRef<'_, U8x3>, fast_image_resize::ImageBufferError> {
    TypedImageRef::from_buffer(picture.width() as u32, picture.height() as u32, picture.bytes())
}

fn run(
    source: &impl ImageView<Pixel = U8x3>,
    part: Option<[f64; 4]>,
    width: usize,
    height: usize,
    interpolation: Interpolation,
) -> Result<Image, String> {
    let (w, h) = (source.width(), source.height());
    let [left, top, part_w, part_h] = part.unwrap_or([0.0, 0.0, f64::from(w), f64::from(h)]);
    let part = [left, top, part_w, part_h];
    match interpolation {
        // Nearest pixels are looked up.
        Interpolation::Nearest | Interpolation::Bilinear => {
            pass(source, part, width, height, ResizeAlg::Convolution(FilterType::Bilinear))
        }
        // Pillow does columns before rows and cuts what overshoots in between, so here the order matters. Its cubic has
        // a = -0.5, which is Catmull and Rom's.
        Interpolation::Bicubic => {
            let cubic = ResizeAlg::Convolution(FilterType::CatmullRom);
            let columns = pass(source, [left, 0.0, part_w, f64::from(h)], width, h as usize, cubic)?;
            let columns = self::source(&columns).map_err(|e| e.to_string())?;
            pass(&columns, [0.0, top, width as f64, part_h], width, height, cubic)
        }
    }
}

fn pass(
    source: &impl ImageView<Pixel = U8x3>,
    [left, top, part_w, part_h]: [f64; 4],
    width: usize,
    height: usize,
    algorithm: ResizeAlg,
) -> Result<Image, String> {
    check_size(width, height)?;
    let options = ResizeOptions::new().resize_alg(algorithm).use_alpha(false);
    let options = options.crop(left, top, part_w, part_h);
    let mut bytes = vec![0; width * height * 3];
    let mut target =
        TypedImage::<U8x3>::from_buffer(width as u32, height as u32, &mut bytes).map_err(|e| e.to_string())?;
    Resizer::new().resize_typed(source, &mut target, &options).map_err(|e| e.to_string())?;
    drop(target);
    Ok(Image::from_parts(width, height, bytes))
}
