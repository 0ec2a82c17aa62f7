//! The figures that the lecture prints, where they do not depend on which photos are there.

use tallow::report::Expect::{AtMost, Draw, Exact, Within};
use tallow::report::Printed;

const EARLY: &str =
    "scikit-learn's solver stopped at a gradient of 1e-4; ours goes to the optimum, so the last digits differ";
const SPLIT: &str = "the lecture's points; its split is not seeded, so it drew other training points";
const MACHINE: &str = "another machine; scikit-learn fits the models one after the other";
const COEF: &[&str] = &["-0.65123329", "1.0536117", "1.35418019", "-0.28647501", "-0.63320669", "-0.72513556"];

/// The figures, section by section.
pub(crate) const PRINTED: &[Printed] = &[
    // one_vs_rest
    Printed::series("coefficient shape", &["3", "2"], Exact),
    Printed::series("intercept shape", &["3"], Exact),
    Printed::series("lr.coef_", COEF, Within(1e-4)).note(EARLY),
    Printed::series("lr.intercept_", &["-5.42626721", "0.21616562", "-2.46941346"], Within(1e-4)).note(EARLY),
    Printed::series("raw scores of [0, -7]", &["-12.80", "2.2215", "2.6065"], Exact),
    Printed::series("raw scores, all digits", &["-12.8015491", "2.22149069", "2.60653543"], Within(1e-4)),
    Printed::series("predict_proba of [0, -7]", &["1.50e-06", "0.4921", "0.5079"], Exact),
    Printed::series("predict_proba, all digits", &["1.50344795e-06", "4.92058424e-01", "5.07940073e-01"], Within(1e-3)),
    // flattened
    Printed::series("flatten_train.shape", &["150", "40000"], Exact),
    // features
    Printed::series("Z_train.shape", &["150", "1024"], Exact),
    // wrappers
    Printed::one("OneVsOne train", "0.808", Draw).note(SPLIT),
    Printed::one("OneVsOne test", "0.76", Draw).note(SPLIT),
    Printed::one("OneVsRest train", "0.7267", Draw).note(SPLIT),
    Printed::one("OneVsRest test", "0.668", Draw).note(SPLIT),
    Printed::one("OneVsOne, ms per fit", "264", AtMost).note(MACHINE),
    Printed::one("OneVsRest, ms per fit", "59.9", AtMost).note(MACHINE),
];
