//! The processes that `mpirun` starts, and what each of them does.

use crate::train;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tallow::cli::{self, CommonArgs, Seed};
use tallow::collective::{BatchStatistics, World};
use tallow::{Error, Result};

/// How long one that was stopped waits for the others to come to their end too.
const PATIENCE: Duration = Duration::from_secs(10);

/// `tallow train`, alone or as one of several processes.
pub(crate) fn train(mut args: train::Args) -> ExitCode {
    let joined = join(args.statistics()).and_then(|world| match world {
        Some(world) => Ok(Some((take_part(&world, args.common_mut())?, world))),
        None => Ok(None),
    });
    let (scratch, world) = match joined {
        Ok(Some(joined)) => joined,
        Ok(None) => return ExitCode::from(run(&args)),
        Err(error) => return cli::exit(Err(error)),
    };
    args.world = Some(world.clone());
    let code = run(&args);
    if let Some(scratch) = scratch {
        // What is left behind is in the system's temporary folder, and does no harm.
        let _ = std::fs::remove_dir_all(scratch);
    }
    const INTERRUPTED: u8 = 130;
    let patience = if code == 0 { None } else { Some(PATIENCE) };
    if matches!(code, 0 | INTERRUPTED) && world.finish(patience).is_ok() {
        return ExitCode::from(code);
    }
    // Without a goodbye, by which `mpirun` knows that the others must not wait for this one. Nothing is dropped.
    std::process::exit(i32::from(code));
}

fn run(args: &train::Args) -> u8 {
    match train::check(args) {
        Ok(()) => cli::run_to_exit_code(&train::PROGRAM, args, train::run),
        Err(error) => {
            eprintln!("{}", cli::report_error(&error));
            cli::exit_code(&error)
        }
    }
}

/// All processes draw the same random numbers; and those that are not the first print nothing, and write into a folder
/// of their own, which is given back.
fn take_part(world: &World, common: &mut CommonArgs) -> Result<Option<PathBuf>> {
    let seed = world.broadcast(common.seed.draw()?.to_le_bytes().to_vec())?;
    let seed = seed.try_into().map_err(|_| Error::Value("process 0 has told no seed".into()))?;
    if common.seed == Seed::Random && world.rank() == 0 && !common.quiet {
        let seed = u64::from_le_bytes(seed);
        eprintln!("seed: {seed}; `--seed {seed}` repeats this run");
    }
    common.seed = Seed::Fixed(u64::from_le_bytes(seed));
    if world.rank() == 0 {
        return Ok(None);
    }
    let scratch = std::env::temp_dir().join(format!("tallow-process-{}-{}", world.rank(), std::process::id()));
    (common.quiet, common.json, common.out) = (true, false, Some(scratch.clone()));
    Ok(Some(scratch))
}

/// Joins the others, if `mpirun` or a scheduler has started this process as one of several.
#[cfg(feature = "mpi")]
fn join(statistics: BatchStatistics) -> Result<Option<World>> {
    if !is_one_of_several() {
        return Ok(None);
    }
    Ok(Some(World::start(tallow::collective::Mpi::connect)?.batch_statistics(statistics)))
}

/// An error, if `mpirun` has started this process: several that know nothing of one another would write into one
/// folder.
#[cfg(not(feature = "mpi"))]
fn join(_: BatchStatistics) -> Result<Option<World>> {
    if !is_one_of_several() {
        return Ok(None);
    }
    let what = "this program was built without MPI, so that its processes cannot train together";
    Err(Error::Usage(format!("{what}: build it with `--features mpi`, or start it without mpirun")))
}

/// Whether the environment is that of a process of MPI: of Open MPI, MPICH and its kin, or Slurm with PMIx.
fn is_one_of_several() -> bool {
    ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK"].iter().any(|name| std::env::var_os(name).is_some())
}
