//! The learner finds the factors that ratings are made of.

use crate::common::{assert_close, assert_same_bits, values};
use crate::{known_ratings, titles};
use candle_core::Device;
use std::path::Path;
use std::time::Duration;
use tallow::collab_learner::{CollabConfig, CollabLearner, RatingPredictor, collab_learner, load_collab_on};
use tallow::data::{CollabDataLoaders, KnownRatings, RatingsBlock, Table};
use tallow::interpret::{plot_biased_items, plot_items};
use tallow::train::{Callback, Checkpoints, TrainState};
use tallow::{Error, Result};

fn dls(folder: &Path) -> CollabDataLoaders {
    std::fs::write(folder.join("ratings.csv"), known_ratings()).unwrap();
    std::fs::write(folder.join("titles.csv"), titles()).unwrap();
    let block = RatingsBlock::csv(folder.join("ratings.csv")).titles(folder.join("titles.csv"));
    block.y_range(0.5, 5.5).seed(3).dataloaders(16).unwrap()
}

fn config() -> CollabConfig {
    CollabConfig::default().n_factors(4).device(&Device::Cpu)
}

fn loss(learner: &CollabLearner) -> f64 {
    learner.recorder().rows.last().unwrap().valid_loss
}

#[test]
fn the_factors_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let dls = dls(folder.path());
    let mut learner = collab_learner(&dls, config()).unwrap();
    learner.fit_one_cycle(8, 0.03).unwrap();
    // Half of the variance is taste, which biases do not see.
    let (biases, constant) = (learner.baseline_mse().unwrap(), learner.constant_mse().unwrap());
    assert!(loss(&learner) < 0.15 && biases > 0.7 && biases < constant, "{} {biases} {constant}", loss(&learner));

    let from = learner.relevant_from();
    let best = learner.baseline().range.1;
    assert_close("relevant", &[from], &[0.8 * best], 1e-12);
    let (ours, theirs) = (learner.ranking(10, 3.9).unwrap(), learner.baseline_ranking(10, 3.9).unwrap());
    let popular = learner.popularity_ranking(10, 3.9).unwrap();
    assert!(ours.ndcg > theirs.ndcg + 0.1 && ours.ndcg > popular.ndcg + 0.1, "{ours:?} {theirs:?} {popular:?}");
    assert!(ours.hit_rate > 0.8 && ours.n_users == theirs.n_users && ours.n_users > 30, "{ours:?} {theirs:?}");
    assert!(learner.ranking(10, 99.0).is_err());

    let predictor = learner.predictor();
    let nearest = predictor.nearest_items("110", 5).unwrap();
    assert!(nearest.iter().all(|film| film.item.parse::<u32>().unwrap() % 2 == 0), "{nearest:?}");
    assert!(predictor.nearest_items("x", 5).is_err());
    let results = learner.show_results(3).unwrap();
    assert_eq!((results.rows.len(), results.columns[3].as_str()), (3, "predicted"));
    for figure in [plot_items(&predictor, 20).unwrap(), plot_biased_items(&predictor, 5).unwrap().into()] {
        assert!(figure.svg().unwrap().contains("Film, the"));
    }
}

/// The learner reaches the noise that nobody can better, its items are near each other where the truth has them, and
/// its biases are the true ones but for their scale.
#[test]
fn ratings_of_known_factors_are_learnt_down_to_their_noise() {
    let known = KnownRatings::default();
    let truth = known.draw().unwrap();
    let block = RatingsBlock::table(truth.table.clone()).y_range(0.8, 5.2);
    let dls = block.dataloaders(64).unwrap();
    let mut learner = collab_learner(&dls, config().n_factors(2)).unwrap();
    learner.fit_one_cycle(12, 0.03).unwrap();
    let floor = known.noise * known.noise;
    let biases = learner.baseline_mse().unwrap();
    assert!(loss(&learner) < 2.0 * floor && biases > 6.0 * floor, "{} {biases} {floor}", loss(&learner));

    let predictor = learner.predictor();
    let (factors, width) = predictor.item_factors().unwrap();
    let found: Vec<Vec<f64>> =
        factors.chunks(width).skip(1).map(|row| row.iter().map(|&x| f64::from(x)).collect()).collect();
    let cosine = |a: &[f64], b: &[f64]| {
        let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        product(a, b) / (product(a, a) * product(b, b)).sqrt()
    };
    let pairs = |rows: &[Vec<f64>]| -> Vec<f64> {
        (0..rows.len()).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| cosine(&rows[i], &rows[j])).collect()
    };
    let likeness = cosine(&pairs(&found), &pairs(&truth.item_factors));
    assert!(likeness > 0.9, "{likeness}");
    let mut best = truth.item_biases.iter().copied().zip(1..).collect::<Vec<(f64, usize)>>();
    best.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (best, listed) = (best[..30].to_vec(), predictor.biased_items(10, false).unwrap());
    let known = listed.iter().filter(|item| best.iter().any(|(_, id)| id.to_string() == item.item)).count();
    assert!(known >= 8, "{known} of 10: {listed:?}");
    assert!(KnownRatings { share: 0.0, ..KnownRatings::default() }.draw().is_err());
}

#[test]
fn layers_find_them_too() {
    let folder = tempfile::tempdir().unwrap();
    let dls = dls(folder.path());
    let mut learner = collab_learner(&dls, config().layers([20])).unwrap();
    learner.fit_one_cycle(6, 0.02).unwrap();
    assert!(loss(&learner) < 0.3, "{}", loss(&learner));
    let predictor = learner.predictor();
    assert_eq!(predictor.biased_items(3, true).unwrap().len(), 3);
    learner.export(folder.path().join("model")).unwrap();
    let loaded = load_collab_on(folder.path().join("model"), &Device::Cpu).unwrap();
    assert_eq!(loaded.predict("u3", "105").unwrap(), predictor.predict("u3", "105").unwrap());
    loaded.export_onnx(folder.path().join("layers.onnx"), Default::default()).unwrap();
}

fn same_lists(a: &RatingPredictor, b: &RatingPredictor) {
    assert_eq!(a.top_n("u7", 5).unwrap(), b.top_n("u7", 5).unwrap());
    assert_eq!(a.most_rated(5), b.most_rated(5));
    assert_eq!(a.biased_items(5, true).unwrap(), b.biased_items(5, true).unwrap());
}

#[test]
fn what_is_exported_predicts() {
    let folder = tempfile::tempdir().unwrap();
    let dls = dls(folder.path());
    let mut learner = collab_learner(&dls, config().begin_with_biases()).unwrap();
    // Before training it predicts nearly what biases alone do.
    let (start, biases) = (learner.validate().unwrap().0, learner.baseline_mse().unwrap());
    assert!((start - biases).abs() < 0.1, "{start} {biases}");
    learner.fit_one_cycle(3, 0.03).unwrap();
    let model = folder.path().join("model");
    learner.export(&model).unwrap();
    let (here, loaded) = (learner.predictor(), load_collab_on(&model, &Device::Cpu).unwrap());
    same_lists(&here, &loaded);
    let summary = loaded.export_onnx(folder.path().join("ratings.onnx"), Default::default()).unwrap();
    assert_eq!(
        (summary.inputs[0].as_str(), summary.outputs[0].as_str()),
        ("pairs int64 [batch, 2]", "predictions float32 [batch]")
    );

    let known = loaded.predict("u7", "0105.0").unwrap();
    assert_eq!((known.name.as_str(), known.unknown_user, known.unknown_item), ("Film, the 5th", false, false));
    assert!((0.5..5.5).contains(&known.rating));
    let untitled = loaded.predict("nobody", "139").unwrap();
    assert_eq!((untitled.name.as_str(), untitled.unknown_user), ("139", true));
    let unknown = loaded.predict("u7", "999").unwrap();
    assert!(unknown.unknown_item && unknown.to_string().contains("[the item 999 is unknown]"), "{unknown}");
    assert!(loaded.top_n("nobody", 3).unwrap_err().to_string().contains("`nobody`"));

    let user = loaded.users().code("u7");
    let (rated, all) = (loaded.rated_by(user), loaded.top_n("u7", 1000).unwrap());
    assert_eq!(rated.len() + all.len(), 40);
    assert!(all.iter().all(|film| !rated.contains(&film.code)) && all.windows(2).all(|w| w[0].score >= w[1].score));

    let table = Table::from_rows(&["film", "user"], [["105", "u7"], ["1", "=u"]]).unwrap();
    let csv = loaded.predict_table(&table).unwrap();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines[0], "user,film,name,rating,unknown");
    assert!(lines[1].starts_with("u7,105,\"Film, the 5th\",") && lines[2].starts_with("'=u,1,1,"), "{csv}");
    assert!(lines[1].ends_with(',') && lines[2].ends_with("user and item"), "{csv}");
    let table = Table::from_rows(&["film", "user"], [["105", ""]]).unwrap();
    assert!(loaded.predict_table(&table).unwrap_err().to_string().contains("row 0, column `user`"));

    let json = std::fs::read_to_string(model.join("learner.json")).unwrap();
    std::fs::write(model.join("learner.json"), json.replace("\"collab\"", "\"tabular\"")).unwrap();
    let error = load_collab_on(&model, &Device::Cpu).err().unwrap().to_string();
    assert!(error.contains("`tabular`"), "{error}");
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let dls = dls(folder.path());
    for (config, words) in [
        (config().n_factors(0), "at least 1 factor"),
        (config().layers([5]).begin_with_biases(), "layers has no biases"),
        (config().y_range(2.0, 5.5), "outside of 2 to 5.5"),
        (config().y_range(5.5, 2.0), "5.5 to 2"),
    ] {
        let error = collab_learner(&dls, config).err().unwrap().to_string();
        assert!(error.contains(words), "{error}");
    }
}

struct StopAt(usize);

impl Callback for StopAt {
    fn after_batch(&mut self, state: &mut TrainState) -> Result<()> {
        let batch = state.epoch * state.n_batches + state.batch;
        if batch == self.0 { Err(Error::Value("killed".into())) } else { Ok(()) }
    }
}

#[test]
fn a_resumed_run_ends_as_the_undisturbed_one() {
    let folder = tempfile::tempdir().unwrap();
    let dls = dls(folder.path());
    let run = |stop: usize, resume: bool, dls: &CollabDataLoaders| {
        let file = folder.path().join("checkpoint.safetensors");
        let checkpoints = Checkpoints { file, every: Duration::ZERO, resume };
        let config = config().callback(StopAt(stop)).checkpoints(checkpoints);
        let mut learner = collab_learner(dls, config).unwrap();
        let outcome = learner.fit_one_cycle(3, 0.03);
        (learner, outcome)
    };
    let (whole, outcome) = run(usize::MAX, false, &dls);
    outcome.unwrap();
    assert!(run(100, false, &dls).1.is_err());
    let (resumed, outcome) = run(usize::MAX, true, &dls);
    outcome.unwrap();
    for param in whole.params().all() {
        let other = resumed.params().get(param.name()).unwrap();
        assert_same_bits(param.name(), &values(other.var()), &values(param.var()));
    }
    // Other ratings are another run.
    assert!(run(100, false, &dls).1.is_err());
    std::fs::write(folder.path().join("more.csv"), known_ratings() + "u1,100,3\n").unwrap();
    let more = RatingsBlock::csv(folder.path().join("more.csv")).y_range(0.5, 5.5).seed(3).dataloaders(16).unwrap();
    let error = run(usize::MAX, true, &more).1.unwrap_err().to_string();
    assert!(error.contains("ratings"), "{error}");
}
