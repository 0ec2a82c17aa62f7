//! Loading weights into a network: by name, all or nothing, and with a report.

use super::Weights;
use super::rename::{Renames, holds_the_same, without_wrappers};
use crate::error::{Error, Result};
use crate::nn::{Param, Params};
use std::collections::{BTreeMap, HashMap};
use std::fmt;

/// How far the tensors of a file and of a network must agree.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LoadOptions {
    partial: bool,
    new_heads: Vec<String>,
    ignored: Vec<String>,
}

impl LoadOptions {
    /// All tensors must agree. PyTorch's `load_state_dict(strict=True)`.
    pub fn strict() -> LoadOptions {
        LoadOptions::default()
    }

    /// Tensors that fit are loaded, at least one, and the report lists the others. PyTorch's `strict=False`, except
    /// that tensors of another shape are skipped too.
    pub fn partial() -> LoadOptions {
        LoadOptions { partial: true, ..LoadOptions::default() }
    }

    /// All tensors must agree except those under `prefix`, such as `fc`, which keep their initial values if the file
    /// lacks them or has another shape: for a new head for other classes.
    pub fn new_head(prefix: &str) -> LoadOptions {
        LoadOptions { new_heads: vec![prefix.into()], ..LoadOptions::default() }
    }

    /// Excepts another head, such as an auxiliary classifier's.
    #[must_use]
    pub fn and_new_head(mut self, prefix: &str) -> LoadOptions {
        self.new_heads.push(prefix.into());
        self
    }

    /// Ignores the file's tensors under `prefix`, such as an auxiliary classifier that the network does not have.
    #[must_use]
    pub fn ignore(mut self, prefix: &str) -> LoadOptions {
        self.ignored.push(prefix.into());
        self
    }
}

/// The result of loading weights into a network.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LoadReport {
    /// The network's tensors that were loaded, in the network's order.
    pub loaded: Vec<String>,
    /// The network's tensors that the file lacks, which are unchanged.
    pub missing: Vec<String>,
    /// The file's tensors that the network lacks.
    pub unexpected: Vec<String>,
    /// The network's tensors that have another shape in the file, which are unchanged.
    pub misshapen: Vec<Misshapen>,
    /// The file's name and the network's name of tensors where they differ.
    pub renamed: Vec<(String, String)>,
}

/// A tensor that has one shape in the file and another in the network.
#[derive(Debug, Clone, PartialEq)]
pub struct Misshapen {
    /// The network's name for it.
    pub name: String,
    /// Its shape in the file.
    pub in_file: Vec<usize>,
    /// Its shape in the network.
    pub in_network: Vec<usize>,
}

impl Weights {
    /// Loads the file's tensors into the network by name, relative to the prefix of `params`.
    ///
    /// Other naming conventions are recognised: those of timm for VGG, ConvNeXt and MobileNetV3, of the first
    /// DenseNets, and the `module.` of `DataParallel`. `num_batches_tracked` is ignored.
    ///
    /// # Errors
    /// [`Error::File`] that lists the missing, unexpected and misshapen tensors which `options` do not allow;
    /// [`Error::Network`] for a head that the network does not have. Nothing is changed then.
    pub fn load_into(&self, params: &Params, options: &LoadOptions) -> Result<LoadReport> {
        let all = params.all();
        let ours: Vec<(&str, &Param)> = all.iter().map(|param| (params.relative(param.name()), param)).collect();
        if let Some(head) = options.new_heads.iter().find(|head| !ours.iter().any(|(name, _)| is_under(name, head))) {
            let message = format!("the network has no parameter under `{head}`, which should be its head");
            return Err(Error::network(head, message));
        }
        let sources = self.sources(&ours, options);
        let mut report = LoadReport { unexpected: sources.unexpected, ..LoadReport::default() };
        let mut values = Vec::new();
        for (name, param) in ours {
            let Some(&source) = sources.of.get(name) else {
                report.missing.push(name.into());
                continue;
            };
            let (in_file, in_network) = (self.shape(source).unwrap_or_default(), param.var().dims());
            if in_file == in_network || (source != name && holds_the_same(in_file, in_network)) {
                report.loaded.push(name.into());
                values.push((param, source));
                if source != name {
                    report.renamed.push((source.into(), name.into()));
                }
            } else {
                let (in_file, in_network) = (in_file.to_vec(), in_network.to_vec());
                report.misshapen.push(Misshapen { name: name.into(), in_file, in_network });
            }
        }
        if let Some(what) = report.objection(options) {
            return Err(Error::file(&self.path, format!("does not fit the network: {what}")));
        }
        // All shapes agree, so that what follows fails only where a device does.
        for (param, source) in values {
            let value = self.tensor(source)?.reshape(param.var().shape())?;
            param.var().set(&value.to_device(params.device())?.to_dtype(param.var().dtype())?)?;
        }
        Ok(report)
    }

    /// Which of the file's tensors is meant by which of the network's names. An equal name counts before a similar one.
    fn sources(&self, ours: &[(&str, &Param)], options: &LoadOptions) -> Sources<'_> {
        let known: HashMap<&str, ()> = ours.iter().map(|(name, _)| (*name, ())).collect();
        let mut of: BTreeMap<String, &str> = BTreeMap::new();
        let mut others = Vec::new();
        for name in self.names() {
            if known.contains_key(name) {
                of.insert(name.into(), name);
            } else if !name.ends_with("num_batches_tracked")
                && !options.ignored.iter().any(|p| is_under(without_wrappers(name), p))
            {
                others.push(name);
            }
        }
        let renames = Renames::new(self.names());
        let mut unexpected = Vec::new();
        for name in others {
            let free = |other: &String| known.contains_key(other.as_str()) && !of.contains_key(other);
            match renames.of(name).into_iter().find(free) {
                Some(other) => {
                    of.insert(other, name);
                }
                None => unexpected.push(name.to_string()),
            }
        }
        Sources { of, unexpected }
    }
}

struct Sources<'a> {
    of: BTreeMap<String, &'a str>,
    unexpected: Vec<String>,
}

/// `fc.weight` is under `fc`, and so is `fc`; `fcx` is not.
fn is_under(name: &str, prefix: &str) -> bool {
    name.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

impl LoadReport {
    /// What the options do not allow.
    fn objection(&self, options: &LoadOptions) -> Option<String> {
        if options.partial {
            return self.loaded.is_empty().then(|| format!("none of its tensors does; {}", self.rest()));
        }
        let in_head = |name: &str| options.new_heads.iter().any(|head| is_under(name, head));
        let wrong = LoadReport {
            missing: self.missing.iter().filter(|name| !in_head(name)).cloned().collect(),
            unexpected: self.unexpected.iter().filter(|name| !in_head(without_wrappers(name))).cloned().collect(),
            misshapen: self.misshapen.iter().filter(|tensor| !in_head(&tensor.name)).cloned().collect(),
            ..LoadReport::default()
        };
        Some(wrong.rest()).filter(|what| !what.is_empty())
    }

    /// Everything that was not loaded, or nothing.
    fn rest(&self) -> String {
        let quoted = |names: &[String]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>();
        let misshapen = self.misshapen.iter().map(Misshapen::to_string).collect();
        let lists = [
            ("missing", quoted(&self.missing)),
            ("unexpected", quoted(&self.unexpected)),
            ("of another shape", misshapen),
        ];
        let parts = lists.iter().filter(|(_, names)| !names.is_empty()).map(|(what, names)| {
            let shown = names.iter().take(MOST_SHOWN).cloned().collect::<Vec<_>>().join(", ");
            let more = names.len().saturating_sub(MOST_SHOWN);
            format!(
                "{} {what}: {shown}{}",
                names.len(),
                if more > 0 { format!(" and {more} more") } else { String::new() }
            )
        });
        parts.collect::<Vec<_>>().join("; ")
    }
}

const MOST_SHOWN: usize = 8;

impl fmt::Display for LoadReport {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let all = self.loaded.len() + self.missing.len() + self.misshapen.len();
        write!(f, "loaded {} of {all} tensors", self.loaded.len())?;
        if !self.renamed.is_empty() {
            write!(f, " ({} renamed)", self.renamed.len())?;
        }
        let rest = self.rest();
        if rest.is_empty() { Ok(()) } else { write!(f, "; {rest}") }
    }
}

impl fmt::Display for Misshapen {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "`{}` ({:?} in the file, {:?} in the network)", self.name, self.in_file, self.in_network)
    }
}
