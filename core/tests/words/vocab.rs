//! Vocabularies: which tokens, in which order, under which numbers.

use tallow::words::{Corpus, SPECIAL, TextVocab, Tokenizer, VocabSize, readable, without_marks};

fn vocab(words: &str, min_freq: usize, max_vocab: usize) -> Vec<String> {
    let mut corpus = Corpus::default();
    corpus.push(&words.split(' ').collect::<Vec<_>>());
    TextVocab::fit(&corpus, VocabSize { min_freq, max_vocab }).tokens().to_vec()
}

fn with_special(words: &str) -> Vec<&str> {
    SPECIAL.into_iter().chain(words.split(' ')).collect()
}

#[test]
fn a_vocabulary_is_fastais() {
    // fastai 2.8.12, make_vocab. Equally frequent tokens come in the order in which they were met.
    let ties = with_special("d b c a e xxfake xxfake");
    assert_eq!(vocab("d b c a b c a d e e f", 2, 60_000), ties);
    // Eight more where the size is a multiple of eight.
    let fakes = ["xxfake"; 8].join(" ");
    let exact = format!("a b c d e f g {fakes}");
    assert_eq!(vocab("a a a b b b c c c d d d e e e f f f g g g", 3, 60_000), with_special(&exact));
    // The maximal size does not count those that fill it up.
    let ten = with_special("a xxfake xxfake xxfake xxfake xxfake xxfake");
    assert_eq!(vocab("a a a b b b c c c d d d", 1, 10), ten);
    assert_eq!(vocab("xxbos xxbos xxbos xxmaj xxmaj xxmaj a a a", 3, 60_000), ten);
}

#[test]
fn unknown_words_are_number_0_and_files_are_read_back() {
    let corpus = Tokenizer::default().corpus(&["a good film", "a bad film"]);
    let vocab = TextVocab::fit(&corpus, VocabSize { min_freq: 2, max_vocab: 100 });
    assert_eq!(vocab.ids(&["xxbos", "film", "nowhere", "xxfake"]), [2, 10, 0, 0]);
    assert_eq!(vocab.encode(&corpus), [[2, 9, 0, 10], [2, 9, 0, 10]]);
    assert_eq!((vocab.token(10), vocab.token(99_999), vocab.find("nowhere")), ("film", "xxunk", None));

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("vocab.json");
    vocab.save(&file).unwrap();
    assert_eq!(TextVocab::read(&file).unwrap(), vocab);
    for (text, what) in [
        ("{}", "not a vocabulary"),
        ("[1]", "not a vocabulary"),
        ("[\"the\"]", "first word should be `xxunk`"),
        ("[]", "first word"),
        ("[\"xxunk\", \"the\", \"the\"]", "`the` twice"),
    ] {
        std::fs::write(&file, text).unwrap();
        let error = TextVocab::read(&file).unwrap_err().to_string();
        assert!(error.contains(what) && error.contains("vocab.json"), "{error}");
    }
}

#[test]
fn marks_are_undone_for_people() {
    let words = |tokens: &str| without_marks(&tokens.split(' ').collect::<Vec<_>>()).join(" ");
    // As fastai's decode_spec_tokens.
    assert_eq!(words("xxbos xxmaj hello xxup wow xxrep 3 !"), "xxbos Hello WOW !!!");
    assert_eq!(
        (words("xxrep x y"), words("xxmaj xxup a b"), words("xxwrep 2 xxmaj ok")),
        ("y".into(), "A b".into(), "Ok".into())
    );
    assert_eq!((words("xxrep 3"), words("xxmaj mcDONALD")), (String::new(), "Mcdonald".into()));
    // fastai says `!!! 4 4 4 no no no way way way` here, since it forgets no count.
    assert_eq!(words("xxrep 3 ! xxwrep 4 no way"), "!!! no no no no way");
    // A network may write any number.
    assert_eq!(words("xxrep 9999999 !").len(), 1000);

    let text = "That's \"it,\" she said (twice)... It isn't a rock-and-roll film!!!";
    assert_eq!(readable(&Tokenizer::default().tokens(text)), text.replace("...", "…"));
}
