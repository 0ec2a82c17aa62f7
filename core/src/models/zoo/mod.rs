//! The architectures by name, with their sizes, costs and published weights.
//!
//! ```
//! use tallow::models::Arch;
//!
//! let arch: Arch = "ResNet-18".parse()?;
//! assert_eq!((arch, arch.name()), (Arch::ResNet18, "resnet18"));
//! // torchvision's numbers
//! assert_eq!((arch.facts().parameters, arch.facts().channels), (11_689_512, 512));
//! let preprocess = arch.facts().published.preprocess;
//! assert_eq!((preprocess.resize, preprocess.size, preprocess.mean), (256, 224, [0.485, 0.456, 0.406]));
//! # Ok::<(), tallow::Error>(())
//! ```

mod table;

pub use table::{Facts, Published, WeightFile};

use super::alexnet::AlexNet;
use super::convnext::ConvNext;
use super::densenet::DenseNet;
use super::efficientnet_lite::EfficientNetLite0;
use super::inception::InceptionV3;
use super::mobilenet_v3::MobileNetV3;
use super::network::{Body, Network, NetworkOptions};
use super::resnet::ResNet;
use super::squeezenet::SqueezeNet;
use super::vgg::Vgg;
use crate::error::{Error, Result};
use crate::nn::Params;
use std::fmt;
use std::str::FromStr;

/// An architecture for image classification, with torchvision's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the names say it
pub enum Arch {
    ResNet18,
    ResNet34,
    ResNet50,
    ResNet101,
    ResNet152,
    Vgg11,
    Vgg11Bn,
    Vgg13,
    Vgg13Bn,
    Vgg16,
    Vgg16Bn,
    Vgg19,
    Vgg19Bn,
    DenseNet121,
    DenseNet161,
    DenseNet169,
    DenseNet201,
    AlexNet,
    SqueezeNet1_0,
    SqueezeNet1_1,
    InceptionV3,
    MobileNetV3Small,
    MobileNetV3Large,
    ConvNextTiny,
    ConvNextSmall,
    ConvNextBase,
    EfficientNetLite0,
}

impl Arch {
    /// All architectures.
    pub const ALL: [Arch; 27] = [
        Arch::ResNet18,
        Arch::ResNet34,
        Arch::ResNet50,
        Arch::ResNet101,
        Arch::ResNet152,
        Arch::Vgg11,
        Arch::Vgg11Bn,
        Arch::Vgg13,
        Arch::Vgg13Bn,
        Arch::Vgg16,
        Arch::Vgg16Bn,
        Arch::Vgg19,
        Arch::Vgg19Bn,
        Arch::DenseNet121,
        Arch::DenseNet161,
        Arch::DenseNet169,
        Arch::DenseNet201,
        Arch::AlexNet,
        Arch::SqueezeNet1_0,
        Arch::SqueezeNet1_1,
        Arch::InceptionV3,
        Arch::MobileNetV3Small,
        Arch::MobileNetV3Large,
        Arch::ConvNextTiny,
        Arch::ConvNextSmall,
        Arch::ConvNextBase,
        Arch::EfficientNetLite0,
    ];

    /// torchvision's name, such as `resnet18`.
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    /// Its size, cost and published weights.
    pub fn facts(self) -> &'static Facts {
        table::facts(self)
    }

    /// Builds the network with its published head for `n_classes`, with random weights in `params`.
    ///
    /// # Errors
    /// When the device cannot allocate the parameters.
    pub fn build(self, n_classes: usize, params: &Params) -> Result<Network> {
        self.build_with(&NetworkOptions::new(n_classes), params)
    }

    /// Builds the network with these settings.
    ///
    /// # Errors
    /// [`Error::Config`] for an epsilon that this architecture does not take.
    pub fn build_with(self, options: &NetworkOptions, params: &Params) -> Result<Network> {
        self.check_norm_eps(options.norm_eps)?;
        match self.family() {
            Family::ResNet(arch) => arch.network(options, params),
            Family::Vgg(arch) => arch.network(options, params),
            Family::DenseNet(arch) => arch.network(options, params),
            Family::AlexNet(arch) => arch.network(options, params),
            Family::SqueezeNet(arch) => arch.network(options, params),
            Family::Inception(arch) => arch.network(options, params),
            Family::MobileNetV3(arch) => arch.network(options, params),
            Family::ConvNext(arch) => arch.network(options, params),
            Family::EfficientNetLite0(arch) => arch.network(options, params),
        }
    }

    /// Builds the network without its head, for another one ([`Body::with_head`]).
    ///
    /// # Errors
    /// When the device cannot allocate the parameters.
    pub fn body(self, params: &Params) -> Result<Body> {
        self.body_with(None, params)
    }

    /// Builds the network without its head, with this epsilon of batch normalisation
    /// ([`crate::models::weights::Recipe::norm_eps`]); the published one if `None`.
    ///
    /// # Errors
    /// [`Error::Config`] for an epsilon that this architecture does not take.
    pub fn body_with(self, norm_eps: Option<f64>, params: &Params) -> Result<Body> {
        self.check_norm_eps(norm_eps)?;
        match self.family() {
            Family::ResNet(arch) => arch.body(params),
            Family::Vgg(arch) => arch.body(params),
            Family::DenseNet(arch) => arch.body(params),
            Family::AlexNet(arch) => arch.body(params),
            Family::SqueezeNet(arch) => arch.body(params),
            Family::Inception(arch) => arch.body(params),
            Family::MobileNetV3(arch) => arch.body(norm_eps, params),
            Family::ConvNext(arch) => arch.body(params),
            Family::EfficientNetLite0(arch) => arch.body(params),
        }
    }

    /// Builds the body as the encoder of a U-Net ([`crate::models::DynamicUnet`]), with fast.ai's parameter names: a
    /// ResNet without pooling and last layer, its children numbered; EfficientNet-Lite0 also without its last
    /// convolution.
    ///
    /// # Errors
    /// [`Error::Config`] for other architectures.
    pub fn encoder(self, params: &Params) -> Result<Body> {
        match self.family() {
            Family::ResNet(arch) => arch.encoder(params),
            Family::EfficientNetLite0(arch) => arch.encoder(params),
            _ => Err(self.no_encoder()),
        }
    }

    /// Checks that this architecture can be the encoder of a U-Net; the error lists those that can.
    pub(crate) fn check_encoder(self) -> Result<()> {
        match self.family() {
            Family::ResNet(_) | Family::EfficientNetLite0(_) => Ok(()),
            _ => Err(self.no_encoder()),
        }
    }

    fn no_encoder(self) -> Error {
        let able = "resnet18, resnet34, resnet50, resnet101, resnet152 and efficientnet_lite0 can";
        Error::config("arch", format!("{self} cannot be the encoder of a U-Net; {able}"))
    }

    /// Only of MobileNetV3 there are weights for another epsilon than the architecture's; elsewhere it would be lost.
    fn check_norm_eps(self, norm_eps: Option<f64>) -> Result<()> {
        match (norm_eps, self.family()) {
            (None, _) | (_, Family::MobileNetV3(_)) => Ok(()),
            (Some(eps), _) => {
                let message = format!("norm_eps = {eps}: the batch normalisations of {self} have one epsilon, its own");
                Err(Error::config("norm_eps", message))
            }
        }
    }

    fn family(self) -> Family {
        let vgg = |depths, batch_norm| Family::Vgg(Vgg { depths, batch_norm });
        let densenet = |depths, growth, stem| Family::DenseNet(DenseNet { depths, growth, stem });
        let convnext = |depths, width, drop_path| Family::ConvNext(ConvNext { depths, width, drop_path });
        match self {
            Arch::ResNet18 => Family::ResNet(ResNet::basic([2, 2, 2, 2])),
            Arch::ResNet34 => Family::ResNet(ResNet::basic([3, 4, 6, 3])),
            Arch::ResNet50 => Family::ResNet(ResNet::bottleneck([3, 4, 6, 3])),
            Arch::ResNet101 => Family::ResNet(ResNet::bottleneck([3, 4, 23, 3])),
            Arch::ResNet152 => Family::ResNet(ResNet::bottleneck([3, 8, 36, 3])),
            Arch::Vgg11 => vgg([1, 1, 2, 2, 2], false),
            Arch::Vgg11Bn => vgg([1, 1, 2, 2, 2], true),
            Arch::Vgg13 => vgg([2, 2, 2, 2, 2], false),
            Arch::Vgg13Bn => vgg([2, 2, 2, 2, 2], true),
            Arch::Vgg16 => vgg([2, 2, 3, 3, 3], false),
            Arch::Vgg16Bn => vgg([2, 2, 3, 3, 3], true),
            Arch::Vgg19 => vgg([2, 2, 4, 4, 4], false),
            Arch::Vgg19Bn => vgg([2, 2, 4, 4, 4], true),
            Arch::DenseNet121 => densenet([6, 12, 24, 16], 32, 64),
            Arch::DenseNet161 => densenet([6, 12, 36, 24], 48, 96),
            Arch::DenseNet169 => densenet([6, 12, 32, 32], 32, 64),
            Arch::DenseNet201 => densenet([6, 12, 48, 32], 32, 64),
            Arch::AlexNet => Family::AlexNet(AlexNet),
            Arch::SqueezeNet1_0 => Family::SqueezeNet(SqueezeNet::V1_0),
            Arch::SqueezeNet1_1 => Family::SqueezeNet(SqueezeNet::V1_1),
            Arch::InceptionV3 => Family::Inception(InceptionV3 { transform_input: false, aux: true }),
            Arch::MobileNetV3Small => Family::MobileNetV3(MobileNetV3::Small),
            Arch::MobileNetV3Large => Family::MobileNetV3(MobileNetV3::Large),
            Arch::ConvNextTiny => convnext([3, 3, 9, 3], 96, 0.1),
            Arch::ConvNextSmall => convnext([3, 3, 27, 3], 96, 0.4),
            Arch::ConvNextBase => convnext([3, 3, 27, 3], 128, 0.5),
            Arch::EfficientNetLite0 => Family::EfficientNetLite0(EfficientNetLite0),
        }
    }
}

/// Where an architecture is built.
enum Family {
    ResNet(ResNet),
    Vgg(Vgg),
    DenseNet(DenseNet),
    AlexNet(AlexNet),
    SqueezeNet(SqueezeNet),
    Inception(InceptionV3),
    MobileNetV3(MobileNetV3),
    ConvNext(ConvNext),
    EfficientNetLite0(EfficientNetLite0),
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// By torchvision's name; capitals, hyphens and underscores do not matter, so that `ResNet-18` is found too.
impl FromStr for Arch {
    type Err = Error;

    fn from_str(name: &str) -> Result<Arch> {
        let plain = |name: &str| name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
        Arch::ALL.into_iter().find(|arch| plain(arch.name()) == plain(name)).ok_or_else(|| {
            let names: Vec<&str> = Arch::ALL.iter().map(|arch| arch.name()).collect();
            let name: String = name.chars().take(60).flat_map(char::escape_debug).collect();
            Error::network(&name, format!("there is no network called `{name}`; there are {}", names.join(", ")))
        })
    }
}
