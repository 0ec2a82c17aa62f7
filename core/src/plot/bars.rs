//! A bar for each label.

use super::axes::{self, LABEL_ROW, TICK_ROW, fitting_ticks, widest};
use super::draw_curves::page_size;
use super::scale::{Scale, range};
use super::scene::{Anchor, Area, MARGIN, Scene, title_lines};
use super::shorten::fit_all;
use super::style::{BLUE, GRID, INK, MUTED, SPINE, TICK_SIZE, VEIL};
use super::{text, ticks};
use crate::error::{Error, Result};

/// A bar for each label, with its value written at its end.
///
/// ```
/// use tallow::plot::{Bars, Figure};
///
/// let figure: Figure = Bars::new("Digits", &["threes", "sevens"], &[6131.0, 6265.0]).horizontal().into();
/// assert!(figure.svg()?.contains("6131"));
/// # Ok::<(), tallow::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Bars {
    title: String,
    x_label: String,
    y_label: String,
    labels: Vec<String>,
    values: Vec<f64>,
    horizontal: bool,
    size: Option<(u32, u32)>,
}

impl Bars {
    /// One upright bar for each label.
    pub fn new<S: AsRef<str>>(title: impl Into<String>, labels: &[S], values: &[f64]) -> Bars {
        Bars {
            title: title.into(),
            x_label: String::new(),
            y_label: String::new(),
            labels: labels.iter().map(|label| text::clean(label.as_ref())).collect(),
            values: values.to_vec(),
            horizontal: false,
            size: None,
        }
    }

    /// Bars that grow to the right, the first one on top: better for long labels.
    pub fn horizontal(mut self) -> Bars {
        self.horizontal = true;
        self
    }

    /// The label below the picture.
    pub fn x_label(mut self, label: impl Into<String>) -> Bars {
        self.x_label = label.into();
        self
    }

    /// The label at the left of the picture.
    pub fn y_label(mut self, label: impl Into<String>) -> Bars {
        self.y_label = label.into();
        self
    }

    /// Width and height in CSS pixels, from 160 by 120 to 4000 by 4000.
    pub fn size(mut self, width: u32, height: u32) -> Bars {
        self.size = Some((width, height));
        self
    }

    pub(super) fn natural_size(&self, columns: usize) -> (f64, f64) {
        let (w, h) = page_size(self.size, columns);
        // Horizontal bars need a line of text each.
        let rows = 24.0 * self.labels.len() as f64 + 100.0;
        if self.horizontal && self.size.is_none() { (w, rows.clamp(140.0, 4000.0)) } else { (w, h) }
    }

    pub(super) fn draw(&self, scene: &mut Scene, area: Area) -> Result<()> {
        let (labels, values) = (self.labels.len(), self.values.len());
        if labels != values {
            return Err(Error::shape(
                format!("bars `{}`: {labels} labels and {values} values", self.title),
                &[labels, values],
            ));
        }
        let (title, title_height) = title_lines(&self.title, area.w - 2.0 * MARGIN);
        scene.title(&title, area.middle().0, area.y + MARGIN);
        let y = area.y + title_height;
        let below_title = Area::new(area.x, y, area.w, area.bottom() - y);
        if self.horizontal {
            self.draw_rows(scene, below_title)
        } else {
            self.draw_columns(scene, below_title)
        }
        Ok(())
    }

    /// From zero to the longest bar, with room for the number at its end.
    fn range(&self) -> (f64, f64) {
        let (lo, hi) = range(self.values.iter().copied().chain([0.0]), None, false);
        let all_zero = self.values.iter().all(|&v| v == 0.0 || !v.is_finite());
        match (lo < 0.0 && !all_zero, all_zero) {
            (_, true) => (0.0, 1.0),
            (true, _) if self.values.iter().any(|&v| v < 0.0) => (lo * 1.05, hi * 1.05),
            _ => (0.0, hi * 1.05),
        }
    }

    fn draw_columns(&self, scene: &mut Scene, area: Area) {
        let top = area.y + MARGIN + 4.0;
        let label_width = self.labels.iter().map(|label| text::width(label, TICK_SIZE)).fold(0.0, f64::max);
        let slots = self.labels.len().max(1) as f64;
        let rough_slot = (area.w - 80.0) / slots;
        let upright = label_width + 6.0 > rough_slot && rough_slot < 60.0;
        let longest = 0.35 * area.h;
        let label_height = if upright { label_width.min(longest) + 12.0 } else { TICK_ROW };
        let foot = MARGIN + label_height + if self.x_label.is_empty() { 0.0 } else { LABEL_ROW };
        let bottom = (area.bottom() - foot).max(top + 20.0);
        let y = Scale::new(self.range(), false, bottom, top);
        let ticks = y.ticks(((bottom - top) / 36.0).clamp(2.0, 8.0) as usize);
        let left = area.x + MARGIN + widest(&ticks) + 7.0 + if self.y_label.is_empty() { 0.0 } else { LABEL_ROW };
        let inner = Area::new(left, top, (area.right() - MARGIN - left).max(20.0), bottom - top);
        for tick in &ticks {
            let Some(at) = y.at(tick.value) else { continue };
            scene.rect(Area::new(left, (at - 0.5).round(), inner.w, 1.0), GRID);
            scene.text(&tick.label, (left - 7.0, at), TICK_SIZE, MUTED, Anchor::End);
        }
        let slot = inner.w / slots;
        let labels = fit_all(&self.labels, TICK_SIZE, if upright { longest } else { slot - 4.0 });
        let zero = y.at(0.0).unwrap_or(bottom);
        for (i, (label, &value)) in labels.iter().zip(&self.values).enumerate() {
            let center = left + slot * (i as f64 + 0.5);
            if let Some(end) = y.at(value) {
                let width = (slot * 0.72).min(80.0);
                scene.rect(Area::new(center - width / 2.0, zero.min(end), width, (zero - end).abs()), BLUE);
                let number = ticks::number(value);
                if text::width(&number, TICK_SIZE) <= slot - 2.0 {
                    let beyond = if end > zero { 9.0 } else { -8.0 };
                    let half = text::width(&number, TICK_SIZE) / 2.0 + 1.0;
                    scene.rect(Area::new(center - half, end + beyond - 6.0, 2.0 * half, 12.0), VEIL);
                    scene.text(&number, (center, end + beyond), TICK_SIZE, INK, Anchor::Middle);
                }
            }
            if upright {
                if slot >= TICK_SIZE || i % (TICK_SIZE / slot).ceil() as usize == 0 {
                    scene.upright_text(label, (center, bottom + 7.0), TICK_SIZE, INK, Anchor::End);
                }
            } else {
                scene.text(label, (center, bottom + 12.0), TICK_SIZE, INK, Anchor::Middle);
            }
        }
        scene.rect(Area::new(left, (zero - 0.5).round(), inner.w, 1.0), SPINE);
        axes::axis_labels(scene, area, inner, &self.x_label, &self.y_label);
    }

    fn draw_rows(&self, scene: &mut Scene, area: Area) {
        let top = area.y + MARGIN;
        let foot = MARGIN + TICK_ROW + if self.x_label.is_empty() { 0.0 } else { LABEL_ROW };
        let bottom = (area.bottom() - foot).max(top + 20.0);
        let longest = 0.4 * area.w;
        let labels = fit_all(&self.labels, TICK_SIZE, longest);
        let label_width = labels.iter().map(|label| text::width(label, TICK_SIZE)).fold(0.0, f64::max);
        let left = area.x + MARGIN + label_width + 8.0 + if self.y_label.is_empty() { 0.0 } else { LABEL_ROW };
        let numbers: Vec<String> = self.values.iter().map(|&value| ticks::number(value)).collect();
        let number_width = numbers.iter().map(|number| text::width(number, TICK_SIZE)).fold(0.0, f64::max);
        let right = (area.right() - MARGIN - number_width).max(left + 20.0);
        let inner = Area::new(left, top, right - left, bottom - top);
        let x = Scale::new(self.range(), false, left, right);
        for tick in fitting_ticks(&x, inner.w) {
            let Some(at) = x.at(tick.value) else { continue };
            scene.rect(Area::new((at - 0.5).round(), top, 1.0, inner.h), GRID);
            scene.text(&tick.label, (at, bottom + 12.0), TICK_SIZE, MUTED, Anchor::Middle);
        }
        let slot = inner.h / self.labels.len().max(1) as f64;
        let zero = x.at(0.0).unwrap_or(left);
        for (i, (label, &value)) in labels.iter().zip(&self.values).enumerate() {
            let center = top + slot * (i as f64 + 0.5);
            // Too many bars for a line of text each: write every n-th.
            let written = slot >= TICK_SIZE || i % (TICK_SIZE / slot).ceil() as usize == 0;
            if written {
                scene.text(label, (left - 8.0, center), TICK_SIZE, INK, Anchor::End);
            }
            if let Some(end) = x.at(value) {
                let height = (slot * 0.7).min(40.0);
                scene.rect(Area::new(zero.min(end), center - height / 2.0, (end - zero).abs(), height), BLUE);
                if written {
                    let (at, anchor) = if end < zero { (end - 5.0, Anchor::End) } else { (end + 5.0, Anchor::Start) };
                    scene.text(&numbers[i], (at, center), TICK_SIZE, INK, anchor);
                }
            }
        }
        scene.rect(Area::new((zero - 0.5).round(), top, 1.0, inner.h), SPINE);
        axes::axis_labels(scene, area, inner, &self.x_label, &self.y_label);
    }
}
