//! Published weights: found on this machine, or fetched from the Hugging Face Hub.
//!
//! [`pretrained`] builds a network that has learnt ImageNet. Its weights are looked for, in this order,
//!
//! 1. where a user may put them by hand, `weights/resnet34.safetensors` or `.pth` in the data folder;
//! 2. inside the program: EfficientNet-Lite0, with the feature `efficientnet-lite0`;
//! 3. in the Hub's cache, which Python's `huggingface_hub` shares, under a pinned commit;
//! 4. in PyTorch's cache, where torchvision puts what it downloads;
//! 5. on the Hub, with the feature `hub` and unless network access is switched off ([`HubConfig`]).
//!
//! [`fetch`] is for any file of the Hub: 3 and 5 alone. The encoder of texts that `text_learner` knows by name is
//! [`MINILM_FILES`].
//!
//! What is fetched is checked against its size and sha256 before it gets its name. What is not there is an error that
//! says which file to put where.

mod cache;
#[cfg(feature = "hub")]
mod client;
mod config;
#[cfg(feature = "hub")]
mod download;
mod failure;
mod fetch;
mod file;
mod layout;
mod minilm;
mod pretrained;

pub use config::{HubConfig, Token};
pub use fetch::fetch;
pub use file::HubFile;
pub use minilm::{MINILM, MINILM_FILES};
pub use pretrained::{PretrainedNetwork, PublishedWeights, WeightsSource, pretrained, weights};
