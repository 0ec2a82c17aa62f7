//! The embedded product photos.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use tallow_datasets::fashion_mnist;

#[test]
fn there_are_250_photos_of_each_class_and_none_is_blank() {
    let sample = fashion_mnist::sample().unwrap();
    for class in ["Sneaker", "Ankle boot"] {
        assert_eq!(sample.iter().filter(|product| product.class == class).count(), 250);
    }
    // The first picture of Fashion-MNIST's training set is an ankle boot; its sum is that of the published file.
    let first = &sample[0];
    assert_eq!(first.class, "Ankle boot");
    assert_eq!(first.pixels.iter().map(|&v| u32::from(v)).sum::<u32>(), FIRST_SUM);
    assert!(sample.iter().all(|product| product.pixels.len() == 784 && product.pixels.iter().any(|&v| v > 100)));
}

/// numpy: `train_images[0].sum()`
const FIRST_SUM: u32 = 76247;
