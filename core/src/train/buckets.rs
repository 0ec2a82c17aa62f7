//! Gradients of several processes, added up while the rest of them is computed.
//!
//! Parameters go into buckets, from the last layer back, since that is the order in which their gradients become known.
//! A bucket whose gradients are all known is handed to the thread that communicates, and the backward pass goes on. All
//! processes have the same buckets, and hand them over in the same order.

use crate::collective::{Pending, World};
use crate::error::Result;
use crate::kernels;
use crate::nn::Param;
use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Tensor, TensorId};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// Numbers of a bucket: 6 MB.
const SIZE: usize = 6 << 18;

/// Numbers of the first bucket, which is small, so that communication begins early: 1 MB.
const FIRST: usize = 1 << 18;

/// Some parameters whose gradients travel together.
struct Bucket {
    /// Where each begins, by its place in the list of parameters.
    members: Vec<(usize, usize)>,
    /// The gradients, and behind them for each parameter whether it has one.
    values: Vec<f32>,
    known: usize,
}

struct Reducer {
    params: Vec<Param>,
    places: HashMap<TensorId, usize>,
    /// Bucket and place in it, by parameter.
    homes: Vec<(usize, usize)>,
    buckets: Vec<Bucket>,
    /// The tensors that were taken for gradients, by parameter.
    taken: Vec<Option<TensorId>>,
    world: World,
    sent: Vec<Pending<Vec<f32>>>,
    failed: Option<crate::error::Error>,
}

/// The gradients of a loss, added up over all processes: of each the loss of its share, as it counts in the whole.
pub(super) fn reduced_gradients(loss: &Tensor, params: &[Param], world: &World) -> Result<GradStore> {
    let reducer = Rc::new(RefCell::new(Reducer::new(params, world)));
    let hears = reducer.clone();
    let mut grads = kernels::backward_with(loss, move |id, grad| hears.borrow_mut().hear(id, grad))?;
    reducer.borrow_mut().finish(&mut grads)?;
    Ok(grads)
}

impl Reducer {
    fn new(params: &[Param], world: &World) -> Reducer {
        let mut buckets: Vec<Bucket> = Vec::new();
        let mut homes = vec![(0, 0); params.len()];
        let mut room = 0;
        for (i, param) in params.iter().enumerate().rev() {
            let n = param.elem_count();
            if n > room {
                room = if buckets.is_empty() { FIRST } else { SIZE };
                buckets.push(Bucket { members: Vec::new(), values: Vec::new(), known: 0 });
            }
            room = room.saturating_sub(n);
            let number = buckets.len() - 1;
            if let Some(bucket) = buckets.last_mut() {
                let start = bucket.values.len();
                homes[i] = (number, bucket.members.len());
                bucket.members.push((i, start));
                bucket.values.resize(start + n, 0.0);
            }
        }
        for bucket in &mut buckets {
            bucket.values.resize(bucket.values.len() + bucket.members.len(), 0.0);
        }
        Reducer {
            places: params.iter().enumerate().map(|(i, param)| (param.var().id(), i)).collect(),
            params: params.to_vec(),
            homes,
            buckets,
            taken: vec![None; params.len()],
            world: world.clone(),
            sent: Vec::new(),
            failed: None,
        }
    }

    /// A gradient has become known.
    fn hear(&mut self, id: TensorId, grad: &Tensor) {
        let Some(&i) = self.places.get(&id) else { return };
        if self.taken[i].is_some() || self.failed.is_some() {
            return;
        }
        self.taken[i] = Some(grad.id());
        if let Err(error) = self.put(i, Some(grad)).and_then(|()| self.send_known()) {
            self.failed = Some(error);
        }
    }

    /// Puts a gradient, or that there is none, into its bucket.
    fn put(&mut self, i: usize, grad: Option<&Tensor>) -> Result<()> {
        let (number, place) = self.homes[i];
        let bucket = &mut self.buckets[number];
        let ((_, start), flags) = (bucket.members[place], bucket.values.len() - bucket.members.len());
        bucket.known += 1;
        if let Some(grad) = grad {
            let values = numbers(grad)?;
            bucket.values[start..start + values.len()].copy_from_slice(&values);
            bucket.values[flags + place] = 1.0;
        }
        Ok(())
    }

    /// Hands over the next buckets, as far as all of theirs is known.
    fn send_known(&mut self) -> Result<()> {
        while let Some(bucket) = self.buckets.get_mut(self.sent.len()).filter(|b| b.known == b.members.len()) {
            self.sent.push(self.world.all_reduce_later(std::mem::take(&mut bucket.values))?);
        }
        Ok(())
    }

    /// Hands over the rest, and replaces all gradients by the sums.
    fn finish(&mut self, grads: &mut GradStore) -> Result<()> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let mut late = Vec::new();
        for (i, param) in self.params.clone().iter().enumerate() {
            match self.taken[i] {
                None => self.put(i, param.gradient(grads)?.as_ref())?,
                // What is used outside of the recorded passage too has got another gradient since.
                Some(taken) if grads.get(param.var()).map(Tensor::id) != Some(taken) => late.push(i),
                Some(_) => {}
            }
        }
        self.send_known()?;
        let late_values = late.iter().map(|&i| match self.params[i].gradient(grads)? {
            Some(grad) => numbers(&grad),
            None => Ok(vec![0.0; self.params[i].elem_count()]),
        });
        let late_values = late_values.collect::<Result<Vec<_>>>()?.concat();
        for (bucket, sums) in self.buckets.iter().zip(self.sent.drain(..)) {
            let sums = sums.wait()?;
            let flags = sums.len() - bucket.members.len();
            for (place, (i, start)) in bucket.members.iter().enumerate() {
                let param = &self.params[*i];
                param.take_gradient(grads)?;
                if sums[flags + place] > 0.0 {
                    insert(grads, param, &sums[*start..start + param.elem_count()])?;
                }
            }
        }
        if !late.is_empty() {
            let sums = self.world.all_reduce_later(late_values)?.wait()?;
            let mut rest = &sums[..];
            for param in late.iter().map(|&i| &self.params[i]) {
                let (own, others) = rest.split_at(param.elem_count());
                insert(grads, param, own)?;
                rest = others;
            }
        }
        Ok(())
    }
}

/// The values of a tensor, on the host.
fn numbers(tensor: &Tensor) -> Result<Vec<f32>> {
    Ok(tensor.to_device(&Device::Cpu)?.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?)
}

fn insert(grads: &mut GradStore, param: &Param, values: &[f32]) -> Result<()> {
    let grad = Tensor::from_slice(values, param.dims(), &Device::Cpu)?;
    grads.insert(param.var(), grad.to_dtype(param.var().dtype())?.to_device(param.var().device())?);
    Ok(())
}
