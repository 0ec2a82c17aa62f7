//! `tallow merge`: the parts of a job as one table, if nothing is missing and nothing is there twice.

use crate::part::Part;
use crate::shown;
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

    /// The table of all photos
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
    let parts = args.parts.iter().map(|file| Ok((file.as_path(), Part::read(file)?))).collect::<Result<Vec<_>>>()?;
    let table = merged(&parts)?;
    tallow_io::atomic::write(&args.out, table.to_table())?;
    eprintln!("{}: {} photos of {} parts", shown(&args.out).display(), table.rows.len(), parts.len());
    Ok(())
}

/// All rows in their order.
fn merged(parts: &[(&Path, Part)]) -> Result<Part> {
    let rows = parts.iter().flat_map(|(file, part)| part.rows.iter().map(move |row| (*file, row)));
    let Some((first_file, first)) = rows.clone().next() else {
        return Err(Error::file(parts[0].0, "and all other parts hold no photo"));
    };
    let mut found: Vec<Option<(&Path, &crate::part::Row)>> = vec![None; first.of];
    let head = &parts[0].1.head;
    if let Some((file, part)) = parts.iter().find(|(_, part)| part.head != *head) {
        let what = format!("has the columns {}, and the first part {}", part.head.join(","), head.join(","));
        return Err(Error::file(file, what));
    }
    for (file, row) in rows {
        if (row.of, &row.job) != (first.of, &first.job) {
            let what = "the model, the list of photos or a setting was another";
            let what = format!("is a part of another job than {}: {what}; score it again", first_file.display());
            return Err(Error::file(file, what));
        }
        // An item is at most `of`, which `Part::read` has checked.
        if let Some((other, _)) = found[row.item].replace((file, row)) {
            let (n, name, other) = (row.item + 1, row.cells.first().cloned().unwrap_or_default(), other.display());
            let what = format!("has photo {n}, {name}, which {other} has too: give each share once");
            return Err(Error::file(file, what));
        }
    }
    let missing: Vec<usize> = (0..found.len()).filter(|&i| found[i].is_none()).collect();
    if !missing.is_empty() {
        let (n, of, places) = (missing.len(), first.of, ranges(&missing));
        let what = format!("{n} of {of} photos are in no part, numbers {places}: score the shares that are missing");
        return Err(Error::Value(what));
    }
    let rows = found.into_iter().flatten().map(|(_, row)| row.clone()).collect();
    Ok(Part { head: head.clone(), rows })
}

/// Places as numbers from 1, neighbours together: `1-32, 97-128 and others`.
fn ranges(places: &[usize]) -> String {
    const SHOWN: usize = 5;
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for &place in places {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == place => *last = place,
            _ => ranges.push((place, place)),
        }
    }
    let more = if ranges.len() > SHOWN { " and others" } else { "" };
    let shown: Vec<String> = ranges.iter().take(SHOWN).map(|(a, b)| format!("{}-{}", a + 1, b + 1)).collect();
    shown.join(", ") + more
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::part::Row;

    fn part(items: &[usize], job: &str) -> Part {
        let row = |&item: &usize| Row { item, of: 4, job: job.into(), cells: vec![format!("{item}.jpg")] };
        Part { head: vec!["file".into()], rows: items.iter().map(row).collect() }
    }

    #[test]
    fn parts_make_a_table_when_each_photo_is_there_once() {
        let [a, b] = ["a.csv", "b.csv"].map(Path::new);
        let whole = merged(&[(a, part(&[2, 3], "x")), (b, part(&[0, 1], "x"))]).unwrap();
        assert_eq!(whole.to_table(), "file\n0.jpg\n1.jpg\n2.jpg\n3.jpg\n");
        let refused = |parts: &[(&Path, Part)]| merged(parts).unwrap_err().to_string();
        let missing = refused(&[(a, part(&[0, 3], "x"))]);
        assert!(missing.contains("2 of 4 photos are in no part, numbers 2-3"), "{missing}");
        let twice = refused(&[(a, part(&[0, 1, 2], "x")), (b, part(&[2, 3], "x"))]);
        assert!(twice.starts_with("b.csv: has photo 3, 2.jpg, which a.csv has too"), "{twice}");
        let other = refused(&[(a, part(&[0, 1], "x")), (b, part(&[2, 3], "y"))]);
        assert!(other.contains("b.csv: is a part of another job than a.csv"), "{other}");
        assert!(refused(&[(a, part(&[], "x"))]).contains("hold no photo"));
    }
}
