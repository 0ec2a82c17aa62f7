//! Backgrounds without objects.

use crate::error::Result;
use crate::rng::Rng;
use tallow_datasets::fashion_mnist::{self, Product, SIDE};

/// A colour: red, green, blue, from 0 to 1.
pub(super) type Colour = [f32; 3];

/// Makes textures: clouds, a ground below a sky, stripes, and the cloth of embedded photos of clothes.
pub(super) struct Textures {
    clothes: Vec<Product>,
}

impl Textures {
    pub(super) fn new() -> Result<Textures> {
        Ok(Textures { clothes: fashion_mnist::clothes()?.0 })
    }

    /// A texture, row by row.
    pub(super) fn draw(&self, width: usize, height: usize, rng: &mut Rng) -> Vec<Colour> {
        let (dark, light, accent) = (colour(rng), colour(rng), colour(rng));
        let (coarse, fine) = (Noise::new(width, height, 24, rng), Noise::new(width, height, 7, rng));
        let noise = |x, y| 0.7 * coarse.at(x, y) + 0.3 * fine.at(x, y);
        let kind = rng.below(4);
        let (horizon, period) = (rng.uniform(0.3, 0.7) as f32 * height as f32, 4 + rng.below(12));
        let (slope, cloth) = (rng.below(3), &self.clothes[rng.below(self.clothes.len())]);
        let pixel = |x: usize, y: usize| match kind {
            0 => mix(dark, light, noise(x, y)),
            1 if (y as f32) < horizon => mix(light, accent, 0.3 * noise(x, y)),
            1 => mix(dark, accent, 0.5 * noise(x, y)),
            2 => {
                let stripe = ((x + slope * y) / period).is_multiple_of(2);
                mix(mix(dark, light, if stripe { 1.0 } else { 0.0 }), accent, 0.4 * noise(x, y))
            }
            _ => {
                let level = cloth.pixels[(y / 3 % SIDE) * SIDE + x / 3 % SIDE];
                mix(mix(dark, light, f32::from(level) / 255.0), accent, 0.3 * noise(x, y))
            }
        };
        (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| pixel(x, y)).collect()
    }
}

fn colour(rng: &mut Rng) -> Colour {
    [(); 3].map(|()| rng.uniform(0.05, 0.95) as f32)
}

fn mix(a: Colour, b: Colour, part: f32) -> Colour {
    std::array::from_fn(|i| a[i] + (b[i] - a[i]) * part)
}

/// Random numbers on a grid, and what lies between them (value noise).
struct Noise {
    values: Vec<f32>,
    columns: usize,
    spacing: usize,
}

impl Noise {
    fn new(width: usize, height: usize, spacing: usize, rng: &mut Rng) -> Noise {
        let (columns, rows) = (width / spacing + 2, height / spacing + 2);
        let values = (0..columns * rows).map(|_| rng.uniform(0.0, 1.0) as f32).collect();
        Noise { values, columns, spacing }
    }

    fn at(&self, x: usize, y: usize) -> f32 {
        let part = |place: usize| {
            let t = (place % self.spacing) as f32 / self.spacing as f32;
            t * t * (3.0 - 2.0 * t)
        };
        let corner = y / self.spacing * self.columns + x / self.spacing;
        let row = |start: usize| self.values[start] + (self.values[start + 1] - self.values[start]) * part(x);
        row(corner) + (row(corner + self.columns) - row(corner)) * part(y)
    }
}
