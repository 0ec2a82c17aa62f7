//! A curve with sliders, for a page: a still picture that a script brings to life.

use std::fmt::Write as _;

use super::scale::{self, Scale};
use super::svg::escaped;

/// A family of curves, one for each list of parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Curve {
    /// A polynomial, by its coefficients from the highest power on: `a x² + b x + c`.
    Polynomial,
    /// A sum of rectified lines: `max(0, m x + b)` for each pair of parameters m and b.
    Relus,
}

impl Curve {
    /// The curve's value at `x`.
    ///
    /// ```
    /// use tallow::plot::Curve;
    ///
    /// assert_eq!(Curve::Polynomial.value(&[3.0, 2.0, 1.0], 2.0), 17.0);
    /// assert_eq!(Curve::Relus.value(&[1.0, 1.0, -2.0, 0.0], 2.0), 3.0);
    /// ```
    pub fn value(self, parameters: &[f64], x: f64) -> f64 {
        match self {
            Curve::Polynomial => parameters.iter().fold(0.0, |value, parameter| value * x + parameter),
            Curve::Relus => parameters.chunks_exact(2).map(|line| (line[0] * x + line[1]).max(0.0)).sum(),
        }
    }

    /// Its name in the page's script.
    fn name(self) -> &'static str {
        match self {
            Curve::Polynomial => "polynomial",
            Curve::Relus => "relus",
        }
    }
}

/// A curve that the reader of a page bends with sliders, over points that it may be fitted to. Without JavaScript the
/// page shows the curve of the starting values. It draws itself in the colours of the page.
///
/// ```
/// use tallow::plot::{Curve, Explorer};
///
/// let parabola = Explorer::new("a x² + b x + c", Curve::Polynomial)
///     .slider("a", 1.1, -5.0, 5.0)
///     .slider("b", 1.1, -5.0, 5.0)
///     .slider("c", 1.1, -5.0, 5.0)
///     .points(&[-1.0, 0.0, 1.0], &[2.0, 1.0, 6.0])
///     .range((-2.0, 2.0), (-3.0, 13.0));
/// let error = (0.9 + 0.1 + 2.7) / 3.0; // 1.1 for 2, 1.1 for 1, 3.3 for 6
/// assert!((parabola.mean_absolute_error() - error).abs() < 1e-9);
/// ```
#[derive(Debug, Clone)]
pub struct Explorer {
    title: String,
    curve: Curve,
    sliders: Vec<Slider>,
    xs: Vec<f64>,
    ys: Vec<f64>,
    x_range: (f64, f64),
    y_range: (f64, f64),
}

#[derive(Debug, Clone)]
struct Slider {
    name: String,
    value: f64,
    from: f64,
    to: f64,
}

/// The size of the picture and the rectangle for the data: left, top, right, bottom.
const SIZE: (f64, f64) = (640.0, 360.0);
const INNER: [f64; 4] = [44.0, 12.0, 628.0, 330.0];

/// Points of the curve.
const STEPS: usize = 200;

impl Explorer {
    /// A curve without sliders, over x and y from -1 to 1.
    pub fn new(title: impl Into<String>, curve: Curve) -> Explorer {
        let none = Vec::new;
        let range = (-1.0, 1.0);
        let (sliders, xs, ys) = (Vec::new(), none(), none());
        Explorer { title: title.into(), curve, sliders, xs, ys, x_range: range, y_range: range }
    }

    /// Adds a slider for the curve's next parameter.
    #[must_use]
    pub fn slider(mut self, name: impl Into<String>, value: f64, from: f64, to: f64) -> Explorer {
        self.sliders.push(Slider { name: name.into(), value, from, to });
        self
    }

    /// Points behind the curve, whose mean absolute distance from it is shown. Of two lists the shorter one counts.
    #[must_use]
    pub fn points(mut self, xs: &[f64], ys: &[f64]) -> Explorer {
        (self.xs, self.ys) = xs.iter().zip(ys).unzip();
        self
    }

    /// The range of x, and that of y.
    #[must_use]
    pub fn range(mut self, x: (f64, f64), y: (f64, f64)) -> Explorer {
        (self.x_range, self.y_range) = (x, y);
        self
    }

    /// The mean absolute distance of the points from the curve of the starting values; 0 without points.
    pub fn mean_absolute_error(&self) -> f64 {
        let errors = self.xs.iter().zip(&self.ys).map(|(&x, y)| (self.at(x) - y).abs());
        errors.sum::<f64>() / self.xs.len().max(1) as f64
    }

    fn at(&self, x: f64) -> f64 {
        let parameters: Vec<f64> = self.sliders.iter().map(|slider| slider.value).collect();
        self.curve.value(&parameters, x)
    }

    /// The picture and the sliders as HTML, which the page's script looks for by its class, `explorer`.
    pub(crate) fn html(&self) -> String {
        let [left, top, right, bottom] = INNER;
        let x = Scale::new(scale::range(std::iter::empty(), Some(self.x_range), false), false, left, right);
        let y = Scale::new(scale::range(std::iter::empty(), Some(self.y_range), false), false, bottom, top);
        let (width, height) = SIZE;
        let mut svg = format!(
            "<svg viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\" \
             aria-label=\"{}\">\n",
            escaped(&self.title)
        );
        let mut add = |element: std::fmt::Arguments<'_>| {
            // Writing into a string cannot fail.
            let _ = svg.write_fmt(element);
        };
        for tick in x.ticks(8) {
            let (at, label) = (x.at(tick.value).unwrap_or(left), &tick.label);
            add(format_args!("<path class=\"grid\" d=\"M{at:.1} {top}V{bottom}\"/>"));
            add(format_args!("<text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{label}</text>\n", bottom + 18.0));
        }
        for tick in y.ticks(6) {
            let (at, label) = (y.at(tick.value).unwrap_or(bottom), &tick.label);
            add(format_args!("<path class=\"grid\" d=\"M{left} {at:.1}H{right}\"/>"));
            add(format_args!("<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>\n", left - 6.0, at + 4.0));
        }
        let place = |px: f64, py: f64| x.at(px).zip(y.at(py).map(|y| y.clamp(-2.0 * bottom, 3.0 * bottom)));
        let (from, to) = self.x_range;
        let along = (0..=STEPS).map(|i| from + (to - from) * i as f64 / STEPS as f64);
        let curve: Vec<String> =
            along.filter_map(|px| place(px, self.at(px))).map(|(px, py)| format!("{px:.1},{py:.1}")).collect();
        // An SVG in an SVG cuts off what is outside of it.
        let (w, h) = (right - left, bottom - top);
        add(format_args!(
            "\n<svg x=\"{left}\" y=\"{top}\" width=\"{w}\" height=\"{h}\" viewBox=\"{left} {top} {w} {h}\">"
        ));
        for (cx, cy) in self.xs.iter().zip(&self.ys).filter_map(|(&px, &py)| place(px, py)) {
            add(format_args!("<circle cx=\"{cx:.1}\" cy=\"{cy:.1}\" r=\"4\"/>"));
        }
        add(format_args!("\n<polyline points=\"{}\"/></svg>\n</svg>", curve.join(" ")));
        let error = match self.xs.is_empty() {
            true => String::new(),
            false => format!("<p>mean absolute error: <output>{:.2}</output></p>\n", self.mean_absolute_error()),
        };
        let points: Vec<String> = self.xs.iter().zip(&self.ys).map(|(x, y)| format!("{x} {y}")).collect();
        let sliders: String = self.sliders.iter().map(Slider::html).collect();
        format!(
            "<div class=\"explorer\" data-curve=\"{}\" data-x=\"{} {}\" data-y=\"{} {}\" \
             data-inner=\"{left} {top} {right} {bottom}\" data-points=\"{}\">\n<p class=\"title\">{}</p>\n\
             {svg}\n{error}<div class=\"sliders\" hidden>\n{sliders}</div>\n</div>\n",
            self.curve.name(),
            self.x_range.0,
            self.x_range.1,
            self.y_range.0,
            self.y_range.1,
            points.join(" "),
            escaped(&self.title),
        )
    }
}

impl Slider {
    fn html(&self) -> String {
        let Slider { name, value, from, to } = self;
        format!(
            "<label><span>{} = <b>{value}</b></span><input type=\"range\" min=\"{from}\" max=\"{to}\" step=\"0.1\" \
             value=\"{value}\"></label>\n",
            escaped(name)
        )
    }
}
