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

#[test]
fn there_are_50_clothes_of_each_class_to_train_with_and_as_many_to_judge_by() {
    let (train, valid) = fashion_mnist::clothes().unwrap();
    for half in [&train, &valid] {
        assert_eq!(half.len(), 150);
        for class in ["Pullover", "Dress", "Coat"] {
            assert_eq!(half.iter().filter(|product| product.class == class).count(), 50, "{class}");
        }
    }
    // numpy, over all images of these classes: `images[labels == ...][:50].sum()` and so on.
    let sum = |product: &fashion_mnist::Product| product.pixels.iter().map(|&v| u64::from(v)).sum::<u64>();
    assert_eq!((sum(&train[0]), train[0].class), (46_649, "Dress"));
    assert_eq!((sum(&valid[0]), valid[0].class), (100_994, "Pullover"));
    assert_eq!(train.iter().chain(&valid).map(sum).sum::<u64>(), 20_749_459);
}
