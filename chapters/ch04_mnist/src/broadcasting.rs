//! Computing metrics using broadcasting.

use crate::digits::Digits;
use crate::printed::DISTANCES;
use crate::show::{number, pixels, sizes};
use crate::similarity::stacked;
use candle_core::{D, DType, Device, Tensor};
use tallow::Result;
use tallow::cli::Session;
use tallow::plot::ImageGrid;

// --- 5. Metrics by broadcasting --------------------------------------------------------------------------------------

pub(crate) fn metrics_by_broadcasting(s: &mut Session, digits: &Digits, mean3: &Tensor, mean7: &Tensor) -> Result<()> {
    s.section("Computing metrics using broadcasting");
    s.text(
        "
        A **metric** is a number that tells people how good a model is. It is computed on pictures that the model has
        not seen. We could loop over them; but tensors of different ranks can be combined directly. In **broadcasting**
        the smaller one is stretched along the axes that it lacks, without a copy being made. PyTorch does so by itself;
        in candle we ask for it by name, `broadcast_sub`, so that a forgotten axis is an error and not a surprise.
        ",
    );
    let sum = Tensor::new(&[1f64, 2., 3.], &Device::Cpu)?.broadcast_add(&Tensor::new(1f64, &Device::Cpu)?)?;
    s.check("tensor([1,2,3]) + tensor(1)", &sum)?;

    let valid_3 = stacked(&digits.valid_threes)?; // [1010, 28, 28]
    let valid_7 = stacked(&digits.valid_sevens)?; // [1028, 28, 28]
    s.check("shapes of the valid threes and sevens", &sizes(&[&valid_3, &valid_7]))?;

    // One picture or a thousand: the mean over the last two axes leaves one distance for each.
    let mnist_distance = |a: &Tensor, b: &Tensor| -> Result<Tensor> {
        Ok(a.broadcast_sub(b)?.abs()?.mean((D::Minus2, D::Minus1))?) // [N]
    };
    let valid_3_dist = mnist_distance(&valid_3, mean3)?; // [1010]
    s.say(format!("distances of the {} valid threes to the ideal three:\n{valid_3_dist}", valid_3.dims()[0]));
    let a_3 = stacked(&digits.threes[1..2])?; // [1, 28, 28]
    s.check("mnist_distance(a_3, mean3)", &mnist_distance(&a_3, mean3)?.get(0)?)?;
    let ours = valid_3_dist.to_vec1::<f32>()?;
    // The source lists its files in the order of a disk, so we look for its figures among ours.
    let find = |figure: &&str| ours.iter().copied().find(|d| format!("{d:.4}") == **figure).unwrap_or(f32::NAN);
    let found: Vec<f64> = DISTANCES.iter().map(|figure| f64::from(find(figure))).collect();
    s.check("valid_3_dist, the figures shown", &found)?;

    // It is a three if it is closer to the ideal three.
    let is_3 = |x: &Tensor| -> Result<Tensor> {
        Ok(mnist_distance(x, mean3)?.lt(&mnist_distance(x, mean7)?)?.to_dtype(DType::F32)?) // [N]: 1 or 0
    };
    s.check("is_3(a_3)", &is_3(&a_3)?.get(0)?)?;
    let accuracy_3s = number(&is_3(&valid_3)?.mean_all()?)?;
    let accuracy_7s = 1.0 - number(&is_3(&valid_7)?.mean_all()?)?;
    let accuracy = (accuracy_3s + accuracy_7s) / 2.0;
    s.say(format!("accuracy: threes {accuracy_3s:.4}, sevens {accuracy_7s:.4}, both {accuracy:.4}"));
    s.check("accuracy_3s", accuracy_3s)?;
    s.check("accuracy_7s", accuracy_7s)?;
    s.check("(accuracy_3s + accuracy_7s) / 2", accuracy)?;
    s.metric("pixel_similarity_accuracy", accuracy);

    let mut grid = ImageGrid::new("", 8).ink();
    let judged = is_3(&valid_3)?.to_vec1::<f32>()?;
    for (i, _) in judged.iter().enumerate().filter(|(_, is_3)| **is_3 == 0.0).take(16) {
        grid = grid.grey_f32(28, 28, &pixels(&valid_3.get(i)?)?);
    }
    s.figure("threes_taken_for_sevens", "Some threes that the baseline takes for sevens.", grid)?;
    s.text(
        "
        Over 95 % without learning anything. But threes and sevens look very different, and this model has no knob to
        turn: nothing in it can be made better by looking at its mistakes.
        ",
    );
    Ok(())
}
