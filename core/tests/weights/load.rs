//! What must fit, what may be left out, and that a failure changes nothing.

use super::{network, numbers, open, safetensors_file};
use tallow::models::weights::{LoadOptions, Weights};
use tallow::nn::Params;

const NETWORK: [(&str, &[usize]); 4] =
    [("conv.weight", &[2, 2]), ("bn.bias", &[2]), ("fc.weight", &[3, 2]), ("fc.bias", &[3])];

fn file(tensors: &[(&str, &[usize])]) -> Weights {
    let filled = |(name, shape): &(&'static str, &'static [usize])| (*name, *shape, vec![1.0; shape.iter().product()]);
    let tensors: Vec<(&'static str, &'static [usize])> =
        tensors.iter().map(|(name, shape)| (&*name.to_string().leak(), &*shape.to_vec().leak())).collect();
    open(safetensors_file(&tensors.iter().map(filled).collect::<Vec<_>>())).unwrap()
}

fn values(params: &Params) -> Vec<f32> {
    params.all().iter().map(|param| numbers(param.var())[0]).collect()
}

#[test]
fn strict_loading_lists_all_that_is_wrong_and_changes_nothing() {
    let params = network(NETWORK);
    let weights = file(&[
        ("conv.weight", &[2, 3]),
        ("bn.bias", &[2]),
        ("fc.weight", &[3, 2]),
        ("gc.bias", &[3]),
        ("x.num_batches_tracked", &[]),
    ]);
    let error = weights.load_into(&params, &LoadOptions::strict()).unwrap_err();
    assert_eq!(tallow::cli::exit_code(&error), 3);
    assert_eq!(
        error.to_string(),
        "a.file: does not fit the network: 1 missing: `fc.bias`; 1 unexpected: `gc.bias`; \
         1 of another shape: `conv.weight` ([2, 3] in the file, [2, 2] in the network)"
    );
    assert_eq!(values(&params), [-1.0; 4]);
    let many: Vec<String> = (0..11).map(|i| format!("x.{i}")).collect();
    let many = file(&many.iter().map(|name| (name.as_str(), [].as_slice())).collect::<Vec<_>>());
    let error = many.load_into(&params, &LoadOptions::strict()).unwrap_err().to_string();
    assert!(
        error.contains("4 missing: ")
            && error.ends_with("11 unexpected: `x.0`, `x.1`, `x.2`, `x.3`, `x.4`, `x.5`, `x.6`, `x.7` and 3 more"),
        "{error}"
    );
}

#[test]
fn partial_loading_takes_what_fits() {
    let params = network(NETWORK);
    let weights = file(&[("conv.weight", &[2, 3]), ("module.bn.bias", &[2]), ("gc.bias", &[3])]);
    let report = weights.load_into(&params, &LoadOptions::partial()).unwrap();
    assert_eq!(
        (&*report.loaded, &*report.missing),
        (&["bn.bias".to_string()][..], &["fc.weight".to_string(), "fc.bias".into()][..])
    );
    assert_eq!(
        report.to_string(),
        "loaded 1 of 4 tensors (1 renamed); 2 missing: `fc.weight`, `fc.bias`; 1 unexpected: `gc.bias`; \
         1 of another shape: `conv.weight` ([2, 3] in the file, [2, 2] in the network)"
    );
    assert_eq!(values(&params), [-1.0, 1.0, -1.0, -1.0]);
    let error = file(&[("gc.bias", &[3])]).load_into(&params, &LoadOptions::partial()).unwrap_err().to_string();
    assert!(error.contains("none of its tensors does; 4 missing: "), "{error}");
}

#[test]
fn a_new_head_keeps_its_first_values_and_nothing_else_may_differ() {
    let weights = file(&[("conv.weight", &[2, 2]), ("bn.bias", &[2]), ("fc.weight", &[1000, 2]), ("fc.bias", &[1000])]);
    let params = network(NETWORK);
    let report = weights.load_into(&params, &LoadOptions::new_head("fc")).unwrap();
    assert_eq!((report.loaded.len(), report.misshapen.len()), (2, 2));
    assert_eq!(values(&params), [1.0, 1.0, -1.0, -1.0]);

    // A head that fits is loaded.
    let same = file(&NETWORK);
    let params = network(NETWORK);
    assert_eq!(same.load_into(&params, &LoadOptions::new_head("fc")).unwrap().to_string(), "loaded 4 of 4 tensors");
    assert_eq!(values(&params), [1.0; 4]);

    // A head with other names: the file's own is passed over by name.
    let params = network([NETWORK[0], NETWORK[1], ("head.1.weight", &[3, 2])]);
    let error = weights.load_into(&params, &LoadOptions::new_head("head")).unwrap_err().to_string();
    assert!(error.contains("2 unexpected: `fc.weight`, `fc.bias`"), "{error}");
    let report = weights.load_into(&params, &LoadOptions::new_head("head").ignore("fc")).unwrap();
    assert_eq!((report.missing, values(&params)), (vec!["head.1.weight".to_string()], vec![1.0, 1.0, -1.0]));

    // Two heads, in a file by DataParallel, with a part that the network has not.
    let params = network([NETWORK[0], ("fc.bias", &[3]), ("aux.fc.bias", &[3])]);
    let wrapped = file(&[
        ("module.conv.weight", &[2, 2]),
        ("module.fc.bias", &[9]),
        ("module.aux.fc.bias", &[9]),
        ("module.fc.extra", &[1]),
        ("module.odd.bias", &[1]),
    ]);
    let heads = LoadOptions::new_head("fc").and_new_head("aux.fc").ignore("odd");
    assert_eq!(wrapped.load_into(&params, &heads).unwrap().loaded, ["conv.weight"]);

    let params = network(NETWORK);
    let short = file(&[("conv.weight", &[2, 2]), ("fc.weight", &[3, 2])]);
    let error = short.load_into(&params, &LoadOptions::new_head("fc")).unwrap_err().to_string();
    assert_eq!(error, "a.file: does not fit the network: 1 missing: `bn.bias`");
    let error = weights.load_into(&params, &LoadOptions::new_head("f")).unwrap_err().to_string();
    assert_eq!(error, "the network has no parameter under `f`, which should be its head");
    assert_eq!(values(&params), [-1.0; 4]);
}

#[test]
fn a_part_of_a_network_is_loaded_under_its_own_names() {
    let params = network([("0.conv.weight", [2, 2].as_slice()), ("1.fc", &[1])]);
    let report = file(&[("conv.weight", &[2, 2])]).load_into(&params.pp("0"), &LoadOptions::strict()).unwrap();
    assert_eq!((report.loaded, values(&params)), (vec!["conv.weight".to_string()], vec![1.0, -1.0]));
}
