//! What a learner and the other processes that it trains with tell one another.

use super::buckets::reduced_gradients;
use crate::collective::{BatchStatistics, World};
use crate::error::{Error, Result};
use crate::event::Listener;
use crate::nn::{Param, ParamKind, Params};
use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Tensor};

/// What a learner knows of the others.
pub(super) struct Others {
    world: World,
    /// How much this process's loss counts in that of the current batch.
    factor: f64,
    /// Whether any process has been asked to stop.
    stop: bool,
}

impl Others {
    pub(super) fn new(world: &World) -> Others {
        Others { world: world.clone(), factor: 1.0, stop: false }
    }

    pub(super) fn world(&self) -> &World {
        &self.world
    }

    /// Sees that all processes are about to do the same, and gives them the values of process 0.
    pub(super) fn agree(&self, request: &str) -> Result<()> {
        let all = self.world.all_gather(request.as_bytes().to_vec())?;
        match all.iter().position(|other| other != request.as_bytes()) {
            None => Ok(()),
            Some(rank) => {
                let (here, other) = (self.world.rank(), String::from_utf8_lossy(&all[rank]).into_owned());
                let message = format!(
                    "process {here} is to do `{request}`, and process {rank} `{other}`: start all with the same \
                     arguments, on the same data"
                );
                Err(Error::Value(message))
            }
        }
    }

    /// Gives all processes the parameters of process 0: machines of different kinds round differently.
    pub(super) fn align(&self, params: &Params) -> Result<()> {
        let params: Vec<Param> = params.all();
        let values = if self.world.rank() == 0 { flat(&params)? } else { Vec::new() };
        let told = self.world.broadcast(bytemuck::cast_slice(&values).to_vec())?;
        if self.world.rank() == 0 { Ok(()) } else { set(&params, &bytemuck::pod_collect_to_vec::<u8, f32>(&told)) }
    }

    /// From the loss of this process's rows to that of the whole batch. `weight` is how much the rows count.
    pub(super) fn whole_loss(&mut self, loss: f64, weight: f64, listener: &Listener) -> Result<f64> {
        let asked = f64::from(u8::from(listener.take_interrupt()));
        let all = self.world.gather_numbers(&[weight, loss, asked])?;
        self.stop |= all.iter().any(|of_rank| of_rank[2] > 0.0);
        let total: f64 = all.iter().map(|of_rank| of_rank[0]).sum();
        self.factor = weight / total;
        let counts = all.iter().filter(|of_rank| of_rank[0] != 0.0);
        Ok(counts.map(|of_rank| of_rank[0] / total * of_rank[1]).sum())
    }

    /// Whether all processes are to stop.
    pub(super) fn take_stop(&mut self) -> bool {
        std::mem::take(&mut self.stop)
    }

    /// The gradients of the whole batch's loss.
    pub(super) fn backward(&self, loss: &Tensor, trainable: &[Param]) -> Result<GradStore> {
        // As a tensor: candle leaves out what is multiplied by a plain 0, and all processes must exchange the same.
        let factor = Tensor::full(self.factor, loss.shape(), loss.device())?.to_dtype(loss.dtype())?;
        reduced_gradients(&(loss * factor)?, trainable, &self.world)
    }

    /// The mean of the running statistics of all processes, where each has its own.
    pub(super) fn average_statistics(&self, params: &Params) -> Result<()> {
        if self.world.statistics() != BatchStatistics::PerRank {
            return Ok(());
        }
        let is_running = |param: &Param| param.kind() == ParamKind::Buffer && !param.fixed();
        let buffers: Vec<Param> = params.all().into_iter().filter(is_running).collect();
        let mut sums = self.world.all_reduce_later(flat(&buffers)?)?.wait()?;
        let size = self.world.size() as f32;
        sums.iter_mut().for_each(|sum| *sum /= size);
        set(&buffers, &sums)
    }
}

/// The values of parameters, one after the other.
fn flat(params: &[Param]) -> Result<Vec<f32>> {
    let mut values = Vec::new();
    for param in params {
        let tensor = param.var().as_detached_tensor().to_device(&Device::Cpu)?.to_dtype(DType::F32)?;
        values.extend(tensor.flatten_all()?.to_vec1::<f32>()?);
    }
    Ok(values)
}

fn set(params: &[Param], values: &[f32]) -> Result<()> {
    let mut rest = values;
    for param in params {
        let Some((own, others)) = rest.split_at_checked(param.elem_count()) else {
            return Err(Error::network(param.name(), "the processes have different networks; start all the same"));
        };
        let tensor = Tensor::from_slice(own, param.dims(), &Device::Cpu)?.to_dtype(param.var().dtype())?;
        param.var().set(&tensor.to_device(param.var().device())?)?;
        rest = others;
    }
    Ok(())
}
