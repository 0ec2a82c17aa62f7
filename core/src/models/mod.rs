//! Networks, with torchvision's names for their parameters.

mod head;
pub mod resnet;
pub mod weights;

pub use head::{Head, vision_head};
pub use resnet::{ResNet, resnet18, resnet34};
