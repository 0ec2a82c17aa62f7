//! What PyTorch wrote is what we read. `fixtures/make.py` made the files.

use super::pickles::{tensor, text, with_program};
use super::{fixture, network, numbers, open, refusal, safetensors_file};
use std::collections::BTreeMap;
use tallow::models::weights::{LoadOptions, Weights, save};

/// The tensors of the fixtures' network: their shapes, and the number that each begins with, going up by a quarter.
const NETWORK: [(&str, &[usize]); 7] = [
    ("conv1.weight", &[3, 2, 3, 3]),
    ("bn1.weight", &[3]),
    ("bn1.bias", &[3]),
    ("bn1.running_mean", &[3]),
    ("bn1.running_var", &[3]),
    ("fc.weight", &[4, 3]),
    ("fc.bias", &[4]),
];

fn expected(i: usize) -> Vec<f32> {
    let n = NETWORK[i].1.iter().product::<usize>();
    (0..n).map(|k| i as f32 + k as f32 / 4.0).collect()
}

#[test]
fn archives_streams_and_nested_checkpoints_hold_the_same_network() {
    for file in ["network.pth", "network_before_1_6.pth", "checkpoint.pth"] {
        let weights = Weights::open(fixture(file)).unwrap();
        let names: Vec<&str> = weights.names().filter(|name| *name != "bn1.num_batches_tracked").collect();
        assert_eq!(names, NETWORK.map(|(name, _)| name), "{file}");
        for (i, (name, shape)) in NETWORK.into_iter().enumerate() {
            assert_eq!(weights.shape(name).unwrap(), shape, "{file}");
            assert_eq!(numbers(&weights.tensor(name).unwrap()), expected(i), "{file}: {name}");
        }
    }
}

#[test]
fn every_format_loads_strictly() {
    for file in ["network.pth", "network_before_1_6.pth", "checkpoint.pth", "data_parallel.pth"] {
        let params = network(NETWORK);
        let report = Weights::open(fixture(file)).unwrap().load_into(&params, &LoadOptions::strict()).unwrap();
        assert_eq!(report.loaded.len(), 7, "{file}");
        for (i, (name, _)) in NETWORK.into_iter().enumerate() {
            assert_eq!(numbers(params.get(name).unwrap().var()), expected(i), "{file}: {name}");
        }
    }
}

#[test]
fn all_types_and_views_are_read() {
    for file in ["kinds.pth", "kinds_before_1_6.pth"] {
        let weights = Weights::open(fixture(file)).unwrap();
        let get = |name: &str| (weights.shape(name).unwrap().to_vec(), numbers(&weights.tensor(name).unwrap()));
        for name in ["f64", "f32", "f16", "bf16"] {
            assert_eq!(get(name), (vec![2, 2], vec![1.0, 1.25, 1.5, 1.75]), "{name}");
        }
        assert_eq!(get("i64"), (vec![2], vec![-3.0, 2f32.powi(40)]));
        for name in ["i32", "i16", "i8"] {
            assert_eq!(get(name), (vec![2], vec![-3.0, 7.0]), "{name}");
        }
        assert_eq!(get("u8"), (vec![2], vec![3.0, 255.0]));
        assert_eq!(get("bool"), (vec![2], vec![1.0, 0.0]));
        assert_eq!(get("scalar"), (vec![], vec![2.5]));
        assert_eq!(get("empty"), (vec![0, 3], vec![]));
        assert_eq!(get("parameter"), (vec![2], vec![0.5, -0.5]));

        let base = |row: usize, column: usize| (6 * row + column) as f32 / 4.0;
        let view = |rows: usize, columns: usize, at: &dyn Fn(usize, usize) -> f32| {
            let values = (0..rows).flat_map(|r| (0..columns).map(move |c| (r, c))).map(|(r, c)| at(r, c)).collect();
            (vec![rows, columns], values)
        };
        assert_eq!(get("base"), view(4, 6, &base));
        assert_eq!(get("transposed"), view(6, 4, &|r, c| base(c, r)));
        assert_eq!(get("part"), view(2, 3, &|r, c| base(r + 1, c + 2)));
        assert_eq!(get("every_other"), view(4, 3, &|r, c| base(r, 2 * c)));
        assert_eq!(get("channels_last"), (vec![2, 3, 2, 2], (0..24).map(|i| i as f32 / 4.0).collect()));
    }
}

#[test]
fn what_is_saved_is_loaded_again_and_always_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/network.safetensors");
    let params = network(NETWORK);
    Weights::open(fixture("network.pth")).unwrap().load_into(&params, &LoadOptions::strict()).unwrap();
    let notes = BTreeMap::from([("licence", "none"), ("classes", "\"a\"\n\\b é \u{1}"), ("z", "1"), ("a", "2")]);
    let notes: BTreeMap<String, String> = notes.into_iter().map(|(k, v)| (k.into(), v.into())).collect();
    save(&params, &path, &notes).unwrap();
    let first = std::fs::read(&path).unwrap();
    save(&params, &path, &notes).unwrap();
    assert!(first == std::fs::read(&path).unwrap());
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);

    let weights = Weights::open(&path).unwrap();
    assert_eq!(weights.metadata(), &notes);
    assert_eq!(weights.names().collect::<Vec<_>>(), NETWORK.map(|(name, _)| name));
    let again = network(NETWORK);
    weights.load_into(&again, &LoadOptions::strict()).unwrap();
    for (i, (name, _)) in NETWORK.into_iter().enumerate() {
        assert_eq!(numbers(again.get(name).unwrap().var()), expected(i));
    }
    let theirs = candle_core::safetensors::load(&path, &candle_core::Device::Cpu).unwrap();
    assert_eq!((theirs.len(), numbers(&theirs["fc.bias"])), (7, expected(6)));
}

#[test]
fn the_network_is_found_beside_other_tensors_and_in_python_2s_dictionaries() {
    let (w, tensor) = (text("w"), tensor(4, 1, &[2], &[1]));
    let inner = [b"}".as_slice(), &w, &tensor, b"s"].concat();
    let names = |program: &[&[u8]]| open(with_program(program)).unwrap().names().collect::<Vec<_>>().join(" ");
    assert_eq!(names(&[b"}", &text("best"), &tensor, b"s", &text("state_dict"), &inner, b"s"]), "w");
    assert_eq!(names(&[b"}", &text("model"), b"}", &text("net"), &inner, b"ss"]), "w");
    assert_eq!(names(&[b"}", &text("mine"), &inner, b"s", &text("epoch"), b"K\x01s"]), "w");
    assert_eq!(names(&[b"}", &text("model"), b"}s", &w, &tensor, b"s"]), "w");
    assert_eq!(names(&[b"ccollections\nOrderedDict\n]]U\x01wa", &tensor, b"aa\x85R"]), "w");
    let two = [b"}".as_slice(), &text("a"), &inner, b"s", &text("b"), &inner, b"s"].concat();
    assert!(refusal(with_program(&[&two])).ends_with("its keys are [`a`, `b`]"));
}

#[test]
fn an_empty_file_of_tensors_and_static_bytes_are_fine() {
    let bytes: &'static [u8] = safetensors_file(&[]).leak();
    assert_eq!(Weights::from_bytes("embedded", bytes).unwrap().names().len(), 0);
    let weights = open(safetensors_file(&[("a", &[2], vec![1.0, f32::NAN])])).unwrap();
    assert!(numbers(&weights.tensor("a").unwrap())[1].is_nan());
    let error = weights.tensor("b").unwrap_err().to_string();
    assert_eq!(error, "a.file: holds no tensor called `b`");
    assert_eq!(tallow::cli::exit_code(&Weights::open("/nowhere/at.all").err().unwrap()), 3);
}

#[test]
fn the_embedded_network_is_the_published_one_in_half_precision() {
    let weights = Weights::from_bytes("EfficientNet-Lite0", tallow_datasets::efficientnet_lite0::weights()).unwrap();
    // 49 convolutions, each with a batch norm of four tensors, and a linear layer of two.
    assert_eq!((weights.names().len(), weights.metadata()["licence"].as_str()), (247, "Apache-2.0"));
    assert!(weights.names().all(|name| !name.ends_with("num_batches_tracked")));
    assert_eq!(weights.shape("_fc.weight").unwrap(), [1000, 1280]);
    let count: usize = weights.names().map(|name| weights.shape(name).unwrap().iter().product::<usize>()).sum();
    assert_eq!(count, 4_694_024);
    // {k: v.half().double().sum() for k, v in torch.load("efficientnet-lite0-57934424.pth").items()}
    for (name, sum) in [
        ("_conv_stem.weight", -26.81399357318878),
        ("_blocks.0._bn1.running_var", 96.6141357421875),
        ("_fc.bias", -0.0497775673866272),
    ] {
        let got: f64 = numbers(&weights.tensor(name).unwrap()).iter().map(|&v| f64::from(v)).sum();
        assert!((got - sum).abs() < 1e-9 * sum.abs(), "{name}: {got}");
    }
}
