//! The examples do what they say.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../examples/backward.rs"]
mod backward;
#[path = "../examples/conv2d.rs"]
mod conv2d;

#[test]
fn the_loss_falls() {
    let losses = conv2d::losses(60).unwrap();
    assert!(losses[59] < 0.5 * losses[0] && losses[59] < 0.3, "{losses:?}");
}

#[test]
fn both_ways_back_give_the_same_gradients() {
    assert_eq!(backward::compare(1).unwrap().0, 0.0);
}
