//! JPEGs whose scans do not belong together.

use crate::fixtures;
use tallow::vision::{Image, Limits};

/// libjpeg: "Didn't expect more than one scan". Damage to a length makes such files, in which one picture lies over
/// another.
#[test]
fn a_second_scan_of_the_same_component_is_refused() {
    for name in ["420.jpg", "444.jpg", "grey.jpg"] {
        let whole = std::fs::read(fixtures().join("pictures").join(name)).unwrap();
        let scan = whole.windows(2).position(|pair| pair == [0xff, 0xda]).unwrap();
        let twice = [&whole[..whole.len() - 2], &whole[scan..]].concat();
        assert!(Image::decode(&whole, Limits::default()).is_ok());
        let error = Image::decode(&twice, Limits::default()).unwrap_err().to_string();
        assert!(error.contains("a second scan of a component"), "{name}: {error}");
    }
}
