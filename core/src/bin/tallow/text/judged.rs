//! How good a classifier of texts is, beside what, and by which words it goes.

use super::coloured::passage;
use serde_json::{Map, Value, json};
use tallow::cli::Session;
use tallow::data::{TextDataLoaders, TextLoader};
use tallow::interpret::{Interpretation, Occlusion, TextBaseline, TopLoss, decisive_words, text_baselines};
use tallow::text_learner::TextPredictor;
use tallow::{Error, Result};
use tallow_io::csv;

/// Texts whose words are shown in colours.
const SHOWN: usize = 8;

/// Judges by the validation texts and, looked at once, the test texts; says who wins. Gives what was predicted of the
/// validation texts.
pub(crate) fn judge(s: &mut Session, predictor: &TextPredictor, dls: &TextDataLoaders) -> Result<Interpretation> {
    s.run.section("What it gets right, and what not");
    let judged = figures(s, predictor, &dls.valid, "")?;
    let rows: Vec<Vec<String>> = judged
        .most_confused(1)
        .into_iter()
        .take(10)
        .map(|c| vec![c.actual, c.predicted, c.count.to_string()])
        .collect();
    if !rows.is_empty() {
        s.run.table(&["class", "taken for", "texts"], &rows);
    }
    s.run.file("predictions.csv", predictions(&judged, &dls.valid))?;
    beside(s, dls, &judged)?;
    if let Some(test) = &dls.test {
        s.run.section("The test texts, looked at once");
        figures(s, predictor, test, "test_")?;
    }
    Ok(judged)
}

/// Every metric, the report and the confusion matrix of one side.
fn figures(s: &mut Session, predictor: &TextPredictor, side: &TextLoader, prefix: &str) -> Result<Interpretation> {
    let judged = interpretation(predictor, side)?;
    for (name, value) in judged.metrics()? {
        s.run.metric(format!("{prefix}{name}"), value);
    }
    s.run.say(judged.classification_report()?);
    let caption = "How many texts of each class were taken for what.";
    s.run.figure(&format!("{prefix}confusion"), caption, &judged.plot_confusion_matrix().into())?;
    let report: Map<String, Value> = judged
        .class_scores()
        .into_iter()
        .map(|class| {
            let scores = class.scores;
            let row = json!({
                "precision": scores.precision, "recall": scores.recall, "f1": scores.f1, "support": class.support,
            });
            (class.class, row)
        })
        .collect();
    s.run.detail(&format!("{prefix}report"), report)?;
    let rows = judged.confusion().rows();
    s.run.detail(&format!("{prefix}confusion"), json!({ "classes": judged.vocab(), "rows_are_actual": rows }))?;
    Ok(judged)
}

/// What is predicted of one side, in the order of its texts.
fn interpretation(predictor: &TextPredictor, side: &TextLoader) -> Result<Interpretation> {
    let predictions = predictor.predict_loader(side)?;
    let rows: Vec<Vec<f64>> = predictions.into_iter().map(|prediction| prediction.probabilities).collect();
    let targets = side.dataset().targets();
    let labels: Vec<u32> = (0..rows.len()).flat_map(|i| targets.of(i).iter().copied()).collect();
    Interpretation::from_probabilities(&rows, &labels, side.classes().classes())
}

/// A row for each text, the largest loss first.
fn predictions(judged: &Interpretation, side: &TextLoader) -> String {
    let text = |text: &str| csv::text(text).into_owned();
    let heads = ["place", "class", "predicted", "loss"].map(String::from).into_iter();
    let heads = heads.chain(judged.vocab().iter().map(|class| text(&format!("probability of {class}"))));
    let rows = judged.top_losses(usize::MAX).into_iter().map(|item| {
        let place = &side.dataset().places()[item.index];
        let numbers = std::iter::once(&item.loss).chain(judged.probabilities(item.index));
        [text(place), text(&item.actual), text(&item.predicted)]
            .into_iter()
            .chain(numbers.map(|number| format!("{number:.6}")))
            .chain([text(&side.dataset().texts()[item.index])])
            .collect::<Vec<String>>()
    });
    csv::to_string(std::iter::once(heads.chain(["text".to_string()]).collect()).chain(rows))
}

/// The network beside simpler methods, and who wins.
fn beside(s: &mut Session, dls: &TextDataLoaders, judged: &Interpretation) -> Result<()> {
    s.run.section("Beside simpler methods");
    let reached = judged.confusion().accuracy();
    let n = judged.actual().len();
    let percent = |share: f64| format!("{:.1} per cent", 100.0 * share);
    let baselines = match text_baselines(dls) {
        Ok(baselines) => baselines,
        Err(Error::Value(why)) => {
            s.run.conclude(format!(
                "The network classifies {} of the {n} validation texts correctly. Simpler methods are not judged: \
                 {why}.",
                percent(reached)
            ));
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let loss = judged.losses().iter().sum::<f64>() / n.max(1) as f64;
    let row = |name: &str, accuracy: f64, loss: f64| vec![name.into(), format!("{accuracy:.4}"), format!("{loss:.4}")];
    let mut rows = vec![row("this network", reached, loss)];
    rows.extend(baselines.iter().map(|b| row(b.name, b.accuracy, b.log_loss)));
    s.run.table(&["method", "accuracy", "log loss"], &rows);
    let detail: Vec<Value> =
        baselines.iter().map(|b| json!({ "name": b.name, "accuracy": b.accuracy, "log_loss": b.log_loss })).collect();
    s.run.detail("baselines", detail)?;
    let first = |best: &TextBaseline, b: &TextBaseline| b.accuracy > best.accuracy;
    let best = baselines.iter().fold(&baselines[0], |best, b| if first(best, b) { b } else { best });
    let (ours, theirs) = (percent(reached), percent(best.accuracy));
    let ahead = 100.0 * (reached - best.accuracy);
    // Two standard errors of a share of n texts, in points of a hundred.
    let error = |share: f64| 200.0 * (share * (1.0 - share) / n.max(1) as f64).sqrt();
    let chance = error(reached).max(error(best.accuracy));
    let verdict = match ahead {
        _ if ahead > chance => "The network wins",
        _ if -ahead > chance => "The simpler method wins",
        _ if ahead > 0.0 => "The network is ahead by too little to tell",
        _ if ahead < 0.0 => "The simpler method is ahead by too little to tell",
        _ => "Neither wins",
    };
    s.run.conclude(format!(
        "{verdict}: of {n} validation texts the network classifies {ours} correctly, and {} {theirs}. With so many \
         texts, up to about {chance:.1} points may be chance.",
        best.name
    ));
    s.run.text(
        "All methods were trained with the same texts and judged by the same others. Tf-idf weighs each word and each \
         pair of words by how rare it is, and logistic regression adds the weights up; it fits in seconds, and is the \
         method to beat on texts. If the best of several settings was chosen by these texts, they flatter it: new ones \
         would tell.",
    );
    Ok(())
}

/// The worst mistakes and other texts with their words in colours, and the words that decide in many of them.
pub(crate) fn words(
    s: &mut Session,
    predictor: &TextPredictor,
    dls: &TextDataLoaders,
    judged: &Interpretation,
    n: usize,
) -> Result<()> {
    if n == 0 {
        return Ok(());
    }
    s.run.section("Which words decide");
    s.run.text(
        "Each word is left out in turn. The more probable the class was with it, the stronger is its blue, underlined; \
         a word without which the class would be more probable is orange, with a dashed line. Under a pointer each \
         says by how much.",
    );
    let valid = dls.valid.dataset();
    let classes = dls.classes().classes();
    let heading = |item: &TopLoss| {
        let place = &valid.places()[item.index];
        let verdict = if item.is_right() { "recognised".to_string() } else { format!("taken for {}", item.predicted) };
        format!("{place}: {}, {verdict} ({:.3}), loss {:.2}", item.actual, item.probability, item.loss)
    };
    let all = judged.top_losses(usize::MAX);
    let listener = s.run.listener();
    let shown = |items: Vec<&TopLoss>| -> Result<Vec<tallow::report::Passage>> {
        let coloured = |item: &&TopLoss| {
            listener.stop_if_interrupted()?;
            let occlusion = Occlusion::of(predictor, &valid.texts()[item.index], Some(&item.predicted))?;
            Ok(passage(heading(item), &occlusion, classes))
        };
        items.iter().map(coloured).collect()
    };
    let worst = shown(all.iter().filter(|item| !item.is_right()).take(SHOWN).collect())?;
    match worst.is_empty() {
        true => s.run.say("No validation text was taken for another class."),
        false => {
            s.run.text("**The worst mistakes**, and what speaks for the class that they were taken for:");
            s.run.passages(&worst);
        }
    }
    // Over all losses, so that easy and hard ones are among them.
    let every = |n: usize| all.iter().step_by(all.len().div_ceil(n).max(1)).take(n);
    let right = shown(every(SHOWN).filter(|item| item.is_right()).collect())?;
    if !right.is_empty() {
        s.run.text("**Texts that it recognised**, and what speaks for their class:");
        s.run.passages(&right);
    }
    let task = listener.task("leaving out words", n.min(all.len()));
    let mut occlusions = Vec::new();
    for (i, item) in every(n).enumerate() {
        listener.stop_if_interrupted()?;
        occlusions.push(Occlusion::of(predictor, &valid.texts()[item.index], None)?);
        task.progress(i + 1, "");
    }
    drop(task);
    let all = decisive_words(&occlusions);
    // A word of a single text may decide there by chance.
    let at_least = if all.iter().any(|word| word.texts > 1) { 2 } else { 1 };
    let decisive: Vec<_> = all.into_iter().filter(|word| word.texts >= at_least).take(20).collect();
    let rows: Vec<Vec<String>> = decisive
        .iter()
        .map(|w| vec![w.word.clone(), classes[w.class].clone(), format!("{:.3}", w.fall), w.texts.to_string()])
        .collect();
    if !rows.is_empty() {
        s.run.text(format!(
            "Words of {} validation texts by how much they decide in all of them together: how much less probable the \
             class is without the word, in the mean of the texts that have it.",
            occlusions.len()
        ));
        s.run.table(&["word", "speaks for", "by", "texts"], &rows);
    }
    let detail: Vec<Value> = decisive
        .iter()
        .map(|w| json!({ "word": w.word, "class": classes[w.class], "fall": w.fall, "texts": w.texts }))
        .collect();
    s.run.detail("decisive_words", detail)
}
