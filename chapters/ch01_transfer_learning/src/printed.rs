//! The figures that the source prints.

use tallow::report::Expect::{AtLeast, Draw};
use tallow::report::Printed;

/// The figures, section by section.
pub(crate) const PRINTED: &[Printed] = &[
    Printed::series("train Loss", &["0.5654", "0.5975", "0.5919"], Draw),
    Printed::series("train Acc", &["0.7090", "0.7090", "0.7664"], Draw),
    Printed::series("val Loss", &["0.2726", "0.2793", "0.3992"], Draw),
    Printed::series("val Acc", &["0.8889", "0.8889", "0.8627"], Draw),
    Printed::one("best val Acc, everything trained", "0.8889", AtLeast)
        .note("the source: ResNet-34, photos of cats and dogs"),
    Printed::one("best val Acc, fixed features", "0.8889", AtLeast)
        .note("the source prints no figure for this way; 0.8889 is its best of training everything"),
    Printed::one("best val Acc, statistics kept", "0.8889", AtLeast)
        .note("the source prints no figure for this way; 0.8889 is its best of training everything"),
];
