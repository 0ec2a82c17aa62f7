//! An image is an array of numbers, and a tensor is an array that can do more.

use crate::digits::Digits;
use crate::printed;
use crate::show::{number, numbers};
use candle_core::{DType, Device, IndexOp, Tensor};
use tallow::Result;
use tallow::cli::Session;
use tallow::plot::{ImageGrid, PixelTable};
use tallow::report::Expect;

// --- 1. Pixels -------------------------------------------------------------------------------------------------------

pub(crate) fn an_image_is_an_array_of_numbers(s: &mut Session, digits: &Digits) -> Result<()> {
    s.run.section("Pixels: the foundations of computer vision");
    s.run.text(
        "A computer understands nothing but numbers, and so a picture has to become numbers before a computer can do \
         anything with it. MNIST is the classic example: pictures of handwritten digits, 28 pixels wide and 28 high, \
         collected by the US National Institute of Standards and Technology and made into a learning problem by Yann \
         LeCun and colleagues in 1998.\n\nHere we only want to tell threes from sevens. As in any well-kept dataset \
         the pictures to learn from (`train`) are kept apart from those to judge by (`valid`), in one folder for each \
         label.",
    );
    let Digits { threes, sevens, .. } = digits;
    s.run.say(format!("train/3: {} pictures, train/7: {} pictures", threes.len(), sevens.len()));
    s.run.compare("len(threes)", "6131", threes.len() as f64, Expect::Exact);
    s.run.compare("len(sevens)", "6265", sevens.len() as f64, Expect::Exact);

    // The files are sorted by name as text, so the second three is `10000.png`: MNIST's training image number 10000.
    let im3 = &threes[1]; // [28, 28] u8
    s.run.text("Look at one of them. Each pixel is a byte: 0 for paper, 255 for full ink, and greys in between.");
    let block = im3.i((4..10, 4..10))?; // [6, 6]
    s.run.say(format!("im3[4..10, 4..10] =\n{block}"));
    compare_block(s, &block)?;

    let (rows, cols) = (4..15, 4..22);
    let shaded = im3.i((rows, cols.clone()))?; // [11, 18]
    let table = PixelTable::new("im3[4..15, 4..22]", cols.len(), &shaded.flatten_all()?.to_vec1::<u8>()?);
    s.run.figure(
        "pixels_of_a_three",
        "The numbers of the upper part of a three, each shaded by its value.",
        &table.into(),
    )?;
    for (row, (printed, ours)) in printed::PIXELS.iter().zip(shaded.to_dtype(DType::F64)?.to_vec2()?).enumerate() {
        s.run.compare_series(format!("row {row} of the shaded table"), printed, &ours, Expect::Exact);
    }
    let whole = ImageGrid::new("", 1).ink().grey(28, 28, &im3.flatten_all()?.to_vec1::<u8>()?).caption("im3");
    s.run.figure("a_three", "The whole picture: 28 x 28 = 784 numbers.", &whole.into())?;
    let note = "the other notes print 768, a slip";
    s.run.compare_with_note("pixels in a picture", "784", im3.elem_count() as f64, Expect::Exact, note);
    Ok(())
}

fn compare_block(s: &mut Session, block: &Tensor) -> Result<()> {
    let printed = [
        ["0", "0", "0", "0", "0", "0"],
        ["0", "0", "0", "0", "0", "29"],
        ["0", "0", "0", "48", "166", "224"],
        ["0", "93", "244", "249", "253", "187"],
        ["0", "107", "253", "253", "230", "48"],
        ["0", "3", "20", "20", "15", "0"],
    ];
    for (row, (printed, ours)) in printed.iter().zip(block.to_dtype(DType::F64)?.to_vec2()?).enumerate() {
        s.run.compare_series(format!("array(im3)[{}, 4:10]", row + 4), printed, &ours, Expect::Exact);
    }
    Ok(())
}

// --- 4. Arrays and tensors -------------------------------------------------------------------------------------------

/// NumPy's arrays and PyTorch's tensors are tables of numbers of one type. Candle's tensors are what PyTorch's are:
/// they live on a CPU or a GPU, and they know how to differentiate.
pub(crate) fn arrays_and_tensors(s: &mut Session) -> Result<()> {
    s.run.section("Arrays and tensors");
    s.run.text(
        "An array is a table of numbers of one type, with any number of axes, stored in one block of memory. A \
         *tensor* is an array that can also live on a GPU, and that remembers how it was computed, so that it can be \
         differentiated. In Rust a nested `Vec` may be jagged; a tensor may not, and that is what makes it fast.",
    );
    let tns = Tensor::new(&[[1i64, 2, 3], [4, 5, 6]], &Device::Cpu)?; // [2, 3]
    s.run.say(format!("tns =\n{tns}"));
    s.run.say(format!("tns.i(1)         = {:?}   a row", tns.i(1)?.to_vec1::<i64>()?));
    s.run.say(format!("tns.i((.., 1))   = {:?}      a column", tns.i((.., 1))?.to_vec1::<i64>()?));
    s.run.say(format!("tns.i((1, 1..3)) = {:?}      a part of a row", tns.i((1, 1..3))?.to_vec1::<i64>()?));
    let plus_one = (&tns + 1.0)?;
    s.run.say(format!("tns + 1          = {:?}", plus_one.to_vec2::<i64>()?));
    // Candle does not change types behind our back: to multiply by 1.5 we say that we want floats.
    let floats = (tns.to_dtype(DType::F32)? * 1.5)?;
    s.run.say(format!(
        "tns * 1.5        = {:?}, {:?} after {:?}",
        floats.to_vec2::<f32>()?,
        floats.dtype(),
        tns.dtype()
    ));

    s.run.compare_series("tns[1]", &["4", "5", "6"], &numbers(&tns.i(1)?)?, Expect::Exact);
    s.run.compare_series("tns[:,1]", &["2", "5"], &numbers(&tns.i((.., 1))?)?, Expect::Exact);
    s.run.compare_series("tns[1, 1:3]", &["5", "6"], &numbers(&tns.i((1, 1..3))?)?, Expect::Exact);
    s.run.compare_series("tns + 1", &["2", "3", "4", "5", "6", "7"], &numbers(&plus_one)?, Expect::Exact);

    let v1 = Tensor::new(&[[1f32, 2., 3.]], &Device::Cpu)?; // [1, 3]
    let v2 = Tensor::new(&[[4f32], [5.], [6.]], &Device::Cpu)?; // [3, 1]
    let product = v1.matmul(&v2)?; // [1, 1]
    s.run.compare("tensor([1,2,3]) @ tensor([4,5,6])", "32", number(&product.i((0, 0))?)?, Expect::Exact);
    let nine = (Tensor::arange(1i64, 10, &Device::Cpu)?.reshape((3, 3))? * 2.0)?;
    let bottom = numbers(&nine)?[5..].to_vec(); // [12, 14, 16, 18]
    s.run.compare_series("2 * [[1..9]], the last four", &["12", "14", "16", "18"], &bottom, Expect::Exact);
    Ok(())
}
