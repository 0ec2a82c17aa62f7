//! Presets of data augmentation.

use super::{AugTransforms, aug_transforms};

/// The strength of data augmentation. Each includes the weaker ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Strength {
    /// No augmentation.
    None,
    /// Horizontal flips of half of the images.
    #[default]
    Light,
    /// [`aug_transforms`]: rotation by up to 10 degrees, zoom up to 1.1, perspective and lighting up to 0.2.
    Standard,
    /// fast.ai's `aug_transforms(mult=2, max_zoom=1.3)`: rotation by up to 20 degrees, zoom up to 1.3, perspective and
    /// lighting up to 0.4.
    Strong,
}

impl Strength {
    /// The transforms of this strength, whose fields can be changed; `None` for [`Strength::None`].
    pub fn aug_transforms(self) -> Option<AugTransforms> {
        let mirror = AugTransforms { max_zoom: 1.0, ..aug_transforms().mult(0.0) };
        match self {
            Strength::None => None,
            Strength::Light => Some(mirror),
            Strength::Standard => Some(aug_transforms()),
            Strength::Strong => Some(AugTransforms { max_zoom: 1.3, ..aug_transforms().mult(2.0) }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;
    use crate::vision::AugDraw;

    #[test]
    fn light_mirrors_and_does_nothing_else() {
        let light = Strength::Light.aug_transforms().unwrap();
        let mut rng = Rng::new(7);
        let draws: Vec<AugDraw> = (0..100).map(|_| light.draw(40, 30, &mut rng)).collect();
        let mirrored = draws.iter().filter(|draw| draw.dihedral == 1).count();
        assert!((30..70).contains(&mirrored), "{mirrored} of 100");
        // A zoom of 1 leaves no room for a middle to matter.
        let rest = draws.iter().map(|draw| AugDraw { dihedral: 0, centre: (0.5, 0.5), ..*draw });
        assert!(rest.into_iter().all(|draw| draw == AugDraw::NEUTRAL));
        assert_eq!(Strength::None.aug_transforms(), None);
    }

    #[test]
    fn standard_and_strong_are_fastais_numbers() {
        // fast.ai: aug_transforms(mult=1.0, do_flip=True, flip_vert=False, max_rotate=10., min_zoom=1., max_zoom=1.1,
        // max_lighting=0.2, max_warp=0.2, p_affine=0.75, p_lighting=0.75); `mult` multiplies rotate, lighting, warp.
        let numbers = |t: AugTransforms| [t.max_rotate, t.min_zoom, t.max_zoom, t.max_lighting, t.max_warp];
        assert_eq!(numbers(Strength::Standard.aug_transforms().unwrap()), [10.0, 1.0, 1.1, 0.2, 0.2]);
        assert_eq!(numbers(Strength::Strong.aug_transforms().unwrap()), [20.0, 1.0, 1.3, 0.4, 0.4]);
    }
}
