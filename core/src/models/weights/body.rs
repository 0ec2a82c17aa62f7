//! Loading the body of a network.

use super::load::{LoadOptions, LoadReport};
use super::{Arch, Weights};
use crate::error::{Error, Result};
use crate::nn::Params;
use std::collections::HashSet;

impl Weights {
    /// Loads the body of an `arch` into `params`, which must hold that body and nothing else. The file's head is
    /// ignored, whatever its name; no tensor of the body may be missing.
    ///
    /// # Errors
    /// [`Error::Network`] when the weights are of another architecture; then nothing is changed, unless tensors fit by
    /// chance.
    pub fn load_body_into(&self, arch: Arch, params: &Params) -> Result<LoadReport> {
        let report = self.load_into(params, &LoadOptions::partial())?;
        if report.missing.len() + report.misshapen.len() > 0 {
            let message = format!("these are not weights of {arch}: {report}");
            return Err(Error::network(arch.name(), message));
        }
        refuse_larger_relative(arch, &report)?;
        Ok(report)
    }
}

/// An error if the file has tensors in the body's parts that the body does not have: ResNet-34's weights fit into
/// ResNet-18, block for block, and mean nothing there.
fn refuse_larger_relative(arch: Arch, report: &LoadReport) -> Result<()> {
    let part = |name: &String| name.split('.').next().unwrap_or_default().to_string();
    // Parts by the names of the file, which may be timm's.
    let sources = report.renamed.iter().map(|(source, _)| source);
    let parts: HashSet<String> = report.loaded.iter().chain(sources).map(part).collect();
    let strangers: Vec<&String> = report.unexpected.iter().filter(|name| parts.contains(&part(name))).collect();
    let Some(first) = strangers.first() else { return Ok(()) };
    let message = format!(
        "these are weights of a larger network than {arch}: it has no place for {} of their tensors, `{first}` among \
         them; name the architecture that they are of",
        strangers.len()
    );
    Err(Error::network(arch.name(), message))
}
