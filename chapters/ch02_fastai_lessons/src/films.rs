//! Collaborative filtering: what will a user like?

use crate::fetched::{fetched, written};
use tallow::Result;
use tallow::cli::Session;
use tallow::collab_learner::{CollabConfig, collab_learner};
use tallow::data::RatingsBlock;
use tallow::interpret::show_batch;
use tallow::samples::{self, RatingRule};
use tallow::train::FineTune;

// --- Collaborative filtering -----------------------------------------------------------------------------------------

pub(crate) fn collaborative_filtering(s: &mut Session) -> Result<()> {
    s.section("Collaborative filtering");
    s.text(
        "
        Most systems that recommend things know nothing about the things. They know who liked what. **Collaborative
        filtering** gives each user and each film a vector of numbers, all random at first. The dot product of the two
        vectors, plus a bias for the user and one for the film, becomes the predicted rating; training adjusts all of
        these numbers until the predictions come close to the ratings.
        ",
    );
    let block = match fetched(s, "movie_lens_sample")? {
        Some(folder) => {
            s.data("MovieLens: 6,031 ratings of films, fetched (GroupLens)");
            RatingsBlock::csv(folder.join("ratings.csv"))
        }
        None => {
            s.data("12,000 ratings made by a known rule, embedded");
            s.say("Ratings made by a rule stand in until `cargo xtask fetch-data --only movie_lens_sample`.");
            let folder = written(s, "ratings", &samples::film_ratings(RatingRule::default(), s.seed))?;
            RatingsBlock::csv(folder.join("ratings.csv"))
        }
    };
    let dls = block.y_range(0.5, 5.5).seed(s.seed).listener(s.listener()).dataloaders(64)?;
    s.figure("ratings_batch", "Ratings of a training batch.", show_batch(&dls.train, 8)?)?;

    s.text(
        "
        Nothing is pretrained here, so `fit_one_cycle` would do; the source calls `fine_tune`, and so do we.
        ",
    );
    let config = CollabConfig::default().device(&s.device).listener(s.listener()).checkpoints(s.checkpoints("films"));
    let mut learn = collab_learner(&dls, config)?;
    learn.fine_tune(if s.quick { 1 } else { 10 }, FineTune::default())?;
    s.history("films", learn.recorder())?;
    let losses = learn.recorder().valid_losses();
    s.check("collab: valid_loss", &losses)?;
    let last = losses.last().copied().unwrap_or_default();
    s.metric("ratings_valid_loss", last);

    let results = learn.show_results(9)?;
    s.table(&results.columns, &results.rows);
    let biases = learn.baseline_mse()?;
    s.say(format!("mean squared error: the network {last:.4}, biases of users and films alone {biases:.4}"));
    s.text(
        "
        *What the source does not say*: a loss means little without a baseline. The second figure is that of a model
        that knows only how generous each user is and how popular each film, and nothing of taste. The difference
        between the two is what the network has learnt about taste. Ratings made by a rule have a lot of it; on the
        source's, a model of biases alone comes close to the network.
        ",
    );
    Ok(())
}
