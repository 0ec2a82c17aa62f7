//! `cargo xtask fuzz --coverage`: which part of each reader's code the inputs that `--guided` kept reach.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, bail};
use serde_json::Value;

use super::{CORPORA, build_with, chosen, rustc, target_folder};
use crate::root;

/// The targets, and the files or folders of the code that reads their format.
pub(super) const READERS: [(&str, &[&str]); 14] = [
    (
        "pictures",
        &[
            "core/src/vision/decode.rs",
            "core/src/vision/gif.rs",
            "core/src/vision/ifd.rs",
            "core/src/vision/orientation.rs",
            "core/src/vision/png.rs",
            "core/src/vision/tiff.rs",
            "core/src/vision/tiff_view.rs",
        ],
    ),
    ("jpegs", &["core/src/vision/jpeg/", "core/src/vision/orientation.rs"]),
    ("idx", &["datasets/src/idx.rs"]),
    ("manifest", &["datasets/src/manifest.rs"]),
    ("zip", &["datasets/src/unpack.rs"]),
    ("tgz", &["datasets/src/unpack.rs"]),
    ("safetensors", &["io/src/safetensors.rs"]),
    ("pth", &["datasets/src/pth/"]),
    ("learner", &["core/src/tabular_learner/recipe.rs", "core/src/train/export.rs", "core/src/train/strict_json.rs"]),
    ("checkpoint", &["core/src/train/checkpoint.rs", "core/src/train/checkpoint_check.rs"]),
    ("table", &["core/src/data/csv_text.rs", "core/src/data/encoding.rs", "core/src/data/table/cells.rs"]),
    ("labels", &["core/src/data/label_table.rs"]),
    ("words", &["core/src/words/affixes.rs", "core/src/words/english.rs", "core/src/words/rules.rs"]),
    ("pieces", &["core/src/words/word_piece.rs"]),
];

pub(super) fn run(targets: &[String]) -> anyhow::Result<ExitCode> {
    let (chosen, tools) = (chosen(targets)?, Tools::find()?);
    let folder = target_folder().join("coverage");
    let built = build_with(&["-Cinstrument-coverage"], &folder, &["--workspace", "--bin", "tallow-fuzz"])?;
    let program = built.join("debug/tallow-fuzz");
    let mut raws = Vec::new();
    for (target, _) in &chosen {
        let corpus = root().join(CORPORA).join(target);
        let n = std::fs::read_dir(&corpus).map_or(0, Iterator::count);
        if n == 0 {
            println!("{target}: no inputs; `cargo xtask fuzz --guided --target {target}` makes them");
            continue;
        }
        println!("{target}: {n} inputs");
        let raw = folder.join(format!("{target}.profraw"));
        let status = Command::new(&program)
            .args(["--target", target, "--again"])
            .arg(&corpus)
            .env("LLVM_PROFILE_FILE", &raw)
            .current_dir(root())
            .status()
            .context("cannot start the targets' program")?;
        if !status.success() {
            bail!("an input in {} is a finding", corpus.display());
        }
        raws.push(raw);
    }
    if raws.is_empty() {
        bail!("no target has inputs; `cargo xtask fuzz --guided` makes them");
    }
    let files = chosen.iter().flat_map(|(_, files)| *files).copied().collect::<Vec<_>>();
    println!("{:>7} {:>9}  file, by all of these targets", "regions", "reached");
    for (file, regions, reached) in tools.regions(&program, &raws, &folder.join("all.profdata"), &files)? {
        println!("{regions:>7} {:>7.1} %  {file}", 100.0 * reached as f64 / regions.max(1) as f64);
    }
    let lines = folder.join("lines.lcov");
    tools.lines(&program, &folder.join("all.profdata"), &lines)?;
    println!("which lines: {}, for editors and `genhtml`", lines.display());
    Ok(ExitCode::SUCCESS)
}

/// LLVM's programs for coverage, which have to be of the compiler's LLVM.
struct Tools {
    profdata: PathBuf,
    cov: PathBuf,
}

impl Tools {
    /// Those in the folder `LLVM_TOOLS`, or those of `rustup component add llvm-tools`.
    fn find() -> anyhow::Result<Tools> {
        let of_rustup = || -> anyhow::Result<PathBuf> {
            let sysroot = rustc(&["--print", "sysroot"])?;
            Ok(Path::new(sysroot.trim()).join("lib/rustlib").join(super::host()?).join("bin"))
        };
        let folder = std::env::var_os("LLVM_TOOLS").map_or_else(of_rustup, |folder| Ok(folder.into()))?;
        let (profdata, cov) = (folder.join("llvm-profdata"), folder.join("llvm-cov"));
        if !profdata.exists() || !cov.exists() {
            bail!(
                "no llvm-profdata and llvm-cov in {}: `rustup component add llvm-tools`, or name a folder that has \
                 them, of the compiler's version of LLVM, in LLVM_TOOLS",
                folder.display()
            );
        }
        Ok(Tools { profdata, cov })
    }

    /// The regions of code in each of these files, and those that the runs reached.
    fn regions(
        &self,
        program: &Path,
        raws: &[PathBuf],
        merged: &Path,
        files: &[&str],
    ) -> anyhow::Result<Vec<(String, u64, u64)>> {
        let done = Command::new(&self.profdata).args(["merge", "-sparse", "-o"]).arg(merged).args(raws).status()?;
        if !done.success() {
            bail!("llvm-profdata cannot read what the runs counted");
        }
        let report = self.export(program, merged, &["-summary-only"])?;
        let report: Value = serde_json::from_slice(&report).context("llvm-cov export wrote no JSON")?;
        let of_file = |file: &Value| {
            let name = file["filename"].as_str()?;
            let name = Path::new(name).strip_prefix(root()).ok()?.to_str()?.replace('\\', "/");
            let regions = &file["summary"]["regions"];
            let is_meant = files.iter().any(|start| name.starts_with(start));
            is_meant.then_some((name, regions["count"].as_u64()?, regions["covered"].as_u64()?))
        };
        Ok(report["data"][0]["files"].as_array().into_iter().flatten().filter_map(of_file).collect())
    }

    /// Writes which lines were reached how often, in the format of `lcov`, which editors show.
    fn lines(&self, program: &Path, merged: &Path, to: &Path) -> anyhow::Result<()> {
        let lines = self.export(program, merged, &["-format=lcov"])?;
        std::fs::write(to, lines).with_context(|| format!("cannot write {}", to.display()))
    }

    fn export(&self, program: &Path, merged: &Path, how: &[&str]) -> anyhow::Result<Vec<u8>> {
        let mut export = Command::new(&self.cov);
        export.arg("export").args(how).arg("-instr-profile").arg(merged).arg(program);
        Ok(export.output().context("cannot start llvm-cov")?.stdout)
    }
}
