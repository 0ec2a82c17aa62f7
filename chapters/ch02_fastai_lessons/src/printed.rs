//! Every figure that the source prints.

use tallow::report::Expect::{AtLeast, Draw, Exact};
use tallow::report::Printed;

/// Why the figures of the spreadsheet are not judged as long as its own data are missing.
const PENGUINS: &str = "the source's data are the passengers of the Titanic: not comparable";

/// The figures, in the order of the sections.
pub(crate) const PRINTED: &[Printed] = &[
    // alligator
    Printed::series("alligator: valid_loss", &["0.171598", "0.001747", "0.006409", "0.004981"], Draw).note(OTHER),
    Printed::series("alligator: error_rate", &["0.043478", "0.000000", "0.000000", "0.000000"], Draw).note(OTHER),
    // road_scenes
    Printed::series("segmentation: train_loss", SEGMENTATION_TRAIN, Draw).note(OTHER),
    Printed::series("segmentation: valid_loss", SEGMENTATION_VALID, Draw).note(OTHER),
    // census
    Printed::series("tabular: valid_loss", &["0.365976", "0.358780"], Draw),
    Printed::series("tabular: accuracy", &["0.832770", "0.833999"], Draw),
    Printed::one("tabular: final accuracy", "0.833999", AtLeast),
    // films
    Printed::series("collab: valid_loss", COLLAB, Draw).note(OTHER),
    // cats
    Printed::series("is_cat: error_rate", &["0.007442", "0.006766"], Draw).note(OTHER),
    // reviews
    Printed::series("text: accuracy", &["0.740000", "0.740000", "0.825000", "0.830000", "0.845000"], Draw)
        .note("the source begins with a model of Wikipedia, this run with random weights"),
    // deploy
    Printed::series("model to export: error_rate", &["0.020298", "0.020974", "0.010149", "0.006766"], Draw).note(OTHER),
    // bears
    Printed::series("before cleaning: error_rate", &["0.055046", "0.036697", "0.036697", "0.027523", "0.018349"], Draw)
        .note(OTHER),
    Printed::series("after cleaning: error_rate", &["0.074074", "0.064815", "0.055556", "0.055556", "0.055556"], Draw)
        .note(OTHER),
    Printed::series(
        "after cleaning twice: error_rate",
        &["0.046729", "0.028037", "0.018692", "0.009346", "0.000000"],
        Draw,
    )
    .note(OTHER),
    // breeds
    Printed::series("resnet34: error_rate", &["0.100135", "0.093369", "0.069012", "0.060217"], Draw),
    Printed::series("convnext_tiny_in22k: error_rate", &["0.085927", "0.061570", "0.055480", "0.048038"], Draw)
        .note("torchvision's weights, which have seen 1,000 classes and not 22,000"),
    // which_models
    Printed::series("df_results.head(): top1", &["90.052", "89.966", "89.786", "89.624", "89.570"], Exact),
    Printed::series("df_results.head(): top1_err", &["9.948", "10.034", "10.214", "10.376", "10.430"], Exact),
    Printed::series("df_results.head(): top5", &["99.048", "99.012", "98.992", "98.950", "98.922"], Exact),
    Printed::series("df_results.head(): top5_err", &["0.952", "0.988", "1.008", "1.050", "1.078"], Exact),
    Printed::series("df_results.head(): param_count", &["305.08", "305.08", "1014.45", "305.08", "305.08"], Exact),
    Printed::series("df_results.head(): img_size", &["448", "448", "560", "448", "448"], Exact),
    Printed::series("df_results.head(): crop_pct", &["1.0", "1.0", "1.0", "1.0", "1.0"], Exact),
    Printed::series(
        "df.head(): infer_samples_per_sec",
        &["21485.80", "17821.98", "16673.08", "14657.83", "14440.03"],
        Exact,
    ),
    Printed::series("df.head(): infer_step_time", &["47.648", "57.446", "61.405", "69.849", "70.903"], Exact),
    Printed::series("df.head(): infer_batch_size", &["1024", "1024", "1024", "1024", "1024"], Exact),
    Printed::series("df.head(): infer_img_size", &["224", "224", "224", "224", "224"], Exact),
    Printed::series("df.head(): param_count_x", &["7.78", "2.68", "3.16", "9.21", "5.16"], Exact),
    Printed::series("df.head(): top1", &["76.526", "68.746", "70.278", "78.490", "72.398"], Exact),
    Printed::series("df.head(): top1_err", &["23.474", "31.254", "29.722", "21.510", "27.602"], Exact),
    Printed::series("df.head(): top5", &["92.872", "88.536", "89.528", "94.012", "90.828"], Exact),
    Printed::series("df.head(): top5_err", &["7.128", "11.464", "10.472", "5.988", "9.172"], Exact),
    Printed::series("df.head(): param_count_y", &["7.78", "2.68", "3.16", "9.21", "5.16"], Exact),
    Printed::series("df.head(): img_size", &["224", "224", "224", "224", "224"], Exact),
    Printed::series("df.head(): crop_pct", &["0.900", "0.875", "0.875", "0.900", "0.875"], Exact),
    Printed::series("df.head(): secs", &["0.000047", "0.000056", "0.000060", "0.000068", "0.000069"], Exact),
    // neural_net
    Printed::series(
        "torch.linspace(-1, 1, 10)",
        &["-1.0000", "-0.7778", "-0.5556", "-0.3333", "-0.1111", "0.1111", "0.3333", "0.5556", "0.7778", "1.0000"],
        Exact,
    ),
    Printed::series("torch.linspace(-1, 1, 10)[:,None].shape", &["10", "1"], Exact),
    Printed::series("x[:5]", &["-2.0000", "-1.7895", "-1.5789", "-1.3684", "-1.1579"], Exact),
    Printed::series("y[:5]", &["11.8690", "6.5433", "5.9396", "2.6304", "1.7947"], Exact)
        .note("NumPy's draw for the seed 42, part of the program"),
    // gradient_descent
    Printed::one("quad_mae([1.1, 1.1, 1.1])", "2.4219", Exact),
    Printed::series("abc.grad", &["-1.3529", "-0.0316", "-0.5000"], Exact),
    Printed::one("loss after one step", "2.40", Exact),
    Printed::series(
        "loss of each step",
        &["2.40", "2.36", "2.30", "2.21", "2.11", "1.98", "1.85", "1.72", "1.58", "1.46"],
        Exact,
    )
    .note("with gradients that add up, as in the source"),
    Printed::series("abc after ten steps", &["1.9634", "1.1381", "1.4100"], Exact),
    Printed::series("abc.grad after ten steps", &["-13.4260", "-1.0842", "-4.5000"], Exact),
    // spreadsheet
    Printed::one("linear", "0.14422715", Exact),
    Printed::one("nnet", "0.14385956", Exact).note("one of the two units is dead"),
    Printed::one("mmult", "0.14385956", Exact).note("one of the two units is dead"),
    Printed::one("linear, on penguins", "0.14422715", Draw).note(PENGUINS),
    Printed::one("nnet, on penguins", "0.14385956", Draw).note(PENGUINS),
    Printed::one("mmult, on penguins", "0.14385956", Draw).note(PENGUINS),
];

/// Another network than the source's and, until its data are fetched, other data.
const OTHER: &str = "another network; other data until the source's are fetched";

/// The columns of `learn.fine_tune(8)` on CamVid, the epoch of the head first.
const SEGMENTATION_TRAIN: &[&str] =
    &["3.454409", "1.928762", "1.649520", "1.533350", "1.414438", "1.291168", "1.174492", "1.073124", "0.992161"];
const SEGMENTATION_VALID: &[&str] =
    &["3.015761", "1.719756", "1.394089", "1.344445", "1.279674", "1.063977", "0.980055", "0.931532", "0.922516"];

/// The validation losses of `learn.fine_tune(10)` on MovieLens.
const COLLAB: &[&str] = &[
    "1.417215", "1.357755", "1.176326", "0.870168", "0.719341", "0.679201", "0.667121", "0.661391", "0.657624",
    "0.656678", "0.656613",
];
