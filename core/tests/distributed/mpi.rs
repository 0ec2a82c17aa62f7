//! The same by MPI: processes that `mpirun` starts. Open MPI's messages of a lost process are looked at too.

use crate::training::three_steps;
use crate::{End, each};
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tallow::collective::{Mpi, World};

/// Where a process of the test below writes what it has in the end.
const OUT: &str = "TALLOW_TEST_OUT";

/// `mpirun`, for more processes than there may be processors.
fn mpirun(n: usize) -> Command {
    let mut command = Command::new("mpirun");
    command.args(["--oversubscribe", "--bind-to", "none", "-n", &n.to_string()]);
    command.envs([("OMPI_ALLOW_RUN_AS_ROOT", "1"), ("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1")]);
    // Containers forbid what reads another process's memory.
    command.env("OMPI_MCA_btl_vader_single_copy_mechanism", "none");
    command.envs([("RAYON_NUM_THREADS", "1"), ("HF_HUB_OFFLINE", "1")]).env_remove("TALLOW_DEVICE");
    command
}

fn bytes(end: &End) -> Vec<u8> {
    let weights = end.weights.values().flatten().flat_map(|value| value.to_le_bytes());
    weights.chain(end.losses.iter().flat_map(|loss| loss.to_le_bytes())).collect()
}

/// What `mpirun` starts in the test below; nothing by itself.
#[test]
fn process() {
    let Some(folder) = std::env::var_os(OUT) else { return };
    let world = World::start(Mpi::connect).unwrap();
    let end = three_steps(Some(world.clone()));
    fs::write(Path::new(&folder).join(world.rank().to_string()), bytes(&end)).unwrap();
    world.finish(None).unwrap();
}

#[test]
fn three_steps_of_resnet_by_mpi() {
    for n in [2, 4] {
        let folder = tempfile::tempdir().unwrap();
        let mut command = mpirun(n);
        command.arg(std::env::current_exe().unwrap()).args(["--exact", "mpi::process"]);
        let ran = command.env(OUT, folder.path()).output().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        // Threads of one process, which another test compares with a process that is alone, have the same bits.
        let expected = bytes(&each(n, three_steps)[0]);
        for rank in 0..n {
            assert!(fs::read(folder.path().join(rank.to_string())).unwrap() == expected, "process {rank} of {n}");
        }
    }
}

/// The same by two processes on two hosts: network namespaces with addresses of their own, which only root may make.
#[test]
fn three_steps_of_resnet_across_two_hosts() {
    let namespace = format!("tallow-try-{}", std::process::id());
    let ip =
        |verb: &str| Command::new("ip").args(["netns", verb, &namespace]).output().is_ok_and(|o| o.status.success());
    if !(ip("add") && ip("del")) {
        eprintln!("SKIPPED: there are no network namespaces here (`ip netns add` fails)");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/cluster/namespaces.sh");
    let mut command = Command::new(script);
    command.arg("2").arg(std::env::current_exe().unwrap()).args(["--exact", "mpi::process"]);
    command.env(OUT, folder.path()).env("TALLOW_MPI_ARGS", format!("-x {OUT}"));
    let ran = command.output().unwrap();
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    let expected = bytes(&each(2, three_steps)[0]);
    for rank in 0..2 {
        assert!(fs::read(folder.path().join(rank.to_string())).unwrap() == expected, "process {rank}");
    }
}

/// `tallow train` on a few drawings, by `n` processes; none for one without `mpirun`.
fn train(n: Option<usize>, here: &Path, out: &str, more: &[&str]) -> Command {
    let tallow = env!("CARGO_BIN_EXE_tallow");
    let mut command = n.map_or_else(|| Command::new(tallow), mpirun);
    if n.is_some() {
        command.arg(tallow);
    }
    command.args(["train", "drawings", "--out", out, "--size", "32", "--head-epochs", "1", "--checkpoint-every", "0"]);
    command.args(more).current_dir(here);
    command
}

/// Drawings of three classes.
fn drawings(here: &Path) {
    let made = Command::new(env!("CARGO_BIN_EXE_tallow")).args(["sample", "drawings"]).current_dir(here).output();
    assert!(made.unwrap().status.success());
    for class in ["bird", "flower", "vehicle"] {
        fs::remove_dir_all(here.join("drawings").join(class)).unwrap();
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn history(here: &Path, out: &str) -> Vec<f64> {
    let table = fs::read_to_string(here.join(out).join("history.csv")).unwrap();
    table.split([',', '\n']).filter_map(|cell| cell.parse().ok()).collect()
}

#[test]
fn the_program_trains_with_several_processes_and_one_of_them_speaks() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    drawings(here);
    let run = |n, out: &str| -> Output {
        let ran = train(n, here, out, &["--epochs", "1", "--lr", "0.0001"]).output().unwrap();
        assert!(ran.status.success(), "{}", text(&ran.stderr));
        ran
    };
    let (alone, three) = (run(None, "alone"), run(Some(3), "three"));
    let said = |ran: &Output| text(&ran.stdout).lines().filter(|line| line.starts_with("the model is in")).count();
    assert_eq!((said(&alone), said(&three)), (1, 1), "{}", text(&three.stdout));
    let (expected, found) = (history(here, "alone"), history(here, "three"));
    assert!(expected.len() == found.len() && expected.len() > 8);
    for (a, b) in expected.iter().zip(&found) {
        assert!((a - b).abs() < 0.02, "{expected:?}\n{found:?}");
    }
    for file in ["model/model.safetensors", "report.html", "predictions.csv", "checkpoints/network.safetensors"] {
        assert!(here.join("three").join(file).is_file(), "{file}");
    }
}

/// The processes that a process has started.
fn children(parent: &Child) -> Vec<String> {
    let found = Command::new("pgrep").args(["-x", "-P", &parent.id().to_string(), "tallow"]).output().unwrap();
    text(&found.stdout).lines().map(String::from).collect()
}

fn wait_for(what: &str, mut is_there: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_there() {
        assert!(start.elapsed() < Duration::from_secs(120), "{what} has not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_lost_process_ends_the_job_and_a_stop_of_one_stops_all() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    drawings(here);
    let epochs = ["--epochs", "2"];
    for (out, signal) in [("killed", "-KILL"), ("stopped", "-INT")] {
        let mut command = train(Some(2), here, out, &epochs);
        let mut job = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let checkpoint = here.join(out).join("checkpoints/network.safetensors");
        wait_for("a checkpoint", || checkpoint.is_file());
        let ranks = children(&job);
        assert_eq!(ranks.len(), 2, "{ranks:?}");
        let started = Instant::now();
        assert!(Command::new("kill").args([signal, &ranks[1]]).status().unwrap().success());
        wait_for("the end of the job", || job.try_wait().unwrap().is_some());
        let took = started.elapsed();
        let ended = job.wait_with_output().unwrap();
        let said = text(&ended.stderr);
        assert!(!ended.status.success());
        assert!(took < Duration::from_secs(10), "{out}: {took:?}");
        match signal {
            "-KILL" => assert!(said.contains("signal 9"), "{said}"),
            _ => {
                assert!(said.contains("is up to date") && ended.status.code() == Some(130), "{:?} {said}", ended.status)
            }
        }
        // The checkpoint is whole: another number of processes goes on with it.
        let resumed = train((out == "killed").then_some(3), here, out, &[&epochs[..], &["--resume"]].concat());
        let resumed = { resumed }.output().unwrap();
        assert!(resumed.status.success(), "{}", text(&resumed.stderr));
        assert!(!text(&resumed.stderr).contains("begins anew"), "{}", text(&resumed.stderr));
        assert!(here.join(out).join("model/model.safetensors").is_file());
    }
}
