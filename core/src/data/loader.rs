//! The loader that makes batches of a dataset.

use super::order::{Lengths, Order};
use super::sampler::WeightedSampler;
use super::{Batch, Dataset};
use crate::collective::rows_of;
use crate::error::{Error, Result};
use crate::fingerprint::Fingerprint;
use crate::rng::Rng;
use candle_core::Device;
use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

/// Makes batches of a dataset: in order or shuffled, in this thread or by workers.
///
/// Each epoch has an order of its own that depends on the seed and the epoch's number alone, so any epoch can be gone
/// through again, from any batch on, with any number of workers.
#[derive(Clone)]
pub struct DataLoader {
    dataset: Arc<dyn Dataset>,
    batch_size: usize,
    order: Order,
    drop_last: bool,
    workers: usize,
    rng: Rng,
    device: Device,
    /// Which process of how many this one is, if they share the batches.
    share: Option<(usize, usize)>,
}

impl DataLoader {
    /// A loader of batches of `batch_size` items in the dataset's order; the last one may be smaller. PyTorch's
    /// `DataLoader(dataset, batch_size)`.
    ///
    /// # Errors
    /// [`Error::Config`] when the dataset is empty or the batch size is 0.
    pub fn new(dataset: impl Dataset + 'static, batch_size: usize) -> Result<DataLoader> {
        if dataset.is_empty() || batch_size == 0 {
            let n = dataset.len();
            let message = format!("cannot make batches of {batch_size} from a dataset of {n} items");
            return Err(Error::config("batch_size", message));
        }
        Ok(DataLoader {
            dataset: Arc::new(dataset),
            batch_size,
            order: Order::Plain,
            drop_last: false,
            workers: 0,
            rng: Rng::new(0),
            device: Device::Cpu,
            share: None,
        })
    }

    /// Loads the rows of process `rank` of `size` of each batch, in order, so that all together have the batches of
    /// one. Of a batch that is too small for all, one that has no row loads the first.
    pub(crate) fn share(self, rank: usize, size: usize) -> DataLoader {
        DataLoader { share: Some((rank, size)), ..self }
    }

    /// The number of items of an epoch's batch, of all processes together.
    pub(crate) fn batch_len(&self, number: usize) -> usize {
        self.n_items().saturating_sub(number * self.batch_size).min(self.batch_size)
    }

    /// Shuffles the items, in a new random order in each epoch, which depends on the seed and the epoch only.
    #[must_use]
    pub fn shuffle(self, rng: &Rng) -> DataLoader {
        DataLoader { order: Order::Shuffled, ..self.rng(rng) }
    }

    /// Draws as many items as there are, with replacement, with probabilities proportional to `weights`. PyTorch's
    /// `WeightedRandomSampler`. With [`super::sample_weights`] all classes are equally frequent.
    ///
    /// # Errors
    /// When there is not one weight for each item, one is negative or no number, or all are 0.
    pub fn weighted(self, weights: &[f64], rng: &Rng) -> Result<DataLoader> {
        let sampler = WeightedSampler::new(weights, self.n_items())?;
        Ok(DataLoader { order: Order::Weighted(sampler), ..self.rng(rng) })
    }

    /// The weights by which items are drawn, if they are ([`DataLoader::weighted`]).
    pub fn weights(&self) -> Option<&[f64]> {
        match &self.order {
            Order::Weighted(sampler) => Some(sampler.weights()),
            _ => None,
        }
    }

    /// Sorts items by length, the longest first, so that the items of a batch have similar lengths: for validation
    /// texts. fast.ai's `SortedDL`.
    ///
    /// # Errors
    /// When there is not one length for each item.
    pub fn sorted(self, lengths: &[usize]) -> Result<DataLoader> {
        let lengths = Lengths::new(lengths, self.n_items())?;
        Ok(DataLoader { order: Order::Sorted(lengths), ..self })
    }

    /// Shuffles items such that those of a batch have similar lengths: the items of each 50 random batches are sorted,
    /// and the batches shuffled. The longest item comes first, so that a lack of memory shows at once. For training
    /// texts. fast.ai's `SortedDL(shuffle=True)`.
    ///
    /// # Errors
    /// When there is not one length for each item.
    pub fn shuffle_sorted(self, lengths: &[usize], rng: &Rng) -> Result<DataLoader> {
        let lengths = Lengths::new(lengths, self.n_items())?;
        Ok(DataLoader { order: Order::NearlySorted(lengths), ..self.rng(rng) })
    }

    /// Sets the random stream of shuffling and augmentation.
    #[must_use]
    pub fn rng(self, rng: &Rng) -> DataLoader {
        DataLoader { rng: rng.clone(), ..self }
    }

    /// Uses all items in the dataset's order.
    #[must_use]
    pub fn in_order(self) -> DataLoader {
        DataLoader { order: Order::Plain, drop_last: false, ..self }
    }

    /// Drops a last batch that is smaller than the others, and any batch of which only one item could be read.
    /// PyTorch's `drop_last=True`.
    #[must_use]
    pub fn drop_last(self) -> DataLoader {
        DataLoader { drop_last: true, ..self }
    }

    /// Drops a last batch of a single item, which batch normalisation cannot train on.
    #[must_use]
    pub fn drop_last_of_one(self) -> DataLoader {
        let single = self.n_items() > self.batch_size && self.n_items() % self.batch_size == 1;
        if single { self.drop_last() } else { self }
    }

    /// Prepares batches ahead in `workers` threads; with 0, the default, in the calling thread. The number of workers
    /// does not change the batches.
    #[must_use]
    pub fn workers(self, workers: usize) -> DataLoader {
        DataLoader { workers, ..self }
    }

    /// Moves batches to a device.
    #[must_use]
    pub fn device(self, device: &Device) -> DataLoader {
        DataLoader { device: device.clone(), ..self }
    }

    /// The number of items.
    pub fn n_items(&self) -> usize {
        self.dataset.len()
    }

    /// The number of batches in an epoch.
    pub fn n_batches(&self) -> usize {
        let n = self.n_items();
        // A dataset smaller than a batch still gives one.
        if self.drop_last { (n / self.batch_size).max(1) } else { n.div_ceil(self.batch_size) }
    }

    /// What shapes the batches: the items, and how they become batches. The number of workers does not, nor does the
    /// device.
    ///
    /// # Errors
    /// When the items cannot be read.
    pub fn fingerprint(&self) -> Result<Fingerprint> {
        let rest = if self.drop_last { "left out" } else { "kept" };
        let settings = Fingerprint::default()
            .with("seed", self.rng.seed())
            .with("batch size", self.batch_size)
            .with("order", self.order.describe())
            .with("smaller last batch", rest)
            .with("number of items", self.n_items());
        Ok(settings.and("", self.dataset.fingerprint()?))
    }

    /// The dataset.
    pub(crate) fn dataset(&self) -> &Arc<dyn Dataset> {
        &self.dataset
    }

    /// The indices of the items in the order of epoch `epoch`.
    pub fn order(&self, epoch: usize) -> Vec<usize> {
        let mut rng = self.rng.stream("order").substream(epoch as u64);
        self.order.indices(self.n_items(), self.batch_size, &mut rng)
    }

    /// The random stream of one item in one epoch, from which its augmentation is drawn.
    pub fn item_rng(&self, epoch: usize, index: usize) -> Rng {
        self.epoch_rng(epoch).substream(index as u64)
    }

    fn epoch_rng(&self, epoch: usize) -> Rng {
        self.rng.stream("items").substream(epoch as u64)
    }

    /// These items as they are in the first epoch, on the loader's device.
    pub(crate) fn batch_of(&self, items: &[usize]) -> Result<Batch> {
        self.batch_in(items, 0)
    }

    fn batch_in(&self, items: &[usize], epoch: usize) -> Result<Batch> {
        let batch = self.dataset.batch(items, &self.epoch_rng(epoch))?;
        let device = &self.device;
        let more_xs = batch.more_xs.iter().map(|xs| Ok(xs.to_device(device)?)).collect::<Result<_>>()?;
        Ok(Batch { xs: batch.xs.to_device(device)?, more_xs, ys: batch.ys.to_device(device)? })
    }

    /// The batches of epoch `epoch`.
    pub fn epoch(&self, epoch: usize) -> Batches {
        self.epoch_from(epoch, 0)
    }

    /// The batches of epoch `epoch` from number `first` on: where a resumed run goes on.
    pub fn epoch_from(&self, epoch: usize, first: usize) -> Batches {
        let source = Source { loader: self.clone(), order: self.order(epoch), epoch };
        let range = first..self.n_batches();
        let workers = self.workers.min(range.len());
        let channels =
            (0..workers).map(|worker| source.clone().spawn(range.start + worker..range.end, workers)).collect();
        Batches { source, range, first, channels, started: Instant::now(), items: 0, waited: Duration::ZERO }
    }

    /// Goes through epoch `epoch` without using its items, and measures how fast they came.
    ///
    /// # Errors
    /// When a batch cannot be made.
    pub fn measure(&self, epoch: usize) -> Result<Throughput> {
        let mut batches = self.epoch(epoch);
        for batch in batches.by_ref() {
            batch?;
        }
        Ok(batches.throughput())
    }

    /// The first batch of the first epoch.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn one_batch(&self) -> Result<Batch> {
        Source { loader: self.clone(), order: self.order(0), epoch: 0 }.batch(0)
    }
}

/// Makes any batch of one epoch.
#[derive(Clone)]
struct Source {
    loader: DataLoader,
    order: Vec<usize>,
    epoch: usize,
}

impl Source {
    fn batch(&self, number: usize) -> Result<Batch> {
        let start = number * self.loader.batch_size;
        let items = &self.order[start..self.order.len().min(start + self.loader.batch_size)];
        let items = match self.loader.share.map(|(rank, size)| rows_of(items.len(), rank, size)) {
            Some(rows) if rows.is_empty() => &items[..1],
            Some(rows) => &items[rows],
            None => items,
        };
        self.loader.batch_in(items, self.epoch)
    }

    /// A thread that makes every `step`-th batch of `range` and waits while two of them are not yet wanted.
    fn spawn(self, range: Range<usize>, step: usize) -> Receiver<Result<Batch>> {
        let (sender, receiver) = sync_channel(2);
        std::thread::spawn(move || {
            for number in range.step_by(step) {
                // The receiver is dropped when the rest of the epoch is not wanted.
                if sender.send(self.batch(number)).is_err() {
                    return;
                }
            }
        });
        receiver
    }
}

/// The batches of one epoch, in order.
pub struct Batches {
    source: Source,
    range: Range<usize>,
    first: usize,
    /// One per worker; worker `w` of `n` makes batches `first + w`, `first + w + n`, ...
    channels: Vec<Receiver<Result<Batch>>>,
    started: Instant,
    items: usize,
    waited: Duration,
}

impl Batches {
    /// How fast items have come so far.
    pub fn throughput(&self) -> Throughput {
        Throughput {
            items: self.items,
            seconds: self.started.elapsed().as_secs_f64(),
            waited: self.waited.as_secs_f64(),
        }
    }

    fn make(&mut self, number: usize) -> Result<Batch> {
        if self.channels.is_empty() {
            return self.source.batch(number);
        }
        let channel = &self.channels[(number - self.first) % self.channels.len()];
        let lost =
            |_| Err(Error::Value(format!("the worker that prepares batch {number} has died; its message is above")));
        channel.recv().unwrap_or_else(lost)
    }
}

impl Iterator for Batches {
    type Item = Result<Batch>;

    fn next(&mut self) -> Option<Result<Batch>> {
        loop {
            let number = self.range.next()?;
            let asked = Instant::now();
            let batch = self.make(number);
            self.waited += asked.elapsed();
            let n = batch.as_ref().map_or(0, Batch::len);
            self.items += n;
            // Where files could not be read a single item may be left, of which normalisation can take no statistics.
            let Source { loader, .. } = &self.source;
            let whole = loader.share.is_none();
            if whole && n == 1 && loader.drop_last && loader.batch_size > 1 && loader.n_items() > 1 {
                continue;
            }
            return Some(batch);
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.range.len()))
    }
}

/// How fast items come out of a loader.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Throughput {
    /// Items so far.
    pub items: usize,
    /// Seconds since the first was asked for, whatever was done in them.
    pub seconds: f64,
    /// Seconds of these spent waiting for a batch: near 0 if the loader keeps up.
    pub waited: f64,
}

impl Throughput {
    /// Items per second.
    pub fn per_second(&self) -> f64 {
        self.items as f64 / self.seconds.max(f64::MIN_POSITIVE)
    }
}

impl std::fmt::Display for Throughput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let share = 100.0 * self.waited / self.seconds.max(f64::MIN_POSITIVE);
        write!(f, "{:.0} items a second, {share:.0} % of the time spent waiting for them", self.per_second())
    }
}

/// The loaders of the training and the validation set. fast.ai's `DataLoaders`.
#[derive(Clone)]
pub struct DataLoaders {
    /// Training batches, usually shuffled.
    pub train: DataLoader,
    /// Validation batches, in order.
    pub valid: DataLoader,
}

impl DataLoaders {
    /// What shapes the batches of both sides ([`DataLoader::fingerprint`]).
    ///
    /// # Errors
    /// When the items cannot be read.
    pub fn fingerprint(&self) -> Result<Fingerprint> {
        let (train, valid) = (self.train.fingerprint()?, self.valid.fingerprint()?);
        Ok(Fingerprint::default().and("the training set's ", train).and("the validation set's ", valid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::TensorDataset;
    use candle_core::Tensor;

    fn numbers(n: usize) -> TensorDataset {
        let xs = Tensor::arange(0u32, n as u32, &Device::Cpu).unwrap();
        TensorDataset::new(&xs, &xs).unwrap()
    }

    fn seen(batches: Batches) -> Vec<Vec<u32>> {
        batches.map(|b| b.unwrap().xs.to_vec1().unwrap()).collect()
    }

    #[test]
    fn order_sizes_and_last_batch() {
        let loader = DataLoader::new(numbers(15), 4).unwrap();
        assert_eq!(seen(loader.epoch(0)), [vec![0, 1, 2, 3], vec![4, 5, 6, 7], vec![8, 9, 10, 11], vec![12, 13, 14]]);
        assert_eq!(loader.n_batches(), 4);
        let loader = loader.drop_last();
        assert_eq!((loader.n_batches(), seen(loader.epoch(0)).len()), (3, 3));
        let small = DataLoader::new(numbers(3), 64).unwrap().drop_last();
        assert_eq!(seen(small.epoch(0)), [vec![0, 1, 2]]);
        assert!(DataLoader::new(numbers(3), 0).is_err());
        let sizes = |n: usize, size: usize| -> Vec<usize> {
            let loader = DataLoader::new(numbers(n), size).unwrap().drop_last_of_one();
            seen(loader.epoch(0)).iter().map(Vec::len).collect()
        };
        assert_eq!((sizes(9, 4), sizes(10, 4), sizes(8, 4)), (vec![4, 4], vec![4, 4, 2], vec![4, 4]));
        assert_eq!((sizes(1, 4), sizes(3, 1)), (vec![1], vec![1, 1, 1]));
    }

    #[test]
    fn each_epoch_shuffles_anew_and_holds_every_item_once() {
        let loader = DataLoader::new(numbers(100), 7).unwrap().shuffle(&Rng::new(5));
        let (first, second) = (seen(loader.epoch(0)).concat(), seen(loader.epoch(1)).concat());
        assert_ne!(first, second);
        for mut epoch in [first, second] {
            epoch.sort_unstable();
            assert_eq!(epoch, (0..100).collect::<Vec<u32>>());
        }
    }

    #[test]
    fn workers_and_resuming_change_nothing() {
        let loader = DataLoader::new(numbers(101), 8).unwrap().shuffle(&Rng::new(9));
        let plain = seen(loader.epoch(3));
        for workers in [1, 2, 5, 50] {
            assert_eq!(seen(loader.clone().workers(workers).epoch(3)), plain);
        }
        assert_eq!(seen(loader.clone().workers(3).epoch_from(3, 5)), plain[5..]);
        // Leaving early must not hang or panic.
        assert_eq!(loader.workers(4).epoch(0).take(1).count(), 1);
    }

    #[test]
    fn weighted_items_come_as_often_as_they_should() {
        let weights: Vec<f64> = (0..100).map(|i| if i < 90 { 1.0 / 90.0 } else { 1.0 / 10.0 }).collect();
        let loader = DataLoader::new(numbers(100), 8).unwrap().weighted(&weights, &Rng::new(3)).unwrap();
        let epochs: Vec<Vec<usize>> = (0..100).map(|epoch| loader.order(epoch)).collect();
        assert!(epochs.iter().all(|order| order.len() == 100) && epochs[0] != epochs[1]);
        // Half of 10,000 draws, with a standard deviation of 50.
        let rare = epochs.concat().iter().filter(|&&i| i >= 90).count();
        assert!((4800..=5200).contains(&rare), "{rare}");
        // Resuming, workers and other epochs in between change nothing.
        let plain = seen(loader.epoch(7));
        assert_eq!(seen(loader.clone().workers(3).epoch_from(7, 5)), plain[5..]);
        assert_eq!(seen(loader.clone().in_order().epoch(7)).concat(), (0..100).collect::<Vec<u32>>());
        // What has no weight never comes.
        let mut one = vec![0.0; 100];
        one[42] = 0.5;
        let loader = loader.weighted(&one, &Rng::new(3)).unwrap();
        assert_eq!((loader.order(0), loader.weights()), (vec![42; 100], Some(&one[..])));
        for bad in [vec![1.0; 99], vec![0.0; 100], vec![-1.0; 100], vec![f64::NAN; 100]] {
            assert!(loader.clone().weighted(&bad, &Rng::new(3)).is_err());
        }
    }

    struct Noisy;

    impl Dataset for Noisy {
        fn len(&self) -> usize {
            20
        }

        fn item(&self, index: usize, rng: &mut Rng) -> Result<(Tensor, Tensor)> {
            if index == 13 {
                return Err(Error::Value("item 13 is unreadable".into()));
            }
            let x = Tensor::new(rng.normal(), &Device::Cpu)?;
            Ok((x.clone(), x))
        }
    }

    #[test]
    fn augmentation_depends_on_seed_epoch_and_item_alone_and_errors_arrive() {
        let values = |workers: usize, batch_size: usize, epoch: usize| -> Vec<f64> {
            let loader = DataLoader::new(Noisy, batch_size).unwrap().rng(&Rng::new(1)).workers(workers);
            loader.epoch(epoch).filter_map(|b| b.ok()).flat_map(|b| b.xs.to_vec1::<f64>().unwrap()).collect()
        };
        assert_eq!(values(0, 1, 0), values(3, 1, 0));
        assert_ne!(values(0, 1, 0), values(0, 1, 1));
        assert_eq!(values(0, 1, 0)[..10], values(2, 10, 0)[..10]);
        let loader = DataLoader::new(Noisy, 4).unwrap().workers(2);
        let failures: Vec<String> = loader.epoch(0).filter_map(|b| b.err()).map(|e| e.to_string()).collect();
        assert_eq!(failures, ["item 13 is unreadable"]);
    }
}
