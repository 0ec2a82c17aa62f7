//! `tallow merge`: the parts of a job as one table, if nothing is missing and nothing is there twice.

use crate::part::{Job, Rows};
use crate::{shown, table_file};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use tallow::{Error, Result};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "The table is the one that `tallow predict --out` writes of all photos in one process, byte for byte."
)]
pub(crate) struct Args {
    /// The parts that `tallow predict --shard` has written, in any order
    #[arg(required = true, value_name = "PART")]
    parts: Vec<PathBuf>,

    /// The table of all photos: CSV, JSON lines if its name ends in .jsonl, or Parquet if it ends in .parquet
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// Replace the file of `--out`
    #[arg(long)]
    overwrite: bool,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    if args.out.exists() && !args.overwrite {
        return Err(Error::Usage(format!("{}: is there; `--overwrite` replaces it", args.out.display())));
    }
    table_file::check(&args.out)?;
    let plan = plan(&args.parts)?;
    let rows = plan.runs.iter().flat_map(|run| match run.rows() {
        Ok(rows) => Box::new(rows) as Box<dyn Iterator<Item = Result<Vec<String>>>>,
        Err(error) => Box::new(std::iter::once(Err(error))),
    });
    table_file::write(&args.out, &plan.head, rows)?;
    eprintln!("{}: {} photos of {} parts", shown(&args.out).display(), plan.n_rows, args.parts.len());
    Ok(())
}

/// Neighbouring photos that stand one after another in a part.
struct Run<'a> {
    part: &'a Path,
    first: usize,
    n: usize,
    /// Where the first of them begins in the file.
    byte: u64,
}

impl Run<'_> {
    /// The cells of its photos.
    fn rows(&self) -> Result<impl Iterator<Item = Result<Vec<String>>> + use<>> {
        let mut rows = Rows::open(self.part)?;
        rows.seek(self.byte)?;
        Ok(rows.take(self.n).map(|row| Ok(row?.cells)))
    }
}

/// Where all photos of a job are to be read, in their order.
struct Plan<'a> {
    head: Vec<String>,
    runs: Vec<Run<'a>>,
    n_rows: usize,
}

/// Reads all parts, and refuses those that do not make a whole.
fn plan(parts: &[PathBuf]) -> Result<Plan<'_>> {
    let (mut head, mut job): (Option<Vec<String>>, Option<(Job, &Path)>) = (None, None);
    let mut runs: Vec<Run<'_>> = Vec::new();
    // The part that each photo was found in.
    let mut found: HashMap<usize, &Path> = HashMap::new();
    for path in parts {
        let mut rows = Rows::open(path)?;
        let head = head.get_or_insert_with(|| rows.head.clone());
        if rows.head != *head {
            let what = format!("has the columns {}, and the first part {}", rows.head.join(","), head.join(","));
            return Err(Error::file(path, what));
        }
        let mut byte = rows.position();
        while let Some(row) = rows.next().transpose()? {
            let (first_job, first_path) = job.get_or_insert_with(|| (row.job.clone(), path));
            if row.job != *first_job {
                let what = "the model, the list of photos or a setting was another";
                let what = format!("is a part of another job than {}: {what}; score it again", first_path.display());
                return Err(Error::file(path, what));
            }
            if let Some(other) = found.insert(row.item, path) {
                let (n, name, other) = (row.item + 1, row.cells.first().cloned().unwrap_or_default(), other.display());
                let what = format!("has photo {n}, {name}, which {other} has too: give each share once");
                return Err(Error::file(path, what));
            }
            match runs.last_mut().filter(|run| run.part == path && run.first + run.n == row.item) {
                Some(run) => run.n += 1,
                None => runs.push(Run { part: path, first: row.item, n: 1, byte }),
            }
            byte = rows.position();
        }
    }
    let (Some(head), Some((job, _))) = (head, job) else {
        let first = parts.first().map_or(Path::new(""), PathBuf::as_path);
        return Err(Error::file(first, "and all other parts hold no photo"));
    };
    runs.sort_by_key(|run| run.first);
    if found.len() < job.of {
        let (n, of, places) = (job.of - found.len(), job.of, gaps(&runs, job.of));
        let what = format!("{n} of {of} photos are in no part, numbers {places}: score the shares that are missing");
        return Err(Error::Value(what));
    }
    Ok(Plan { head, runs, n_rows: job.of })
}

/// What lies between the runs, as numbers from 1: `1-32, 97-128 and others`.
fn gaps(runs: &[Run<'_>], of: usize) -> String {
    const SHOWN: usize = 5;
    let begins = std::iter::once(0).chain(runs.iter().map(|run| run.first + run.n));
    let ends = runs.iter().map(|run| run.first).chain(std::iter::once(of));
    let gaps: Vec<(usize, usize)> = begins.zip(ends).filter(|(begin, end)| begin < end).collect();
    let more = if gaps.len() > SHOWN { " and others" } else { "" };
    let shown: Vec<String> = gaps.iter().take(SHOWN).map(|(begin, end)| format!("{}-{end}", begin + 1)).collect();
    shown.join(", ") + more
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_make_a_table_when_each_photo_is_there_once() {
        let dir = tempfile::tempdir().unwrap();
        let part = |name: &str, items: &[usize], job: &str| {
            let rows = items.iter().map(|item| format!("{},4,{job},{item}.jpg\n", item + 1));
            let file = dir.path().join(name);
            std::fs::write(&file, format!("item,of,job,file\n{}", rows.collect::<String>())).unwrap();
            file
        };
        let out = dir.path().join("all.csv");
        let merge = |parts: Vec<PathBuf>| {
            run(&Args { parts, out: out.clone(), overwrite: true }).map(|()| std::fs::read_to_string(&out).unwrap())
        };
        let whole = merge(vec![part("a.csv", &[2, 3], "x"), part("b.csv", &[0, 1], "x")]).unwrap();
        assert_eq!(whole, "file\n0.jpg\n1.jpg\n2.jpg\n3.jpg\n");
        let turns = merge(vec![part("a.csv", &[0, 2], "x"), part("b.csv", &[1, 3], "x")]).unwrap();
        assert_eq!(turns, whole);
        let refused = |parts: Vec<PathBuf>| merge(parts).unwrap_err().to_string();
        let missing = refused(vec![part("a.csv", &[0, 3], "x")]);
        assert!(missing.contains("2 of 4 photos are in no part, numbers 2-3"), "{missing}");
        let twice = refused(vec![part("a.csv", &[0, 1, 2], "x"), part("b.csv", &[2, 3], "x")]);
        assert!(twice.contains("b.csv: has photo 3, 2.jpg, which "), "{twice}");
        let other = refused(vec![part("a.csv", &[0, 1], "x"), part("b.csv", &[2, 3], "y")]);
        assert!(other.contains("b.csv: is a part of another job than "), "{other}");
        assert!(refused(vec![part("a.csv", &[], "x")]).contains("hold no photo"));
        let torn = part("a.csv", &[0, 1, 2, 3], "x");
        let text = std::fs::read_to_string(&torn).unwrap();
        std::fs::write(&torn, text.trim_end()).unwrap();
        assert!(refused(vec![torn]).contains("is damaged at row 5"));
    }
}
