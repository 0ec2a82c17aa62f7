//! The frame of a plot: title, legend, axes with their ticks and labels, and the rectangle left for the data.

use super::legend::{self, Entry};
use super::scale::Scale;
use super::scene::{Anchor, Area, MARGIN, Scene, title_lines};
use super::style::{FAINT_GRID, GRID, INK, LABEL_SIZE, MUTED, SPINE, TICK_SIZE};
use super::text;
use super::ticks::Tick;

/// Height of a row of tick labels, and of an axis label.
pub(super) const TICK_ROW: f64 = 18.0;
pub(super) const LABEL_ROW: f64 = 20.0;

/// What stands around the data.
#[derive(Debug)]
pub(super) struct Axes<'a> {
    pub(super) title: &'a str,
    pub(super) x_label: &'a str,
    pub(super) y_label: &'a str,
    pub(super) x_range: (f64, f64),
    pub(super) y_range: (f64, f64),
    pub(super) x_log: bool,
    /// Whether all values along it are whole numbers.
    pub(super) x_whole: bool,
    pub(super) y_log: bool,
    pub(super) legend: &'a [Entry],
    /// Height of title and legend at least, so that neighbours in a grid line up.
    pub(super) head: f64,
}

/// The height of title and legend in a panel of some width.
pub(super) fn head_height(title: &str, legend: &[Entry], width: f64) -> f64 {
    title_lines(title, width - 2.0 * MARGIN).1 + legend::height(legend, legend_width(width))
}

fn legend_width(width: f64) -> f64 {
    (width - 2.0 * MARGIN - 40.0).max(60.0)
}

/// Where the data go.
#[derive(Debug)]
pub(super) struct Laid {
    pub(super) inner: Area,
    pub(super) x: Scale,
    pub(super) y: Scale,
}

impl Axes<'_> {
    /// Draws the frame into `area`.
    pub(super) fn draw(&self, scene: &mut Scene, area: Area) -> Laid {
        let (title, title_height) = title_lines(self.title, area.w - 2.0 * MARGIN);
        let legend_width = legend_width(area.w);
        let head = head_height(self.title, self.legend, area.w).max(self.head);
        let top = area.y + MARGIN + if head > 0.0 { head } else { 4.0 };
        let foot = MARGIN + TICK_ROW + if self.x_label.is_empty() { 0.0 } else { LABEL_ROW };
        let bottom = (area.bottom() - foot).max(top + 20.0);

        let y = Scale::new(self.y_range, self.y_log, bottom, top);
        let y_ticks = y.ticks(((bottom - top) / 36.0).clamp(2.0, 8.0) as usize);
        let numbers = widest(&y_ticks);
        let left = area.x + MARGIN + numbers + 7.0 + if self.y_label.is_empty() { 0.0 } else { LABEL_ROW };
        let left = left.min(area.x + area.w * 0.6);
        let mut right = area.right() - MARGIN - 4.0;

        let mut x = Scale::new(self.x_range, self.x_log, left, right.max(left + 20.0)).whole(self.x_whole);
        let mut x_ticks = fitting_ticks(&x, right - left);
        // The last number is centred under its tick and may reach past the plot.
        if let Some(last) = x_ticks.last() {
            let reach = x.at(last.value).unwrap_or(right) + text::width(&last.label, TICK_SIZE) / 2.0;
            right -= (reach - (area.right() - 6.0)).max(0.0);
            x = Scale::new(self.x_range, self.x_log, left, right.max(left + 20.0)).whole(self.x_whole);
            x_ticks = fitting_ticks(&x, right - left);
        }
        let right = right.max(left + 20.0);
        let inner = Area::new(left, top, right - left, bottom - top);

        let center = (left + right) / 2.0;
        let half_title = title.iter().map(|l| text::width(l, super::style::TITLE_SIZE) / 2.0).fold(0.0, f64::max);
        let title_x = center.min(area.right() - MARGIN / 2.0 - half_title).max(area.x + MARGIN / 2.0 + half_title);
        scene.title(&title, title_x, area.y + MARGIN);
        let legend_x = (center - legend_width / 2.0).min(area.right() - MARGIN - legend_width);
        let legend_area = Area::new(legend_x, area.y + MARGIN + title_height, legend_width, 0.0);
        legend::draw(scene, self.legend, legend_area);

        let laid = Laid { inner, x, y };
        laid.grid(scene, &x_ticks, &y_ticks);
        for tick in &x_ticks {
            if let Some(x) = laid.x.at(tick.value) {
                scene.text(&tick.label, (x, bottom + 12.0), TICK_SIZE, MUTED, Anchor::Middle);
            }
        }
        for tick in &y_ticks {
            if let Some(y) = laid.y.at(tick.value) {
                scene.text(&tick.label, (left - 7.0, y), TICK_SIZE, MUTED, Anchor::End);
            }
        }
        axis_labels(scene, area, inner, self.x_label, self.y_label);
        laid
    }
}

impl Laid {
    fn grid(&self, scene: &mut Scene, x_ticks: &[Tick], y_ticks: &[Tick]) {
        let Area { x: left, y: top, w, h } = self.inner;
        let vertical = |scene: &mut Scene, value: f64, color| {
            if let Some(x) = self.x.at(value) {
                scene.rect(Area::new((x - 0.5).round(), top, 1.0, h), color);
            }
        };
        let horizontal = |scene: &mut Scene, value: f64, color| {
            if let Some(y) = self.y.at(value) {
                scene.rect(Area::new(left, (y - 0.5).round(), w, 1.0), color);
            }
        };
        self.x.minor().into_iter().for_each(|value| vertical(scene, value, FAINT_GRID));
        self.y.minor().into_iter().for_each(|value| horizontal(scene, value, FAINT_GRID));
        x_ticks.iter().for_each(|tick| vertical(scene, tick.value, GRID));
        y_ticks.iter().for_each(|tick| horizontal(scene, tick.value, GRID));
    }

    /// The two axis lines, drawn after the data.
    pub(super) fn spines(&self, scene: &mut Scene) {
        let Area { x, y, w, h } = self.inner;
        scene.rect(Area::new((x - 0.5).round(), y, 1.0, h), SPINE);
        scene.rect(Area::new((x - 0.5).round(), (y + h - 0.5).round(), w, 1.0), SPINE);
    }
}

/// Axis labels, centred on the data and cut to its length.
pub(super) fn axis_labels(scene: &mut Scene, area: Area, inner: Area, x_label: &str, y_label: &str) {
    let (center_x, center_y) = inner.middle();
    let x_label = text::fit(&text::clean(x_label), LABEL_SIZE, inner.w.max(60.0));
    let y_label = text::fit(&text::clean(y_label), LABEL_SIZE, inner.h.max(60.0));
    scene.text(&x_label, (center_x, area.bottom() - MARGIN - 5.0), LABEL_SIZE, INK, Anchor::Middle);
    scene.upright_text(&y_label, (area.x + MARGIN + 5.0, center_y), LABEL_SIZE, INK, Anchor::Middle);
}

/// The width of the widest tick label.
pub(super) fn widest(ticks: &[Tick]) -> f64 {
    ticks.iter().map(|tick| text::width(&tick.label, TICK_SIZE)).fold(0.0, f64::max)
}

/// As many ticks as their labels have room for along `length`.
pub(super) fn fitting_ticks(scale: &Scale, length: f64) -> Vec<Tick> {
    let mut count = (length / 50.0).clamp(2.0, 10.0) as usize;
    loop {
        let ticks = scale.ticks(count);
        let places: Vec<f64> = ticks.iter().filter_map(|tick| scale.at(tick.value)).collect();
        let closest = places.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(f64::INFINITY, f64::min);
        if count <= 1 || widest(&ticks) + 10.0 <= closest {
            return ticks;
        }
        count -= 1;
    }
}
