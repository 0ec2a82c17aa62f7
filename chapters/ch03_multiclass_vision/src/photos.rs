//! The photos: whose they are, and how they become batches.

use std::path::{Path, PathBuf};
use tallow::cli::Session;
use tallow::data::{DataLoader, ImageDataset, LabelledImage, LabelledImages, Side, Vocab};
use tallow::event::Event;
use tallow::plot::ImageGrid;
use tallow::report::{Comparison, Expect};
use tallow::vision::{Compose, Image, Interpolation, Resize, Transform};
use tallow::{Error, Result};
use tallow_datasets::fashion_mnist::{self, Product, SIDE};

/// Whose photos.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The lecture's animal faces.
    Faces,
    /// The embedded clothes.
    Clothes,
    /// The reader's.
    Own,
}

/// Photos for training and for validation.
pub(crate) struct Photos {
    pub(crate) kind: Kind,
    pub(crate) vocab: Vocab,
    pub(crate) train: Part,
    pub(crate) valid: Part,
    /// Height and width of the grey pictures that are flattened.
    pub(crate) flat_side: usize,
    /// Height and width of the pictures that a network sees.
    pub(crate) side: usize,
}

/// Files and their classes.
pub(crate) struct Part {
    pub(crate) files: Vec<PathBuf>,
    pub(crate) ys: Vec<u32>,
}

impl Photos {
    /// The reader's photos, or the lecture's if they are on this machine, or the embedded ones.
    pub(crate) fn find(s: &mut Session, data: Option<&Path>) -> Result<Photos> {
        let (kind, folder) = match data {
            Some(folder) => (Kind::Own, folder.to_path_buf()),
            None => match s.data.find("animal_faces") {
                Ok(folder) => (Kind::Faces, folder),
                Err(tallow_datasets::Error::Missing { .. }) => (Kind::Clothes, clothes(s)?),
                Err(error) => return Err(error.into()),
            },
        };
        // The lecture's photos are the lecture's, wherever they are.
        let is_faces = kind == Kind::Own && folder.ends_with("animal_faces");
        let kind = if is_faces { Kind::Faces } else { kind };
        s.data(match kind {
            Kind::Faces => format!("300 animal faces (AFHQ, CC BY-NC 4.0) in {}", folder.display()),
            Kind::Clothes => "Fashion-MNIST: 300 pullovers, dresses and coats, embedded (MIT)".into(),
            Kind::Own => format!("photos in {}", folder.display()),
        });
        let LabelledImages { images, notes, .. } = LabelledImages::from_folder(&folder)?;
        let listener = s.listener();
        notes.iter().for_each(|note| listener.tell(Event::Note(note)));
        let of = |side: Side| images.iter().filter(|image| image.side == Some(side)).collect::<Vec<_>>();
        let (train, valid) = (of(Side::Train), of(Side::Valid));
        for (name, side) in [("train", &train), ("valid", &valid)] {
            if side.is_empty() {
                let what =
                    format!("has no folder `{name}` of photos; they are read from `train/CLASS` and `valid/CLASS`");
                return Err(Error::file(&folder, what));
            }
        }
        let vocab = Vocab::new(train.iter().flat_map(|image| &image.labels));
        if vocab.n_classes() < 2 {
            let what = format!("holds {} class of photos; a classifier needs two folders or more", vocab.n_classes());
            return Err(Error::file(folder.join("train"), what));
        }
        let step = if s.quick { 3 } else { 1 };
        let part = |images: Vec<&LabelledImage>| -> Result<Part> {
            let images: Vec<&LabelledImage> = images.into_iter().step_by(step).collect();
            let label = |image: &&LabelledImage| {
                let known = vocab.index(&image.labels.concat());
                known.map_err(|_| {
                    let classes = vocab.classes().join(", ");
                    Error::file(&image.file, format!("is of no class to train with ({classes})"))
                })
            };
            let ys = images.iter().map(label).collect::<Result<_>>()?;
            Ok(Part { files: images.into_iter().map(|image| image.file.clone()).collect(), ys })
        };
        let (train, valid) = (part(train)?, part(valid)?);
        let (flat_side, side) = if kind == Kind::Clothes { (SIDE, 160) } else { (200, 200) };
        Ok(Photos { kind, vocab, train, valid, flat_side, side })
    }

    /// A remark for figures that are compared with the lecture's.
    pub(crate) fn note(&self) -> &'static str {
        match self.kind {
            Kind::Faces => "",
            Kind::Clothes => "other photos: clothes instead of animals",
            Kind::Own => "other photos",
        }
    }

    /// At most `n` training photos, evenly from all classes, with their names.
    pub(crate) fn grid(&self, n: usize, change: impl Fn(Image) -> Image) -> Result<ImageGrid> {
        let (all, mut grid) = (self.train.files.len(), ImageGrid::new("", 8));
        let n = n.min(all);
        for i in (0..n).map(|i| i * all / n) {
            let picture = change(thumbnail(&self.train.files[i], 110.min(4 * self.flat_side))?);
            let class = &self.vocab.classes()[self.train.ys[i] as usize];
            grid = grid.rgb(picture.width(), picture.height(), picture.bytes()).caption(class.as_str());
        }
        Ok(grid)
    }

    /// A loader that shows all photos of a part in order.
    pub(crate) fn loader(&self, s: &Session, part: &Part, tfms: Compose) -> Result<DataLoader> {
        let dataset = ImageDataset::new(part.files.clone(), part.ys.clone(), tfms)?;
        Ok(DataLoader::new(dataset, 64)?.workers(s.workers).device(&s.device))
    }
}

/// Writes the embedded clothes as files, dark on white as a catalogue shows them, so that they are read as yours are.
fn clothes(s: &Session) -> Result<PathBuf> {
    let folder = s.run.folder().join("photos");
    let (train, valid) = fashion_mnist::clothes()?;
    for (name, products) in [("train", &train), ("valid", &valid)] {
        for (i, Product { class, pixels }) in products.iter().enumerate() {
            let picture = Image::from_fn(SIDE, SIDE, |x, y| [255 - pixels[y * SIDE + x]; 3])?;
            picture.save(folder.join(name).join(class).join(format!("{i:03}.png")))?;
        }
    }
    Ok(folder)
}

/// torchvision's `Resize((side, side))` and `Grayscale`: squished, grey, and as numbers between 0 and 1.
pub(crate) fn grey(side: usize) -> Compose {
    Compose::new()
        .then(Resize::squish(side).interpolation(Interpolation::Bilinear))
        .then(Transform::Greyscale)
        .then(Transform::ToTensor)
}

/// A photo squished to a square, for the eye.
pub(crate) fn thumbnail(file: &Path, side: usize) -> Result<Image> {
    Image::open(file)?.resize(Resize::squish(side))
}

// --- 11. The photos --------------------------------------------------------------------------------------------------

pub(crate) fn the_photos(s: &mut Session, photos: &Photos) -> Result<()> {
    s.section("Introduction to computer vision");
    s.text(
        "
        Computer vision wants to understand images: *what is it* (classification), *where is it* (localisation), *what
        is where* (detection), *which pixels belong to what* (segmentation). We classify. The photos do not come as a
        table but as a folder for each class, in one folder for training and one for validation; and since real
        collections do not fit into memory, they are read in batches.
        ",
    );
    let count = |part: &Part, class: usize| part.ys.iter().filter(|y| **y as usize == class).count();
    let classes = photos.vocab.classes();
    let rows: Vec<Vec<String>> = classes
        .iter()
        .enumerate()
        .map(|(k, class)| vec![class.clone(), count(&photos.train, k).to_string(), count(&photos.valid, k).to_string()])
        .collect();
    s.table(&["class", "train", "valid"], &rows);
    let first = photos.train.files.first().map(|file| tail(file, 3)).unwrap_or_default();
    s.say(format!("samples: {}; the first is {first}, class {}", photos.train.ys.len(), photos.train.ys[0]));
    if !s.quick {
        let counts: Vec<f64> = (0..classes.len()).map(|k| count(&photos.train, k) as f64).collect();
        let expect = if photos.kind == Kind::Faces { Expect::Exact } else { Expect::Draw };
        let class_count = Comparison::series("class count", &["50", "50", "50"], &counts, expect);
        s.run.add(class_count.note(photos.note()));
        let samples = photos.train.ys.len() as f64;
        s.run.add(Comparison::new("samples", "150", samples, expect).note(photos.note()));
    }
    let grid = photos.grid(24, |picture| picture.greyscale())?;
    s.figure("training_images", "Some training images, grey.", grid)
}

/// The last parts of a path: `train/cat/flickr_cat_000002.jpg`.
pub(crate) fn tail(file: &Path, parts: usize) -> String {
    let parts: Vec<_> = file.iter().rev().take(parts).map(|part| part.to_string_lossy()).collect();
    parts.into_iter().rev().collect::<Vec<_>>().join("/")
}
