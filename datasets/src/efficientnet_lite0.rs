//! EfficientNet-Lite0, trained on ImageNet: a small network for machines without network access. It is a package of its
//! own, `tallow-efficientnet-lite0`, since the registry takes 10 MB a package.

pub use tallow_efficientnet_lite0::weights;
