//! Pictures with masks, as the command line names them.

use crate::settings;
use std::path::{Path, PathBuf};
use tallow::data::{
    BadFiles, DataBlock, FileNameSplitter, ImageBlock, MaskBlock, SegmentationDataLoaders, find_images, mask_beside,
    mask_in, read_codes,
};
use tallow::vision::{Image, Resize, Strength};
use tallow::{Error, Result, cli::Session};

/// The file of names that is looked for where none is named.
const CODES: &str = "codes.txt";

/// Which pictures and masks, and what the numbers in the masks mean.
#[derive(Debug, clap::Args, serde::Serialize)]
pub(crate) struct PictureArgs {
    /// The folder of the pictures, perhaps with folders named `train`, `valid` (or `val`, `dev`, ...) and `test`
    #[arg(value_name = "IMAGES", help_heading = None::<&'static str>)]
    #[serde(serialize_with = "settings::path")]
    images: PathBuf,

    /// The folder of the masks: PNG files of a palette or of greys, at the same places and of the same names as the
    /// pictures [default: each picture's is in a folder `labels` beside its own folder]
    #[arg(value_name = "MASKS", help_heading = None::<&'static str>)]
    #[serde(serialize_with = "settings::some_path")]
    masks: Option<PathBuf>,

    /// What comes after a picture's name in that of its mask: `_P` for `7.jpg` and `7_P.png`
    #[arg(long, value_name = "TEXT", default_value = "", help_heading = "Masks")]
    suffix: String,

    /// A file with the names of the classes, one a line, in the order of their numbers [default: codes.txt in IMAGES,
    /// or beside it]
    #[arg(long, value_name = "FILE", help_heading = "Masks")]
    #[serde(serialize_with = "settings::some_path")]
    codes: Option<PathBuf>,

    /// The class of pixels that neither train nor count
    #[arg(long, value_name = "NAME", help_heading = "Masks")]
    void: Option<String>,

    /// Pixels of this number are of the class of this name: `255=cell` for masks of 0 and 255
    #[arg(long, value_name = "NUMBER=NAME", value_parser = value, help_heading = "Masks")]
    mask_value: Vec<(u16, String)>,

    /// The part of the pictures that is for validation, where no folder says it
    #[arg(long, value_name = "PART", default_value_t = 0.2, value_parser = crate::values::part,
          help_heading = "Validation")]
    valid: f64,

    /// A file with the names of the pictures for validation, one a line, whatever their folders are called
    #[arg(long, value_name = "FILE", conflicts_with = "valid", help_heading = "Validation")]
    #[serde(serialize_with = "settings::some_path")]
    valid_list: Option<PathBuf>,

    /// Stop at a picture or a mask that cannot be read, instead of naming it and leaving it out
    #[arg(long, help_heading = "Masks")]
    strict: bool,

    /// Width and height of the pictures that the network sees, as in 120x90 [default: 160 for the longer side, in the
    /// proportions of the first picture]
    #[arg(long, value_name = "WIDTHxHEIGHT", value_parser = size, help_heading = "Training")]
    size: Option<(usize, usize)>,

    /// How strongly pictures and masks are changed at random, both alike
    #[arg(long, value_name = "STRENGTH", value_enum, default_value_t = crate::transforms::AugmentArg::Standard,
          help_heading = "Training")]
    augment: crate::transforms::AugmentArg,

    /// Mirror no picture: for what differs between left and right
    #[arg(long, help_heading = "Training")]
    no_flip: bool,
}

fn value(text: &str) -> std::result::Result<(u16, String), String> {
    let parts = text.split_once('=').and_then(|(number, name)| Some((number.parse().ok()?, name.to_string())));
    parts.filter(|(_, name)| !name.is_empty()).ok_or_else(|| "expected a number and a name, such as 255=void".into())
}

fn size(text: &str) -> std::result::Result<(usize, usize), String> {
    let sides = text.split_once('x').and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
    let sides = sides.filter(|&(w, h)| (32..=4096).contains(&w) && (32..=4096).contains(&h));
    sides.ok_or_else(|| "expected two numbers from 32 to 4096, such as 120x90".into())
}

impl PictureArgs {
    pub(crate) fn folder(&self) -> &Path {
        &self.images
    }

    /// An error if what is named is not there.
    pub(crate) fn check(&self) -> Result<()> {
        for folder in [Some(&self.images), self.masks.as_ref()].into_iter().flatten() {
            if !folder.is_dir() {
                return Err(Error::file(folder, "is not there, or no folder; check its name"));
            }
        }
        let codes = self.codes_file()?;
        for file in [Some(&codes), self.valid_list.as_ref()].into_iter().flatten() {
            if !file.is_file() {
                return Err(Error::file(file, "is not there, or no file; check its name"));
            }
        }
        Ok(())
    }

    /// The file that names the classes.
    fn codes_file(&self) -> Result<PathBuf> {
        if let Some(file) = &self.codes {
            return Ok(file.clone());
        }
        let beside = self.images.canonicalize().ok().and_then(|folder| Some(folder.parent()?.join(CODES)));
        let places = [Some(self.images.join(CODES)), beside];
        places.into_iter().flatten().find(|file| file.is_file()).ok_or_else(|| {
            let what = "name the classes of pixels: `--codes FILE`, one name a line, in the order of their numbers";
            Error::Usage(format!("{what} (there is no {CODES} in {} or beside it)", self.images.display()))
        })
    }

    /// The loaders of both sides, and of the test set if there is one.
    pub(crate) fn loaders(&self, s: &Session, batch_size: usize) -> Result<SegmentationDataLoaders> {
        let block = DataBlock::segmentation();
        let block = match &self.masks {
            Some(masks) => block.label(mask_in(&self.images, masks, &*self.suffix)),
            None => block.label(mask_beside("labels", &*self.suffix)),
        };
        let block = block.codes(read_codes(self.codes_file()?)?);
        let block = match &self.void {
            Some(name) => block.void(name),
            None => block,
        };
        let named =
            |block: DataBlock<ImageBlock, MaskBlock>, (number, name): &(u16, String)| block.mask_value(*number, name);
        let block = self.mask_value.iter().fold(block, named);
        let block = match &self.valid_list {
            Some(list) => block.split(FileNameSplitter::read(list)?),
            None => block.valid_pct(self.valid),
        };
        let (width, height) = self.seen_size()?;
        let block = block.item_tfms([Resize::squish(0).size(width, height)]);
        let block = match Strength::from(self.augment).aug_transforms() {
            Some(mut changes) => {
                changes.do_flip &= !self.no_flip;
                block.batch_tfms(changes)
            }
            None => block,
        };
        block
            .bad_files(if self.strict { BadFiles::Stop } else { BadFiles::Skip })
            .seed(s.seed)
            .workers(s.workers)
            .listener(s.run.listener())
            .dataloaders(&self.images, batch_size)
    }

    /// Width and height of the pictures that the network sees.
    fn seen_size(&self) -> Result<(usize, usize)> {
        const LONGER: f64 = 160.0;
        if let Some(size) = self.size {
            return Ok(size);
        }
        let files = find_images(&self.images)?.require_pictures(&self.images)?.files;
        // A mask has the size of its picture.
        let (w, h) = files.iter().find_map(|file| Image::size_of_file(file).ok()).unwrap_or((1, 1));
        let scale = LONGER / w.max(h) as f64;
        let side = |side: usize| ((side as f64 * scale).round() as usize).max(32);
        Ok((side(w), side(h)))
    }
}
