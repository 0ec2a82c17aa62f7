//! Pictures: curves, bars, images, heat maps, and tables of pixels, as PNG or SVG.
//!
//! A builder describes one panel and never fails; [`Figure`] puts panels on a page and draws them. What does not fit
//! together (an x without its y, an image of the wrong length) is an error when the figure is drawn.
//!
//! ```no_run
//! use tallow::plot::{Figure, Plot};
//!
//! let epochs = [1.0, 2.0, 3.0];
//! let accuracy = [0.91, 0.96, 0.97];
//! let figure: Figure =
//!     Plot::new("Accuracy").x_label("epoch").line("", &epochs, &accuracy).hline(0.98, "target").into();
//! figure.save("accuracy.png")?;
//! # Ok::<(), tallow::Error>(())
//! ```
//!
//! Reading order: [`Plot`] and its siblings collect data; `axes`, `legend` and `labels` turn them into shapes on a
//! `scene`; `surface` paints a scene, with plotters, into an `svg` or a `bitmap`.

mod axes;
mod bars;
mod bitmap;
mod curves;
mod diagram;
mod dots;
mod draw_curves;
mod explorer;
mod figure;
mod heat_map;
mod image_grid;
mod labels;
mod legend;
mod pixel_table;
mod png;
mod save;
mod scale;
mod scene;
mod shorten;
mod strokes;
mod style;
mod surface;
mod svg;
mod text;
mod text_table;
mod ticks;

pub use bars::Bars;
pub use curves::Plot;
pub use diagram::Diagram;
pub use explorer::{Curve, Explorer};
pub use figure::{Figure, Panel};
pub use heat_map::HeatMap;
pub use image_grid::ImageGrid;
pub use pixel_table::PixelTable;
pub use shorten::shorten;
pub use text_table::TextTable;
