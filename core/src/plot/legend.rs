//! The legend: rows above the plot, where they cannot cover data.

use super::scene::{Anchor, Area, Part, Point, Scene};
use super::shorten::fit_all;
use super::style::{Color, INK, PAPER, TICK_SIZE};
use super::text;

/// How a series looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Swatch {
    Line,
    Dashes,
    Dot,
    /// A larger dot with a dark ring.
    Ring,
    /// A field of the colour, for what is an area in the picture.
    Square,
}

/// The look of a series and its name.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) swatch: Swatch,
    pub(super) color: Color,
    pub(super) name: String,
    /// Its number in the scene, if it can be shown and hidden.
    pub(super) series: Option<usize>,
}

const ROW: f64 = 18.0;
const SWATCH: f64 = 22.0;
const GAP: f64 = 18.0;

/// A dot that stands out.
pub(super) fn ringed_dot(scene: &mut Scene, at: Point, color: Color) {
    scene.circle(at, 5.5, PAPER);
    scene.circle(at, 4.8, INK);
    scene.circle(at, 3.4, color);
}

/// The entries in rows no wider than `width`, with the width of each row.
fn rows(entries: &[Entry], width: f64) -> Vec<(f64, Vec<Entry>)> {
    let mut rows: Vec<(f64, Vec<Entry>)> = Vec::new();
    let names: Vec<String> = entries.iter().map(|entry| text::clean(&entry.name)).collect();
    for (entry, name) in entries.iter().zip(fit_all(&names, TICK_SIZE, width - SWATCH - 6.0)) {
        let w = SWATCH + 6.0 + text::width(&name, TICK_SIZE);
        let entry = Entry { name, ..entry.clone() };
        match rows.last_mut() {
            Some((used, row)) if *used + GAP + w <= width => {
                *used += GAP + w;
                row.push(entry);
            }
            _ => rows.push((w, vec![entry])),
        }
    }
    rows
}

/// The height that the legend takes, with the gap below it.
pub(super) fn height(entries: &[Entry], width: f64) -> f64 {
    match rows(entries, width).len() {
        0 => 0.0,
        n => n as f64 * ROW + 4.0,
    }
}

/// Draws the legend's rows, each centred, from the top of `area`.
pub(super) fn draw(scene: &mut Scene, entries: &[Entry], area: Area) {
    for (i, (used, row)) in rows(entries, area.w).into_iter().enumerate() {
        let y = area.y + ROW * (i as f64 + 0.5);
        let mut x = area.x + (area.w - used) / 2.0;
        for entry in row {
            let wide = SWATCH + 6.0 + text::width(&entry.name, TICK_SIZE);
            scene.draw_part(entry.series.map(Part::Key), |scene| draw_entry(scene, &entry, (x, y)));
            x += wide + GAP;
        }
    }
}

fn draw_entry(scene: &mut Scene, entry: &Entry, (x, y): Point) {
    match entry.swatch {
        Swatch::Line => scene.line(vec![(x, y), (x + SWATCH, y)], 2.0, entry.color),
        Swatch::Dashes => {
            scene.line(vec![(x, y), (x + 9.0, y)], 2.0, entry.color);
            scene.line(vec![(x + 13.0, y), (x + SWATCH, y)], 2.0, entry.color);
        }
        Swatch::Dot => scene.circle((x + SWATCH / 2.0, y), 3.5, entry.color),
        // At whole units, so that its edges are sharp.
        Swatch::Square => scene.rect(Area::new((x + SWATCH).round() - 14.0, y.round() - 6.0, 12.0, 12.0), entry.color),
        Swatch::Ring => ringed_dot(scene, (x + SWATCH / 2.0, y), entry.color),
    }
    scene.text(&entry.name, (x + SWATCH + 6.0, y), TICK_SIZE, INK, Anchor::Start);
}
