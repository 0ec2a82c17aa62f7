//! Pictures in folders.

use super::layout::class_of_each;
use super::{Dataset, Vocab, file_entries, image_files};
use crate::error::{Error, Result};
use crate::event::Listener;
use crate::fingerprint::Fingerprint;
use crate::rng::Rng;
use crate::vision::{Compose, Image};
use candle_core::{Device, Tensor};
use std::path::{Path, PathBuf};

/// How a picture becomes numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pixels {
    /// One channel.
    Grey,
    /// Red, green, blue.
    Rgb,
}

/// A picture as a tensor `[C, H, W]` of values between 0 and 1.
///
/// # Errors
/// When the file cannot be read or is not a picture.
pub fn read_image(file: impl AsRef<Path>, pixels: Pixels) -> Result<Tensor> {
    let picture = Image::open(file)?;
    match pixels {
        Pixels::Grey => Ok(picture.greyscale().to_tensor(&Device::Cpu)?.narrow(0, 0, 1)?),
        Pixels::Rgb => picture.to_tensor(&Device::Cpu),
    }
}

/// Pictures that lie in a folder per class, as `[C, H, W]` with a label as `u32`. torchvision's `ImageFolder`.
#[derive(Debug, Clone)]
pub struct ImageFolder {
    files: Vec<PathBuf>,
    labels: Vec<u32>,
    vocab: Vocab,
    pixels: Pixels,
    tfms: Option<Compose>,
}

impl ImageFolder {
    /// The pictures under `folder`, labelled by the folders in it, however deep they lie in these.
    ///
    /// # Errors
    /// As [`image_files`]; and when a picture lies beside the class folders, or the folder is split into sides.
    pub fn new(folder: impl AsRef<Path>, pixels: Pixels) -> Result<ImageFolder> {
        let folder = folder.as_ref();
        let files = image_files(folder)?;
        let names = class_of_each(folder, &files)?;
        let vocab = Vocab::new(names.clone());
        let labels = names.iter().map(|name| vocab.index(name)).collect::<Result<Vec<u32>>>()?;
        Ok(ImageFolder { files, labels, vocab, pixels, tfms: None })
    }

    /// Does this with each picture, which gives `[3, H, W]`. torchvision's `transform`.
    #[must_use]
    pub fn transform(self, tfms: impl Into<Compose>) -> ImageFolder {
        ImageFolder { tfms: Some(tfms.into()), ..self }
    }

    /// The classes.
    pub fn vocab(&self) -> &Vocab {
        &self.vocab
    }

    /// The files, in order.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }
}

impl Dataset for ImageFolder {
    fn len(&self) -> usize {
        self.files.len()
    }

    fn item(&self, index: usize, rng: &mut Rng) -> Result<(Tensor, Tensor)> {
        let file = &self.files[index];
        let x = match &self.tfms {
            Some(tfms) => tfms.tensor_with(Image::open(file)?, rng)?,
            None => read_image(file, self.pixels)?,
        };
        Ok((x, Tensor::new(self.labels[index], &Device::Cpu)?))
    }

    fn fingerprint(&self) -> Result<Fingerprint> {
        let name = |&label: &u32| self.vocab.classes().get(label as usize).cloned().unwrap_or_default();
        let classes: Vec<String> = self.labels.iter().map(name).collect();
        let root = file_entries::common_folder(&self.files);
        let digests = file_entries::digests(&self.files, &Listener::default())?;
        let files = file_entries::entries(&root, &self.files, &classes, &digests);
        let tfms = serde_json::to_string(&self.tfms)
            .map_err(|e| Error::Value(format!("the transforms cannot be described in JSON: {e}")))?;
        let settings = Fingerprint::default()
            .with("list of classes", self.vocab.classes().join(", "))
            .with("kind of pixels", format!("{:?}", self.pixels))
            .with("list of transforms", tfms);
        Ok(settings.and("", files))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_become_labelled_tensors() {
        let dir = tempfile::tempdir().unwrap();
        for (class, grey) in [("7", 255u8), ("3", 51)] {
            let folder = dir.path().join(class);
            std::fs::create_dir(&folder).unwrap();
            image::RgbImage::from_fn(3, 2, |x, _| image::Rgb([grey, x as u8, 0])).save(folder.join("a.png")).unwrap();
        }
        std::fs::write(dir.path().join("labels.csv"), "x").unwrap();
        std::fs::write(dir.path().join("3/.hidden.png"), "x").unwrap();
        let data = ImageFolder::new(dir.path(), Pixels::Rgb).unwrap();
        assert_eq!((data.len(), data.vocab().classes()), (2, &["3".to_string(), "7".to_string()][..]));
        let (x, y) = data.item(0, &mut Rng::new(0)).unwrap();
        assert_eq!((x.dims(), y.to_scalar::<u32>().unwrap()), (&[3, 2, 3][..], 0));
        let x = x.to_vec3::<f32>().unwrap();
        assert_eq!((x[0][1][2], x[1][0][2], x[2][1][1]), (0.2, 2.0 / 255.0, 0.0));
    }

    #[test]
    fn empty_folders_and_broken_pictures_are_named() {
        let dir = tempfile::tempdir().unwrap();
        assert!(image_files(dir.path()).unwrap_err().to_string().contains("holds no picture"));
        assert!(image_files(&dir.path().join("none")).unwrap_err().to_string().contains("none"));
        let file = dir.path().join("broken.jpg");
        std::fs::write(&file, "not a picture").unwrap();
        let error = read_image(&file, Pixels::Grey).unwrap_err();
        assert_eq!(crate::cli::exit_code(&error), 3);
        assert!(error.to_string().contains("broken.jpg"), "{error}");
    }
}
