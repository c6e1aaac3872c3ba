//! Where tensors live: the one place that knows burn's backends.
use crate::Error;
use burn::tensor::Device;

/// The device of a name: `cpu`, the best that the build has; `flex`, Rust alone; `cuda:N`, with feature `tch`.
///
/// Errors: `NoDevice` where this build does not have it.
pub fn device(name: &str) -> Result<Device, Error> {
    match name {
        "flex" => Ok(Device::flex()),
        "cpu" => Ok(cpu()),
        _ => match name.strip_prefix("cuda:").and_then(|n| n.parse::<usize>().ok()) {
            Some(index) => cuda(name, index),
            None => Err(Error::NoDevice { device: name.into(), why: "devices are cpu, flex and cuda:N".into() }),
        },
    }
}

// burn calls its libtorch backend deprecated, and supports it: on the CPU it is the fastest one there is.
#[cfg(feature = "tch")]
#[allow(deprecated)]
fn cpu() -> Device {
    Device::libtorch()
}

#[cfg(not(feature = "tch"))]
fn cpu() -> Device {
    Device::flex()
}

#[cfg(feature = "tch")]
#[allow(deprecated)]
fn cuda(_name: &str, index: usize) -> Result<Device, Error> {
    Ok(Device::libtorch_cuda(index))
}

#[cfg(not(feature = "tch"))]
fn cuda(name: &str, _index: usize) -> Result<Device, Error> {
    Err(Error::NoDevice {
        device: name.into(),
        why: "this program was built without the feature tch (libtorch)".into(),
    })
}
