//! Which words decide.

use crate::{block, config, reviews};
use tallow::interpret::{Occlusion, decisive_words};
use tallow::text_learner::{TextClassifierLearner, text_classifier_learner};

const DECISIVE: [&str; 8] = ["great", "lovely", "fine", "superb", "dull", "awful", "poor", "tedious"];

fn learner() -> TextClassifierLearner {
    let dls = block(600).max_tokens(60).dataloaders(16).unwrap();
    let mut learner = text_classifier_learner(&dls, config()).unwrap();
    learner.fit_one_cycle(6, 2e-2).unwrap();
    learner
}

#[test]
fn the_words_that_decide_are_found() {
    let learner = learner();
    let predictor = learner.predictor();
    let texts: Vec<String> = reviews(60).into_iter().map(|(text, _)| text).collect();
    let all: Vec<Occlusion> = texts.iter().map(|text| Occlusion::of(&predictor, text, None).unwrap()).collect();
    let found = all.iter().filter(|one| DECISIVE.contains(&one.strongest(1)[0].text.trim())).count();
    assert!(found >= 54, "{found} of 60");
    // The classes' own words speak for them.
    let decisive = decisive_words(&all);
    let class = |word: &str| decisive.iter().find(|known| known.word == word).map(|known| known.class);
    assert!(DECISIVE[..4].iter().filter_map(|word| class(word)).all(|class| class == 1), "{decisive:?}");
    assert!(DECISIVE[4..].iter().filter_map(|word| class(word)).all(|class| class == 0), "{decisive:?}");
    assert!(DECISIVE.contains(&decisive[0].word.as_str()));

    // Each number is what is predicted of the text without the word.
    let text = "The film, SUPERB as a whole!";
    let one = Occlusion::of(&predictor, text, Some("pos")).unwrap();
    assert_eq!(one.words.iter().map(|word| word.text.as_str()).collect::<String>(), "The film, SUPERB as a whole!");
    let without = ["film, SUPERB as a whole!", "The film, as a whole!", "The film, SUPERB as a!"];
    for (place, text) in [0, 3, 6].into_iter().zip(without) {
        let expected = one.probability() - predictor.predict(text).unwrap().probabilities[1];
        // The first word takes its mark with it, and a text in which `film` is first has none either.
        assert!((one.words[place].fall - expected).abs() < 1e-5, "{}: {expected}, {one:?}", one.words[place].text);
        assert!((one.words[place].falls[0] + one.words[place].falls[1]).abs() < 1e-6);
    }
    assert!(one.words[3].is_known && !one.words[1].text.contains("xx"));
    let other = Occlusion::of(&predictor, text, Some("neg")).unwrap();
    assert!((other.words[3].fall + one.words[3].fall).abs() < 1e-9 && other.class == 0);
    let message = Occlusion::of(&predictor, text, Some("odd")).unwrap_err().to_string();
    assert!(message.contains("`odd`") && message.contains("neg, pos"), "{message}");
}

#[test]
fn odd_and_long_texts_have_words_too() {
    let predictor = learner().predictor();
    let none = Occlusion::of(&predictor, "", None).unwrap();
    assert!(none.words.iter().all(|word| word.fall == 0.0) && none.strongest(3).is_empty());
    let strange = Occlusion::of(&predictor, "xyzzy \u{0}\u{1b}[31m", None).unwrap();
    assert!(strange.words.iter().any(|word| !word.is_known));
    // The last 60 tokens are read, and looked at one by one.
    let long = (0..500).map(|i| format!("word{i} ")).collect::<String>() + &"the film ".repeat(40);
    let one = Occlusion::of(&predictor, &long, None).unwrap();
    assert_eq!((one.stretch, one.words.len()), (1, 60));
    assert!(one.words.iter().all(|word| !word.text.contains("word")));

    let dls = block(60).dataloaders(16).unwrap();
    let whole = text_classifier_learner(&dls, config()).unwrap().predictor();
    let one = Occlusion::of(&whole, &long, None).unwrap();
    assert!(one.stretch == 3 && (194..=200).contains(&one.words.len()), "{} in {}", one.words.len(), one.stretch);
    assert!(decisive_words(&[one]).is_empty());
}

#[test]
fn texts_that_are_read_backwards_are_looked_at_forwards() {
    let dls = block(400).backwards().dataloaders(16).unwrap();
    let mut learner = text_classifier_learner(&dls, config()).unwrap();
    learner.fit_one_cycle(6, 2e-2).unwrap();
    let one = Occlusion::of(&learner.predictor(), "the film as a whole tedious with the cast", None).unwrap();
    assert_eq!(one.strongest(1)[0].text, " tedious");
    assert_eq!((one.words[0].text.as_str(), one.words.len()), ("the", 9));
}
