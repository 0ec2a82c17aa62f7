//! Devices by name: CPU, CUDA or Metal. No other file opens one.
//!
//! ```
//! use tallow::device;
//!
//! assert!(device::parse("cpu")?.is_cpu());
//! assert!(device::describe(&device::parse("cpu")?).starts_with("cpu ("));
//! let error = device::parse("gpu").map(|_| ()).unwrap_err();
//! assert_eq!(error.to_string(), "unknown device `gpu`: expected auto, cpu, cuda, cuda:N or metal");
//! # Ok::<(), tallow::Error>(())
//! ```

use crate::error::{Error, Result};
use candle_core::Device;

/// Opens the device with this name: `auto`, `cpu`, `cuda` (the first GPU), `cuda:N` or `metal`.
///
/// `auto` is [`best`]. An explicit name is never replaced by another device.
///
/// # Errors
/// [`Error::Usage`], with the command that helps, when the name is unknown, the build lacks the device's feature, or
/// the machine lacks the device.
pub fn parse(name: &str) -> Result<Device> {
    match name {
        "auto" => Ok(best()),
        "cpu" => Ok(Device::Cpu),
        "metal" => metal(),
        "cuda" => cuda(0),
        _ => match name.strip_prefix("cuda:").map(str::parse) {
            Some(Ok(ordinal)) => cuda(ordinal),
            _ => Err(Error::Usage(format!("unknown device `{name}`: expected auto, cpu, cuda, cuda:N or metal"))),
        },
    }
}

/// The first device of CUDA, Metal and CPU that this build and this machine have.
pub fn best() -> Device {
    cuda(0).or_else(|_| metal()).unwrap_or(Device::Cpu)
}

/// The name of a device for reports, such as `cpu (2 threads)` or `cuda:0`.
pub fn describe(device: &Device) -> String {
    match device.location() {
        candle_core::DeviceLocation::Cpu => format!("cpu ({} threads)", rayon::current_num_threads()),
        candle_core::DeviceLocation::Cuda { gpu_id } => format!("cuda:{gpu_id}"),
        candle_core::DeviceLocation::Metal { gpu_id } => format!("metal:{gpu_id}"),
    }
}

fn cuda(ordinal: usize) -> Result<Device> {
    if !cfg!(feature = "cuda") {
        return Err(not_compiled("cuda"));
    }
    Device::new_cuda(ordinal).map_err(|e| {
        Error::Usage(format!("no CUDA device {ordinal} on this machine ({e}); `--device cpu` runs without one"))
    })
}

fn metal() -> Result<Device> {
    if !cfg!(feature = "metal") {
        return Err(not_compiled("metal"));
    }
    Device::new_metal(0)
        .map_err(|e| Error::Usage(format!("no Metal device on this machine ({e}); `--device cpu` runs without one")))
}

fn not_compiled(feature: &str) -> Error {
    Error::Usage(format!(
        "this program was built without {feature} support: \
         rebuild with `cargo run --features {feature} ...`, or take `--device cpu`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_and_cpu_always_work() {
        assert!(parse("auto").is_ok());
        assert!(parse("cpu").unwrap().is_cpu());
        assert!(describe(&Device::Cpu).starts_with("cpu ("));
    }

    #[test]
    fn unknown_names_are_usage_errors_that_list_the_known_ones() {
        for name in ["tpu", "cuda:x", "cuda:-1", "CPU", ""] {
            let error = parse(name).unwrap_err();
            assert_eq!(crate::cli::exit_code(&error), 2);
            assert!(error.to_string().contains("cuda:N"), "{error}");
        }
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn an_explicit_device_that_is_not_compiled_in_is_refused_with_the_remedy() {
        let error = parse("cuda:1").unwrap_err();
        assert_eq!(crate::cli::exit_code(&error), 2);
        assert!(error.to_string().contains("--features cuda"), "{error}");
    }
}
