//! Curves, bars, a matrix and images on one page, as PNG or SVG by the file's ending:
//! `cargo run -p tallow --example plot` writes `figure.png`.

use tallow::plot::{Bars, Figure, HeatMap, ImageGrid, Panel, Plot};

fn main() -> tallow::Result<()> {
    let epochs: Vec<f64> = (1..=10).map(f64::from).collect();
    let (train, valid): (Vec<f64>, Vec<f64>) =
        epochs.iter().map(|e| (1.2 / e, 0.1 + 1.1 / e + 0.01 * (e - 4.0).powi(2) / e)).unzip();
    let curves = Plot::new("Loss").x_label("epoch").line("train", &epochs, &train).line("valid", &epochs, &valid);

    let bars = Bars::new("Accuracy", &["cats", "dogs", "ferrets"], &[0.97, 0.94, 0.81]).horizontal();

    let names = ["cats", "dogs", "ferrets"];
    let counts = [58.0, 2.0, 0.0, 3.0, 56.0, 1.0, 1.0, 9.0, 43.0];
    let matrix = HeatMap::new("Confusion matrix", 3, 3, &counts).row_labels(&names).col_labels(&names).numbers(true);

    let gradient = |invert: bool| -> Vec<u8> { (0..=255).map(|v| if invert { 255 - v } else { v }).collect() };
    let images = ImageGrid::new("Images", 2)
        .grey(16, 16, &gradient(false))
        .caption("light below")
        .grey(16, 16, &gradient(true))
        .caption("dark below");

    let panels: [Panel; 4] = [curves.into(), bars.into(), matrix.into(), images.into()];
    Figure::grid(&panels, 2).save("figure.png")
}
