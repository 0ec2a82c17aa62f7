//! Weights from files: that all formats mean the same, that names are found, and that no file can do harm.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "../common/mod.rs"]
mod common;

mod fuzz;
mod load;
mod names;
mod pickles;
mod read;
mod refuse;

use candle_core::{Device, Tensor};
use std::collections::BTreeMap;
use std::path::PathBuf;
use tallow::models::weights::Weights;
use tallow::nn::{ParamKind, Params};
use tallow::rng::Rng;
use tallow_io::{Dtype, safetensors};

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/weights/fixtures")).join(name)
}

fn open(bytes: Vec<u8>) -> tallow::Result<Weights> {
    Weights::from_bytes("a.file", bytes)
}

/// The complaint about bytes that must be refused.
#[track_caller]
fn refusal(bytes: Vec<u8>) -> String {
    match open(bytes) {
        Ok(weights) => panic!("was read: {:?}", weights.names().collect::<Vec<_>>()),
        Err(error) => {
            assert_eq!(tallow::cli::exit_code(&error), 3, "{error}");
            error.to_string()
        }
    }
}

/// A safetensors file of `f32` tensors.
fn safetensors_file(tensors: &[(&str, &[usize], Vec<f32>)]) -> Vec<u8> {
    let tensors: Vec<_> = tensors
        .iter()
        .map(|(name, shape, values)| safetensors::Tensor {
            name: (*name).into(),
            dtype: Dtype::F32,
            shape: shape.to_vec(),
            bytes: values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        })
        .collect();
    safetensors::to_bytes(&tensors, &BTreeMap::new())
}

/// A network with these tensors, all of them -1.
fn network<'a>(tensors: impl IntoIterator<Item = (&'a str, &'a [usize])>) -> Params {
    let params = Params::new(&Rng::new(1), &Device::Cpu);
    for (name, shape) in tensors {
        params.constant(name, ParamKind::Weight, shape, -1.0).unwrap();
    }
    params
}

fn numbers(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}
