//! Pictures and their classes, decoded and transformed when they are asked for.

use super::{Batch, Dataset, Targets, Vocab, file_entries};
use crate::error::{Error, Result};
use crate::event::{Event, Listener};
use crate::fingerprint::Fingerprint;
use crate::rng::Rng;
use crate::vision::{Compose, Image, Limits};
use candle_core::{Device, Tensor};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// What is done about a file that cannot be read while batches are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BadFiles {
    /// The batch fails with an error that names the file.
    #[default]
    Stop,
    /// The item is left out of its batch and of all later ones, and the file is reported once and remembered.
    Skip,
}

/// Image files with their targets, as `[3, H, W]` and a `u32`, or `[C]` where an image may have several classes. Copies
/// share the files.
#[derive(Debug, Clone)]
pub struct ImageDataset {
    files: Arc<Vec<PathBuf>>,
    targets: Arc<Targets>,
    tfms: Arc<Compose>,
    bad_files: BadFiles,
    limits: Limits,
    listener: Listener,
    skipped: Arc<Mutex<BTreeMap<PathBuf, String>>>,
    /// The folder from which names in a fingerprint are counted.
    root: Arc<PathBuf>,
    /// The names of the classes, if they are known.
    vocab: Option<Vocab>,
    digests: Arc<OnceLock<Vec<String>>>,
}

impl ImageDataset {
    /// These files, of these classes, transformed like this.
    ///
    /// # Errors
    /// When there are not as many targets as files.
    pub fn new(files: Vec<PathBuf>, targets: impl Into<Targets>, tfms: impl Into<Compose>) -> Result<ImageDataset> {
        let targets = targets.into();
        if files.len() != targets.len() {
            let message = format!("{} files and {} labels do not pair up", files.len(), targets.len());
            return Err(Error::shape(message, &[targets.len()]));
        }
        Ok(ImageDataset {
            root: Arc::new(file_entries::common_folder(&files)),
            vocab: None,
            digests: Arc::default(),
            files: Arc::new(files),
            targets: Arc::new(targets),
            tfms: Arc::new(tfms.into()),
            bad_files: BadFiles::Stop,
            limits: Limits::default(),
            listener: Listener::default(),
            skipped: Arc::default(),
        })
    }

    /// What to do about files that cannot be read.
    #[must_use]
    pub fn bad_files(self, bad_files: BadFiles) -> ImageDataset {
        ImageDataset { bad_files, ..self }
    }

    /// How large a picture may be.
    #[must_use]
    pub fn limits(self, limits: Limits) -> ImageDataset {
        ImageDataset { limits, ..self }
    }

    /// Receives notes on files that are left out.
    #[must_use]
    pub fn listener(self, listener: Listener) -> ImageDataset {
        ImageDataset { listener, ..self }
    }

    /// The folder from which the names of files in a fingerprint are counted; by default the deepest that all are in.
    #[must_use]
    pub fn root(self, root: impl AsRef<Path>) -> ImageDataset {
        ImageDataset { root: Arc::new(root.as_ref().to_path_buf()), ..self }
    }

    /// The names of the classes, for a fingerprint.
    pub(super) fn named(self, vocab: &Vocab) -> ImageDataset {
        ImageDataset { vocab: Some(vocab.clone()), ..self }
    }

    /// A dataset of the same files with other transforms.
    #[must_use]
    pub fn with_tfms(&self, tfms: impl Into<Compose>) -> ImageDataset {
        ImageDataset { tfms: Arc::new(tfms.into()), ..self.clone() }
    }

    /// The files, in order.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Their classes, by number; empty where an image may have several ([`ImageDataset::targets`]).
    pub fn labels(&self) -> &[u32] {
        match &*self.targets {
            Targets::Classes(labels) => labels,
            Targets::Sets { .. } => &[],
        }
    }

    /// The targets of the files.
    pub fn targets(&self) -> &Targets {
        &self.targets
    }

    /// What is done with each picture.
    pub fn tfms(&self) -> &Compose {
        &self.tfms
    }

    /// The files that were left out so far, with the reasons.
    pub fn skipped(&self) -> Vec<(PathBuf, String)> {
        let skipped = self.skipped.lock().unwrap_or_else(PoisonError::into_inner);
        skipped.iter().map(|(file, reason)| (file.clone(), reason.clone())).collect()
    }

    /// The numbers of the items that were not left out so far. After a whole epoch these are the ones that a loader in
    /// order has shown, one after the other: what the network said of its third item is of number `kept()[2]`.
    pub fn kept(&self) -> Vec<usize> {
        let skipped = self.skipped.lock().unwrap_or_else(PoisonError::into_inner);
        (0..self.files.len()).filter(|&i| !skipped.contains_key(&self.files[i])).collect()
    }

    /// The picture number `index`; none if its file cannot be read and such files are to be left out.
    ///
    /// # Errors
    /// As [`ImageDataset::image`].
    pub fn readable(&self, index: usize) -> Result<Option<Image>> {
        self.unless_bad(index, || self.image(index))
    }

    /// What `read` reads of item `index`; nothing if its file cannot be read, or could not once, and such files are to
    /// be left out. One that can be read again stays out: who counts [`ImageDataset::kept`] would be off by it.
    pub(super) fn unless_bad<T>(&self, index: usize, read: impl FnOnce() -> Result<T>) -> Result<Option<T>> {
        if self.bad_files == BadFiles::Skip && self.files.get(index).is_some_and(|file| self.is_skipped(file)) {
            return Ok(None);
        }
        match read() {
            Ok(item) => Ok(Some(item)),
            Err(e @ (Error::File { .. } | Error::Io { .. })) if self.bad_files == BadFiles::Skip => {
                self.skip(&self.files[index], &e);
                Ok(None)
            }
            Err(e) => Err(e),
        }
    }

    /// The picture number `index` as it is in its file, turned upright.
    ///
    /// # Errors
    /// When there is no such item, or the file cannot be read.
    pub fn image(&self, index: usize) -> Result<Image> {
        let n = self.files.len();
        let file = self.files.get(index).ok_or_else(|| Error::Value(format!("there is no item {index} among {n}")))?;
        Image::open_with(file, self.limits)
    }

    /// That item `index` has become (width, height) `size`, and item `other` of its batch has another size.
    pub(super) fn other_size(
        &self,
        index: usize,
        size: (usize, usize),
        other: usize,
        expected: (usize, usize),
    ) -> Error {
        let what = format!(
            "becomes {} by {} pixels, and {} becomes {} by {}: a batch needs one size; add a `Resize` to the item \
             transforms",
            size.0,
            size.1,
            self.files[other].display(),
            expected.0,
            expected.1
        );
        Error::file(&self.files[index], what)
    }

    /// That none of these items can be read.
    pub(super) fn none_readable(&self, indices: &[usize]) -> Error {
        let file = indices.first().map(|&i| self.files[i].display().to_string()).unwrap_or_default();
        Error::Value(format!(
            "none of the {} pictures of a batch can be read, {file} among them; `tallow check`, or `verify_images` in \
             a program, tells why",
            indices.len()
        ))
    }

    /// What a fingerprint says of how pictures are read and transformed.
    pub(super) fn settings_fingerprint(&self) -> Result<Fingerprint> {
        let tfms = serde_json::to_string(&*self.tfms)
            .map_err(|e| Error::Value(format!("the transforms cannot be described in JSON: {e}")))?;
        Ok(Fingerprint::default()
            .with("list of transforms", tfms)
            .with("treatment of bad files", format!("{:?}", self.bad_files))
            .with("limit on photos", format!("{:?}", self.limits)))
    }

    /// What a fingerprint says of the files, each of this class.
    pub(super) fn files_fingerprint(&self, classes: &[String]) -> Result<Fingerprint> {
        let digests = match self.digests.get() {
            Some(digests) => digests,
            None => {
                let digests = file_entries::digests(&self.files, &self.listener)?;
                self.digests.get_or_init(|| digests)
            }
        };
        Ok(file_entries::entries(&self.root, &self.files, classes, digests))
    }

    /// Receives notes on files that are left out.
    pub(super) fn told(&self) -> &Listener {
        &self.listener
    }

    fn is_skipped(&self, file: &Path) -> bool {
        self.skipped.lock().unwrap_or_else(PoisonError::into_inner).contains_key(file)
    }

    fn skip(&self, file: &Path, error: &Error) {
        let mut skipped = self.skipped.lock().unwrap_or_else(PoisonError::into_inner);
        if skipped.insert(file.to_path_buf(), error.to_string()).is_none() {
            self.listener.tell(Event::Note(&format!("left out: {error}")));
        }
    }
}

impl Dataset for ImageDataset {
    fn len(&self) -> usize {
        self.files.len()
    }

    fn item(&self, index: usize, rng: &mut Rng) -> Result<(Tensor, Tensor)> {
        let x = self.tfms.tensor_with(self.image(index)?, rng)?;
        Ok((x, self.targets.tensor(&[index])?.squeeze(0)?))
    }

    fn fingerprint(&self) -> Result<Fingerprint> {
        let name = |&label: &u32| {
            let known = self.vocab.as_ref().and_then(|vocab| vocab.classes().get(label as usize));
            known.cloned().unwrap_or_else(|| format!("of class {label}"))
        };
        let names = |item: usize| self.targets.of(item).iter().map(name).collect::<Vec<String>>().join(" and ");
        let classes: Vec<String> = (0..self.targets.len()).map(names).collect();
        let vocab = self.vocab.as_ref().map(|vocab| vocab.classes().join(", "));
        let settings = Fingerprint::default().with("list of classes", vocab.unwrap_or_else(|| "numbers".into()));
        Ok(settings.and("", self.settings_fingerprint()?).and("", self.files_fingerprint(&classes)?))
    }

    /// All pictures of a batch are written into one piece of memory, one after the other.
    fn batch(&self, indices: &[usize], rng: &Rng) -> Result<Batch> {
        let mut values: Vec<f32> = Vec::new();
        let mut kept = Vec::with_capacity(indices.len());
        let mut first: Option<((usize, usize), usize)> = None;
        for &index in indices {
            let Some(picture) = self.readable(index)? else { continue };
            let size = self.tfms.append(picture, &mut rng.substream(index as u64), &mut values)?;
            let &mut (expected, other) = first.get_or_insert_with(|| {
                values.reserve_exact(values.len() * (indices.len() - 1));
                (size, index)
            });
            if size != expected {
                return Err(self.other_size(index, size, other, expected));
            }
            kept.push(index);
        }
        let Some(((w, h), _)) = first else {
            return Err(self.none_readable(indices));
        };
        let xs = Tensor::from_vec(values, (kept.len(), 3, h, w), &Device::Cpu)?;
        Ok(Batch::new(xs, self.targets.tensor(&kept)?))
    }
}
