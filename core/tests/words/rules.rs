//! fast.ai's rules, one by one and together.

use crate::{reference, strings};
use tallow::words::{Rule, Tokenizer};

#[test]
fn each_rule_does_what_fastai_does() {
    let reference = reference();
    let texts = strings(&reference["rules"]["strings"]);
    for rule in Rule::ALL {
        let name = serde_json::to_value(rule).unwrap();
        let expected = strings(&reference["rules"][name.as_str().unwrap()]);
        for (text, expected) in texts.iter().zip(expected) {
            assert_eq!(rule.apply(text), expected, "{rule:?} of {text:?}");
        }
    }
}

#[test]
fn rules_and_words_together_are_fastais_tokens() {
    let reference = reference();
    let texts = strings(&reference["rules"]["strings"]);
    for (text, expected) in texts.iter().zip(strings(&reference["rules"]["pipeline"])) {
        assert_eq!(Tokenizer::default().tokens(text).join(" "), expected, "{text:?}");
    }
    // fastai's BaseTokenizer.
    let tokens = |text: &str| Tokenizer::spaces().tokens(text);
    assert_eq!(tokens(""), [""]);
    assert_eq!(tokens(" "), ["", ""]);
    assert_eq!(tokens("A b\tC"), ["A", "b\tC"]);
}

#[test]
fn several_repeated_words_and_marks_at_the_ends() {
    // What fastai's regular expressions do where one match ends and the next could begin.
    for (text, expected) in [
        ("a a a b b b", " xxwrep 3 a  b b b"),
        ("a a a  b b b", " xxwrep 3 a   xxwrep 3 b "),
        (" no no no", " xxwrep 3 no "),
        ("no no no nope", " xxwrep 3 no  nope"),
        ("no\nno\tno.", " xxwrep 3 no ."),
        ("x_1 x_1 x_1!", " xxwrep 3 x_1 !"),
        ("(no no no)", "(no no no)"),
        ("no no", "no no"),
    ] {
        assert_eq!(Rule::ReplaceWrep.apply(text), expected, "{text:?}");
    }
}
