//! English words against spaCy.

use crate::{reference, strings};
use std::time::{Duration, Instant};
use tallow::words::english_tokens;

#[test]
fn tricky_strings_have_spacys_tokens() {
    let reference = reference();
    let words = reference["words"].as_array().unwrap();
    assert_eq!(words.len(), 146);
    for case in words {
        let text = case[0].as_str().unwrap();
        assert_eq!(english_tokens(text), strings(&case[1]), "{text:?}");
    }
}

#[test]
fn what_the_list_leaves_out_is_spacys_too() {
    // spaCy 3.8.18: marks inside of a word that follow each other; letters in title case.
    for (text, expected) in [
        ("a😀…b 39;''Z9😀…%", "a 😀 … b 39;''Z9 😀 … %"),
        ("°）x a♥b♥ ^a", "° ） x a ♥ b ♥ ^a"),
        ("ǅ. aǅ. É.", "ǅ. aǅ. É."),
    ] {
        assert_eq!(english_tokens(text), expected.split(' ').collect::<Vec<_>>());
    }
}

#[test]
fn tokens_are_the_text_without_single_spaces() {
    let text = "\0 \u{7}bell\u{1b}[31m (\u{202e}x) \u{feff}a..b'''s \u{1f}\u{1f} $5km² :-):-( don't…";
    let tokens = english_tokens(text);
    assert_eq!(tokens.concat().replace(' ', ""), text.replace(' ', ""));
    assert!(english_tokens("").is_empty());
}

#[test]
fn long_words_take_no_longer_than_others() {
    // What a careless tokenizer goes through again for each mark, address or piece: seconds become hours.
    for unit in ["()", "a@a.", "'s", "1+", ":-)x", "a.B", "-", "..x", "\u{a0}", "http://a.b", "5km", "&amp;"] {
        let text = unit.repeat(300_000 / unit.len());
        let started = Instant::now();
        assert_eq!(english_tokens(&text).concat(), text);
        assert!(started.elapsed() < Duration::from_secs(5), "{unit}: {:?}", started.elapsed());
    }
}
