//! Where the weights of an architecture are looked for, and what is made of them.

use super::{Machine, payload, write};
use candle_core::Device;
use std::collections::BTreeMap;
use std::path::Path;
use tallow::Error;
use tallow::models::Arch;
use tallow::models::hub::{PublishedWeights, WeightsSource, pretrained, weights};
use tallow::models::weights::save;
use tallow::nn::Params;
use tallow::rng::Rng;

fn params(seed: u64) -> Params {
    Params::new(&Rng::new(seed), &Device::Cpu)
}

fn find(machine: &Machine, arch: Arch) -> tallow::Result<PublishedWeights> {
    weights(arch, &machine.config, &machine.listener())
}

fn path(found: &PublishedWeights) -> &Path {
    match &found.source {
        WeightsSource::File(path) => path,
        WeightsSource::Embedded => panic!("embedded"),
    }
}

#[test]
fn what_is_missing_is_named_with_its_address_and_its_place() {
    let machine = Machine::offline();
    let message = find(&machine, Arch::ResNet34).unwrap_err().to_string();
    let place = machine.folder.path().join("data/weights/resnet34.safetensors");
    assert_eq!(
        message,
        format!(
            "cannot get model.safetensors (87.3 MB) of timm/resnet34.tv_in1k: it is not on this machine, and the \
             network is out of bounds (--offline or HF_HUB_OFFLINE); run without them, or download \
             http://127.0.0.1:9/timm/resnet34.tv_in1k/resolve/\
             1b7b21cca82ff974d341713f777bf740c2db38c4/model.safetensors elsewhere and put it at {}",
            place.display()
        )
    );
    // No file with these is known on the Hub.
    let error = find(&machine, Arch::ResNet101).unwrap_err();
    assert_eq!(tallow::cli::exit_code(&error), 3);
    let place = machine.folder.path().join("data/weights/resnet101-63fe2227.pth");
    assert_eq!(
        error.to_string(),
        format!(
            "cannot get resnet101-63fe2227.pth: the weights of resnet101 are not on this machine, and no file with \
             them is known on the Hub; download https://download.pytorch.org/models/resnet101-63fe2227.pth and put it \
             at {}",
            place.display()
        )
    );
}

#[test]
fn files_put_there_by_hand_come_first_and_say_which_images_they_want() {
    let machine = Machine::offline();
    let by_hand = |name: &str| machine.folder.path().join("data/weights").join(name);
    let torch = |name: &str| machine.folder.path().join(".cache/torch/hub/checkpoints").join(name);

    // SHA-256("abc") begins with ba7816bf (FIPS 180-2), so "abc" is whole under a name that ends so, and under no
    // other.
    let name = Arch::MobileNetV3Large.facts().published.file;
    write(torch(name), "abc");
    assert!(find(&machine, Arch::MobileNetV3Large).unwrap_err().to_string().contains("it is not on this machine"));
    write(by_hand(name), "abc");
    let error = find(&machine, Arch::MobileNetV3Large).unwrap_err();
    let expected = "is damaged: expected a sha256 that begins with 8738ca79, got ba7816bf";
    assert!(matches!(error, Error::File { .. }) && error.to_string().contains(expected), "{error}");
    std::fs::remove_file(by_hand(name)).unwrap();

    // torchvision's weights want torchvision's epsilon, timm's want timm's.
    write(by_hand("mobilenet_v3_large.pth"), "abc");
    let found = find(&machine, Arch::MobileNetV3Large).unwrap();
    assert_eq!((path(&found), found.recipe.norm_eps), (&*by_hand("mobilenet_v3_large.pth"), None));
    assert_eq!((found.licence, found.top1), ("bsd-3-clause", Some(74.042)));
    write(by_hand("mobilenet_v3_large.safetensors"), "abc");
    let found = find(&machine, Arch::MobileNetV3Large).unwrap();
    assert_eq!((path(&found), found.recipe.norm_eps), (&*by_hand("mobilenet_v3_large.safetensors"), Some(1e-5)));
    assert_eq!((found.licence, found.top1), ("apache-2.0", Some(75.784)));

    // One that is not the published file is used with a remark.
    assert!(machine.heard().is_empty());
    write(by_hand("resnet18.safetensors"), payload(10));
    find(&machine, Arch::ResNet18).unwrap();
    assert!(machine.heard()[0].contains("is not the file of timm/resnet18.tv_in1k (10 bytes, not 46807446 bytes)"));
}

#[test]
fn a_network_has_the_weights_of_its_file_and_a_new_head_for_other_classes() {
    let machine = Machine::offline();
    let theirs = params(1);
    Arch::SqueezeNet1_1.build(1000, &theirs).unwrap();
    let file = machine.folder.path().join("data/weights/squeezenet1_1.safetensors");
    save(&theirs, &file, &BTreeMap::new()).unwrap();
    let values =
        |params: &Params, name: &str| params.get(name).unwrap().var().flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let (first, head) = ("features.0.weight", "classifier.1.weight");

    let ours = params(2);
    let whole = pretrained(Arch::SqueezeNet1_1, 1000, &ours, &machine.config, &machine.listener()).unwrap();
    assert_eq!(whole.report.to_string(), "loaded 52 of 52 tensors");
    assert_eq!(path(&whole.weights), file);
    assert_eq!((values(&ours, first), values(&ours, head)), (values(&theirs, first), values(&theirs, head)));

    let ours = params(2);
    let three = pretrained(Arch::SqueezeNet1_1, 3, &ours, &machine.config, &machine.listener()).unwrap();
    let misshapen: Vec<&str> = three.report.misshapen.iter().map(|tensor| &*tensor.name).collect();
    assert_eq!((three.report.loaded.len(), misshapen), (50, vec!["classifier.1.weight", "classifier.1.bias"]));
    assert_eq!(values(&ours, first), values(&theirs, first));
    assert_eq!(ours.get(head).unwrap().dims(), [3, 512, 1, 1]);

    // A file of another network changes nothing.
    let other = params(2);
    save(&ours, machine.folder.path().join("data/weights/squeezenet1_0.safetensors"), &BTreeMap::new()).unwrap();
    let loaded = pretrained(Arch::SqueezeNet1_0, 1000, &other, &machine.config, &machine.listener());
    assert!(matches!(loaded, Err(Error::File { .. })));
}

#[cfg(feature = "efficientnet-lite0")]
#[test]
fn efficientnet_lite0_is_in_the_program() {
    let machine = Machine::offline();
    let ours = params(1);
    let network = pretrained(Arch::EfficientNetLite0, 1000, &ours, &machine.config, &machine.listener()).unwrap();
    assert_eq!(network.weights.source, WeightsSource::Embedded);
    assert_eq!((network.report.loaded.len(), network.report.missing.len()), (247, 0));
    assert_eq!(network.weights.recipe.preprocess.size, 224);
}

#[cfg(not(feature = "efficientnet-lite0"))]
#[test]
fn efficientnet_lite0_is_missing_without_its_feature() {
    let message = find(&Machine::offline(), Arch::EfficientNetLite0).unwrap_err().to_string();
    assert!(message.contains("rebuild with `--features efficientnet-lite0`"), "{message}");
}
