//! What a transform may be: those of an exported model come from a file.

use super::{Compose, Transform};
use crate::error::{Error, Result};

/// The longest side of an image for a network, and its most pixels, which take some gigabytes there.
const MOST_SIDE: usize = 1 << 14;
const MOST_PIXELS: usize = 1 << 22;

/// The most transforms.
const MOST_STEPS: usize = 64;

impl Compose {
    /// Checks that the transforms can be those of a model: sizes that memory can hold, ranges that are ranges, and
    /// nothing random.
    ///
    /// # Errors
    /// [`Error::Config`] with the number of the transform and the field.
    pub fn check(&self) -> Result<()> {
        let steps = self.transforms();
        if steps.len() > MOST_STEPS {
            let message = format!("there are {} transforms, and at most {MOST_STEPS} are allowed", steps.len());
            return Err(Error::config("transforms", message));
        }
        for (number, step) in steps.iter().enumerate() {
            let named = |what: String| Error::config("transforms", format!("transforms[{number}]{what}"));
            step.check().map_err(named)?;
            if step.is_random() {
                return Err(named(format!(" is random: `{step}`")));
            }
        }
        Ok(())
    }
}

impl Transform {
    fn check(&self) -> std::result::Result<(), String> {
        let text = |e: Error| format!(": {e}");
        match self {
            Transform::Resize(t) => sides(t.width, t.height),
            Transform::CenterCrop(t) => sides(t.width, t.height),
            Transform::ResampleTo(t) => sides(t.width, t.height),
            Transform::RandomResizedCrop(t) => sides(t.width, t.height).and_then(|()| t.check().map_err(text)),
            Transform::AugTransforms(t) => {
                t.size.map_or(Ok(()), |(w, h)| sides(w, h)).and_then(|()| t.check().map_err(text))
            }
            Transform::Normalize(t) => t.check().map_err(text),
            _ => Ok(()),
        }
    }
}

fn sides(width: usize, height: usize) -> std::result::Result<(), String> {
    for (name, side) in [("width", width), ("height", height)] {
        if !(1..=MOST_SIDE).contains(&side) {
            return Err(format!(".{name} is {side}, where 1 to {MOST_SIDE} is allowed"));
        }
    }
    if width * height > MOST_PIXELS {
        return Err(format!(" is of {width} by {height} pixels, and at most {MOST_PIXELS} are allowed"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vision::{CenterCrop, Normalize, RandomHorizontalFlip, Resize};

    #[test]
    fn sizes_ranges_and_chance_are_refused_by_number_and_field() {
        let refused = |steps: Compose| steps.check().unwrap_err().to_string();
        let crop = |width, height| Compose::new().then(Resize::squish(64)).then(CenterCrop { width, height });
        assert!(crop(64, 64).check().is_ok() && crop(2048, 2048).check().is_ok());
        for side in [0, (1 << 14) + 1, 1 << 31, (1 << 32) + 32, usize::MAX] {
            let message = refused(crop(64, side));
            assert!(message.contains(&format!("transforms[1].height is {side}, where 1 to 16384")), "{message}");
        }
        assert!(refused(crop(4096, 4096)).contains("4096 by 4096"));
        for std in [0.0, -1.0, 1e-45, f32::INFINITY, f32::NAN] {
            let message = refused(Compose::new().then(Normalize { mean: [0.5; 3], std: [0.5, std, 0.5] }));
            assert!(message.contains("transforms[0]") && message.contains("deviation"), "{message}");
        }
        let message = refused(Compose::new().then(Normalize { mean: [0.5, f32::INFINITY, 0.5], std: [0.5; 3] }));
        assert!(message.contains("means"), "{message}");
        assert!(refused(Compose::new().then(RandomHorizontalFlip { p: 0.5 })).contains("random"));
        let many = (0..65).fold(Compose::new(), |all, _| all.then(Resize::squish(8)));
        assert!(refused(many).contains("65 transforms"));
    }
}
