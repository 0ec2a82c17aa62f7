//! `--precision`: the numbers that a network trains with.

use clap::ValueEnum;
use serde::Serialize;
use tallow::candle::Device;
use tallow::event::{Event, Listener};
use tallow::{Error, Result, kernels};

#[derive(Debug, clap::Args, Serialize, Clone, Copy)]
pub(crate) struct PrecisionArgs {
    /// The numbers that the whole network trains with: bf16 takes half the memory for activations, and
    /// mostly less time on processors with AMX, or from AMD with AVX-512 BF16. Heads, validation and predictions
    /// compute in f32
    #[arg(long, value_name = "TYPE", value_enum, default_value_t = Precision::F32)]
    precision: Precision,
}

#[derive(Debug, ValueEnum, Serialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Precision {
    F32,
    Bf16,
}

impl PrecisionArgs {
    pub(crate) fn is_bf16(self) -> bool {
        self.precision == Precision::Bf16
    }

    /// Refuses what would fail later, and says where the switch does not do what one may expect of it. `epochs` are
    /// those of the whole network.
    pub(crate) fn check(self, device: &Device, epochs: u16, listener: &Listener) -> Result<()> {
        if !self.is_bf16() {
            return Ok(());
        }
        if !device.is_cpu() {
            return Err(Error::Usage("--precision bf16 is for training on the CPU: add --cpu, or train in f32".into()));
        }
        let tell = |note: String| listener.tell(Event::Note(&note));
        if epochs == 0 {
            tell("--precision is without effect: heads train in f32, and only `--epochs` trains the network".into());
        } else if !kernels::simd_level().contains("BF16") {
            tell(format!(
                "this processor ({}) does not multiply numbers of 16 bits: `--precision bf16` saves memory here, and \
                 no time",
                kernels::simd_level()
            ));
        }
        Ok(())
    }
}
