//! The mask of an image, by the path or the name of its file.

use crate::error::{Error, Result};
use std::path::{Path, PathBuf};

/// The mask in the folder `folder` beside the picture's own, with `suffix` after the picture's name:
/// `train/labels/7_P.png` for `train/images/7.jpg`, where these are `labels` and `_P`.
///
/// ```
/// use tallow::data::mask_beside;
///
/// let mask = mask_beside("labels", "_P");
/// assert_eq!(mask("camvid/images/7.jpg".as_ref())?, std::path::Path::new("camvid/labels/7_P.png"));
/// # Ok::<(), tallow::Error>(())
/// ```
pub fn mask_beside(
    folder: impl Into<String>,
    suffix: impl Into<String>,
) -> impl Fn(&Path) -> Result<PathBuf> + Send + Sync + Clone + 'static {
    let (folder, suffix) = (folder.into(), suffix.into());
    move |image: &Path| {
        let around = image.parent().and_then(Path::parent);
        let around =
            around.ok_or_else(|| Error::file(image, "is in no folder that could have one of masks beside it"))?;
        Ok(named(&around.join(&folder), image, &suffix))
    }
}

/// The mask at the same place under the folder `masks` as the picture is at under `images`, with `suffix` after its
/// name: `labels/day1/7.png` for `images/day1/7.jpg`.
pub fn mask_in(
    images: impl AsRef<Path>,
    masks: impl AsRef<Path>,
    suffix: impl Into<String>,
) -> impl Fn(&Path) -> Result<PathBuf> + Send + Sync + Clone + 'static {
    let (images, masks, suffix) = (images.as_ref().to_path_buf(), masks.as_ref().to_path_buf(), suffix.into());
    move |image: &Path| {
        let below = image.strip_prefix(&images).ok().and_then(Path::parent);
        let outside =
            || Error::file(image, format!("does not lie in {}, the folder of the pictures", images.display()));
        Ok(named(&masks.join(below.ok_or_else(outside)?), image, &suffix))
    }
}

/// The PNG file in `folder` with the picture's name and a suffix.
fn named(folder: &Path, image: &Path, suffix: &str) -> PathBuf {
    let mut name = image.file_stem().unwrap_or_default().to_os_string();
    name.push(suffix);
    name.push(".png");
    folder.join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_have_their_pictures_names_in_another_folder() {
        let mask = mask_in("data/images", "data/labels", "");
        assert_eq!(mask("data/images/a/1.2.jpg".as_ref()).unwrap(), Path::new("data/labels/a/1.2.png"));
        assert!(mask("data/other/1.jpg".as_ref()).unwrap_err().to_string().contains("data/images"));
        assert!(mask_beside("labels", "")("1.jpg".as_ref()).is_err());
    }
}
