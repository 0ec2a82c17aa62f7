//! Every figure that the source prints.

use tallow::report::Expect::{AtLeastGoal, Draw, Exact, Within};
use tallow::report::Printed;

/// How far a figure of the roller coaster may be from the source's: it prints data and parameters to four decimals, and
/// so our start is not its start. Half a unit in the last place of `a` alone moves the first loss by 35,554 x 0.00005 =
/// 1.8.
const ROUNDING: f64 = 2e-4;

/// The figures, in the order of the sections.
pub(crate) const PRINTED: &[Printed] = &[
    // pixels
    Printed::one("len(threes)", "6131", Exact),
    Printed::one("len(sevens)", "6265", Exact),
    Printed::one("pixels in a picture", "784", Exact).note("the other notes print 768, a slip"),
    Printed::series("array(im3)[4:10, 4:10]", BLOCK.as_flattened(), Exact),
    Printed::series("im3_t[4:15, 4:22]", PIXELS.as_flattened(), Exact),
    Printed::series("tns[1]", &["4", "5", "6"], Exact),
    Printed::series("tns[:,1]", &["2", "5"], Exact),
    Printed::series("tns[1, 1:3]", &["5", "6"], Exact),
    Printed::series("tns + 1", &["2", "3", "4", "5", "6", "7"], Exact),
    Printed::one("tensor([1,2,3]) @ tensor([4,5,6])", "32", Exact),
    Printed::series("2 * [[1..9]], the last four", &["12", "14", "16", "18"], Exact),
    // similarity
    Printed::series("stacked_threes.shape", &["6131", "28", "28"], Exact),
    Printed::one("stacked_threes.ndim", "3", Exact),
    Printed::one("dist_3_abs", "0.1114", Exact),
    Printed::one("dist_3_sqr", "0.2021", Exact),
    Printed::one("dist_7_abs", "0.1586", Exact),
    Printed::one("dist_7_sqr", "0.3021", Exact),
    Printed::one("F.l1_loss(a_3, mean7)", "0.1586", Exact),
    Printed::one("F.mse_loss(a_3, mean7).sqrt()", "0.3021", Exact),
    // broadcasting
    Printed::series("tensor([1,2,3]) + tensor(1)", &["2", "3", "4"], Exact),
    Printed::series("shapes of the valid threes and sevens", &["1010", "28", "28", "1028", "28", "28"], Exact),
    Printed::one("mnist_distance(a_3, mean3)", "0.1114", Exact),
    Printed::one("is_3(a_3)", "1", Exact),
    Printed::series("valid_3_dist, the figures shown", DISTANCES, Exact)
        .note("each is one of our 1,010; the source's order is that of its disk"),
    Printed::one("accuracy_3s", "0.9168", Exact),
    Printed::one("accuracy_7s", "0.9854", Exact),
    Printed::one("(accuracy_3s + accuracy_7s) / 2", "0.9511", Exact),
    // gradients
    Printed::one("f(3.)", "9.", Exact),
    Printed::one("xt.grad at 3", "6.", Exact),
    Printed::one("f([3., 4., 10.])", "125.", Exact),
    Printed::series("xt.grad at [3, 4, 10]", &["6.", "8.", "20."], Exact),
    // roller_coaster
    Printed::one("first loss", "11895.1143", Within(ROUNDING))
        .note("the source prints data and start to four decimals"),
    Printed::series("params.grad", &["-35554.0117", "-2266.8909", "-171.8540"], Within(ROUNDING)),
    Printed::one("loss after one step", "2788.1594", Within(ROUNDING))
        .note("the source prints data and start to four decimals"),
    Printed::series("losses of apply_step", LOSSES, Within(ROUNDING)),
    // loss
    Printed::series("train_x.shape, train_y.shape", &["12396", "784", "12396", "1"], Exact),
    Printed::one("x.shape of dset[0]", "784", Exact),
    Printed::one("y of dset[0]", "1", Exact),
    Printed::one("weights.shape[0]", "784", Exact),
    Printed::one("bias", "-0.0313", Draw),
    Printed::one("prediction for the first picture", "0.5128", Draw),
    Printed::series(
        "preds, first and last three",
        &["0.5128", "-3.8324", "4.9791", "3.0790", "4.1521", "0.3523"],
        Draw,
    ),
    Printed::one("corrects.float().mean()", "0.38964182138442993", Draw),
    Printed::series("torch.where(trgts==1, 1-prds, prds)", &["0.1000", "0.4000", "0.8000"], Exact),
    Printed::one("mnist_loss(prds, trgts)", "0.4333", Exact),
    // mini_batches
    Printed::one("batches of 5 from range(15)", "3", Exact),
    Printed::series("batches of 6 from 26 letters", &["6", "6", "6", "6", "2"], Exact),
    // by_hand
    Printed::series("xb.shape, yb.shape", &["256", "784", "256", "1"], Exact),
    Printed::series("linear1(batch)", &["10.4546", "9.4603", "-0.2426", "6.7868"], Draw),
    Printed::one("mnist_loss(preds, train_y[:4])", "0.1404", Draw),
    Printed::one("batch_accuracy of four", "0.7500", Draw),
    Printed::one("accuracy before training", "0.5703", Draw),
    Printed::one("accuracy after one epoch", "0.6928", Draw).note("depends on the random start"),
    Printed::series("accuracy by hand, epochs 2 to 21", &BY_HAND, Draw),
    Printed::one("final accuracy by hand", "0.9696", AtLeastGoal(0.96)),
    Printed::one("weights.grad.shape[0]", "784", Exact),
    Printed::series("weights.grad.mean(), bias.grad", &["-0.0089", "-0.0619"], Draw),
    Printed::series("the same, added up over 2 calls", &["-0.0178", "-0.1238"], Draw),
    Printed::one("growth after 2 calls", "2", Exact).note("-0.1238 is two times -0.0619"),
    Printed::series("the same, added up over 3 calls", &["-0.0267", "-0.1857"], Draw),
    Printed::one("growth after 3 calls", "3", Exact).note("-0.1857 is three times -0.0619"),
    // optimizer
    Printed::series("w.shape, b.shape", &["1", "784", "1"], Exact),
    Printed::one("accuracy before training with nn.Linear", "0.3985", Draw),
    Printed::series("accuracy with BasicOptim, epochs 1 to 20", &BASIC_OPTIM, Draw),
    Printed::one("final accuracy with BasicOptim", "0.9790", AtLeastGoal(0.978)),
    Printed::series("accuracy with SGD, epochs 1 to 20", &SGD, Draw),
    Printed::one("final accuracy with SGD", "0.9785", AtLeastGoal(0.978)),
    // learner
    Printed::series("Learner.fit(10): train_loss", &column(&LEARNER, 0), Draw),
    Printed::series("Learner.fit(10): valid_loss", &column(&LEARNER, 1), Draw),
    Printed::series("Learner.fit(10): batch_accuracy", &column(&LEARNER, 2), Draw),
    Printed::one("final accuracy of Learner.fit(10)", "0.967125", AtLeastGoal(0.965)),
    Printed::series("simple_net: train_loss", &column(&SIMPLE_NET, 0), Draw),
    Printed::series("simple_net: valid_loss", &column(&SIMPLE_NET, 1), Draw),
    Printed::series("simple_net: batch_accuracy", &column(&SIMPLE_NET, 2), Draw),
    Printed::one("learn.recorder.values[-1][2]", "0.982826", AtLeastGoal(0.98)),
    // deeper
    Printed::one("resnet18: train_loss", RESNET18[0], Draw),
    Printed::one("resnet18: valid_loss", RESNET18[1], Draw),
    Printed::one("resnet18: accuracy", RESNET18[2], AtLeastGoal(0.99)),
    Printed::one("resnet18: seconds of the epoch", "121", Draw).note("the source does not name its machine"),
];

/// `array(im3)[4:10, 4:10]`.
const BLOCK: [[&str; 6]; 6] = [
    ["0", "0", "0", "0", "0", "0"],
    ["0", "0", "0", "0", "0", "29"],
    ["0", "0", "0", "48", "166", "224"],
    ["0", "93", "244", "249", "253", "187"],
    ["0", "107", "253", "253", "230", "48"],
    ["0", "3", "20", "20", "15", "0"],
];

/// `im3_t[4:15, 4:22]`, the shaded table of pixels.
const PIXELS: [[&str; 18]; 11] = [
    ["0", "0", "0", "0", "0", "0", "0", "0", "0", "0", "0", "0", "0", "0", "0", "0", "0", "0"],
    ["0", "0", "0", "0", "0", "29", "150", "195", "254", "255", "254", "176", "193", "150", "96", "0", "0", "0"],
    ["0", "0", "0", "48", "166", "224", "253", "253", "234", "196", "253", "253", "253", "253", "233", "0", "0", "0"],
    ["0", "93", "244", "249", "253", "187", "46", "10", "8", "4", "10", "194", "253", "253", "233", "0", "0", "0"],
    ["0", "107", "253", "253", "230", "48", "0", "0", "0", "0", "0", "192", "253", "253", "156", "0", "0", "0"],
    ["0", "3", "20", "20", "15", "0", "0", "0", "0", "0", "43", "224", "253", "245", "74", "0", "0", "0"],
    ["0", "0", "0", "0", "0", "0", "0", "0", "0", "0", "249", "253", "245", "126", "0", "0", "0", "0"],
    ["0", "0", "0", "0", "0", "0", "0", "14", "101", "223", "253", "248", "124", "0", "0", "0", "0", "0"],
    ["0", "0", "0", "0", "0", "11", "166", "239", "253", "253", "253", "187", "30", "0", "0", "0", "0", "0"],
    ["0", "0", "0", "0", "0", "16", "248", "250", "253", "253", "253", "253", "232", "213", "111", "2", "0", "0"],
    ["0", "0", "0", "0", "0", "0", "0", "43", "98", "98", "208", "253", "253", "253", "253", "187", "22", "0"],
];

/// Validation accuracy of the linear model trained by hand, epochs 2 to 21.
pub(crate) const BY_HAND: [&str; 20] = [
    "0.852", "0.9061", "0.931", "0.9418", "0.9477", "0.9569", "0.9584", "0.9594", "0.9599", "0.9633", "0.9647",
    "0.9652", "0.9657", "0.9662", "0.9672", "0.9677", "0.9687", "0.9696", "0.9701", "0.9696",
];

/// The same with `nn.Linear` and `BasicOptim`.
const BASIC_OPTIM: [&str; 20] = [
    "0.4932", "0.7959", "0.8506", "0.9136", "0.9341", "0.9492", "0.9556", "0.9629", "0.9658", "0.9683", "0.9702",
    "0.9717", "0.9741", "0.9746", "0.9761", "0.9766", "0.9775", "0.978", "0.9785", "0.979",
];

/// The same with fast.ai's `SGD`.
const SGD: [&str; 20] = [
    "0.4932", "0.8735", "0.8174", "0.9082", "0.9331", "0.9468", "0.9546", "0.9614", "0.9653", "0.9668", "0.9692",
    "0.9727", "0.9736", "0.9751", "0.9756", "0.9761", "0.9775", "0.978", "0.978", "0.9785",
];

/// A row of fast.ai's table: training loss, validation loss, accuracy.
pub(crate) type Row = [&'static str; 3];

/// `learn.fit(10, lr=1.)` of the linear model.
const LEARNER: [Row; 10] = [
    ["0.636474", "0.503518", "0.495584"],
    ["0.550751", "0.189374", "0.840530"],
    ["0.201501", "0.178350", "0.839549"],
    ["0.087588", "0.105257", "0.912659"],
    ["0.045719", "0.076968", "0.933759"],
    ["0.029454", "0.061683", "0.947498"],
    ["0.022817", "0.052156", "0.954367"],
    ["0.019893", "0.045825", "0.962709"],
    ["0.018424", "0.041383", "0.965653"],
    ["0.017549", "0.038113", "0.967125"],
];

/// `learn.fit(40, 0.1)` of the simple net.
pub(crate) const SIMPLE_NET: [Row; 40] = [
    ["0.363529", "0.409795", "0.505888"],
    ["0.165949", "0.239534", "0.792934"],
    ["0.089140", "0.117148", "0.913150"],
    ["0.056798", "0.078107", "0.941119"],
    ["0.042071", "0.060734", "0.957311"],
    ["0.034718", "0.051121", "0.962218"],
    ["0.030605", "0.045103", "0.964181"],
    ["0.027994", "0.040995", "0.966143"],
    ["0.026145", "0.037990", "0.969087"],
    ["0.024728", "0.035686", "0.970559"],
    ["0.023585", "0.033853", "0.972522"],
    ["0.022634", "0.032346", "0.973994"],
    ["0.021826", "0.031080", "0.975466"],
    ["0.021127", "0.029996", "0.976448"],
    ["0.020514", "0.029053", "0.975957"],
    ["0.019972", "0.028221", "0.976448"],
    ["0.019488", "0.027481", "0.977920"],
    ["0.019051", "0.026818", "0.978410"],
    ["0.018654", "0.026219", "0.978410"],
    ["0.018291", "0.025677", "0.978901"],
    ["0.017958", "0.025181", "0.978901"],
    ["0.017650", "0.024727", "0.980373"],
    ["0.017363", "0.024310", "0.980864"],
    ["0.017096", "0.023925", "0.980864"],
    ["0.016846", "0.023570", "0.981845"],
    ["0.016610", "0.023241", "0.982336"],
    ["0.016389", "0.022935", "0.982336"],
    ["0.016179", "0.022652", "0.982826"],
    ["0.015980", "0.022388", "0.982826"],
    ["0.015791", "0.022142", "0.982826"],
    ["0.015611", "0.021913", "0.983317"],
    ["0.015440", "0.021700", "0.983317"],
    ["0.015276", "0.021500", "0.983317"],
    ["0.015120", "0.021313", "0.983317"],
    ["0.014969", "0.021137", "0.983317"],
    ["0.014825", "0.020972", "0.983317"],
    ["0.014686", "0.020817", "0.982826"],
    ["0.014553", "0.020671", "0.982826"],
    ["0.014424", "0.020532", "0.982826"],
    ["0.014300", "0.020401", "0.982826"],
];

/// `learn.fit_one_cycle(1, 0.1)` of ResNet-18; it took 2:01.
const RESNET18: Row = ["0.098852", "0.014919", "0.996075"];

/// Distances of validation threes to the ideal three, as shown.
pub(crate) const DISTANCES: &[&str] = &["0.1109", "0.1202", "0.1276", "0.1357", "0.1262", "0.1157"];

/// The losses of ten steps on the roller coaster.
const LOSSES: &[&str] = &[
    "2788.159423828125",
    "1064.841552734375",
    "738.7333984375",
    "677.02001953125",
    "665.3380737304688",
    "663.1239013671875",
    "662.7010498046875",
    "662.6172485351562",
    "662.59765625",
    "662.5902709960938",
];

/// A column of a table.
const fn column<const N: usize>(rows: &[Row; N], of: usize) -> [&'static str; N] {
    let mut column = [""; N];
    let mut row = 0;
    while row < N {
        column[row] = rows[row][of];
        row += 1;
    }
    column
}
