//! The transforms of validation, without cutting anything off.

use crate::vision::{Compose, Resize, ResizeMethod, Transform};

/// The validation transforms `tfms` for a picture of (width, height) such that all of it is there, once, at the scale
/// that validation would have: a U-Net takes any size. A caller wants the mask of the whole picture, at its
/// borders too; where validation cuts the middle out, or fills something up, this only resizes.
pub(super) fn whole(tfms: &Compose, (mut width, mut height): (usize, usize)) -> Compose {
    let mut out = Compose::new();
    for step in tfms.transforms() {
        let scaled = match step {
            // Proportions are not kept, or all is: the picture stays whole.
            Transform::Resize(resize) if is_whole(resize) => Some(resize.output_size(width, height)),
            Transform::Resize(resize) => {
                let (x, y) = (resize.width as f64 / width as f64, resize.height as f64 / height as f64);
                Some(times((width, height), if resize.method == ResizeMethod::Crop { x.max(y) } else { x.min(y) }))
            }
            Transform::ResampleTo(to) if to.square => {
                Some(times((width, height), to.width.max(to.height) as f64 / width.min(height) as f64))
            }
            Transform::ResampleTo(to) => Some((to.width, to.height)),
            Transform::CenterCrop(_) | Transform::HorizontalFlip | Transform::VerticalFlip => continue,
            _ => None,
        };
        let Some((w, h)) = scaled else {
            out = out.then(*step);
            continue;
        };
        (width, height) = (w, h);
        out = match step {
            Transform::Resize(resize) => out.then(Resize::squish(w).size(w, h).interpolation(resize.interpolation)),
            Transform::ResampleTo(to) if !to.square => out.then(*to),
            _ => out.then(Resize::squish(w).size(w, h)),
        };
    }
    out
}

fn is_whole(resize: &Resize) -> bool {
    matches!(resize.method, ResizeMethod::ShortSide | ResizeMethod::Squish)
}

fn times((width, height): (usize, usize), scale: f64) -> (usize, usize) {
    let of = |side: usize| ((side as f64 * scale).round() as usize).max(1);
    (of(width), of(height))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vision::{CenterCrop, Normalize, PadMode};

    fn size(tfms: impl Into<Compose>, (width, height): (usize, usize)) -> (usize, usize) {
        let whole = whole(&tfms.into(), (width, height));
        let picture = crate::vision::Image::from_fn(width, height, |x, y| [x as u8, y as u8, 0]).unwrap();
        whole.apply(picture).unwrap().size()
    }

    #[test]
    fn all_of_the_picture_at_the_scale_of_validation() {
        assert_eq!(size([Resize::squish(0).size(120, 90)], (240, 180)), (120, 90));
        assert_eq!(size([Resize::short_side(64)], (100, 50)), (128, 64));
        // Of a wide picture the middle is cut out, in the full height.
        assert_eq!(size(Resize::crop(64).valid_only(), (200, 100)), (128, 64));
        assert_eq!(size(Resize::pad(64, PadMode::Zeros).valid_only(), (200, 100)), (64, 32));
        let torchvision = Compose::new().then(Resize::short_side(64)).then(CenterCrop::new(56));
        assert_eq!(size(torchvision.then(Normalize::imagenet()), (96, 64)), (96, 64));
        assert_eq!(size(Compose::new().then(Transform::HorizontalFlip), (31, 17)), (31, 17));
        assert_eq!(size([Resize::squish(0).size(10, 10)], (1, 3000)), (10, 10));
    }

    impl Resize {
        fn valid_only(self) -> Compose {
            Compose::new().then(self).valid()
        }
    }
}
