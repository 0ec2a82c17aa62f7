//! A page of panels, and the files it becomes.

use std::path::Path;

use super::bitmap;
use super::scene::{Area, MARGIN, Scene, title_lines};
use super::svg;
use super::{Bars, Diagram, HeatMap, ImageGrid, PixelTable, Plot, TextTable};
use crate::error::{Error, Result};

/// One picture of a figure, of any kind.
#[derive(Debug, Clone)]
pub enum Panel {
    /// Curves and points on axes.
    Plot(Plot),
    /// A bar for each label.
    Bars(Bars),
    /// Images side by side.
    ImageGrid(ImageGrid),
    /// A matrix as colours.
    HeatMap(HeatMap),
    /// An image as the numbers it is made of.
    PixelTable(PixelTable),
    /// A network as a graph.
    Diagram(Diagram),
    /// Words and numbers in rows.
    TextTable(TextTable),
}

impl Panel {
    /// The width and height it asks for in a figure of `columns` columns.
    fn size(&self, columns: usize) -> (f64, f64) {
        match self {
            Panel::Plot(plot) => plot.natural_size(columns),
            Panel::Bars(bars) => bars.natural_size(columns),
            Panel::ImageGrid(grid) => grid.natural_size(),
            Panel::HeatMap(map) => map.natural_size(),
            Panel::PixelTable(table) => table.natural_size(),
            Panel::Diagram(diagram) => diagram.natural_size(),
            Panel::TextTable(table) => table.natural_size(),
        }
    }

    /// The height of its title and legend, if it is of the kind that lines up with its neighbours.
    fn head(&self, width: f64) -> f64 {
        if let Panel::Plot(plot) = self { plot.head_height(width) } else { 0.0 }
    }

    fn draw(&self, scene: &mut Scene, area: Area, head: f64) -> Result<()> {
        match self {
            Panel::Plot(plot) => plot.draw(scene, area, head),
            Panel::Bars(bars) => bars.draw(scene, area),
            Panel::ImageGrid(grid) => grid.draw(scene, area),
            Panel::HeatMap(map) => map.draw(scene, area),
            Panel::PixelTable(table) => table.draw(scene, area),
            Panel::Diagram(diagram) => diagram.draw(scene, area),
            Panel::TextTable(table) => table.draw(scene, area),
        }
    }
}

impl From<Plot> for Panel {
    fn from(plot: Plot) -> Panel {
        Panel::Plot(plot)
    }
}

impl From<Bars> for Panel {
    fn from(bars: Bars) -> Panel {
        Panel::Bars(bars)
    }
}

impl From<ImageGrid> for Panel {
    fn from(grid: ImageGrid) -> Panel {
        Panel::ImageGrid(grid)
    }
}

impl From<HeatMap> for Panel {
    fn from(map: HeatMap) -> Panel {
        Panel::HeatMap(map)
    }
}

impl From<PixelTable> for Panel {
    fn from(table: PixelTable) -> Panel {
        Panel::PixelTable(table)
    }
}

impl From<Diagram> for Panel {
    fn from(diagram: Diagram) -> Panel {
        Panel::Diagram(diagram)
    }
}

impl From<TextTable> for Panel {
    fn from(table: TextTable) -> Panel {
        Panel::TextTable(table)
    }
}

/// A finished picture of one or more panels: draw it with [`svg`](Figure::svg) or [`png`](Figure::png), or
/// [`save`](Figure::save) it.
#[derive(Debug, Clone)]
pub struct Figure {
    title: String,
    panels: Vec<Panel>,
    columns: usize,
}

impl<P: Into<Panel>> From<P> for Figure {
    fn from(panel: P) -> Figure {
        Figure { title: String::new(), panels: vec![panel.into()], columns: 1 }
    }
}

impl Figure {
    /// Panels in rows of `n_cols`. Panels of different kinds are first made [`Panel`]s:
    ///
    /// ```
    /// use tallow::plot::{Bars, Figure, Panel, Plot};
    ///
    /// let curve = Plot::new("Square").function("", -2.0, 2.0, |x| x * x);
    /// let bars = Bars::new("Digits", &["three", "seven"], &[6131.0, 6265.0]);
    /// let figure = Figure::grid(&[Panel::from(curve), bars.into()], 2);
    /// assert!(figure.svg()?.contains("seven"));
    /// # Ok::<(), tallow::Error>(())
    /// ```
    pub fn grid<P: Clone + Into<Panel>>(panels: &[P], n_cols: usize) -> Figure {
        let panels: Vec<Panel> = panels.iter().cloned().map(Into::into).collect();
        let columns = n_cols.clamp(1, panels.len().max(1));
        Figure { title: String::new(), panels, columns }
    }

    /// A title over all panels.
    pub fn title(mut self, title: impl Into<String>) -> Figure {
        self.title = title.into();
        self
    }

    /// Width and height of the page in CSS pixels, which are the units of the SVG; the PNG has twice as many pixels
    /// each way, to be crisp.
    pub fn size(&self) -> (u32, u32) {
        let (widths, heights) = self.tracks();
        let width: f64 = widths.iter().sum();
        let height = heights.iter().sum::<f64>() + self.head(width);
        // Saturates for absurd sizes, which drawing then refuses.
        (width.ceil().max(1.0) as u32, height.ceil().max(1.0) as u32)
    }

    /// The widths of the columns and the heights of the rows.
    fn tracks(&self) -> (Vec<f64>, Vec<f64>) {
        let mut widths = vec![0f64; self.columns];
        let mut heights = vec![0f64; self.panels.len().div_ceil(self.columns)];
        for (i, panel) in self.panels.iter().enumerate() {
            let (w, h) = panel.size(self.columns);
            let (row, column) = (i / self.columns, i % self.columns);
            widths[column] = widths[column].max(w);
            heights[row] = heights[row].max(h);
        }
        (widths, heights)
    }

    /// Height of the band that holds the figure's own title.
    fn head(&self, width: f64) -> f64 {
        let (_, height) = title_lines(&self.title, width - 2.0 * MARGIN);
        if height > 0.0 { height + 2.0 } else { 0.0 }
    }

    fn scene(&self) -> Result<Scene> {
        let mut scene = Scene::default();
        let (widths, heights) = self.tracks();
        let width: f64 = widths.iter().sum();
        scene.title(&title_lines(&self.title, width - 2.0 * MARGIN).0, width / 2.0, MARGIN);
        let mut y = self.head(width);
        for (panels, &h) in self.panels.chunks(self.columns).zip(&heights) {
            let head = panels.iter().zip(&widths).map(|(panel, &w)| panel.head(w)).fold(0.0, f64::max);
            let mut x = 0.0;
            for (panel, &w) in panels.iter().zip(&widths) {
                panel.draw(&mut scene, Area::new(x, y, w, h), head)?;
                x += w;
            }
            y += h;
        }
        Ok(scene)
    }

    /// The figure as an SVG document.
    ///
    /// # Errors
    /// [`Error::Shape`] where the data of a panel do not fit together.
    pub fn svg(&self) -> Result<String> {
        svg::svg(&self.scene()?, self.size())
    }

    /// The figure as the bytes of a PNG file.
    ///
    /// # Errors
    /// [`Error::Shape`] where the data of a panel do not fit together, or the page would be too large.
    pub fn png(&self) -> Result<Vec<u8>> {
        bitmap::png(&self.scene()?, self.size())
    }

    /// Writes the figure to a file, as PNG or SVG by its extension. Missing folders are made; a reader never sees half
    /// a file.
    ///
    /// # Errors
    /// [`Error::Usage`] for any other extension, [`Error::Io`] where the file cannot be written, and the errors of
    /// [`png`](Figure::png) and [`svg`](Figure::svg).
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        let bytes = match extension.as_str() {
            "png" => self.png()?,
            "svg" => self.svg()?.into_bytes(),
            _ => {
                let message = format!("cannot save a figure as {}: the name must end in .png or .svg", path.display());
                return Err(Error::Usage(message));
            }
        };
        Ok(tallow_io::atomic::write(path, &bytes)?)
    }
}
