//! The classification report, to the letter.

use super::expected;
use tallow::metrics::{Confusion, classification_report};

#[test]
fn reports_are_scikit_learns_to_the_letter() {
    let cases = expected("reports").as_array().unwrap();
    for case in cases {
        let labels = |what: &str| -> Vec<u32> {
            case[what].as_array().unwrap().iter().map(|label| label.as_u64().unwrap() as u32).collect()
        };
        let names: Vec<&str> = case["names"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        let confusion = Confusion::new(names.len(), &labels("predicted"), &labels("actual")).unwrap();
        assert_eq!(classification_report(&confusion, &names, 2).unwrap(), case["text"].as_str().unwrap());
    }
    assert_eq!(cases.len(), 120);
}
