//! Interpolations that `images.json` does not have, against Pillow 13 on an image of 7 x 5 pixels:
//!
//! ```python
//! image = Image.new("RGB", (7, 5))
//! image.putdata([((37*x + 91*y) % 256, (53*x*y + 20) % 256, (255 - 31*x) % 256) for y in range(5) for x in range(7)])
//! print(list(image.rotate(33, Image.BICUBIC).tobytes()))
//! print(list(image.resize((4, 3), Image.NEAREST).tobytes()))
//! print(list(image.resize((9, 8), Image.NEAREST).tobytes()))
//! ```

use tallow::vision::{Image, Interpolation, Resize};

const ROTATED: [u8; 105] = [
    0, 0, 0, 0, 0, 0, 109, 0, 151, 185, 86, 126, 45, 37, 104, 47, 83, 74, 0, 0, 0, 27, 12, 222, 73, 26, 199, 179, 111,
    173, 235, 248, 145, 96, 159, 117, 172, 53, 88, 246, 229, 67, 36, 25, 243, 134, 80, 211, 84, 204, 185, 37, 82, 162,
    108, 180, 138, 177, 47, 112, 128, 64, 80, 124, 16, 255, 241, 71, 235, 64, 200, 206, 70, 153, 178, 161, 218, 150, 0,
    92, 124, 13, 60, 101, 0, 0, 0, 93, 52, 249, 56, 193, 219, 151, 148, 197, 255, 152, 172, 0, 0, 0, 0, 0, 0,
];

const SMALLER: [u8; 36] = [
    0, 20, 255, 74, 20, 193, 148, 20, 131, 222, 20, 69, 182, 20, 255, 0, 232, 193, 74, 188, 131, 148, 144, 69, 108, 20,
    255, 182, 188, 193, 0, 100, 131, 74, 12, 69,
];

const LARGER: [u8; 216] = [
    0, 20, 255, 37, 20, 224, 37, 20, 224, 74, 20, 193, 111, 20, 162, 148, 20, 131, 185, 20, 100, 185, 20, 100, 222, 20,
    69, 0, 20, 255, 37, 20, 224, 37, 20, 224, 74, 20, 193, 111, 20, 162, 148, 20, 131, 185, 20, 100, 185, 20, 100, 222,
    20, 69, 91, 20, 255, 128, 73, 224, 128, 73, 224, 165, 126, 193, 202, 179, 162, 239, 232, 131, 20, 29, 100, 20, 29,
    100, 57, 82, 69, 182, 20, 255, 219, 126, 224, 219, 126, 224, 0, 232, 193, 37, 82, 162, 74, 188, 131, 111, 38, 100,
    111, 38, 100, 148, 144, 69, 182, 20, 255, 219, 126, 224, 219, 126, 224, 0, 232, 193, 37, 82, 162, 74, 188, 131,
    111, 38, 100, 111, 38, 100, 148, 144, 69, 17, 20, 255, 54, 179, 224, 54, 179, 224, 91, 82, 193, 128, 241, 162, 165,
    144, 131, 202, 47, 100, 202, 47, 100, 239, 206, 69, 108, 20, 255, 145, 232, 224, 145, 232, 224, 182, 188, 193, 219,
    144, 162, 0, 100, 131, 37, 56, 100, 37, 56, 100, 74, 12, 69, 108, 20, 255, 145, 232, 224, 145, 232, 224, 182, 188,
    193, 219, 144, 162, 0, 100, 131, 37, 56, 100, 37, 56, 100, 74, 12, 69,
];

fn image() -> Image {
    let byte = |value: usize| (value % 256) as u8;
    let pixel = |x: usize, y: usize| [byte(37 * x + 91 * y), byte(53 * x * y + 20), byte(255 - 31 * x)];
    Image::from_fn(7, 5, pixel).unwrap()
}

#[test]
fn a_cubic_rotation_is_pillows() {
    assert_eq!(image().rotate(33.0, Interpolation::Bicubic).bytes(), ROTATED);
}

#[test]
fn the_nearest_pixels_are_pillows_so_that_a_masks_values_stay_what_they_are() {
    let nearest = |w: usize, h: usize| {
        image().resize(Resize::squish(0).size(w, h).interpolation(Interpolation::Nearest)).unwrap()
    };
    assert_eq!(nearest(4, 3).bytes(), SMALLER);
    assert_eq!(nearest(9, 8).bytes(), LARGER);
}
