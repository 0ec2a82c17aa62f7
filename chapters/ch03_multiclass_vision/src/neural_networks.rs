//! Neural networks, drawn, taken apart, and set against a line.

use crate::one_vs_rest::CELLS;
use crate::points::scatter;
use candle_core::{D, DType, Device, Tensor};
use tallow::Result;
use tallow::classic::{Classifier, Estimator, Grid, LogisticRegression, Matrix, Samples};
use tallow::cli::Session;
use tallow::data::{DataLoader, DataLoaders, TensorDataset};
use tallow::nn::{Module, Params, Sequential, losses};
use tallow::plot::{Diagram, Figure, Plot};
use tallow::rng::Rng;
use tallow::train::Learner;

// --- 10. Neural networks ---------------------------------------------------------------------------------------------

pub(crate) fn layers_of_transformations(s: &mut Session) -> Result<()> {
    s.section("Neural networks are pipelines");
    s.text(
        "
        A **neural network** puts a sequence of transformations between features and target; a linear model is one with
        a single step. Drawn as graphs: each line is a coefficient, each circle sums up what comes in. In between are
        **hidden units**, intermediate steps that have no labels.
        ",
    );
    let (xs, w) = (["x[0]", "x[1]", "x[2]", "x[3]"], ["w[0]", "w[1]", "w[2]", "w[3]"]);
    let (h, h2) = (["h[0]", "h[1]", "h[2]"], ["h2[0]", "h2[1]", "h2[2]"]);
    let inputs = |title: &str| Diagram::new(title).layer("inputs", &xs);
    let logistic = inputs("Logistic regression").weights(&w).layer("output", &["y"]);
    let one = inputs("One hidden layer").layer("hidden layer", &h).layer("output", &["y"]);
    let two = inputs("Two hidden layers").layer("hidden layer 1", &["h1[0]", "h1[1]", "h1[2]"]);
    let two = two.layer("hidden layer 2", &h2).layer("output", &["y"]);
    s.figure("graph_logistic", "Logistic regression as a graph.", logistic)?;
    s.figure("graph_one_hidden_layer", "One layer of transformations more.", one)?;
    s.figure("graph_two_hidden_layers", "And one more.", two)?;

    s.text(
        "
        So a network is like a `Pipeline`: ask of each step **how many features** go in and come out. Scaling does not
        change their number, one-hot encoding adds some; in a network you choose it. The last graph goes from 4 to 3 to
        3 to 1. Between the sums stands something bent, here ReLU, `max(x, 0)`: without it two sums in a row would be
        one sum.
        ",
    );
    let params = Params::new(&Rng::new(s.seed).stream("graph"), &Device::Cpu);
    let mut net = Sequential::new(&params);
    let xs = Tensor::zeros((150, 4), DType::F32, &Device::Cpu)?; // [N, 4]
    let mut rows = vec![vec!["inputs".into(), "4".into(), String::new()]];
    let mut before = 0;
    for (name, from, to) in [("linear, ReLU", 4, 3), ("linear, ReLU", 3, 3), ("linear", 3, 1)] {
        net = net.linear(from, to)?;
        let ys = net.forward(&xs, false)?; // [N, to]
        rows.push(vec![name.into(), ys.dim(D::Minus1)?.to_string(), (params.num_parameters() - before).to_string()]);
        before = params.num_parameters();
        if to > 1 {
            net = net.relu();
        }
    }
    s.table(&["step", "features after it", "coefficients and intercepts"], &rows);
    s.say(format!(
        "{} numbers to learn; with logistic regression on the same features there are 5",
        params.num_parameters()
    ));
    beyond_a_line(s)?;
    s.text(
        "
        **Why** then not always networks? They can learn very complex functions, you can nearly always make one that
        does not underfit, and for data with a structure of their own (sequences, images, videos) nothing else comes
        near. But they often need much data and much computing; they have hyperparameters without end; they are hard to
        interpret; and when you call `fit` you never really know whether it was successful, nor whether it should have
        run longer. The rest of this chapter uses networks **without calling `fit`**: others have.
        ",
    );
    Ok(())
}

/// Four corners, of which the opposite ones belong together: no line parts them.
fn corners(n: usize, rng: &mut Rng) -> Result<Samples> {
    let points: Vec<[f64; 2]> = (0..n).map(|_| [rng.uniform(-1.0, 1.0), rng.uniform(-1.0, 1.0)]).collect();
    let ys = points.iter().map(|[x, y]| u32::from(x * y > 0.0)).collect();
    Ok(Samples { xs: Matrix::from_rows(&points)?, ys })
}

fn beyond_a_line(s: &mut Session) -> Result<()> {
    s.text(
        "
        What does a hidden layer buy? Points in four corners, the opposite ones of one class. No line parts them; a
        network with eight hidden units does.
        ",
    );
    let rng = Rng::new(s.seed).stream("corners");
    let (train, test) = (corners(400, &mut rng.stream("train"))?, corners(400, &mut rng.stream("test"))?);
    let line = LogisticRegression::new().fit(&train.xs, &train.ys)?;

    let tensors = |samples: &Samples| -> Result<TensorDataset> {
        let xs = Tensor::from_vec(samples.xs.to_f32(), (samples.xs.rows(), 2), &Device::Cpu)?; // [N, 2]
        TensorDataset::new(&xs, &Tensor::new(samples.ys.as_slice(), &Device::Cpu)?)
    };
    let train_dl = DataLoader::new(tensors(&train)?, 40)?.shuffle(&rng.stream("shuffle"));
    let dls = DataLoaders { train: train_dl, valid: DataLoader::new(tensors(&test)?, 400)? };
    let params = Params::new(&rng.stream("init"), &Device::Cpu);
    let net = Sequential::new(&params).linear(2, 8)?.relu().linear(8, 2)?;
    let mut learner = Learner::new(dls, net, &params, losses::cross_entropy);
    learner.fit_one_cycle(40, 0.05)?;

    let asks = |points: &Matrix| -> Result<Vec<u32>> {
        let xs = Tensor::from_vec(points.to_f32(), (points.rows(), 2), &Device::Cpu)?;
        Ok(learner.predict(&xs)?.argmax(D::Minus1)?.to_vec1::<u32>()?)
    };
    let (by_line, by_net) = (line.score(&test.xs, &test.ys)?, tallow::metrics::accuracy(&asks(&test.xs)?, &test.ys)?);
    s.say(format!("new points in four corners: logistic regression {by_line:.3}, eight hidden units {by_net:.3}"));
    s.metric("corners_line", by_line);
    s.metric("corners_network", by_net);

    let plane = (-1.0, 1.0);
    let grid = Grid::new(plane, plane, CELLS.0, CELLS.1)?;
    let panel = |title: &str, regions: &[u32]| {
        let plot = Plot::new(title).regions(plane, plane, CELLS.0, regions);
        scatter(plot, &test, |_| String::new()).size(380, 320)
    };
    let panels =
        [panel("logistic regression", &grid.predict(&line)?), panel("eight hidden units", &asks(&grid.points())?)];
    s.figure("corners", "A line, and a network, before a task that has no line.", Figure::grid(&panels, 2))
}
