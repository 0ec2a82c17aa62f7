//! MPI for the tests of training by several processes: found, or installed where that can be done unasked.

use std::process::{Command, Stdio};

/// What building and running with MPI needs, as Debian and its kin call it.
const PACKAGES: [&str; 3] = ["openmpi-bin", "libopenmpi-dev", "libclang-dev"];

/// What is said where it is not there.
pub(super) const WITHOUT: &str = "there is no MPI or no libclang here, and they cannot be installed unasked; as root: \
                                  `apt-get install openmpi-bin libopenmpi-dev libclang-dev`";

/// Whether the feature `mpi` can be built and run here, after an attempt to install what is missing.
pub(super) fn is_there() -> bool {
    if is_installed() {
        return true;
    }
    eprintln!("==> apt-get install {}", PACKAGES.join(" "));
    let install = || runs("apt-get", &[&["install", "-y", "--no-install-recommends"], &PACKAGES[..]].concat());
    // A machine that has never asked for packages has no list of them.
    let there = (install() || (runs("apt-get", &["update"]) && install())) && is_installed();
    if !there {
        eprintln!("SKIPPED  training by several processes: {WITHOUT}");
    }
    there
}

/// Whether MPI's compiler, its launcher and libclang are there.
fn is_installed() -> bool {
    let packages = || runs("dpkg", &[&["--status"], &PACKAGES[..]].concat());
    let elsewhere = || std::env::var_os("LIBCLANG_PATH").is_some();
    runs("mpicc", &["--showme:version"]) && runs("mpirun", &["--version"]) && (elsewhere() || packages())
}

/// Whether a command is there and succeeds; what it says is not shown.
fn runs(program: &str, args: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(args).env("DEBIAN_FRONTEND", "noninteractive");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
