//! Text: is a review positive?

use crate::fetched::fetched;
use tallow::Result;
use tallow::cli::Session;
use tallow::data::TextBlock;
use tallow::interpret::show_batch;
use tallow::text_learner::{PretrainedText, TextConfig, text_classifier_learner};
use tallow::train::accuracy;

// --- Text ------------------------------------------------------------------------------------------------------------

pub(crate) fn sentiment(s: &mut Session) -> Result<()> {
    s.section("Is the review positive?");
    s.text(
        "
        The last kind of data in this lesson is text. Words become numbers too: a text is cut into **tokens**, each
        token has a place in a vocabulary, and what is rare becomes `xxunk`. The source takes an AWD-LSTM pretrained on
        Wikipedia and fine-tunes it on a thousand film reviews; it then classifies 84.5 % of the validation reviews
        correctly.
        ",
    );
    let Some(folder) = fetched(s, "imdb_sample")? else {
        s.say(
            "left out: no reviews are part of the program, since none that we know has a licence for it; `cargo xtask \
             fetch-data --only imdb_sample` gets the source's",
        );
        return Ok(());
    };
    s.data("IMDB: 1,000 reviews of films, fetched (Maas and others, 2011)");
    let block = TextBlock::csv(folder.join("texts.csv")).text("text").target("label").seed(s.seed);
    let dls = block.listener(s.listener()).dataloaders(16)?;
    s.figure("reviews_batch", "Reviews of a training batch, as the network reads them.", show_batch(&dls.train, 3)?)?;

    let wikipedia = fetched(s, "wt103_fwd")?.map(PretrainedText::open).transpose()?;
    let (word, width, layers) = if wikipedia.is_some() { (400, 1152, 3) } else { (100, 256, 3) };
    let config = TextConfig::default()
        .size(word, width, layers)
        .drop_mult(0.5)
        .metrics([accuracy()])
        .device(&s.device)
        .listener(s.listener())
        .checkpoints(s.checkpoints("reviews"));
    let mut learn = text_classifier_learner(&dls, config)?;
    match &wikipedia {
        Some(published) => {
            s.data("an AWD-LSTM that has read Wikipedia, fetched (fast.ai)");
            let unknown = learn.load_pretrained(published)?;
            s.say(format!("{unknown} words of the reviews are new to it"));
            learn.fine_tune(if s.quick { 1 } else { 4 }, 1e-2)?;
        }
        None => learn.fit_one_cycle(if s.quick { 1 } else { 5 }, 1e-2)?,
    }
    s.history("reviews", learn.recorder())?;
    s.check("text: accuracy", &learn.recorder().metric(0))?;
    let results = learn.show_results(5)?;
    s.table(&results.columns, &results.rows);
    s.say(format!("I really liked the movie!: {}", learn.predict("I really liked the movie!")?));
    s.text(
        "
        Without a model that has read Wikipedia, the network is a smaller one with random weights, for which a thousand
        reviews are too few. `cargo xtask fetch-data --only wt103_fwd` gets the source's, and this section uses it.
        ",
    );
    Ok(())
}
