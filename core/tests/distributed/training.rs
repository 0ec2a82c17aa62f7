//! What several processes learn.

use crate::{End, among, each, noise, resnet, small_learner};
use tallow::candle::{Device, Tensor};
use tallow::collective::{BatchStatistics, World};
use tallow::train::{Callback, LrFindConfig, TrainState};

/// Three steps of ResNet-18, small ones: a unit whose input is 0 up to rounding is on in one computation and off in
/// another, and over a few large steps that grows. One process whose weights begin a ten-millionth away ends as far
/// from itself as from several.
pub(crate) fn three_steps(world: Option<World>) -> End {
    // Batches of ten, ten and six: four processes have shares of different sizes.
    let mut learner = among(resnet(noise(26, 64, 10)), &world, BatchStatistics::Synchronised);
    learner.fit(1, 1e-4).unwrap();
    End::of(&learner)
}

#[test]
fn three_steps_of_resnet_are_those_of_one_process() {
    let alone = three_steps(None);
    assert_eq!((alone.losses.len(), alone.rows.len()), (3, 1));
    assert!((alone.losses[0] - alone.losses[1]).abs() > 1e-3, "the steps are large enough to be seen");
    for size in [2, 4] {
        let ends = each(size, three_steps);
        ends.iter().for_each(|end| end.is_near(&alone, 1e-5));
        // All processes have the same, and another run of as many has it too, bit for bit.
        assert!(ends.iter().all(|end| *end == ends[0]), "{size} processes end with different numbers");
        assert_eq!(each(size, three_steps)[0], ends[0]);
    }
}

fn small(world: Option<World>, batch_size: usize, statistics: BatchStatistics) -> End {
    let mut learner = among(small_learner(noise(23, 4, batch_size)), &world, statistics);
    learner.fit(2, 0.05).unwrap();
    End::of(&learner)
}

#[test]
fn batches_smaller_than_the_number_of_processes_and_dropout_are_those_of_one_process() {
    for batch_size in [3, 8] {
        let run = move |world| small(world, batch_size, BatchStatistics::Synchronised);
        let alone = run(None);
        for size in [2, 4, 5] {
            let ends = each(size, run);
            ends.iter().for_each(|end| end.is_near(&alone, 1e-5));
            assert!(ends.iter().all(|end| *end == ends[0]));
        }
    }
}

#[test]
fn with_statistics_of_each_process_all_have_the_same_network_and_it_is_another_one() {
    let run = |world| small(world, 8, BatchStatistics::PerRank);
    let ends = each(2, run);
    assert_eq!(ends[0], ends[1]);
    assert_eq!(ends, each(2, run));
    assert_ne!(ends[0].weights, run(None).weights);
}

/// Adds the size of all weights to the loss, outside of the network's pass.
struct Decay;

impl Callback for Decay {
    fn after_loss(&mut self, state: &mut TrainState) -> tallow::Result<()> {
        let mut loss = state.loss_tensor.take().unwrap();
        for param in state.params.trainable() {
            loss = (loss + param.tensor().sqr()?.sum_all()?)?;
        }
        state.loss_tensor = Some(loss);
        Ok(())
    }
}

#[test]
fn a_penalty_on_weights_counts_once() {
    let run = |world| {
        let mut learner = among(resnet(noise(10, 32, 10)), &world, BatchStatistics::Synchronised).callback(Decay);
        learner.fit(1, 1e-4).unwrap();
        End::of(&learner)
    };
    let alone = run(None);
    each(2, run).iter().for_each(|end| end.is_near(&alone, 1e-5));
}

#[test]
fn all_processes_get_all_predictions_and_one_search() {
    let run = |world: Option<World>| {
        let dls = noise(26, 32, 10);
        let mut learner = among(resnet(dls.clone()), &world, BatchStatistics::Synchronised);
        let found = learner.lr_find(&LrFindConfig { num_it: 2, ..LrFindConfig::default() }).unwrap();
        let (preds, ys) = learner.get_preds(&dls.valid).unwrap();
        (found.losses, preds.to_vec2::<f32>().unwrap(), ys.to_vec1::<u32>().unwrap())
    };
    let (losses, preds, ys) = run(None);
    assert_eq!((preds.len(), &ys[..]), (5, &[0, 1, 2, 0, 1][..]));
    for (other_losses, other, others) in each(3, run) {
        assert_eq!((others, other_losses), (ys.clone(), losses.clone()));
        let pairs = || preds.iter().flatten().zip(other.iter().flatten());
        assert!(pairs().count() == 15 && pairs().all(|(a, b)| (a - b).abs() < 1e-5));
    }
}

#[test]
fn processes_that_do_different_things_are_told() {
    let errors = each(2, |world| {
        let n = 10 + 10 * world.as_ref().unwrap().rank();
        let mut learner = among(resnet(noise(n, 32, 10)), &world, BatchStatistics::Synchronised);
        learner.fit(1, 0.01).unwrap_err().to_string()
    });
    for error in errors {
        assert!(error.contains("10 items in 1 batches") && error.contains("20 items in 2 batches"), "{error}");
        assert!(error.contains("start all with the same arguments"), "{error}");
    }
}

/// Of whose rows a shared batch is made can be seen in what is gathered.
#[test]
fn rows_come_together_in_their_order() {
    let gathered = each(3, |world| {
        let world = world.unwrap();
        let rank = world.rank() as u32;
        let rows = Tensor::from_vec(vec![rank; 2 * (rank as usize + 1)], (rank as usize + 1, 2), &Device::Cpu).unwrap();
        let n = if rank == 1 { 0 } else { rank as usize + 1 };
        world.gather_rows(&rows, n).unwrap().to_vec2::<u32>().unwrap()
    });
    assert!(gathered.iter().all(|rows| *rows == [[0, 0], [2, 2], [2, 2], [2, 2]]));
}
