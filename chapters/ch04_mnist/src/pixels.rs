//! An image is an array of numbers, and a tensor is an array that can do more.

use crate::digits::Digits;
use crate::show::numbers;
use candle_core::{DType, Device, IndexOp, Tensor};
use tallow::Result;
use tallow::cli::Session;
use tallow::plot::{ImageGrid, PixelTable};

// --- 1. Pixels -------------------------------------------------------------------------------------------------------

pub(crate) fn an_image_is_an_array_of_numbers(s: &mut Session, digits: &Digits) -> Result<()> {
    s.section("Pixels: the foundations of computer vision");
    s.text(
        "
        A computer understands nothing but numbers, and so a picture has to become numbers before a computer can do
        anything with it. MNIST is the classic example: pictures of handwritten digits, 28 pixels wide and 28 high,
        collected by the US National Institute of Standards and Technology and made into a learning problem by Yann
        LeCun and colleagues in 1998.

        Here we only want to tell threes from sevens. As in any well-kept dataset the pictures to learn from (`train`)
        are kept apart from those for validation (`valid`), in one folder for each label.
        ",
    );
    let Digits { threes, sevens, .. } = digits;
    s.say(format!("train/3: {} pictures, train/7: {} pictures", threes.len(), sevens.len()));
    s.check("len(threes)", threes.len())?;
    s.check("len(sevens)", sevens.len())?;

    // The files are sorted by name as text, so the second three is `10000.png`: MNIST's training image number 10000.
    let im3 = &threes[1]; // [28, 28] u8
    s.text(
        "
        Look at one of them. Each pixel is a byte: 0 for paper, 255 for full ink, and greys in between.
        ",
    );
    let block = im3.i((4..10, 4..10))?; // [6, 6]
    s.say(format!("im3[4..10, 4..10] =\n{block}"));
    s.check("array(im3)[4:10, 4:10]", &block)?;

    let (rows, cols) = (4..15, 4..22);
    let shaded = im3.i((rows, cols.clone()))?; // [11, 18]
    let table = PixelTable::new("im3[4..15, 4..22]", cols.len(), &shaded.flatten_all()?.to_vec1::<u8>()?);
    s.figure("pixels_of_a_three", "The numbers of the upper part of a three, each shaded by its value.", table)?;
    s.check("im3_t[4:15, 4:22]", &shaded)?;
    let whole = ImageGrid::new("", 1).ink().grey(28, 28, &im3.flatten_all()?.to_vec1::<u8>()?).caption("im3");
    s.figure("a_three", "The whole picture: 28 x 28 = 784 numbers.", whole)?;
    s.check("pixels in a picture", im3.elem_count())?;
    Ok(())
}

// --- 4. Arrays and tensors -------------------------------------------------------------------------------------------

/// NumPy's arrays and PyTorch's tensors are tables of numbers of one type. Candle's tensors are what PyTorch's are:
/// they live on a CPU or a GPU, and they know how to differentiate.
pub(crate) fn arrays_and_tensors(s: &mut Session) -> Result<()> {
    s.section("Arrays and tensors");
    s.text(
        "
        An array is a table of numbers of one type, with any number of axes, stored in one block of memory. A *tensor*
        is an array that can also live on a GPU, and that remembers how it was computed, so that it can be
        differentiated. In Rust a nested `Vec` may be jagged; a tensor may not, and that is what makes it fast.
        ",
    );
    let tns = Tensor::new(&[[1i64, 2, 3], [4, 5, 6]], &Device::Cpu)?; // [2, 3]
    s.say(format!("tns =\n{tns}"));
    s.say(format!("tns.i(1)         = {:?}   a row", tns.i(1)?.to_vec1::<i64>()?));
    s.say(format!("tns.i((.., 1))   = {:?}      a column", tns.i((.., 1))?.to_vec1::<i64>()?));
    s.say(format!("tns.i((1, 1..3)) = {:?}      a part of a row", tns.i((1, 1..3))?.to_vec1::<i64>()?));
    let plus_one = (&tns + 1.0)?;
    s.say(format!("tns + 1          = {:?}", plus_one.to_vec2::<i64>()?));
    // Candle does not change types behind our back: to multiply by 1.5 we say that we want floats.
    let floats = (tns.to_dtype(DType::F32)? * 1.5)?;
    s.say(format!("tns * 1.5        = {:?}, {:?} after {:?}", floats.to_vec2::<f32>()?, floats.dtype(), tns.dtype()));

    s.check("tns[1]", &tns.i(1)?)?;
    s.check("tns[:,1]", &tns.i((.., 1))?)?;
    s.check("tns[1, 1:3]", &tns.i((1, 1..3))?)?;
    s.check("tns + 1", &plus_one)?;

    let v1 = Tensor::new(&[[1f32, 2., 3.]], &Device::Cpu)?; // [1, 3]
    let v2 = Tensor::new(&[[4f32], [5.], [6.]], &Device::Cpu)?; // [3, 1]
    let product = v1.matmul(&v2)?; // [1, 1]
    s.check("tensor([1,2,3]) @ tensor([4,5,6])", &product.i((0, 0))?)?;
    let nine = (Tensor::arange(1i64, 10, &Device::Cpu)?.reshape((3, 3))? * 2.0)?;
    let bottom = numbers(&nine)?[5..].to_vec(); // [12, 14, 16, 18]
    s.check("2 * [[1..9]], the last four", &bottom)?;
    Ok(())
}
