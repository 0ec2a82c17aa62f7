//! Where in an image a network finds a class.

use super::predictor::Predictor;
use crate::error::{Error, Result};
use crate::kernels;
use crate::vision::Image;
use candle_core::{DType, Device, Tensor, Var};

/// How much each place of an image speaks for a class: Grad-CAM (Selvaraju et al., *Grad-CAM: Visual Explanations from
/// Deep Networks via Gradient-based Localization*, 2017).
#[derive(Debug, Clone, PartialEq)]
pub struct GradCam {
    /// Places in a row: those of the network's last maps, for instance 7.
    pub width: usize,
    /// Rows of places.
    pub height: usize,
    /// A value for each place, row by row: 1 where most speaks for the class, 0 where nothing does.
    pub values: Vec<f64>,
}

impl GradCam {
    /// The value at a point of the image, both coordinates between 0 and 1; bilinear between the places' centres.
    pub fn at(&self, x: f64, y: f64) -> f64 {
        let place = |at: f64, n: usize| {
            let at = (at * n as f64 - 0.5).clamp(0.0, (n - 1) as f64);
            (at as usize, (at as usize + 1).min(n - 1), at.fract())
        };
        let ((x0, x1, fx), (y0, y1, fy)) = (place(x, self.width), place(y, self.height));
        let value = |x: usize, y: usize| self.values[y * self.width + x];
        let row = |y: usize| value(x0, y) * (1.0 - fx) + value(x1, y) * fx;
        row(y0) * (1.0 - fy) + row(y1) * fy
    }

    /// The image in grey, the more orange the more speaks for the class.
    ///
    /// # Errors
    /// [`Error::Shape`] when the image has no pixels.
    pub fn drawn_on(&self, image: &Image) -> Result<Image> {
        const ORANGE: [f64; 3] = [213.0, 94.0, 0.0];
        let (width, height) = (image.width(), image.height());
        Image::from_fn(width, height, |x, y| {
            let value = self.at((x as f64 + 0.5) / width as f64, (y as f64 + 0.5) / height as f64);
            let [r, g, b] = image.pixel(x, y).map(f64::from);
            let grey = 0.299 * r + 0.587 * g + 0.114 * b;
            ORANGE.map(|c| (grey + (c - grey) * 0.7 * value).round() as u8)
        })
    }
}

impl Predictor {
    /// Where in an image, as the network sees it after its transforms, the network finds the class with this number:
    /// the last maps of its body, each weighted by the mean gradient of the class's score with respect to it, summed,
    /// and what is negative set to zero. One pass forward and a short one back.
    ///
    /// # Errors
    /// [`Error::Value`] when there is no such class; otherwise as [`Predictor::predict_image`].
    pub fn grad_cam(&self, image: &Image, class: usize) -> Result<GradCam> {
        if class >= self.vocab().len() {
            let n = self.vocab().len();
            return Err(Error::Value(format!("class {class} is not one of the model's {n}, which count from 0")));
        }
        let xs = self.prepare(image.clone())?.unsqueeze(0)?.to_device(self.device())?; // [1, 3, H, W]
        let maps = kernels::no_grad(|| self.network().maps(&xs, false))?.detach(); // [1, C, h, w]
        of_maps(&maps, |maps| Ok(self.network().judge_maps(maps, false)?.get(0)?.get(class)?))
    }
}

/// Grad-CAM of maps `[1, C, h, w]` and the score that they give.
fn of_maps(maps: &Tensor, score: impl Fn(&Tensor) -> Result<Tensor>) -> Result<GradCam> {
    let maps = Var::from_tensor(maps)?;
    let gradients = score(&maps)?.backward()?;
    let gradient = gradients.get(&maps).ok_or_else(|| Error::Value("the score does not depend on the maps".into()))?;
    let (_, _, height, width) = maps.dims4()?;
    let weights = gradient.mean_keepdim((2, 3))?; // [1, C, 1, 1]
    let sum = maps.as_tensor().detach().broadcast_mul(&weights)?.sum(1)?.relu()?;
    let mut values = sum.flatten_all()?.to_device(&Device::Cpu)?.to_dtype(DType::F64)?.to_vec1::<f64>()?;
    let most = values.iter().copied().fold(0.0, f64::max);
    if most > 0.0 {
        values.iter_mut().for_each(|value| *value /= most);
    }
    Ok(GradCam { width, height, values })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_of_two_maps_by_hand() -> Result<()> {
        // The score is 3 · mean(A) - mean(B): the gradients are 3/4 and -1/4 at every place, so are the weights, and
        // 0.75 A - 0.25 B is 0.75, 0, 1.5 and -0.25.
        let maps = Tensor::new(&[[[[1f32, 0.], [2., 0.]], [[0., 0.], [0., 1.]]]], &Device::Cpu)?;
        let weights = Tensor::new(&[[3f32], [-1.]], &Device::Cpu)?;
        let score = |maps: &Tensor| Ok(maps.mean((2, 3))?.matmul(&weights)?.get(0)?.get(0)?);
        let found = of_maps(&maps, score)?;
        assert_eq!((found.width, found.height), (2, 2));
        for (value, expected) in found.values.iter().zip([0.5, 0.0, 1.0, 0.0]) {
            assert!((value - expected).abs() < 1e-6, "{:?}", found.values);
        }
        // The centres of the places, a point between two of them, and a corner.
        for ((x, y), expected) in [((0.25, 0.25), 0.5), ((0.25, 0.5), 0.75), ((0.0, 1.0), 1.0), ((0.5, 0.75), 0.5)] {
            assert!((found.at(x, y) - expected).abs() < 1e-6, "{x}, {y}: {}", found.at(x, y));
        }
        Ok(())
    }
}
