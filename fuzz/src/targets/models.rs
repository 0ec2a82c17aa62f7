//! Weights, exported learners and checkpoints.

use super::{Target, files, json, words};
use ::safetensors::SafeTensors;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use tallow::candle::{Device, Tensor};
use tallow::data::{DataLoader, DataLoaders, Table, TableBlock, TensorDataset};
use tallow::models::weights::Weights;
use tallow::nn::{Linear, Params, losses};
use tallow::rng::Rng;
use tallow::tabular_learner::{TabularConfig, load_tabular, tabular_learner};
use tallow::train::{Checkpoints, Learner};
use tallow_datasets::pth;
use tallow_io::hash::Hasher;
use tallow_io::{Dtype, safetensors};

pub(super) const SAFETENSORS: Target = Target {
    name: "safetensors",
    seeds: |_| {
        let tensor = |name: &str, shape: &[usize]| safetensors::Tensor {
            name: name.into(),
            dtype: Dtype::F32,
            shape: shape.to_vec(),
            bytes: vec![0x3f; 4 * shape.iter().product::<usize>()],
        };
        let notes = BTreeMap::from([("format".to_string(), "pt".to_string())]);
        vec![safetensors::to_bytes(&[tensor("a", &[2, 3]), tensor("b.c", &[4]), tensor("d", &[])], &notes)]
    },
    tokens: &[b"\"dtype\":\"F64\"", b"\"BF16\"", b"\"shape\":[", b"\"data_offsets\":[0,", b"__metadata__"],
    structure: Some(changed_header),
    run: |input, _| read_weights("a.safetensors", input),
};

pub(super) const PTH: Target = Target {
    name: "pth",
    seeds: |_| {
        let names = ["kinds.pth", "kinds_before_1_6.pth", "network.pth", "protocol_4.pth"];
        let mut weights = files("core/tests/weights/fixtures", &names);
        // pickle.dumps(["xxunk", "the", "the"]) by protocols 2 and 4.
        weights.push(b"\x80\x02]q\0(X\x05\0\0\0xxunkq\x01X\x03\0\0\0theq\x02h\x02e.".to_vec());
        weights.push(b"\x80\x04\x95\x15\0\0\0\0\0\0\0]\x94(\x8c\x05xxunk\x94\x8c\x03the\x94h\x02e.".to_vec());
        weights
    },
    tokens: &[
        b"ctorch._utils\n_rebuild_tensor_v2\n",
        b"ctorch\nFloatStorage\n",
        b"cos\nsystem\n",
        b"R.",
        b"\x80\x02",
        b"q\0",
        b"K\x04",
    ],
    structure: None,
    run: |input, folder| {
        // Lists of words are in pickles too.
        if input.first() == Some(&0x80) {
            let file = folder.join("words.pkl");
            std::fs::write(&file, input).map_err(|e| e.to_string())?;
            let texts = pth::read_texts(&file);
            let size = texts.iter().flatten().map(String::len).sum::<usize>();
            if size > input.len().max(1 << 20) {
                return Err(format!("words of {size} bytes out of {}", input.len()));
            }
            if texts.is_ok() {
                return Ok("words".into());
            }
        }
        read_weights("a.pth", input)
    },
};

fn read_weights(name: &str, input: &[u8]) -> Result<String, String> {
    let read = Weights::from_bytes(name, input.to_vec());
    if let Ok(weights) = &read {
        for name in weights.names() {
            let n = weights.tensor(name).map_or(0, |tensor| tensor.elem_count());
            if n > 8 * input.len().max(1) {
                return Err(format!("a tensor of {n} numbers out of {} bytes", input.len()));
            }
        }
    }
    words(read.map(|_| ()))
}

/// `learner.json` of a table's model, whose weights stay as they are.
pub(super) const LEARNER: Target = Target {
    name: "learner",
    seeds: |folder| {
        let rows =
            (0..60).map(|i| [["x", "y", "z"][i % 3].to_string(), i.to_string(), ["no", "yes"][i % 2].to_string()]);
        let exported = || -> tallow::Result<Vec<u8>> {
            let table = Table::from_rows(&["a", "b", "c"], rows)?;
            let dls = TableBlock::table(table).target("c").valid_where(|row| row % 4 == 0).dataloaders(16)?;
            let mut learner = tabular_learner(&dls, TabularConfig::default().device(&Device::Cpu).layers([4]))?;
            learner.fit_one_cycle(1, 1e-2)?;
            learner.export(folder.join("model"))?;
            std::fs::read(folder.join("model/learner.json")).map_err(|e| tallow::Error::Value(e.to_string()))
        };
        vec![exported().unwrap_or_default()]
    },
    tokens: &[b"\"kind\":", b"\"classes\":[", b"\"image_classifier\"", b"\"layers\":[", b"\"sha256\":", b"\"std\":"],
    structure: Some(json::changed),
    run: |input, folder| {
        let file = folder.join("model/learner.json");
        std::fs::write(file, input).map_err(|e| e.to_string())?;
        let model = load_tabular(folder.join("model"));
        if let Ok(model) = &model {
            let row = Table::from_rows(&["a", "b"], [["x".to_string(), "1".to_string()]]).map_err(|e| e.to_string())?;
            if let Ok(predictions) = model.predict_table(&row) {
                let said = format!("{predictions:?}");
                if said.contains("NaN") || said.contains("inf") {
                    return Err(format!("a prediction that is not a number: {said}"));
                }
            }
        }
        words(model.map(|_| ()))
    },
};

/// A checkpoint of a small network. Its checksum is put right after a change, so that the checks behind it are reached.
pub(super) const CHECKPOINT: Target = Target {
    name: "checkpoint",
    seeds: |folder| {
        let file = folder.join("checkpoint.safetensors");
        let _ = std::fs::remove_file(&file);
        let made = fit(&file, false, 2).is_ok();
        vec![std::fs::read(&file).ok().filter(|_| made).unwrap_or_default()]
    },
    tokens: &[b"\"step\":", b"\"epoch\":", b"\"rows\":[", b"\"F32\"", b"NaN", b"\"shape\":[", b"null"],
    structure: Some(changed_notes),
    run: |input, folder| {
        let file = folder.join("checkpoint.safetensors");
        std::fs::write(&file, sealed(input)).map_err(|e| e.to_string())?;
        let result = fit(&file, true, 2);
        let _ = std::fs::remove_file(&file);
        words(result)
    },
};

/// A safetensors file with another header.
fn changed_header(input: &[u8], rng: &mut Rng) -> Option<Vec<u8>> {
    let (header, tensors) = parts(input)?;
    Some(joined(&json::changed(header, rng)?, tensors))
}

/// A checkpoint with other notes.
fn changed_notes(input: &[u8], rng: &mut Rng) -> Option<Vec<u8>> {
    let (header, tensors) = parts(input)?;
    let mut header: serde_json::Value = serde_json::from_slice(header).ok()?;
    let note = header.get_mut("__metadata__")?.get_mut("tallow")?;
    if rng.below(3) == 0 {
        // Other numbers in the tensors.
        let mut tensors = tensors.to_vec();
        let (values, _) = tensors.as_chunks_mut::<4>();
        let n = values.len();
        let odd = [f32::NAN, f32::INFINITY, -1.0, f32::MAX, -0.0, 1e-40][rng.below(6)];
        *values.get_mut(rng.below(n.max(1)))? = odd.to_le_bytes();
        return Some(joined(&serde_json::to_vec(&header).ok()?, &tensors));
    }
    *note = String::from_utf8(json::changed(note.as_str()?.as_bytes(), rng)?).ok()?.into();
    Some(joined(&serde_json::to_vec(&header).ok()?, tensors))
}

fn parts(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = u64::from_le_bytes(*input.first_chunk()?);
    input[8..].split_at_checked(usize::try_from(length).ok()?)
}

fn joined(header: &[u8], tensors: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header, tensors].concat()
}

/// The same with the checksum of what is in it now, where it can be read.
fn sealed(input: &[u8]) -> Vec<u8> {
    let checksum = || {
        let (_, header) = SafeTensors::read_metadata(input).ok()?;
        let notes = header.metadata().clone()?;
        let (note, old) = (notes.get("tallow")?, notes.get("sha256")?);
        let mut hasher = Hasher::default();
        let mut put = |bytes: &[u8]| {
            hasher.update(&(bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        };
        put(note.as_bytes());
        let tensors: BTreeMap<String, _> = SafeTensors::deserialize(input).ok()?.tensors().into_iter().collect();
        for (name, tensor) in &tensors {
            put(name.as_bytes());
            put(format!("{:?} {:?}", tensor.dtype(), tensor.shape()).as_bytes());
            put(tensor.data());
        }
        let at = input.windows(old.len().max(1)).position(|window| window == old.as_bytes())?;
        Some((at, old.len(), hasher.finish().sha256))
    };
    let mut input = input.to_vec();
    if let Some((at, length, new)) = checksum() {
        input.splice(at..at + length, new.into_bytes());
    }
    input
}

/// Fits four rows, from the checkpoint in this file if `resume`.
fn fit(file: &Path, resume: bool, epochs: usize) -> tallow::Result<()> {
    let device = Device::Cpu;
    let params = Params::new(&Rng::new(1), &device);
    let network = Linear::new(2, 2, true, &params.pp("l"))?;
    let xs = Tensor::new(&[[0f32, 1.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]], &device)?;
    let ys = Tensor::new(&[0u32, 1, 1, 0], &device)?;
    let loader = || DataLoader::new(TensorDataset::new(&xs, &ys)?, 2);
    let dls = DataLoaders { train: loader()?, valid: loader()? };
    let checkpoints = Checkpoints { file: file.to_path_buf(), every: Duration::ZERO, resume };
    let mut learner = Learner::new(dls, network, &params, losses::cross_entropy).checkpoints(checkpoints);
    learner.fit_one_cycle(epochs, 1e-2)
}
