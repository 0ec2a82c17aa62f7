//! Networks, with torchvision's names for their parameters.

mod head;
pub mod resnet;

pub use head::{Head, vision_head};
pub use resnet::{ResNet, resnet18, resnet34};
