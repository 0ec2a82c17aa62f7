//! What is on this machine is used without a network, if it is right.

use super::{COMMIT, Machine, payload, pinned, sha256, tree, write};
use tallow::Error;
use tallow::models::hub::HubFile;

/// Puts bytes into the cache as Python does.
#[cfg(unix)]
fn python_cached(machine: &Machine, bytes: &[u8], commit: &str) -> std::path::PathBuf {
    let blob = machine.repo().join("blobs").join(sha256(bytes));
    write(&blob, bytes);
    write(machine.repo().join("refs/main"), commit);
    let pointer = machine.repo().join("snapshots").join(commit).join("model.safetensors");
    std::fs::create_dir_all(pointer.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(format!("../../blobs/{}", sha256(bytes)), &pointer).unwrap();
    pointer
}

#[cfg(unix)]
#[test]
fn what_python_cached_is_found_under_its_commit_its_branch_and_its_hash() {
    let machine = Machine::offline();
    let bytes = payload(3000);
    let pointer = python_cached(&machine, &bytes, COMMIT);
    assert_eq!(machine.fetch(&pinned(&bytes)).unwrap(), pointer);
    assert_eq!(
        machine.fetch(&HubFile { revision: None, sha256: None, bytes: None, ..pinned(&bytes) }).unwrap(),
        pointer
    );
    // Another commit with the same file.
    let other = HubFile { revision: Some("ffffffffffffffffffffffffffffffffffffffff"), ..pinned(&bytes) };
    assert_eq!(machine.fetch(&other).unwrap(), machine.repo().join("blobs").join(sha256(&bytes)));
    assert!(machine.heard().is_empty());
}

#[test]
fn a_file_copied_to_its_place_by_hand_is_found() {
    let machine = Machine::offline();
    let bytes = payload(3000);
    let file = pinned(&bytes);
    let place = file.path(&machine.config);
    assert_eq!(place, machine.repo().join("snapshots").join(COMMIT).join("model.safetensors"));
    write(&place, &bytes);
    assert_eq!(machine.fetch(&file).unwrap(), place);

    let machine = Machine::offline();
    let unpinned = HubFile { revision: None, ..file };
    let place = unpinned.path(&machine.config);
    assert!(machine.refusal(&unpinned).ends_with(&format!("put it at {}", place.display())));
    write(&place, &bytes);
    assert_eq!(machine.fetch(&unpinned).unwrap(), place);
}

#[test]
fn without_a_network_the_message_says_which_file_to_put_where() {
    let machine = Machine::offline();
    let bytes = payload(3000);
    let file = pinned(&bytes);
    let place = file.path(&machine.config);
    let url = format!("http://127.0.0.1:9/timm/tiny/resolve/{COMMIT}/model.safetensors");
    assert_eq!(
        machine.refusal(&file),
        format!(
            "cannot get model.safetensors (3.0 kB) of timm/tiny: it is not on this machine, and the network is out of \
             bounds (--offline or HF_HUB_OFFLINE); run without them, or download {url} elsewhere and put it at {}",
            place.display()
        )
    );
    assert!(tree(machine.folder.path()).is_empty());
}

#[test]
fn a_damaged_file_in_the_cache_is_named_with_what_was_expected_and_found() {
    let bytes = payload(3000);
    let file = pinned(&bytes);
    let mut flipped = bytes.clone();
    flipped[1500] ^= 1;
    let hashes = format!("expected sha256 {}, got sha256 {}, ", sha256(&bytes), sha256(&flipped));
    let cases = [(&bytes[..2999], "expected 3000 bytes, got 2999 bytes, "), (&flipped, hashes.as_str())];
    for (damaged, expected) in cases {
        let machine = Machine::offline();
        let place = file.path(&machine.config);
        write(&place, damaged);
        let message = machine.refusal(&file);
        assert!(message.contains(&format!("{} is damaged: {expected}", place.display())), "{message}");
    }
}

#[test]
fn names_that_lead_out_of_the_cache_are_refused() {
    let machine = Machine::offline();
    let bytes = payload(10);
    for file in [
        HubFile { file: "../model.safetensors", ..pinned(&bytes) },
        HubFile { file: "/etc/passwd", ..pinned(&bytes) },
        HubFile { file: "", ..pinned(&bytes) },
        HubFile { repo: "tiny", ..pinned(&bytes) },
        HubFile { repo: "../tiny", ..pinned(&bytes) },
        HubFile { revision: Some("main"), ..pinned(&bytes) },
        HubFile { revision: Some("../../../../../../../../../../../etc/pass"), ..pinned(&bytes) },
    ] {
        assert!(matches!(machine.fetch(&file), Err(Error::Config { .. })), "{file:?}");
    }
    // A branch that a file says to stand elsewhere.
    write(machine.repo().join("refs/main"), "../../../elsewhere");
    write(machine.folder.path().join(".cache/elsewhere/model.safetensors"), &bytes);
    let message = machine.refusal(&HubFile { revision: None, sha256: None, ..pinned(&bytes) });
    assert!(message.contains("it is not on this machine"), "{message}");
}

#[cfg(not(feature = "hub"))]
#[test]
fn without_the_feature_the_message_says_how_to_get_it() {
    let machine = Machine::new("https://huggingface.co");
    let message = machine.refusal(&pinned(&payload(3000)));
    let what = "it is not on this machine, and this program was built without the feature `hub`, which fetches it; \
                rebuild with `--features hub`, or download https://huggingface.co/timm/tiny/resolve/";
    assert!(message.contains(what), "{message}");
}
