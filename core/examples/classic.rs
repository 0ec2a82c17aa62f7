//! Classifiers of rows of numbers, as scikit-learn has them: `cargo run -p tallow --example classic`.
#![allow(clippy::print_stdout)] // a program: its results are for stdout

use tallow::classic::{
    Blobs, Classifier, DummyClassifier, Estimator, KNeighbors, LogisticRegression, OneVsOne, OneVsRest, Pipeline,
    StandardScaler, TrainTest, TrainTestSplit, cross_val_score,
};
use tallow::metrics::{Confusion, classification_report};

fn main() -> tallow::Result<()> {
    let blobs = Blobs { samples: 400, centers: 4, std: 2.5, ..Blobs::default() }.make()?;
    let TrainTest { train, test } = TrainTestSplit::default().split(&blobs.xs, &blobs.ys)?;

    // Settings are fitted and become a model; what was not fitted cannot predict.
    let dummy = DummyClassifier::MostFrequent.fit(&train.xs, &train.ys)?;
    let neighbours = KNeighbors::new(5).fit(&train.xs, &train.ys)?;
    let settings = Pipeline::new(StandardScaler, OneVsRest::new(LogisticRegression::new()));
    let rest = settings.fit(&train.xs, &train.ys)?;
    let pairs = OneVsOne::new(LogisticRegression::new()).fit(&train.xs, &train.ys)?;
    println!("always the same class  {:.3}", dummy.score(&test.xs, &test.ys)?);
    println!("five neighbours        {:.3}", neighbours.score(&test.xs, &test.ys)?);
    println!("one versus rest        {:.3}", rest.score(&test.xs, &test.ys)?);
    println!("one versus one         {:.3}", pairs.score(&test.xs, &test.ys)?);

    let scores = cross_val_score(&settings, &blobs.xs, &blobs.ys, 5)?;
    println!("five folds             {:.3?}", scores);
    let confusion = Confusion::new(4, &rest.predict(&test.xs)?, &test.ys)?;
    println!("\n{}", classification_report(&confusion, &["a", "b", "c", "d"], 3)?);
    Ok(())
}
