//! The mask of an image, by the path or the name of its file.

use crate::error::{Error, Result};
use std::collections::BTreeMap;
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

/// What lies in folders of masks, for telling where one may be that is missing. Each folder is read once.
#[derive(Debug, Default)]
pub(super) struct NearMasks {
    /// The names of a folder's files, by what they are without their endings, in small letters; none where there is no
    /// such folder.
    folders: BTreeMap<PathBuf, Option<BTreeMap<String, Vec<String>>>>,
}

impl NearMasks {
    /// What is to be said of the mask of a picture, which is not there, in words that can follow the mask's name.
    pub(super) fn missing(&mut self, mask: &Path, picture: &Path) -> String {
        let folder = mask.parent().unwrap_or(Path::new(""));
        let stem = |file: &Path| file.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
        let (own, of_picture) = (stem(mask), stem(picture));
        // `7.PNG` or `7.tif` for `7.png`, and `7_mask.png`, but not `70.png`.
        let is_near = |name: &str| {
            let rest = name.strip_prefix(&of_picture).and_then(|rest| rest.chars().next());
            name == own || name == of_picture || rest.is_some_and(|c| !c.is_alphanumeric())
        };
        let file = mask.file_name().unwrap_or_default().to_string_lossy();
        let near = match self.folders.entry(folder.to_path_buf()).or_insert_with(|| names_in(folder)) {
            None => format!("there is no folder {}", folder.display()),
            Some(names) => {
                let like = names.range(of_picture.clone()..).take_while(|(name, _)| name.starts_with(&of_picture));
                let like = like.filter(|(name, _)| is_near(name));
                let own = names.get_key_value(&own).filter(|(name, _)| !name.starts_with(&of_picture));
                let all = own.into_iter().chain(like).flat_map(|(_, files)| files).map(String::as_str);
                // Masks may lie beside their pictures.
                let is_picture = |file: &&str| picture == folder.join(file);
                let all: Vec<&str> = all.filter(|file| !is_picture(file)).collect();
                match all.as_slice() {
                    [] => "nothing beside it has a name like it; a mask is a PNG file named by its picture".into(),
                    [one] => format!("{one} lies beside it; if that is the mask, save it as the PNG file {file}"),
                    several => format!(
                        "{}{} lie beside it; if one of them is the mask, save it as the PNG file {file}",
                        several.iter().take(3).copied().collect::<Vec<&str>>().join(", "),
                        if several.len() > 3 { ", ..." } else { "" }
                    ),
                }
            }
        };
        format!("is not there, and would be the mask of {}; {near}", picture.display())
    }
}

/// The files of a folder, as [`NearMasks`] keeps them.
fn names_in(folder: &Path) -> Option<BTreeMap<String, Vec<String>>> {
    let folder = if folder == Path::new("") { Path::new(".") } else { folder };
    let mut names: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for entry in std::fs::read_dir(folder).ok()?.flatten() {
        let name = PathBuf::from(entry.file_name());
        let stem = name.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
        names.entry(stem).or_default().push(name.to_string_lossy().into_owned());
    }
    names.values_mut().for_each(|files| files.sort());
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_beside_a_missing_mask_is_told() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["3.PNG", "3.tif", "3_mask.png", "30.png"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let mut near = NearMasks::default();
        let mut told = |name: &str, picture: &str| near.missing(&folder.path().join(name), Path::new(picture));
        let words = told("3.png", "p/3.jpg");
        assert!(
            words.contains("the mask of p/3.jpg; 3.PNG, 3.tif, 3_mask.png lie beside it; if one of them"),
            "{words}"
        );
        assert!(told("3_P.png", "p/3.jpg").contains("save it as the PNG file 3_P.png"));
        assert!(told("30_P.png", "p/30.jpg").contains("; 30.png lies beside it; if that is the mask"));
        assert!(told("4.png", "p/4.jpg").contains("nothing beside it"));
        assert!(told("none/4.png", "p/4.jpg").contains("there is no folder"));
        let picture = folder.path().join("30.png");
        assert!(near.missing(&folder.path().join("30_P.png"), &picture).contains("nothing beside it"));
    }

    #[test]
    fn masks_have_their_pictures_names_in_another_folder() {
        let mask = mask_in("data/images", "data/labels", "");
        assert_eq!(mask("data/images/a/1.2.jpg".as_ref()).unwrap(), Path::new("data/labels/a/1.2.png"));
        assert!(mask("data/other/1.jpg".as_ref()).unwrap_err().to_string().contains("data/images"));
        assert!(mask_beside("labels", "")("1.jpg".as_ref()).is_err());
    }
}
