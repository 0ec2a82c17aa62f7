//! Numbers on a command line.

/// Above 0: a learning rate.
pub(crate) fn positive(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| *number > 0.0 && number.is_finite());
    number.ok_or_else(|| "expected a number above 0, such as 0.002".into())
}

/// 0 or above: a weight decay.
pub(crate) fn not_negative(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| *number >= 0.0 && number.is_finite());
    number.ok_or_else(|| "expected 0 or a number above, such as 0.1".into())
}

/// Between 0 and 1: a share of the items.
pub(crate) fn part(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|part| *part > 0.0 && *part < 1.0)
        .ok_or_else(|| "expected a number between 0 and 1".into())
}

/// 0 or above and below 1: a dropout.
pub(crate) fn dropout(text: &str) -> Result<f64, String> {
    let part = text.parse().ok().filter(|part| (0.0..1.0).contains(part));
    part.ok_or_else(|| "expected a number from 0 to below 1, such as 0.1".into())
}

/// From 0 to 1: how opaque something is.
pub(crate) fn opacity(text: &str) -> Result<f64, String> {
    let part = text.parse().ok().filter(|part| (0.0..=1.0).contains(part));
    part.ok_or_else(|| "expected a number from 0 to 1, such as 0.5".into())
}

/// Two rising numbers.
pub(crate) fn range(text: &str) -> Result<(f64, f64), String> {
    let parse = |text: &str| text.trim().parse().ok().filter(|number: &f64| number.is_finite());
    let pair = text.split_once(',').and_then(|(low, high)| Some((parse(low)?, parse(high)?)));
    pair.filter(|(low, high)| low < high).ok_or_else(|| "expected two rising numbers, such as 0.5,5.5".into())
}

/// Two or more: batch normalisation takes the statistics of a batch.
pub(crate) fn batch(text: &str) -> Result<u16, String> {
    let batch = text.parse().ok().filter(|&batch: &u16| batch > 1);
    batch.ok_or_else(|| "expected 2 or more: batch normalisation takes the statistics of a batch".into())
}
