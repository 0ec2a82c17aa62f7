//! Where an axis has its ticks, and how their numbers are written.

/// One tick: its value and its label.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    pub(super) value: f64,
    pub(super) label: String,
}

/// Ticks at round numbers (1, 2, 2.5 or 5 times a power of ten) in `lo..=hi`, about `count` of them.
pub(super) fn linear(lo: f64, hi: f64, count: usize) -> Vec<Tick> {
    let span = hi - lo;
    if !span.is_finite() || span <= 0.0 {
        return vec![Tick { value: lo, label: number(lo) }];
    }
    in_steps(lo, hi, nice_step(span / count.max(1) as f64))
}

/// [`linear`] ticks at whole numbers alone: 1, 2 or 5 times a power of ten apart, and not less than 1.
pub(super) fn whole(lo: f64, hi: f64, count: usize) -> Vec<Tick> {
    let step = nice_step((hi - lo) / count.max(1) as f64);
    match step {
        2.5 => in_steps(lo, hi, 5.0),
        ..1.0 => in_steps(lo, hi, 1.0),
        _ => linear(lo, hi, count),
    }
}

fn in_steps(lo: f64, hi: f64, step: f64) -> Vec<Tick> {
    let slack = step * 1e-9;
    let first = ((lo - slack) / step).ceil();
    let last = ((hi + slack) / step).floor();
    let n = (last - first + 1.0).clamp(0.0, 100.0) as usize;
    let values: Vec<f64> = (0..n).map(|i| (first + i as f64) * step).collect();
    label_all(&values, step)
}

/// The round number nearest to `raw`, by ratio.
fn nice_step(raw: f64) -> f64 {
    let power = 10f64.powf(raw.log10().floor());
    let times = raw / power;
    let nice = match times {
        ..1.41 => 1.0,
        ..2.23 => 2.0,
        ..3.53 => 2.5,
        ..7.07 => 5.0,
        _ => 10.0,
    };
    nice * power
}

/// Labels in one common format: a column of numbers is compared at a glance only if all have the same decimals.
fn label_all(values: &[f64], step: f64) -> Vec<Tick> {
    let largest = values.iter().fold(0f64, |largest, v| largest.max(v.abs()));
    let (unit, suffix) = if largest >= 1e15 || largest < 2e-3 && step < 1e-3 {
        return values.iter().map(|&value| Tick { value, label: scientific(value, step) }).collect();
    } else if largest >= 2e9 && step >= 1e8 {
        (1e9, "G")
    } else if largest >= 2e6 && step >= 1e5 {
        (1e6, "M")
    } else if largest >= 1e4 && step >= 1e2 {
        (1e3, "k")
    } else {
        (1.0, "")
    };
    let decimals = decimals_for(step / unit);
    let write = |&value: &f64| {
        let digits = minus(format!("{:.decimals$}", value / unit));
        let label = if is_zero(&digits) { "0".to_string() } else { format!("{digits}{suffix}") };
        Tick { value, label: if decimals > 0 && suffix.is_empty() { digits } else { label } }
    };
    values.iter().map(write).collect()
}

/// Decimals that show a step in full: 0.25 needs two, 0.5 one, 10 none.
fn decimals_for(step: f64) -> usize {
    (0..12)
        .find(|&d| {
            let shifted = step * 10f64.powi(d);
            (shifted - shifted.round()).abs() < 1e-6 * shifted.max(1.0) && shifted.round() >= 1.0
        })
        .unwrap_or(12) as usize
}

/// `2e-5`, `2.5e-5`: as many digits as the step needs.
fn scientific(value: f64, step: f64) -> String {
    if value.abs() < step * 1e-6 {
        return "0".to_string();
    }
    let exponent = value.abs().log10().floor() as i32;
    let digits = decimals_for(step / 10f64.powi(exponent)).min(6);
    let text = format!("{:.digits$e}", value);
    minus(trim_mantissa(&text))
}

/// `1.50e-5` is `1.5e-5`.
fn trim_mantissa(text: &str) -> String {
    match text.split_once('e') {
        Some((mantissa, exponent)) if mantissa.contains('.') => {
            format!("{}e{exponent}", mantissa.trim_end_matches('0').trim_end_matches('.'))
        }
        _ => text.to_string(),
    }
}

/// A true minus sign in front, and none in front of zero.
fn minus(text: String) -> String {
    match text.strip_prefix('-') {
        Some(zero) if is_zero(zero) => zero.to_string(),
        Some(digits) => format!("−{digits}"),
        None => text,
    }
}

fn is_zero(text: &str) -> bool {
    text.chars().all(|c| matches!(c, '0' | '.'))
}

/// Ticks for a logarithmic axis, `lo` and `hi` positive: whole powers of ten, thinned out when there are many; over
/// less than two powers also 2 and 5 times them; over less still, round numbers.
pub(super) fn log(lo: f64, hi: f64, count: usize) -> Vec<Tick> {
    let count = count.max(2);
    if !(lo > 0.0 && lo < hi && hi.is_finite()) {
        return Vec::new();
    }
    let (from, to) = ((lo.log10() - 1e-9).ceil() as i32, (hi.log10() + 1e-9).floor() as i32);
    let powers = (to - from + 1).max(0) as usize;
    if powers >= 3 || powers == 2 && count < 4 {
        let every = powers.div_ceil(count).max(1);
        let kept = (from..=to).filter(|p| p.rem_euclid(every as i32) == 0);
        return label_log(kept.map(|p| 10f64.powi(p)).collect());
    }
    let fine: Vec<f64> = (from - 1..=to)
        .flat_map(|p| [1.0, 2.0, 5.0].map(|m| format!("{m}e{p}").parse::<f64>().unwrap_or(m * 10f64.powi(p))))
        .filter(|v| (lo * (1.0 - 1e-9)..=hi * (1.0 + 1e-9)).contains(v))
        .collect();
    match fine.len() {
        3.. => label_log(fine),
        _ => linear(lo, hi, count).into_iter().filter(|t| t.value > 0.0).collect(),
    }
}

/// Labels of rising values in one notation: where the first needs a power of ten, all below 1 are written so.
fn label_log(values: Vec<f64>) -> Vec<Tick> {
    let is_small = values.first().is_some_and(|&first| first < 9.9995e-4);
    let label = |value: f64| match value {
        ..1.0 if is_small => trim_mantissa(&format!("{value:.2e}")),
        _ => number(value),
    };
    values.into_iter().map(|value| Tick { value, label: label(value) }).collect()
}

/// The lines between the powers of ten on a logarithmic axis; none where they would only make a grey.
pub(super) fn log_minor(lo: f64, hi: f64) -> Vec<f64> {
    let (from, to) = (lo.log10().floor() as i32, hi.log10().ceil() as i32);
    if to - from > 10 {
        return Vec::new();
    }
    let between = (from..to).flat_map(|p| (2..10).map(move |m| f64::from(m) * 10f64.powi(p)));
    between.filter(|v| (lo..=hi).contains(v)).collect()
}

/// One number on its own, in at most about six characters: `0.001`, `1e-5`, `12k`, `0.9961`, `3`.
pub(super) fn number(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        return if value.is_nan() {
            "NaN"
        } else if value > 0.0 {
            "∞"
        } else {
            "−∞"
        }
        .to_string();
    }
    if size == 0.0 {
        return "0".to_string();
    }
    let (scaled, suffix) = match size {
        _ if !(9.9995e-4..9.9995e14).contains(&size) => return minus(trim_mantissa(&format!("{value:.2e}"))),
        _ if size >= 9.9995e8 => (value / 1e9, "G"),
        _ if size >= 9.9995e5 => (value / 1e6, "M"),
        _ if size >= 9999.5 => (value / 1e3, "k"),
        _ => (value, ""),
    };
    // Four significant digits.
    let decimals = (3 - scaled.abs().log10().floor() as i32).clamp(0, 6) as usize;
    let text = format!("{scaled:.decimals$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    minus(format!("{text}{suffix}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_nothing_between_two_epochs() {
        let labels = |lo, hi, count| whole(lo, hi, count).into_iter().map(|tick| tick.label).collect::<Vec<_>>();
        assert_eq!(labels(-0.1, 2.1, 10), ["0", "1", "2"]);
        assert_eq!(labels(-1.2, 25.2, 10), ["0", "5", "10", "15", "20", "25"]);
        assert_eq!(labels(0.0, 250.0, 10), ["0", "25", "50", "75", "100", "125", "150", "175", "200", "225", "250"]);
    }

    fn labels(ticks: &[Tick]) -> Vec<&str> {
        ticks.iter().map(|t| t.label.as_str()).collect()
    }

    #[test]
    fn linear_ticks_are_round_numbers() {
        assert_eq!(labels(&linear(0.0, 1.0, 5)), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(&linear(-300.0, 100.0, 4)), ["−300", "−200", "−100", "0", "100"]);
        assert_eq!(labels(&linear(0.0, 40.0, 4)), ["0", "10", "20", "30", "40"]);
        assert_eq!(labels(&linear(0.94, 1.0, 4)), ["0.94", "0.96", "0.98", "1.00"]);
        assert_eq!(labels(&linear(0.0, 50_000.0, 5)), ["0", "10k", "20k", "30k", "40k", "50k"]);
        assert_eq!(labels(&linear(0.0, 5e-5, 5)), ["0", "1e-5", "2e-5", "3e-5", "4e-5", "5e-5"]);
        assert_eq!(labels(&linear(0.0, 0.004, 4)), ["0.000", "0.001", "0.002", "0.003", "0.004"]);
    }

    #[test]
    fn zero_has_no_sign() {
        for (lo, hi) in [(-1.0, 1.0), (-0.3, 0.1), (-1e-5, 1e-5), (-2e5, 1e5), (-1e16, 1e16)] {
            for tick in linear(lo, hi, 5) {
                assert!(!matches!(tick.label.as_str(), "-0" | "−0" | "−0.0" | "-0.0" | "−0k"), "{tick:?}");
            }
        }
        assert_eq!(number(-0.0), "0");
    }

    #[test]
    fn no_range_makes_ticks_without_end() {
        for (lo, hi) in
            [(1.0, 1.0), (1e16, 1e16 + 2.0), (0.0, f64::MIN_POSITIVE), (-1e300, 1e300), (0.0, f64::INFINITY)]
        {
            assert!(linear(lo, hi, 6).len() <= 100, "{lo} {hi}");
        }
    }

    #[test]
    fn log_ticks_are_powers_of_ten() {
        let ticks = log(1e-7, 10.0, 10);
        assert_eq!(labels(&ticks), ["1e-7", "1e-6", "1e-5", "1e-4", "1e-3", "1e-2", "1e-1", "1", "10"]);
        assert_eq!(labels(&log(1e-7, 10.0, 5)), ["1e-6", "1e-4", "1e-2", "1"]);
        assert_eq!(labels(&log(1e-3, 10.0, 10)), ["0.001", "0.01", "0.1", "1", "10"]);
        assert_eq!(labels(&log(5e-4, 4e-3, 10)), ["5e-4", "1e-3", "2e-3"]);
        assert_eq!(labels(&log(0.5, 20.0, 8)), ["0.5", "1", "2", "5", "10", "20"]);
        assert_eq!(labels(&log(1.0, 1.4, 4)), ["1.0", "1.1", "1.2", "1.3", "1.4"]);
    }

    #[test]
    fn lone_numbers_are_short() {
        let written = [0.001, 1e-5, 12_000.0, 0.9961, 3.0, -2.5, 1_234_567.0, 999.99, 0.1 + 0.2].map(number);
        assert_eq!(written, ["0.001", "1e-5", "12k", "0.9961", "3", "−2.5", "1.235M", "1000", "0.3"]);
        assert_eq!(number(f64::NAN), "NaN");
    }
}
