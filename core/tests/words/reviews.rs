//! The polarity reviews: each of their 249,030 tokens.

use crate::polarity::reviews;
use tallow::words::{TextVocab, Tokenizer, VocabSize};

#[test]
fn tokens_and_numbers_of_all_reviews_are_fastais() {
    let Some((texts, _)) = reviews() else { return };
    let corpus = Tokenizer::default().corpus(&texts);
    let counts = corpus.counts();
    assert_eq!((corpus.len(), corpus.n_tokens(), counts.len()), (10_662, 249_030, 18_491));
    let count = |token: &str| counts.iter().find(|(known, _)| *known == token).map_or(0, |(_, n)| *n);
    assert_eq!((count("xxrep"), count("."), count("the"), count("'s")), (41, 14_010, 10_205, 3_537));
    let first = "xxbos it 's so laddish and juvenile , only teenage boys could possibly find it funny .";
    assert_eq!(corpus.tokens(1).join(" "), first);

    let vocab = TextVocab::fit(&corpus, VocabSize::default());
    assert_eq!((vocab.len(), &vocab.tokens()[9..13]), (7216, &[".", "the", ",", "a"].map(String::from)[..]));
    assert_eq!(vocab.tokens()[7212..], ["parallels", "xxfake", "xxfake", "xxfake"]);
    let ids = vocab.encode(&corpus);
    assert_eq!(ids[1], [2, 19, 18, 53, 0, 13, 2977, 11, 79, 1862, 814, 112, 1144, 237, 19, 84, 9]);
    assert_eq!(ids.iter().flatten().filter(|&&id| id == 0).count(), 14_170);
    // All numbers in order: h = (31 h + id) mod 2**32, of fastai's.
    let hash = ids.iter().flatten().fold(0u32, |hash, &id| hash.wrapping_mul(31).wrapping_add(id));
    assert_eq!(hash, 3_617_451_683);
    let larger = TextVocab::fit(&corpus, VocabSize { min_freq: 2, ..VocabSize::default() });
    assert_eq!((larger.len(), larger.tokens()[10_097].as_str()), (10_104, "octane"));
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let texts: Vec<String> = (0..9000).map(|i| format!("Text {i} isn't No. {} !!!", i % 7)).collect();
    let in_threads = |n: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
        pool.install(|| Tokenizer::default().corpus(&texts))
    };
    assert_eq!(in_threads(1), in_threads(3));
}
