//! How strongly training pictures are changed, in one word.

use super::{AugTransforms, aug_transforms};

/// How strongly training pictures are changed. Each strength has all of the weaker ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Strength {
    /// Nothing changes.
    None,
    /// Half of the pictures are mirrored, left and right.
    #[default]
    Light,
    /// [`aug_transforms`]: rotation by up to 10 degrees, zoom up to 1.1, perspective and light changed by up to 0.2.
    Standard,
    /// Twice that: rotation by up to 20 degrees, zoom up to 1.3, perspective and light changed by up to 0.4. fast.ai's
    /// `aug_transforms(mult=2, max_zoom=1.3)`.
    Strong,
}

impl Strength {
    /// The augmentation of this strength, whose fields can be changed; none for [`Strength::None`].
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
