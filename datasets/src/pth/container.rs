//! What a `.pth` file wraps its pickle in: a zip archive, or, before PyTorch 1.6, one stream.

use std::collections::HashMap;
use std::io::Cursor;
use std::ops::Range;

use flate2::Crc;
use zip::{CompressionMethod, ZipArchive};

use super::machine::{self, Objects, Purpose, Result, Value};

/// What is in a file: the root of the pickle, what it made, and where each of its storages begins. Each lies whole in
/// the file.
pub(super) struct Contents<'a> {
    pub(super) root: Value<'a>,
    pub(super) objects: Objects<'a>,
    pub(super) storages: Vec<usize>,
}

/// True for bytes that begin like a file by `torch.save`, of whatever age.
pub fn is_pth(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(&[0x80]) || is_tar(bytes)
}

pub(super) fn open(bytes: &[u8]) -> Result<Contents<'_>> {
    if bytes.starts_with(b"PK\x03\x04") {
        open_zip(bytes)
    } else if bytes.starts_with(STREAM_MAGIC) {
        open_stream(bytes)
    } else if is_tar(bytes) {
        Err("is a tar archive, PyTorch's format until version 0.1.9, which is not read; load it with PyTorch and save \
             it again: torch.save(torch.load(\"old.pth\"), \"new.pth\")"
            .into())
    } else {
        Err("is not a file that torch.save wrote".into())
    }
}

fn is_tar(bytes: &[u8]) -> bool {
    bytes.get(257..262) == Some(b"ustar")
}

/// The pickle of a network has some 100 bytes a tensor.
const MAX_PICKLE: usize = 16 << 20;

/// `<name>/data.pkl`, and each storage in a file of its own, `<name>/data/<key>`, all stored as they are.
fn open_zip(bytes: &[u8]) -> Result<Contents<'_>> {
    let entries = zip_entries(bytes)?;
    let pickles = entries.keys().filter(|name| name.split_once('/').is_some_and(|(_, rest)| rest == "data.pkl"));
    let [pickle] = pickles.collect::<Vec<_>>()[..] else {
        return Err("is a zip archive, but not one by torch.save: it has no data.pkl".into());
    };
    let root = pickle.trim_end_matches("data.pkl");
    if entries.get(&format!("{root}byteorder")).is_some_and(|range| &bytes[range.clone()] == b"big") {
        return Err(BIG_ENDIAN.into());
    }
    let program = &bytes[entries[pickle].clone()];
    if program.len() > MAX_PICKLE {
        return Err(format!("has a pickle of {} bytes, too many for weights", program.len()));
    }
    let (value, objects, _) = machine::run(program, Purpose::Weights)?;
    let storages = objects.storages.iter().map(|storage| {
        let entry = entries.get(&format!("{root}data/{}", storage.key));
        let range = entry.ok_or_else(|| format!("lacks the storage {}", machine::shown(storage.key)))?;
        if storage.len.checked_mul(storage.dtype.size()).is_none_or(|size| size > range.len()) {
            return Err(format!(
                "promises {} numbers of type {} in the storage {}, which has {} bytes",
                storage.len,
                storage.dtype.name(),
                machine::shown(storage.key),
                range.len()
            ));
        }
        Ok(range.start)
    });
    let storages = storages.collect::<Result<_>>()?;
    Ok(Contents { root: value, objects, storages })
}

/// Where the contents of each file of an archive lie. PyTorch compresses nothing, so nothing has to be unpacked.
fn zip_entries(bytes: &[u8]) -> Result<HashMap<String, Range<usize>>> {
    let damaged = |error: zip::result::ZipError| format!("is a damaged or cut-off zip archive: {error}");
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(damaged)?;
    let mut entries = HashMap::new();
    if archive.file_names_raw().any(|name| name.ends_with(b"/constants.pkl")) {
        return Err("is a TorchScript program, not weights; save `model.state_dict()`".into());
    }
    for i in 0..archive.len() {
        let file = archive.by_index_raw(i).map_err(damaged)?;
        let name = file.name().map_err(damaged)?.into_owned();
        if file.compression() != CompressionMethod::Stored || file.encrypted() || file.size() != file.compressed_size()
        {
            let name = machine::shown(&name);
            return Err(format!("has the entry {name} compressed or encrypted, which torch.save never does"));
        }
        let start = file.data_start().and_then(|start| usize::try_from(start).ok());
        let range = start.and_then(|start| Some(start..start.checked_add(usize::try_from(file.size()).ok()?)?));
        let range = range.filter(|range| range.end <= bytes.len());
        let Some(range) = range else {
            return Err(format!("is cut off: the entry {} reaches beyond its end", machine::shown(&name)));
        };
        let mut crc = Crc::new();
        crc.update(&bytes[range.clone()]);
        if crc.sum() != file.crc32() {
            return Err(format!("is damaged: the checksum of the entry {} is wrong", machine::shown(&name)));
        }
        entries.insert(name, range);
    }
    Ok(entries)
}

/// `pickle.dumps(0x1950a86a20f9469cfc6c, protocol=2)`, then the pickled version of the format, 1001.
const STREAM_MAGIC: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e\x80\x02M\xe9\x03.";

/// Five pickles (magic number, version, machine, checkpoint, keys of the storages), then for each key the number of its
/// numbers and these.
fn open_stream(bytes: &[u8]) -> Result<Contents<'_>> {
    let limited = |at: usize| &bytes[at..bytes.len().min(at + MAX_PICKLE)];
    let mut at = STREAM_MAGIC.len();
    let (machine_info, info_objects, len) = machine::run(limited(at), Purpose::Weights)?;
    let Value::Dict(info) = machine_info else { return Err(machine::malformed()) };
    if info_objects.dicts[info].contains(&(Value::Text("little_endian"), Value::Bool(false))) {
        return Err(BIG_ENDIAN.into());
    }
    at += len;
    let (root, objects, len) = machine::run(limited(at), Purpose::Weights)?;
    at += len;
    let (keys, key_objects, len) = machine::run(limited(at), Purpose::Weights)?;
    at += len;
    let Value::List(keys) = keys else { return Err(machine::malformed()) };

    let mut of_key = HashMap::new();
    for (i, storage) in objects.storages.iter().enumerate() {
        if of_key.insert(storage.key, i).is_some() {
            return Err(format!("describes the storage {} in two ways", machine::shown(storage.key)));
        }
    }
    let mut places = vec![None; objects.storages.len()];
    for key in &key_objects.lists[keys] {
        let Value::Text(key) = *key else { return Err(machine::malformed()) };
        let Some(&i) = of_key.get(key) else {
            return Err(format!("has the storage {}, which no tensor uses", machine::shown(key)));
        };
        let storage = &objects.storages[i];
        let count = bytes.get(at..at + 8).and_then(|count| count.try_into().ok()).map(u64::from_le_bytes);
        if count != Some(storage.len as u64) {
            return Err(format!("is damaged or cut off at the storage {}", machine::shown(key)));
        }
        let end = storage.len.checked_mul(storage.dtype.size()).and_then(|size| size.checked_add(at + 8));
        let Some(end) = end.filter(|&end| end <= bytes.len()) else {
            return Err(format!("is cut off in the storage {}", machine::shown(key)));
        };
        places[i] = Some(at + 8);
        at = end;
    }
    if at != bytes.len() {
        return Err(format!("has {} bytes too many", bytes.len() - at));
    }
    let lacking = |i: usize| format!("lacks the storage {}", machine::shown(objects.storages[i].key));
    let storages = places.iter().enumerate().map(|(i, place)| place.ok_or_else(|| lacking(i)));
    let storages = storages.collect::<Result<_>>()?;
    Ok(Contents { root, objects, storages })
}

const BIG_ENDIAN: &str = "was written on a big-endian machine, which is not read";
