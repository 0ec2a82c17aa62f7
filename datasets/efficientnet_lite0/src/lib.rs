//! One network, as bytes.
#![doc = include_str!("../README.md")]

/// A safetensors file with the network's 247 tensors in half precision, under their original names
/// (`_conv_stem.weight`, `_blocks.0._bn1.bias`, `_fc.weight`). Its notes say where it comes from and on which terms:
/// Apache-2.0.
pub fn weights() -> &'static [u8] {
    include_bytes!("../efficientnet_lite0.safetensors")
}
