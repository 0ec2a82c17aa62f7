//! From data to page: the range of an axis, and where a value falls on it.

use super::ticks::{self, Tick};

/// Values beyond this are treated as infinite, so that ranges can be subtracted safely.
const HUGE: f64 = 1e300;

/// Whether a value can be placed on an axis of this kind.
pub(super) fn usable(value: f64, log: bool) -> bool {
    value.abs() < HUGE && (!log || value > 1.0 / HUGE)
}

/// The range of an axis: what the user asked for, else what the data fill, with some air.
pub(super) fn range(values: impl Iterator<Item = f64>, asked: Option<(f64, f64)>, log: bool) -> (f64, f64) {
    if let Some((a, b)) = asked
        && usable(a, log)
        && usable(b, log)
        && distinct(a.min(b), a.max(b))
    {
        return (a.min(b), a.max(b));
    }
    let seen = values.filter(|&v| usable(v, log));
    let (lo, hi) = seen.fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), v| (lo.min(v), hi.max(v)));
    match (lo <= hi, log) {
        (false, false) => (0.0, 1.0),
        (false, true) => (0.1, 10.0),
        (true, false) if distinct(lo, hi) => {
            let air = 0.05 * (hi - lo);
            (lo - air, hi + air)
        }
        (true, false) => {
            let air = if lo == 0.0 { 0.5 } else { 0.5 * lo.abs() };
            (lo - air, hi + air)
        }
        (true, true) if distinct(lo.ln(), hi.ln()) => {
            let air = (0.03 * (hi.ln() - lo.ln())).exp();
            ((lo / air).max(1.0 / HUGE), (hi * air).min(HUGE))
        }
        (true, true) => ((lo / 3.0).max(1.0 / HUGE), (hi * 3.0).min(HUGE)),
    }
}

/// Far enough apart to be told apart in double precision.
fn distinct(lo: f64, hi: f64) -> bool {
    hi - lo > 1e-12 * lo.abs().max(hi.abs()) && hi - lo > 1e-290
}

/// One axis: a range of values laid along a stretch of the page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    lo: f64,
    hi: f64,
    log: bool,
    /// Whether there is nothing between whole numbers, as with epochs.
    whole: bool,
    from: f64,
    to: f64,
}

impl Scale {
    /// `lo` falls at `from`, `hi` at `to` (which lies above `from` on the page for a vertical axis).
    pub(super) fn new((lo, hi): (f64, f64), log: bool, from: f64, to: f64) -> Scale {
        Scale { lo, hi, log, whole: false, from, to }
    }

    /// The same with ticks at whole numbers alone, if `whole`.
    pub(super) fn whole(self, whole: bool) -> Scale {
        Scale { whole, ..self }
    }

    /// Where a value falls; may lie outside the stretch. `None` for what no axis can show.
    pub(super) fn at(&self, value: f64) -> Option<f64> {
        if !usable(value, self.log) {
            return None;
        }
        let part = if self.log {
            (value.ln() - self.lo.ln()) / (self.hi.ln() - self.lo.ln())
        } else {
            (value - self.lo) / (self.hi - self.lo)
        };
        // Far outside is as good as anywhere outside, and keeps the arithmetic of clipping exact.
        Some(self.from + part.clamp(-1e4, 1e4) * (self.to - self.from))
    }

    /// Whether the value lies in the range.
    pub(super) fn shows(&self, value: f64) -> bool {
        let slack = if self.log { 1e-9 * value.abs() } else { 1e-9 * (self.hi - self.lo) };
        value >= self.lo - slack && value <= self.hi + slack
    }

    /// About `count` labelled ticks.
    pub(super) fn ticks(&self, count: usize) -> Vec<Tick> {
        match (self.log, self.whole) {
            (true, _) => ticks::log(self.lo, self.hi, count),
            (false, true) => ticks::whole(self.lo, self.hi, count),
            (false, false) => ticks::linear(self.lo, self.hi, count),
        }
    }

    /// Unlabelled lines between the ticks; only logarithmic axes have them.
    pub(super) fn minor(&self) -> Vec<f64> {
        if self.log { ticks::log_minor(self.lo, self.hi) } else { Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_the_data_with_air() {
        let (lo, hi) = range([1.0, f64::NAN, 3.0, f64::INFINITY].into_iter(), None, false);
        assert!((lo - 0.9).abs() < 1e-12 && (hi - 3.1).abs() < 1e-12);
        assert_eq!(range([].into_iter(), None, false), (0.0, 1.0));
        assert_eq!(range([2.0, 2.0].into_iter(), None, false), (1.0, 3.0));
        assert_eq!(range([0.0].into_iter(), None, false), (-0.5, 0.5));
    }

    #[test]
    fn asked_ranges_may_be_reversed_or_useless() {
        assert_eq!(range([].into_iter(), Some((5.0, -5.0)), false), (-5.0, 5.0));
        assert_eq!(range([].into_iter(), Some((f64::NAN, 1.0)), false), (0.0, 1.0));
        assert_eq!(range([].into_iter(), Some((1.0, 1.0)), false), (0.0, 1.0));
        assert_eq!(range([].into_iter(), Some((-1.0, 10.0)), true), (0.1, 10.0));
    }

    #[test]
    fn values_fall_between_the_ends() {
        let linear = Scale::new((0.0, 10.0), false, 100.0, 200.0);
        assert_eq!(linear.at(5.0), Some(150.0));
        assert_eq!(linear.at(f64::NAN), None);
        let log = Scale::new((1.0, 100.0), true, 0.0, 100.0);
        assert!((log.at(10.0).unwrap() - 50.0).abs() < 1e-9);
        assert_eq!(log.at(0.0), None);
        assert_eq!(log.at(-3.0), None);
    }
}
