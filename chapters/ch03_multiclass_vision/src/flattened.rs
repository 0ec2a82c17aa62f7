//! Photos as rows of pixels, for models that know tables only.

use crate::photos::{Part, Photos, grey, thumbnail};
use tallow::Result;
use tallow::classic::{
    Classifier, DummyClassifier, Estimator, KNeighbors, LogisticRegression, Matrix, Pipeline, StandardScaler,
};
use tallow::cli::Session;
use tallow::plot::{Figure, HeatMap, ImageGrid, Panel};
use tallow::report::{Comparison, Expect};
use tallow::rng::Rng;

/// One row per photo: its grey values, line by line. `[N, side * side]`
pub(crate) fn rows(s: &Session, photos: &Photos, part: &Part) -> Result<Matrix> {
    let side = photos.flat_side;
    let mut values = Vec::with_capacity(part.files.len() * side * side);
    for batch in photos.loader(s, part, grey(side))?.epoch(0) {
        let xs = batch?.xs.narrow(1, 0, 1)?.contiguous()?; // [N, 1, side, side]
        values.extend(xs.flatten_all()?.to_vec1::<f32>()?);
    }
    Matrix::from_f32(side * side, &values)
}

// --- 12. Flattened ---------------------------------------------------------------------------------------------------

pub(crate) fn flattened(s: &mut Session, photos: &Photos) -> Result<()> {
    s.section("Logistic regression on flattened photos");
    let side = photos.flat_side;
    s.text(format!(
        "How do models for tables take photos? The simplest way is to **flatten** them: {side} by {side} grey pixels, \
         written one after the other, are a row of {} features. A dummy classifier says what guessing is worth, then \
         logistic regression, after scaling.",
        side * side
    ));
    let (xs, ys) = (rows(s, photos, &photos.train)?, &photos.train.ys);
    let (xs_valid, ys_valid) = (rows(s, photos, &photos.valid)?, &photos.valid.ys);
    s.say(format!("flattened training photos: [{}, {}]", xs.rows(), xs.columns()));
    let note = photos.note();
    if note.is_empty() && !s.quick {
        let shape = [xs.rows() as f64, xs.columns() as f64];
        s.check("flatten_train.shape", shape)?;
    }

    let dummy = DummyClassifier::default().fit(&xs, ys)?;
    let model = Pipeline::new(StandardScaler, LogisticRegression::new().max_iter(3000)).fit(&xs, ys)?;
    let neighbours = Pipeline::new(StandardScaler, KNeighbors::new(ys.len().min(5))).fit(&xs, ys)?;
    let scores = |model: &dyn Fn(&Matrix, &[u32]) -> Result<f64>| -> Result<(f64, f64)> {
        Ok((model(&xs, ys)?, model(&xs_valid, ys_valid)?))
    };
    let (dummy_train, dummy_valid) = scores(&|xs, ys| dummy.score(xs, ys))?;
    let (train, valid) = scores(&|xs, ys| model.score(xs, ys))?;
    let (near_train, near_valid) = scores(&|xs, ys| neighbours.score(xs, ys))?;
    let row = |name: &str, train: f64, valid: f64| vec![name.into(), format!("{train:.4}"), format!("{valid:.4}")];
    let table = [
        row("dummy", dummy_train, dummy_valid),
        row("5 nearest neighbours", near_train, near_valid),
        row("logistic regression", train, valid),
    ];
    s.table(&["model on pixels", "train", "valid"], &table);
    let exact = if note.is_empty() { Expect::Exact } else { Expect::Draw };
    for (what, printed, measured) in [
        ("dummy train", "0.3333333333333333", dummy_train),
        ("dummy valid", "0.3333333333333333", dummy_valid),
        ("flattened train", "1.0000", train),
        ("flattened valid", "0.6666666666666666", valid),
    ] {
        let expect = if s.quick { Expect::Quick } else { exact };
        s.run.add(Comparison::new(what, printed, measured, expect).note(note));
    }
    s.metric("flattened_train", train);
    s.metric("flattened_valid", valid);
    s.metric("dummy_valid", dummy_valid);
    s.say("right about every photo that it has seen, and much less about others: overfitting");

    why_not(s, photos, (&xs, ys), (&xs_valid, ys_valid), valid)?;
    let coef = model.model().coef();
    let map = |k: usize| -> Panel {
        HeatMap::new(photos.vocab.classes()[k].as_str(), side, side, coef.row(k)).diverging().into()
    };
    let maps: Vec<Panel> = (0..coef.rows().min(6)).map(map).collect();
    let caption = "The coefficients of each class as a picture: a blue pixel speaks for the class where it is light, a \
                   red one where it is dark. They have learnt single photos by heart.";
    s.figure("coefficients", caption, Figure::grid(&maps, 3))
}

/// What flattening loses.
fn why_not(
    s: &mut Session,
    photos: &Photos,
    (xs, ys): (&Matrix, &[u32]),
    (xs_valid, ys_valid): (&Matrix, &[u32]),
    valid: f64,
) -> Result<()> {
    s.text(
        "
        Why is flattening a bad idea? Pixels that are neighbours belong together, and the model does not know who is
        whose neighbour. To see how little it knows, we **shuffle the pixels**, all photos in the same way. To us
        nothing is left. To logistic regression nothing has changed.
        ",
    );
    let file = &photos.train.files[4.min(photos.train.files.len() - 1)];
    let seen = thumbnail(file, photos.flat_side)?.greyscale();
    let side = photos.flat_side;
    let mut order: Vec<usize> = (0..xs.columns()).collect();
    Rng::new(s.seed).stream("shuffled pixels").shuffle(&mut order);
    let shuffled = |xs: &Matrix| {
        Matrix::new(xs.rows(), xs.columns(), xs.iter().flat_map(|row| order.iter().map(|&i| row[i])).collect())
    };
    let again = Pipeline::new(StandardScaler, LogisticRegression::new().max_iter(3000)).fit(&shuffled(xs)?, ys)?;
    let same = again.score(&shuffled(xs_valid)?, ys_valid)?;
    s.say(format!("pixels in order: valid {valid:.4}; pixels shuffled: valid {same:.4}"));
    s.metric("shuffled_valid", same);

    let row: Vec<f32> = xs.row(4.min(xs.rows() - 1)).iter().map(|&x| x as f32).collect();
    let mixed: Vec<f32> = order.iter().map(|&i| row[i]).collect();
    let grid = ImageGrid::new("", 2)
        .rgb(side, side, seen.bytes())
        .caption("what we see")
        .grey_f32(side, side, &mixed)
        .caption("the same to logistic regression");
    s.figure("flattened", "A training photo, and the same pixels in another order.", grid)?;
    let ends =
        [&row[..3], &row[row.len() - 3..]].map(|part| part.iter().map(|x| format!("{x:.8}")).collect::<Vec<_>>());
    s.say(format!("what the computer sees: [{}, ..., {}]", ends[0].join(", "), ends[1].join(", ")));
    Ok(())
}
