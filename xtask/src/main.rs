//! Tallow's chores. `cargo xtask` lists them; each has a file of its own here.
//!
//! Exit codes: 0 fine, 1 failed, 2 wrong usage, 3 data missing, damaged or out of reach, 4 a target was missed.
#![allow(clippy::print_stdout)] // a program: its results are for stdout, progress and complaints for stderr

mod api;
mod bench;
mod book;
mod ci;
mod download_images;
mod embed_efficientnet;
mod embed_mnist;
mod fetch_data;
mod fuzz;
mod package;
mod page;
mod results;
mod run_all;
mod stamp;
mod table;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use tallow_datasets::ErrorKind;

/// Tallow's chores.
#[derive(Parser)]
#[command(bin_name = "cargo xtask", max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    task: Option<Task>,
}

#[derive(Subcommand)]
enum Task {
    /// Download, list or verify the datasets that the chapters read
    FetchData(fetch_data::Args),
    /// Download photos from a list of addresses, many at a time
    DownloadImages(download_images::Args),
    /// Run the chapters one after the other and put their results on one page
    RunAll(run_all::Args),
    /// Make a static site of the chapters' pages, the guides and the API documentation
    Book(book::Args),
    /// Remake the embedded threes and sevens from the full MNIST, or check them against it
    EmbedMnist(embed_mnist::Args),
    /// Remake the embedded ImageNet weights of EfficientNet-Lite0, or check them
    EmbedEfficientnet(embed_efficientnet::Args),
    /// Measure the kernels and whole networks, alone or beside PyTorch
    Bench(bench::Args),
    /// Give hostile inputs to everything that reads a file, for hours
    Fuzz(fuzz::Args),
    /// Compare the public items of the packages with the lists in docs/api
    Api(api::Args),
    /// Make the packages of the crate registry, and see that nothing is missing
    Package(package::Args),
    /// Check formatting, lints and tests, as the continuous integration does
    Ci,
}

fn main() -> ExitCode {
    let result = match Cli::parse().task {
        None => print_tasks(),
        Some(Task::FetchData(args)) => fetch_data::run(&args),
        Some(Task::DownloadImages(args)) => download_images::run(&args),
        Some(Task::RunAll(args)) => run_all::run(&args),
        Some(Task::Book(args)) => book::run(&args),
        Some(Task::EmbedMnist(args)) => embed_mnist::run(&args),
        Some(Task::EmbedEfficientnet(args)) => embed_efficientnet::run(&args),
        Some(Task::Bench(args)) => bench::run(&args),
        Some(Task::Fuzz(args)) => fuzz::run(&args),
        Some(Task::Api(args)) => api::run(&args),
        Some(Task::Package(args)) => package::run(&args),
        Some(Task::Ci) => ci::run(),
    };
    result.unwrap_or_else(|error| {
        eprintln!("error: {}", tallow_io::text::visible(&told(&error)));
        let data = error.chain().find_map(|cause| cause.downcast_ref::<tallow_datasets::Error>());
        data.map_or(1, exit_code).into()
    })
}

/// The exit code of a task that ends with this error: 1 failed, 2 wrong usage, 3 data missing, damaged or out of reach.
fn exit_code(error: &tallow_datasets::Error) -> u8 {
    match error.kind() {
        ErrorKind::Failed => 1,
        ErrorKind::Usage => 2,
        ErrorKind::Unavailable => 3,
    }
}

fn print_tasks() -> anyhow::Result<ExitCode> {
    Cli::command().print_help()?;
    Ok(ExitCode::SUCCESS)
}

/// The workspace's root: the folder above this package.
fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_path_buf()
}

/// The cargo that runs us, so that a toolchain chosen on the command line stays chosen. What that one says of this
/// package is no setting of a build: crates whose build scripts look at it, and all that stands on them, would be
/// compiled anew.
fn cargo() -> std::process::Command {
    let mut cargo = std::process::Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        let of_package = |prefix: &&str| name.to_string_lossy().starts_with(*prefix);
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CRATE_"].iter().any(of_package) {
            cargo.env_remove(&name);
        }
    }
    cargo
}

/// An error with its causes, but for those that it has told itself.
fn told(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |said, cause| match said.ends_with(&cause) {
        true => said,
        false if said.is_empty() => cause,
        false => format!("{said}: {cause}"),
    })
}
