//! A process that does pieces of work on demand, and says how long each took.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, bail};

pub(crate) struct Worker {
    name: &'static str,
    process: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Worker {
    /// Starts the process.
    pub(crate) fn start(name: &'static str, mut command: Command) -> anyhow::Result<Worker> {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {name} ({:?})", command.get_program()))?;
        let (Some(orders), Some(answers)) = (process.stdin.take(), process.stdout.take()) else {
            bail!("{name} has no standard input and output")
        };
        Ok(Worker { name, process, orders: Some(orders), answers: BufReader::new(answers) })
    }

    /// Has a piece of work done, and gives its answer: seconds, or bytes of memory.
    pub(crate) fn ask(&mut self, work: &str) -> anyhow::Result<f64> {
        let answer = self.tell(work)?;
        answer.parse().with_context(|| format!("{} answered `{answer}` to `{work}`", self.name))
    }

    /// Has something done or told, and gives the answer.
    pub(crate) fn tell(&mut self, work: &str) -> anyhow::Result<String> {
        let mut answer = String::new();
        let asked = self.orders.as_mut().map(|orders| writeln!(orders, "{work}").and_then(|()| orders.flush()));
        if !matches!(asked, Some(Ok(()))) || self.answers.read_line(&mut answer)? == 0 {
            return Err(self.complaint(work));
        }
        Ok(answer.trim().to_string())
    }

    /// What the process said when it gave up.
    fn complaint(&mut self, work: &str) -> anyhow::Error {
        let mut said = String::new();
        if let Some(mut errors) = self.process.stderr.take() {
            let _ = std::io::Read::read_to_string(&mut errors, &mut said);
        }
        anyhow::anyhow!("{} failed at `{work}`: {}", self.name, said.trim().lines().last().unwrap_or("it said nothing"))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Without standard input the process ends by itself.
        self.orders = None;
        let _ = self.process.wait();
    }
}
