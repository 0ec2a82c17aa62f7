//! What `tallow train` does with the photos before the network sees them.

use clap::ValueEnum;
use tallow::event::{Event, Listener};
use tallow::rng::Rng;
use tallow::train::Mixup;
use tallow::vision::{
    AugTransforms, CenterCrop, Compose, PadMode, RandomHorizontalFlip, RandomResizedCrop, RandomVerticalFlip, Resize,
    Strength,
};

#[derive(Debug, clap::Args, serde::Serialize)]
#[command(next_help_heading = "The photos")]
pub(crate) struct TransformArgs {
    /// How photos become squares
    #[arg(long, value_name = "HOW", value_enum, default_value_t = ResizeArg::Crop)]
    resize: ResizeArg,

    /// What `--resize pad` puts around a photo
    #[arg(long, value_name = "WITH", value_enum, default_value_t = PadArg::Reflection)]
    pad: PadArg,

    /// How strongly photos are changed at random while the whole network trains (`--epochs`); the head learns on
    /// features of unchanged photos, whatever is said here
    #[arg(long, value_name = "STRENGTH", value_enum, default_value_t = AugmentArg::Light)]
    augment: AugmentArg,

    /// Mirror no photo: for what differs between left and right, such as letters, hands or X-rays (with `--epochs`)
    #[arg(long)]
    no_flip: bool,

    /// Turn photos upside down too, for what has no top, such as satellite or microscope images: all eight flips and
    /// quarter turns; with --no-flip top and bottom only (with `--epochs`)
    #[arg(long)]
    flip_vert: bool,

    /// Blend each photo with another one, and their classes alike (mixup); the larger ALPHA, the nearer to halves
    /// [0.4 if it is not said]; the report's pictures show the photos before that (with `--epochs`)
    #[arg(long, value_name = "ALPHA", num_args = 0..=1, default_missing_value = "0.4", value_parser = alpha)]
    mixup: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Serialize)]
#[serde(rename_all = "snake_case")]
enum ResizeArg {
    /// A part: a random one in training, the middle in validation
    Crop,
    /// The whole photo, out of proportion
    Squish,
    /// The whole photo in its proportions, with something around it
    Pad,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Serialize)]
#[serde(rename_all = "snake_case")]
enum PadArg {
    /// The photo's own mirror image
    Reflection,
    /// The photo's border pixels, on and on
    Border,
    /// Black
    Zeros,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AugmentArg {
    /// Not at all: training sees the photos as validation does
    None,
    /// A random part (with `--resize crop`) or place (with pad), half of the photos mirrored
    Light,
    /// And fast.ai's aug_transforms: rotation to 10 degrees, zoom to 1.1, perspective and light by 0.2
    Standard,
    /// And twice that: rotation to 20 degrees, zoom to 1.3, perspective and light by 0.4
    Strong,
}

fn alpha(text: &str) -> Result<f64, String> {
    let alpha = text.parse().ok().filter(|alpha: &f64| *alpha > 0.0 && alpha.is_finite());
    alpha.ok_or_else(|| "expected a number above 0, such as 0.4".into())
}

impl From<AugmentArg> for Strength {
    fn from(augment: AugmentArg) -> Strength {
        match augment {
            AugmentArg::None => Strength::None,
            AugmentArg::Light => Strength::Light,
            AugmentArg::Standard => Strength::Standard,
            AugmentArg::Strong => Strength::Strong,
        }
    }
}

impl TransformArgs {
    /// The transforms of training and of validation, to `side` by `side` pixels.
    pub(crate) fn transforms(&self, side: usize) -> (Compose, Compose) {
        let pad_mode = match self.pad {
            PadArg::Reflection => PadMode::Reflection,
            PadArg::Border => PadMode::Border,
            PadArg::Zeros => PadMode::Zeros,
        };
        let (train, valid) = match self.resize {
            ResizeArg::Crop => (
                Compose::new().then(RandomResizedCrop::new(side).min_scale(0.35)),
                Compose::new().then(Resize::short_side(side * 8 / 7)).then(CenterCrop::new(side)),
            ),
            ResizeArg::Squish => {
                let squish = Compose::new().then(Resize::squish(side));
                (squish.clone(), squish)
            }
            ResizeArg::Pad => {
                let pad = Compose::new().then(Resize::pad(side, pad_mode));
                (pad.clone(), pad.valid())
            }
        };
        let strength = Strength::from(self.augment);
        let Some(changes) = strength.aug_transforms() else { return (valid.clone(), valid) };
        let train = if self.no_flip && self.flip_vert { train.then(RandomVerticalFlip { p: 0.5 }) } else { train };
        let train = match (strength, self.no_flip, self.flip_vert) {
            (Strength::Light, true, _) => train,
            // The same as the augmentation's own, without resampling the picture.
            (Strength::Light, false, false) => train.then(RandomHorizontalFlip::default()),
            (_, no_flip, flip_vert) => {
                train.then(AugTransforms { do_flip: !no_flip, flip_vert: flip_vert && !no_flip, pad_mode, ..changes })
            }
        };
        (train, valid)
    }

    /// The callback that blends photos, if that is asked for.
    pub(crate) fn mixup(&self, n_classes: usize, seed: u64) -> Option<Mixup> {
        self.mixup.map(|alpha| Mixup::new(n_classes, &Rng::new(seed)).alpha(alpha))
    }

    /// Says which switches change nothing.
    pub(crate) fn tell_useless(&self, epochs: u16, listener: &Listener) {
        let tell = |note: String| listener.tell(Event::Note(&note));
        let switches = [
            ("--augment", self.augment != AugmentArg::Light),
            ("--no-flip", self.no_flip),
            ("--flip-vert", self.flip_vert),
            ("--mixup", self.mixup.is_some()),
        ];
        let given: Vec<&str> = switches.into_iter().filter(|(_, is_given)| *is_given).map(|(name, _)| name).collect();
        if epochs == 0 && !given.is_empty() {
            tell(format!(
                "{} without effect: the head learns on features of unchanged photos, and only `--epochs` trains the \
                 whole network",
                match given.split_last() {
                    Some((last, [])) => format!("{last} is"),
                    Some((last, first)) => format!("{} and {last} are", first.join(", ")),
                    None => String::new(),
                }
            ));
        } else if self.augment == AugmentArg::None && (self.no_flip || self.flip_vert) {
            tell("--no-flip and --flip-vert are without effect: `--augment none` changes no photo".into());
        }
        if self.pad != PadArg::Reflection && self.resize != ResizeArg::Pad {
            tell("--pad is without effect: it goes with `--resize pad`".into());
        }
    }
}
