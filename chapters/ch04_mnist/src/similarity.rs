//! First try: pixel similarity.

use crate::digits::Digits;
use crate::show::{number, pixels, sizes};
use candle_core::{DType, Tensor};
use tallow::Result;
use tallow::cli::Session;
use tallow::nn::losses;
use tallow::plot::ImageGrid;

// --- 2. The ideal three and the ideal seven --------------------------------------------------------------------------

pub(crate) fn the_ideal_digits(s: &mut Session, digits: &Digits) -> Result<(Tensor, Tensor)> {
    s.section("First try: pixel similarity");
    s.text(
        "
        Before anything clever, a **baseline**: the simplest model that should do reasonably well, easy to build and
        easy to test. Without one we cannot tell whether a clever model is any good. Ours: average all threes into an
        *ideal* three, all sevens into an ideal seven, and call a new picture whichever it is closer to.

        To average pictures pixel by pixel we stack them into one tensor with three axes. A tensor's number of axes is
        its **rank**; the sizes of the axes are its **shape**. Pixels that are floats are by convention between 0 and 1.
        ",
    );
    let stacked_threes = stacked(&digits.threes)?; // [6131, 28, 28]
    let stacked_sevens = stacked(&digits.sevens)?; // [6265, 28, 28]
    s.say(format!("stacked_threes: shape {:?}, rank {}", stacked_threes.dims(), stacked_threes.rank()));
    s.check("stacked_threes.shape", &sizes(&[&stacked_threes]))?;
    s.check("stacked_threes.ndim", stacked_threes.rank())?;

    // The mean along axis 0, the one that counts the pictures. Candle adds up floats one after the other, and after six
    // thousand of them the sixth digit is gone; PyTorch adds in pairs. We let f64 keep the digits.
    let mean = |stack: &Tensor| -> Result<Tensor> { Ok(stack.to_dtype(DType::F64)?.mean(0)?.to_dtype(DType::F32)?) };
    let (mean3, mean7) = (mean(&stacked_threes)?, mean(&stacked_sevens)?); // [28, 28]
    let grid = ImageGrid::new("", 2).ink();
    let grid =
        grid.grey_f32(28, 28, &pixels(&mean3)?).caption("mean3").grey_f32(28, 28, &pixels(&mean7)?).caption("mean7");
    s.figure(
        "ideal_digits",
        "The mean three and the mean seven: dark where all agree, wispy where hands differ.",
        grid,
    )?;
    Ok((mean3, mean7))
}

/// Pictures of bytes `[28, 28]` as one tensor `[N, 28, 28]` of floats between 0 and 1.
pub(crate) fn stacked(pictures: &[Tensor]) -> Result<Tensor> {
    Ok((Tensor::stack(pictures, 0)?.to_dtype(DType::F32)? / 255.0)?)
}

// --- 3. How far is a three from the ideal? ---------------------------------------------------------------------------

pub(crate) fn distance_to_the_ideal(s: &mut Session, digits: &Digits, mean3: &Tensor, mean7: &Tensor) -> Result<()> {
    s.section("How far is a three from the ideal three?");
    s.text(
        "
        If we simply added up the differences, positive and negative ones would cancel. Two measures avoid that: the
        mean of the *absolute* differences, which the source calls the **L1 norm**, and the root of the mean of the
        *squared* ones, the root mean squared error (**RMSE**), which punishes a large mistake more than many small
        ones.
        ",
    );
    let a_3 = (digits.threes[1].to_dtype(DType::F32)? / 255.0)?; // [28, 28]
    let picture = ImageGrid::new("", 3).ink().grey_f32(28, 28, &pixels(&a_3)?).caption("a_3");
    let picture = picture.grey_f32(28, 28, &pixels(&(&a_3 - mean3)?.abs()?)?).caption("|a_3 - mean3|");
    let picture = picture.grey_f32(28, 28, &pixels(&(&a_3 - mean7)?.abs()?)?).caption("|a_3 - mean7|");
    s.figure("a_3", "A three, and how it differs from the ideal three and from the ideal seven.", picture)?;

    let l1 = |ideal: &Tensor| number(&(&a_3 - ideal)?.abs()?.mean_all()?);
    let rmse = |ideal: &Tensor| number(&(&a_3 - ideal)?.sqr()?.mean_all()?.sqrt()?);
    let (abs3, sqr3, abs7, sqr7) = (l1(mean3)?, rmse(mean3)?, l1(mean7)?, rmse(mean7)?);
    s.say(format!("to the ideal three: L1 {abs3:.4}, RMSE {sqr3:.4}"));
    s.say(format!("to the ideal seven: L1 {abs7:.4}, RMSE {sqr7:.4}   farther by both: it is a three"));
    s.check("dist_3_abs", abs3)?;
    s.check("dist_3_sqr", sqr3)?;
    s.check("dist_7_abs", abs7)?;
    s.check("dist_7_sqr", sqr7)?;

    // What we just did by hand is in the library.
    s.check("F.l1_loss(a_3, mean7)", &losses::l1(&a_3, mean7)?)?;
    s.check("F.mse_loss(a_3, mean7).sqrt()", &losses::mse(&a_3, mean7)?.sqrt()?)?;
    Ok(())
}
