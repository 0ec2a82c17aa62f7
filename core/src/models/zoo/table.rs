//! The facts about each architecture, as torchvision and the weights' publishers state them.

use super::Arch;
use crate::vision::{Interpolation, Preprocess};

/// The size, cost and published weights of an architecture with 1,000 classes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Facts {
    /// Its name in torchvision.
    pub name: &'static str,
    /// The number of parameters.
    pub parameters: usize,
    /// Billions of multiply-adds (GMACs) for one image of the published size.
    pub gmacs: f64,
    /// Channels of the body's features.
    pub channels: usize,
    /// The published weights.
    pub published: Published,
    /// Files with weights on the Hugging Face Hub, the first choice first.
    pub files: &'static [WeightFile],
}

/// torchvision's weights `IMAGENET1K_V1`, or what corresponds to them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Published {
    /// The file's name; torchvision's are at `https://download.pytorch.org/models/`.
    pub file: &'static str,
    /// The licence of the weights.
    pub licence: &'static str,
    /// The top-1 accuracy on ImageNet's validation images, in per cent.
    pub top1: f64,
    /// The preprocessing of images that these weights need.
    pub preprocess: Preprocess,
}

/// A file with weights on the Hugging Face Hub.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WeightFile {
    /// The repository's owner and name.
    pub repo: &'static str,
    /// The file's name in the repository.
    pub file: &'static str,
    /// The pinned commit, if there is one.
    pub revision: Option<&'static str>,
    /// Its size, in bytes.
    pub bytes: Option<u64>,
    /// Its sha256, in hexadecimal.
    pub sha256: Option<&'static str>,
    /// The licence of the weights.
    pub licence: &'static str,
    /// The top-1 accuracy on ImageNet's validation images, in per cent.
    pub top1: Option<f64>,
    /// The preprocessing of images that these weights need.
    pub preprocess: Preprocess,
    /// The epsilon of batch normalisation ([`crate::models::NetworkOptions::norm_eps`]) if it is not the
    /// architecture's.
    pub norm_eps: Option<f64>,
}

const fn imagenet(resize: usize, interpolation: Interpolation) -> Preprocess {
    let (mean, std) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
    Preprocess { size: 224, resize, interpolation, mean, std }
}

/// Most networks'.
const USUAL: Preprocess = imagenet(256, Interpolation::Bilinear);
const BICUBIC_256: Preprocess = imagenet(256, Interpolation::Bicubic);
/// The network's own `transform_input` turns ImageNet's normalisation into this one, which it wants without.
const INCEPTION: Preprocess =
    Preprocess { size: 299, resize: 342, interpolation: Interpolation::Bilinear, mean: [0.5; 3], std: [0.5; 3] };
/// (value - 127) / 128
const LITE: Preprocess = Preprocess {
    size: 224,
    resize: 256,
    interpolation: Interpolation::Bicubic,
    mean: [127.0 / 255.0; 3],
    std: [128.0 / 255.0; 3],
};

/// What torchvision states about one of its networks.
const fn torchvision(
    name: &'static str,
    file: &'static str,
    parameters: usize,
    gmacs: f64,
    channels: usize,
    top1: f64,
    preprocess: Preprocess,
) -> Facts {
    let published = Published { file, licence: "bsd-3-clause", top1, preprocess };
    Facts { name, parameters, gmacs, channels, published, files: &[] }
}

pub(super) fn facts(arch: Arch) -> &'static Facts {
    match arch {
        Arch::ResNet18 => &RESNET18,
        Arch::ResNet34 => &RESNET34,
        Arch::ResNet50 => &RESNET50,
        Arch::ResNet101 => &RESNET101,
        Arch::ResNet152 => &RESNET152,
        Arch::Vgg11 => &VGG11,
        Arch::Vgg11Bn => &VGG11_BN,
        Arch::Vgg13 => &VGG13,
        Arch::Vgg13Bn => &VGG13_BN,
        Arch::Vgg16 => &VGG16,
        Arch::Vgg16Bn => &VGG16_BN,
        Arch::Vgg19 => &VGG19,
        Arch::Vgg19Bn => &VGG19_BN,
        Arch::DenseNet121 => &DENSENET121,
        Arch::DenseNet161 => &DENSENET161,
        Arch::DenseNet169 => &DENSENET169,
        Arch::DenseNet201 => &DENSENET201,
        Arch::AlexNet => &ALEXNET,
        Arch::SqueezeNet1_0 => &SQUEEZENET1_0,
        Arch::SqueezeNet1_1 => &SQUEEZENET1_1,
        Arch::InceptionV3 => &INCEPTION_V3,
        Arch::MobileNetV3Small => &MOBILENET_V3_SMALL,
        Arch::MobileNetV3Large => &MOBILENET_V3_LARGE,
        Arch::ConvNextTiny => &CONVNEXT_TINY,
        Arch::ConvNextSmall => &CONVNEXT_SMALL,
        Arch::ConvNextBase => &CONVNEXT_BASE,
        Arch::EfficientNetLite0 => &EFFICIENTNET_LITE0,
    }
}

const RESNET18: Facts = Facts {
    files: &[WeightFile {
        repo: "timm/resnet18.tv_in1k",
        file: "model.safetensors",
        revision: Some("bbd144b3e5565108aad885f145491d11bc6ce807"),
        bytes: Some(46_807_446),
        sha256: Some("694f673df6520a3158624e8a89af086f59923ee4cd7436fe5bc3bc71d295ad81"),
        licence: "bsd-3-clause",
        top1: Some(69.758),
        preprocess: USUAL,
        norm_eps: None,
    }],
    ..torchvision("resnet18", "resnet18-f37072fd.pth", 11_689_512, 1.814, 512, 69.758, USUAL)
};

const RESNET34: Facts = Facts {
    files: &[WeightFile {
        repo: "timm/resnet34.tv_in1k",
        file: "model.safetensors",
        revision: Some("1b7b21cca82ff974d341713f777bf740c2db38c4"),
        bytes: Some(87_278_522),
        sha256: Some("0bb82595a564991a9d424708b33f5d843f5aaed7f6c0886ff10849ff97022235"),
        licence: "bsd-3-clause",
        top1: Some(73.314),
        preprocess: USUAL,
        norm_eps: None,
    }],
    ..torchvision("resnet34", "resnet34-b627a593.pth", 21_797_672, 3.664, 512, 73.314, USUAL)
};

const RESNET50: Facts = Facts {
    files: &[WeightFile {
        repo: "timm/resnet50.tv_in1k",
        file: "model.safetensors",
        revision: Some("78f3ecfdb38e06d9b8397f662e7ab8fee96026fa"),
        bytes: Some(102_469_840),
        sha256: Some("5d061a3c593d795bfe682d9b152bafbcf550579873492def3515b46db1189888"),
        licence: "bsd-3-clause",
        top1: Some(76.13),
        preprocess: USUAL,
        norm_eps: None,
    }],
    ..torchvision("resnet50", "resnet50-0676ba61.pth", 25_557_032, 4.089, 2048, 76.13, USUAL)
};

const RESNET101: Facts = torchvision("resnet101", "resnet101-63fe2227.pth", 44_549_160, 7.801, 2048, 77.374, USUAL);

const RESNET152: Facts = torchvision("resnet152", "resnet152-394f9c45.pth", 60_192_808, 11.514, 2048, 78.312, USUAL);

const VGG11: Facts = torchvision("vgg11", "vgg11-8a719046.pth", 132_863_336, 7.609, 512, 69.02, USUAL);

const VGG11_BN: Facts = torchvision("vgg11_bn", "vgg11_bn-6002323d.pth", 132_868_840, 7.609, 512, 70.37, USUAL);

const VGG13: Facts = torchvision("vgg13", "vgg13-19584684.pth", 133_047_848, 11.308, 512, 69.928, USUAL);

const VGG13_BN: Facts = torchvision("vgg13_bn", "vgg13_bn-abd245e5.pth", 133_053_736, 11.308, 512, 71.586, USUAL);

const VGG16: Facts = Facts {
    files: &[WeightFile {
        repo: "timm/vgg16.tv_in1k",
        file: "model.safetensors",
        revision: Some("b8d8aa2dd860af9233c8c67385a8097fd6c35d3f"),
        bytes: None,
        sha256: Some("57b026918159a6bf9faf8405c3a551903768e7138989d9c6224a14227203fad8"),
        licence: "bsd-3-clause",
        top1: Some(71.592),
        preprocess: USUAL,
        norm_eps: None,
    }],
    ..torchvision("vgg16", "vgg16-397923af.pth", 138_357_544, 15.47, 512, 71.592, USUAL)
};

const VGG16_BN: Facts = Facts {
    files: &[WeightFile {
        repo: "timm/vgg16_bn.tv_in1k",
        file: "model.safetensors",
        revision: None,
        bytes: None,
        sha256: None,
        licence: "bsd-3-clause",
        top1: Some(73.36),
        preprocess: USUAL,
        norm_eps: None,
    }],
    ..torchvision("vgg16_bn", "vgg16_bn-6c64b313.pth", 138_365_992, 15.47, 512, 73.36, USUAL)
};

const VGG19: Facts = torchvision("vgg19", "vgg19-dcbb9e9d.pth", 143_667_240, 19.632, 512, 72.376, USUAL);

const VGG19_BN: Facts = torchvision("vgg19_bn", "vgg19_bn-c79401a0.pth", 143_678_248, 19.632, 512, 74.218, USUAL);

const DENSENET121: Facts = Facts {
    files: &[WeightFile {
        repo: "timm/densenet121.tv_in1k",
        file: "model.safetensors",
        revision: Some("d42603aa2960ebf044e46628536b6f0edf7c0c6b"),
        bytes: None,
        sha256: Some("c894c6d9caa317a8ca1942986dee7a16a86c77734a4d691d2abe05389cfef358"),
        licence: "apache-2.0",
        top1: Some(74.434),
        preprocess: USUAL,
        norm_eps: None,
    }],
    ..torchvision("densenet121", "densenet121-a639ec97.pth", 7_978_856, 2.834, 1024, 74.434, USUAL)
};

const DENSENET161: Facts =
    torchvision("densenet161", "densenet161-8d451a50.pth", 28_681_000, 7.728, 2208, 77.138, USUAL);

const DENSENET169: Facts = torchvision("densenet169", "densenet169-b2777c0a.pth", 14_149_480, 3.36, 1664, 75.6, USUAL);

const DENSENET201: Facts =
    torchvision("densenet201", "densenet201-c1103571.pth", 20_013_928, 4.291, 1920, 76.896, USUAL);

const ALEXNET: Facts = torchvision("alexnet", "alexnet-owt-7be5be79.pth", 61_100_840, 0.714, 256, 56.522, USUAL);

const SQUEEZENET1_0: Facts =
    torchvision("squeezenet1_0", "squeezenet1_0-b66bff10.pth", 1_248_424, 0.819, 512, 58.092, USUAL);

const SQUEEZENET1_1: Facts =
    torchvision("squeezenet1_1", "squeezenet1_1-b8a52dc0.pth", 1_235_496, 0.349, 512, 58.178, USUAL);

const INCEPTION_V3: Facts = Facts {
    files: &[WeightFile {
        repo: "timm/inception_v3.tv_in1k",
        file: "model.safetensors",
        revision: None,
        bytes: None,
        sha256: Some("9c452c63a67fd03a38a78c401ba12d4be0e926df63c93403de3a29f6df20fefb"),
        licence: "apache-2.0",
        top1: Some(77.294),
        preprocess: INCEPTION,
        norm_eps: None,
    }],
    ..torchvision("inception_v3", "inception_v3_google-0cc3c7bd.pth", 27_161_264, 5.713, 2048, 77.294, INCEPTION)
};

const MOBILENET_V3_SMALL: Facts = Facts {
    files: &[WeightFile {
        repo: "timm/mobilenetv3_small_100.lamb_in1k",
        file: "model.safetensors",
        revision: None,
        bytes: None,
        sha256: Some("46d2c063b18125884c48937afa4c49e18128869e52e8db96df48bf0a4d7ff697"),
        licence: "apache-2.0",
        top1: Some(67.636),
        preprocess: BICUBIC_256,
        norm_eps: Some(1e-5),
    }],
    ..torchvision("mobilenet_v3_small", "mobilenet_v3_small-047dcff4.pth", 2_542_856, 0.057, 576, 67.668, USUAL)
};

const MOBILENET_V3_LARGE: Facts = Facts {
    files: &[WeightFile {
        repo: "timm/mobilenetv3_large_100.ra_in1k",
        file: "model.safetensors",
        revision: None,
        bytes: None,
        sha256: None,
        licence: "apache-2.0",
        top1: Some(75.784),
        preprocess: BICUBIC_256,
        norm_eps: Some(1e-5),
    }],
    ..torchvision("mobilenet_v3_large", "mobilenet_v3_large-8738ca79.pth", 5_483_032, 0.217, 960, 74.042, USUAL)
};

const CONVNEXT_TINY: Facts = Facts {
    files: &[WeightFile {
        repo: "timm/convnext_tiny.fb_in1k",
        file: "model.safetensors",
        revision: None,
        bytes: None,
        sha256: Some("08b9dc9c3a3a29421de7996761e176501896d1ae7fc3085cf56a643772329276"),
        licence: "apache-2.0",
        top1: Some(82.066),
        preprocess: BICUBIC_256,
        norm_eps: None,
    }],
    ..torchvision(
        "convnext_tiny",
        "convnext_tiny-983f1562.pth",
        28_589_128,
        4.456,
        768,
        82.52,
        imagenet(236, Interpolation::Bilinear),
    )
};

const CONVNEXT_SMALL: Facts = torchvision(
    "convnext_small",
    "convnext_small-0c510722.pth",
    50_223_688,
    8.684,
    768,
    83.616,
    imagenet(230, Interpolation::Bilinear),
);

const CONVNEXT_BASE: Facts = torchvision(
    "convnext_base",
    "convnext_base-6075fbad.pth",
    88_591_464,
    15.355,
    1024,
    84.062,
    imagenet(232, Interpolation::Bilinear),
);

/// timm's figures for `tf_efficientnet_lite0`, whose weights these are.
const EFFICIENTNET_LITE0: Facts = Facts {
    name: "efficientnet_lite0",
    parameters: 4_652_008,
    gmacs: 0.385,
    channels: 1280,
    published: Published {
        file: "efficientnet-lite0-57934424.pth",
        licence: "apache-2.0",
        top1: 74.83,
        preprocess: LITE,
    },
    files: &[],
};
