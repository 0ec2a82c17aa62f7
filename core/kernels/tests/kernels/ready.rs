//! Gradients that are told while others are computed.

use candle_core::{Device, Result, Tensor, Var};
use std::cell::RefCell;
use std::rc::Rc;
use tallow_kernels::{backward_with, recorded, relu};

#[test]
fn gradients_are_told_from_the_last_layer_to_the_first_and_are_those_of_the_end() -> Result<()> {
    let var = |value: f32| Var::from_vec(vec![value, 2.0 * value], 2, &Device::Cpu);
    let (first, second, both) = (var(1.0)?, var(2.0)?, var(3.0)?);
    let ys = recorded(|| -> Result<Tensor> {
        let hidden = relu(&(first.as_tensor() * both.as_tensor())?)?;
        relu(&(hidden * second.as_tensor())?)
    })?;
    // One of them is used outside of the network too, and has not got its whole gradient when it is told.
    let loss = (ys.sum_all()? + both.sqr()?.sum_all()?)?;
    let told = Rc::new(RefCell::new(Vec::new()));
    let hears = told.clone();
    let grads = backward_with(&loss, move |id, grad| hears.borrow_mut().push((id, grad.id())))?;
    let ids: Vec<_> = told.borrow().iter().map(|(id, _)| *id).collect();
    assert_eq!(ids.len(), 3);
    assert_eq!(ids[0], second.id(), "the last layer comes first");
    for (var, is_whole) in [(&first, true), (&second, true), (&both, false)] {
        let found = told.borrow().iter().find(|(id, _)| *id == var.id()).map(|(_, grad)| *grad);
        assert_eq!(found == grads.get(var).map(Tensor::id), is_whole);
    }
    // d/db of x·b·y + b² for x = 1, y = 2, b = 3, and twice these.
    assert_eq!(grads.get(&both).map(|g| g.to_vec1::<f32>()).transpose()?, Some(vec![8.0, 20.0]));
    Ok(())
}
