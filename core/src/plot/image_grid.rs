//! Images side by side, each with a caption.

use super::legend::{self, Entry, Swatch};
use super::scene::{Anchor, Area, MARGIN, Pixels, Scene, title_lines};
use super::shorten::fit_all;
use super::style::{Color, GREEN, GRID, INK, TICK_SIZE, VERMILLION};
use super::text;
use crate::error::{Error, Result};
use plotters::style::RGBAColor;

/// Images in rows, magnified without smoothing so that every pixel can be seen.
///
/// An image is added with [`grey`](ImageGrid::grey), [`grey_f32`](ImageGrid::grey_f32) or [`rgb`](ImageGrid::rgb);
/// [`caption`](ImageGrid::caption) and [`correct`](ImageGrid::correct) are about the image added last.
///
/// ```
/// use tallow::plot::{Figure, ImageGrid};
///
/// let checks = [0, 255, 255, 0];
/// let figure: Figure = ImageGrid::new("Predictions", 2)
///     .ink()
///     .grey(2, 2, &checks).caption("3").correct(true)
///     .grey(2, 2, &checks).caption("7 (3)").correct(false)
///     .into();
/// assert!(figure.svg()?.contains("7 (3)"));
/// # Ok::<(), tallow::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct ImageGrid {
    title: String,
    columns: usize,
    ink: bool,
    magnification: Option<f64>,
    cells: Vec<Cell>,
    legend: Vec<Entry>,
    /// A caption came before any image.
    stray_caption: bool,
}

#[derive(Debug, Clone)]
struct Cell {
    width: usize,
    height: usize,
    data: Data,
    caption: String,
    correct: Option<bool>,
}

#[derive(Debug, Clone)]
enum Data {
    Grey(Vec<u8>),
    Rgb(Vec<u8>),
}

impl ImageGrid {
    /// An empty grid of `n_cols` columns.
    pub fn new(title: impl Into<String>, n_cols: usize) -> ImageGrid {
        ImageGrid {
            title: title.into(),
            columns: n_cols.max(1),
            ink: false,
            magnification: None,
            cells: Vec::new(),
            legend: Vec::new(),
            stray_caption: false,
        }
    }

    /// Draws grey images as ink on paper, 0 white and 255 black, as matplotlib's "Greys" does. Without it 0 is black,
    /// as stored.
    pub fn ink(mut self) -> ImageGrid {
        self.ink = true;
        self
    }

    /// Page units to one image pixel. By default small images are magnified and photos reduced to about thumbnail size.
    pub fn magnify(mut self, times: f64) -> ImageGrid {
        self.magnification = Some(times);
        self
    }

    /// Says above the images what a colour in them means; each call adds a name.
    pub fn colour(mut self, name: impl Into<String>, [r, g, b]: [u8; 3]) -> ImageGrid {
        self.legend.push(Entry {
            swatch: Swatch::Square,
            color: RGBAColor(r, g, b, 1.0),
            name: name.into(),
            series: None,
        });
        self
    }

    /// Adds a grey image: `width * height` bytes, row by row.
    pub fn grey(self, width: usize, height: usize, pixels: &[u8]) -> ImageGrid {
        self.with_cell(width, height, Data::Grey(pixels.to_vec()))
    }

    /// Adds a grey image of numbers from 0 to 1, such as a mean of images; what lies outside is cut, and NaN is 0.
    pub fn grey_f32(self, width: usize, height: usize, pixels: &[f32]) -> ImageGrid {
        let bytes = pixels.iter().map(|&v| (v.clamp(0.0, 1.0) * 255.0).round() as u8).collect();
        self.with_cell(width, height, Data::Grey(bytes))
    }

    /// Adds a colour image: `width * height * 3` bytes, row by row, red, green and blue of each pixel together.
    pub fn rgb(self, width: usize, height: usize, pixels: &[u8]) -> ImageGrid {
        self.with_cell(width, height, Data::Rgb(pixels.to_vec()))
    }

    fn with_cell(mut self, width: usize, height: usize, data: Data) -> ImageGrid {
        self.cells.push(Cell { width, height, data, caption: String::new(), correct: None });
        self
    }

    /// What is written under the last image: up to four lines, broken at `\n` and where it is too long. What stands
    /// after a `\n` keeps a line of its own, however long that is which stands before it.
    pub fn caption(mut self, caption: impl Into<String>) -> ImageGrid {
        match self.cells.last_mut() {
            Some(cell) => cell.caption = caption.into(),
            None => self.stray_caption = true,
        }
        self
    }

    /// Writes the last image's caption in green if it was predicted correctly, in red if not.
    pub fn correct(mut self, correct: bool) -> ImageGrid {
        match self.cells.last_mut() {
            Some(cell) => cell.correct = Some(correct),
            None => self.stray_caption = true,
        }
        self
    }

    /// Page units to one image pixel.
    fn scale(&self) -> f64 {
        if let Some(times) = self.magnification.filter(|times| times.is_finite() && *times > 0.0) {
            return times.clamp(0.01, 200.0);
        }
        let largest = self.cells.iter().map(|cell| cell.width.max(cell.height)).max().unwrap_or(1).max(1) as f64;
        let (target, photo) = match self.cells.len() {
            0..=1 => (224.0, 320.0),
            2..=4 => (140.0, 220.0),
            5..=30 => (84.0, 150.0),
            _ => (56.0, 110.0),
        };
        // Whole steps keep the pixels of one image equally large.
        if largest <= target { (target / largest).round() } else { (photo / largest).min(1.0) }
    }

    /// Width and height of the largest image on the page.
    fn cell_size(&self) -> (f64, f64) {
        let scale = self.scale();
        let w = self.cells.iter().map(|cell| cell.width as f64 * scale).fold(1.0, f64::max);
        let h = self.cells.iter().map(|cell| cell.height as f64 * scale).fold(1.0, f64::max);
        (w.round(), h.round())
    }

    fn used_columns(&self) -> usize {
        self.columns.min(self.cells.len()).max(1)
    }

    fn gap(&self) -> f64 {
        if self.cells.len() > 30 { 8.0 } else { 14.0 }
    }

    /// Room for a caption: neighbours may come no closer than half a gap.
    fn caption_width(&self) -> f64 {
        self.column_width() + self.gap() - 6.0
    }

    /// As wide as the images, and wider where captions under small images need it.
    fn column_width(&self) -> f64 {
        let lines = self.cells.iter().flat_map(|cell| cell.caption.split('\n'));
        let widest = lines.map(|line| text::width(line, TICK_SIZE)).fold(0.0, f64::max);
        let image = self.cell_size().0;
        image.max(widest.min(image.max(110.0)))
    }

    /// The lines of each caption.
    fn captions(&self) -> Vec<Vec<String>> {
        let width = self.caption_width();
        let broken = |cell: &Cell| text::broken(&cell.caption, TICK_SIZE, width, CAPTION_LINES);
        let captions: Vec<Vec<String>> = self.cells.iter().map(broken).collect();
        // Together, so that captions which differ still do when they are cut.
        let mut lines = fit_all(&captions.concat(), TICK_SIZE, width).into_iter();
        captions.iter().map(|caption| lines.by_ref().take(caption.len()).collect()).collect()
    }

    /// The height of each row without the gap below it.
    fn row_heights(&self) -> Vec<f64> {
        let image = self.cell_size().1;
        let captions = self.captions();
        let lines = captions.chunks(self.used_columns()).map(|row| row.iter().map(Vec::len).max().unwrap_or(0));
        lines.map(|n| image + if n > 0 { CAPTION_GAP + n as f64 * CAPTION_LINE } else { 0.0 }).collect()
    }

    fn content_size(&self) -> (f64, f64) {
        let columns = self.used_columns() as f64;
        let rows = self.row_heights();
        let gaps = self.gap() * rows.len().saturating_sub(1) as f64;
        (columns * self.column_width() + (columns - 1.0) * self.gap(), rows.iter().sum::<f64>() + gaps)
    }

    pub(super) fn natural_size(&self) -> (f64, f64) {
        let (w, h) = self.content_size();
        let legend_room: f64 = if self.legend.is_empty() { 0.0 } else { 300.0 };
        let width = w.max(title_room(&self.title)).max(legend_room) + 2.0 * MARGIN + 8.0;
        let room = width - 2.0 * MARGIN;
        let (_, title_height) = title_lines(&self.title, room);
        (width, h + title_height + legend::height(&self.legend, room) + 2.0 * MARGIN)
    }

    pub(super) fn draw(&self, scene: &mut Scene, area: Area) -> Result<()> {
        if self.stray_caption {
            return Err(Error::Value(format!("image grid `{}`: a caption comes before the first image", self.title)));
        }
        let (title, title_height) = title_lines(&self.title, area.w - 2.0 * MARGIN);
        scene.title(&title, area.middle().0, area.y + MARGIN);
        let room = Area::new(area.x + MARGIN, area.y + MARGIN + title_height, area.w - 2.0 * MARGIN, area.h);
        legend::draw(scene, &self.legend, room);
        let legend_height = legend::height(&self.legend, room.w);
        let (image_w, image_h) = self.cell_size();
        let (column, gap, scale) = (self.column_width(), self.gap(), self.scale());
        let left = area.x + ((area.w - self.content_size().0) / 2.0).round();
        let mut y = area.y + MARGIN + title_height + legend_height;
        let captions = self.captions();
        for (row, height) in self.row_heights().into_iter().enumerate() {
            for i in 0..self.used_columns() {
                let n = row * self.used_columns() + i;
                let Some(cell) = self.cells.get(n) else { break };
                let x = left + (column + gap) * i as f64;
                let (w, h) = ((cell.width as f64 * scale).round(), (cell.height as f64 * scale).round());
                // Smaller images stand on the same line as the largest.
                let place = Area::new(x + ((column - w) / 2.0).round(), y + (image_h - h), w.max(1.0), h.max(1.0));
                scene.image(place, self.pixels(n, cell)?);
                scene.frame(place.grown(1.0), 1.0, GRID);
                for (line, text) in captions[n].iter().enumerate() {
                    let at = y + image_h + CAPTION_GAP + CAPTION_LINE * (line as f64 + 0.5);
                    scene.text(text, (x + column / 2.0, at), TICK_SIZE, cell.color(), Anchor::Middle);
                }
            }
            y += height + gap;
        }
        debug_assert!(image_w <= column);
        Ok(())
    }

    /// The pixels of the `n`-th image, or why they are none.
    fn pixels(&self, n: usize, cell: &Cell) -> Result<Pixels> {
        let (bytes, channels) = match &cell.data {
            Data::Grey(bytes) => (bytes, 1),
            Data::Rgb(bytes) => (bytes, 3),
        };
        let expected = cell.width.saturating_mul(cell.height).saturating_mul(channels);
        if bytes.len() != expected || expected == 0 || cell.width > 1 << 16 || cell.height > 1 << 16 {
            return Err(Error::shape(
                format!(
                    "image grid `{}`: image {n} is to be {} by {} in {channels} channels, which needs {expected} \
                 values (at least one), and has {}",
                    self.title,
                    cell.width,
                    cell.height,
                    bytes.len()
                ),
                &[bytes.len()],
            ));
        }
        let rgb = match &cell.data {
            Data::Grey(bytes) => bytes.iter().flat_map(|&v| [if self.ink { 255 - v } else { v }; 3]).collect(),
            Data::Rgb(bytes) => bytes.clone(),
        };
        Ok(Pixels { width: cell.width as u32, height: cell.height as u32, rgb })
    }
}

const CAPTION_GAP: f64 = 4.0;
const CAPTION_LINE: f64 = 15.0;
/// Lines of a caption, at most.
const CAPTION_LINES: usize = 4;

impl Cell {
    fn color(&self) -> Color {
        match self.correct {
            None => INK,
            Some(true) => GREEN,
            Some(false) => VERMILLION,
        }
    }
}

/// The width that a title would like: all of it, up to where two lines look better.
pub(super) fn title_room(title: &str) -> f64 {
    text::width(title, super::style::TITLE_SIZE).min(260.0)
}
