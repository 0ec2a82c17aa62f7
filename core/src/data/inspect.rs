//! Facts about pictures, found by reading each once.

use crate::error::{Error, Result};
use crate::vision::{Image, Kind, Limits, PerceptualHash, Resize};
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// What a file's picture is like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageFacts {
    /// Columns, of the picture turned upright.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Whether it has one colour only, to a few levels: a lens cap, a failed scan, a placeholder.
    pub is_blank: bool,
    /// What it shows.
    pub hash: PerceptualHash,
    /// How many pages the file has, of which the first is looked at.
    pub pages: usize,
    /// The kind of file by its content, if that is another than its extension says.
    pub other_content: Option<&'static str>,
}

impl ImageFacts {
    /// The largest shorter side of a picture that counts as tiny: thumbnails and icons, of which a network sees little.
    pub const TINY: usize = 31;

    /// Looks at a file.
    ///
    /// # Errors
    /// As [`Image::open`].
    pub fn of_file(file: impl AsRef<Path>) -> Result<ImageFacts> {
        let file = file.as_ref();
        let bytes = tallow_io::read::bytes(file, tallow_io::read::PICTURE).map_err(Error::io(file))?;
        let picture = Image::open_bytes(file, &bytes, Limits::default())?;
        let (content, named) = (Kind::of_bytes(&bytes), Kind::of_path(file));
        let other_content = content.filter(|content| named.is_some_and(|named| named != *content));
        Ok(ImageFacts {
            width: picture.width(),
            height: picture.height(),
            is_blank: is_blank(&picture)?,
            hash: PerceptualHash::of(&picture)?,
            pages: Image::pages_of_file(file)?,
            other_content: other_content.map(|kind| kind.name),
        })
    }

    /// Whether its shorter side has no more than [`ImageFacts::TINY`] pixels.
    pub fn is_tiny(&self) -> bool {
        self.width.min(self.height) <= ImageFacts::TINY
    }
}

/// Looks at each file, on all processors; an error stands for one that cannot be read.
pub fn inspect_images(files: &[PathBuf]) -> Vec<Result<ImageFacts>> {
    files.par_iter().map(ImageFacts::of_file).collect()
}

/// Files with several pages, and how many; only the first page of each becomes a picture. No pixel is decoded, and
/// files that cannot be read are not told.
pub fn files_with_pages(files: &[PathBuf]) -> Vec<(PathBuf, usize)> {
    let pages = |file: &PathBuf| Some((file.clone(), Image::pages_of_file(file).ok().filter(|n| *n > 1)?));
    files.par_iter().filter_map(pages).collect()
}

/// Whether no channel of the picture, made small so that noise is gone, varies by more than 8 of its 255 levels.
fn is_blank(picture: &Image) -> Result<bool> {
    let small = picture.resize(Resize::squish(32))?;
    let varies = |channel: usize| {
        let levels = || small.bytes().iter().skip(channel).step_by(3);
        let (low, high) = (levels().min().unwrap_or(&0), levels().max().unwrap_or(&0));
        high - low > 8
    };
    Ok(!(0..3).any(varies))
}
