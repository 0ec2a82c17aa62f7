//! `tallow clean`: wrong labels, copies and odd photos of a folder, and how to get rid of them.

#[cfg(feature = "serve")]
mod browse;

use crate::overwrite::OverwriteArgs;
use crate::{model, say, settings};
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tallow::clean::{Change, Cleaner, Finding, Photo, Problem, undo};
use tallow::cli::{self, Chapter, CommonArgs, Session};
use tallow::event::Event;
use tallow::plot::ImageGrid;
use tallow::vision::{Image, Resize};
use tallow::{Error, Result};
use tallow_io::csv;

const PROGRAM: Chapter = Chapter::new("tallow_clean", "What is probably wrong in a folder of photos");

const OUT: &str = "The folder for the report and its tables [default: out/tallow_clean]";

/// How many findings of a kind the page names; `findings.csv` has all.
const NAMED: usize = 12;

#[derive(Debug, clap::Args, serde::Serialize)]
#[command(
    override_usage = "tallow clean MODEL PHOTOS [OPTIONS]\n       \
                      tallow clean MODEL PHOTOS --browse\n       \
                      tallow clean PHOTOS --apply PLAN.csv [--yes]\n       \
                      tallow clean PHOTOS --undo",
    after_help = "1. `tallow clean MODEL PHOTOS` changes nothing. It writes a report, `findings.csv` with a reason for \
                  each finding, `photos.csv` with all photos by falling loss, and `plan.csv` with what the findings \
                  suggest.\n\
                  2. Look through `plan.csv` and strike out what you would rather keep: FILE,delete or \
                  FILE,relabel,CLASS.\n\
                  3. `tallow clean PHOTOS --apply plan.csv` shows the list, asks, and moves files: to other classes, \
                  or to a hidden folder in PHOTOS.\n\
                  4. `tallow clean PHOTOS --undo` moves them back.\n\n\
                  A label is judged by models that have not seen it, on the features of MODEL's network. MODEL may be \
                  of other classes, and finds most if its head alone was trained: a network that was trained in full \
                  on these photos has learnt their wrong labels too.",
    mut_arg("out", |arg| arg.help(OUT)),
    // What all programs take, and cleaning has no use for.
    mut_arg("seed", |arg| arg.hide(true)),
    mut_arg("data_dir", |arg| arg.hide(true)),
    mut_arg("workers", |arg| arg.hide(true)),
    mut_arg("quick", |arg| arg.hide(true)),
    mut_arg("offline", |arg| arg.hide(true)),
    mut_arg("resume", |arg| arg.hide(true)),
    mut_arg("checkpoint_every", |arg| arg.hide(true)),
    mut_arg("require_target", |arg| arg.hide(true))
)]
pub(crate) struct Args {
    /// The folder of a run of `tallow train`, and a folder of photos with a subfolder for each class
    #[arg(required = true, num_args = 1..=2, value_names = ["MODEL", "PHOTOS"])]
    #[serde(serialize_with = "settings::paths")]
    folders: Vec<PathBuf>,

    /// Look through the photos in the browser, decide and apply there, with mouse or keyboard
    #[cfg(feature = "serve")]
    #[arg(long, conflicts_with_all = ["apply", "undo"])]
    browse: bool,

    /// The port of the page; 0 for a free one
    #[cfg(feature = "serve")]
    #[arg(long, default_value_t = 8081, value_name = "PORT", requires = "browse")]
    port: u16,

    /// Do what this table says, after showing it: file, change, class
    #[arg(long, value_name = "PLAN.csv")]
    #[serde(serialize_with = "settings::some_path")]
    apply: Option<PathBuf>,

    /// Do not ask before applying
    #[arg(long, requires = "apply")]
    yes: bool,

    /// Take the last `--apply` back
    #[arg(long, conflicts_with = "apply")]
    undo: bool,

    #[command(flatten)]
    #[serde(skip)]
    common: CommonArgs,

    #[command(flatten)]
    #[serde(skip)]
    overwrite: OverwriteArgs,
}

impl AsRef<CommonArgs> for Args {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

impl Args {
    /// The folders for finding problems.
    fn model_and_photos(&self) -> Result<(&Path, &Path)> {
        match self.folders.as_slice() {
            [model, photos] => Ok((model, photos)),
            _ => Err(Error::Usage("expected two folders: `tallow clean MODEL PHOTOS`".into())),
        }
    }

    /// The folder for moving files.
    fn photos(&self) -> Result<&Path> {
        match self.folders.as_slice() {
            [photos] => Ok(photos),
            _ => Err(Error::Usage("`--apply` and `--undo` need the photos' folder alone, and no model".into())),
        }
    }
}

pub(crate) fn main(args: &Args) -> ExitCode {
    if args.undo {
        return cli::exit(undone(args));
    }
    if let Some(plan) = &args.apply {
        return cli::exit(applied(args, plan));
    }
    #[cfg(feature = "serve")]
    if args.browse {
        return cli::exit(browsed(args));
    }
    let refused = args.model_and_photos().and_then(|_| args.overwrite.before_evaluating(&args.common, PROGRAM.name));
    match refused {
        Ok(()) => cli::run_program(&PROGRAM, args, find),
        refused => cli::exit(refused),
    }
}

#[cfg(feature = "serve")]
fn browsed(args: &Args) -> Result<()> {
    let (model, photos) = args.model_and_photos()?;
    let predictor = model::open(model, args.common.device_name())?;
    let mut cleaner = Cleaner::open(photos)?;
    cleaner.resume()?;
    cleaner.notes().iter().for_each(|note| eprintln!("note: {}", tallow::text::visible(note)));
    cleaner.judge(&predictor)?;
    browse::browse(cleaner, args.port)
}

// --- Finding ---------------------------------------------------------------------------------------------------------

fn find(args: &Args, s: &mut Session) -> Result<()> {
    s.run.settings(args)?;
    let (model, photos) = args.model_and_photos()?;
    let predictor = model::open(model, args.common.device_name())?.listener(s.run.listener());
    s.run.section("The photos");
    s.run.data(format!("photos in {}", photos.display()));
    let mut cleaner = Cleaner::open(photos)?;
    cleaner.resume()?;
    let listener = s.run.listener();
    cleaner.notes().iter().for_each(|note| listener.tell(Event::Note(note)));
    s.run.say(format!("{} photos of {} classes", cleaner.photos().len(), cleaner.classes().len()));
    if !cleaner.changes().is_empty() {
        let n = cleaner.changes().len();
        let wait = if n == 1 { "decision of an earlier run waits" } else { "decisions of an earlier run wait" };
        s.run.say(format!("{n} {wait} to be applied"));
    }
    cleaner.judge(&predictor)?;

    s.run.section("What is probably wrong");
    s.run.text(
        "Each photo was judged by models that have not seen it. A label is doubted where such a model is surer of \
         another class than it usually is of photos of that class (confident learning: Northcutt, Jiang and Chuang, \
         2021). Photos that are in training and in validation come first: they make a result look better than it is.",
    );
    for (problem, findings) in by_problem(cleaner.findings()) {
        s.run.say(problem.of(findings.len()));
        let rows: Vec<Vec<String>> = findings.iter().take(NAMED).map(|finding| vec![finding.words.clone()]).collect();
        s.run.table(&["finding"], &rows);
        s.run.metric(problem.name(), findings.len() as f64);
    }
    if cleaner.findings().is_empty() {
        s.run.say("nothing was found");
    }
    let doubted = cleaner.findings().iter().filter(|finding| finding.problem == Problem::Label);
    let grid =
        doubted.take(NAMED).try_fold(ImageGrid::new("", 4), |grid, finding| label_shown(grid, &cleaner, finding));
    if cleaner.findings().iter().any(|finding| finding.problem == Problem::Label) {
        s.run.figure("labels", "Labels that are doubted most, with what they look like.", &grid?.into())?;
    }

    s.run.section("What to do");
    let plan = cleaner.suggestions();
    let at = s.run.file("plan.csv", cleaner.plan_csv(&plan))?;
    s.run.file("findings.csv", findings_csv(&cleaner))?;
    s.run.file("photos.csv", photos_csv(&cleaner))?;
    s.run.text(
        "Nothing was changed. `plan.csv` has what these findings suggest; strike out what you would rather keep, then \
         apply it. `findings.csv` names everything that was found, and `photos.csv` all photos by falling loss.",
    );
    s.run.say(format!("tallow clean {} --apply {}", photos.display(), at.display()));
    Ok(())
}

/// Findings of each kind.
fn by_problem(findings: &[Finding]) -> Vec<(Problem, Vec<&Finding>)> {
    let same = findings.chunk_by(|a, b| a.problem == b.problem);
    same.map(|group| (group[0].problem, group.iter().collect())).collect()
}

/// A grid with one more photo whose label is doubted.
fn label_shown(grid: ImageGrid, cleaner: &Cleaner, finding: &Finding) -> Result<ImageGrid> {
    let image = Image::open(&finding.file)?.resize(Resize::crop(150))?;
    let class = class_of(cleaner, &finding.file);
    let suggested = finding.suggested.as_deref().unwrap_or_default();
    let name = finding.file.file_name().unwrap_or_default().to_string_lossy();
    let grid = grid.rgb(image.width(), image.height(), image.bytes());
    Ok(grid.caption(format!("{name}\nlabelled {class}\nlooks like {suggested}")))
}

fn class_of<'a>(cleaner: &'a Cleaner, file: &Path) -> &'a str {
    cleaner.photo(file).map_or("", |photo| &photo.class)
}

fn findings_csv(cleaner: &Cleaner) -> String {
    let row = |f: &Finding| {
        let other = f.other.as_ref().map(|file| csv::path(file)).unwrap_or_default();
        let class = csv::text(class_of(cleaner, &f.file)).into_owned();
        let suggested = csv::text(f.suggested.as_deref().unwrap_or_default()).into_owned();
        let words = csv::text(&f.words).into_owned();
        [csv::path(&f.file), f.problem.name().into(), class, suggested, other, words]
    };
    let head = ["file", "problem", "class", "suggested", "other", "words"].map(String::from);
    csv::to_string(std::iter::once(head).chain(cleaner.findings().iter().map(row)))
}

fn photos_csv(cleaner: &Cleaner) -> String {
    let row = |photo: &&Photo| {
        let side = photo.side.map(|side| format!("{side:?}").to_lowercase()).unwrap_or_default();
        let [looks_like, probability, loss] = match &photo.judged {
            None => Default::default(),
            Some(judged) => {
                let class = csv::text(&judged.class).into_owned();
                [class, format!("{:.4}", judged.probability), format!("{:.4}", judged.loss)]
            }
        };
        [csv::path(&photo.file), csv::text(&photo.class).into_owned(), side, looks_like, probability, loss]
    };
    let head = ["file", "class", "side", "looks_like", "probability", "loss"].map(String::from);
    csv::to_string(std::iter::once(head).chain(cleaner.by_loss(None, None).iter().map(row)))
}

// --- Applying, and undoing -------------------------------------------------------------------------------------------

fn applied(args: &Args, plan: &Path) -> Result<()> {
    let photos = args.photos()?;
    let mut cleaner = Cleaner::open(photos)?;
    cleaner.read_plan(plan)?;
    for (file, change) in cleaner.changes() {
        match change {
            Change::Delete => say(format!("delete   {}", file.display()))?,
            Change::Relabel(class) => say(format!("relabel  {}  to {class}", file.display()))?,
        }
    }
    let n = cleaner.changes().len();
    if n == 0 {
        return say("the plan changes nothing");
    }
    if !args.yes && !confirmed(n)? {
        return say("nothing was changed");
    }
    let moved = cleaner.apply()?;
    say(format!("{moved} files were moved; `tallow clean {} --undo` takes it back", photos.display()))
}

/// Whether the user agrees.
fn confirmed(n: usize) -> Result<bool> {
    let input = std::io::stdin();
    if !input.is_terminal() {
        return Err(Error::Usage("nobody can be asked here: add `--yes` to apply the list above".into()));
    }
    let stdout = Error::io("standard output");
    write!(std::io::stdout(), "Move these {n} files? [y/N] ")
        .and_then(|()| std::io::stdout().flush())
        .map_err(stdout)?;
    let mut answer = String::new();
    input.read_line(&mut answer).map_err(Error::io("standard input"))?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes" | "Yes"))
}

fn undone(args: &Args) -> Result<()> {
    let photos = args.photos()?;
    if !photos.is_dir() {
        return Err(Error::file(photos, "is not a folder"));
    }
    match undo(photos)? {
        0 => say("there is nothing to take back"),
        n => say(format!("{n} files are where they were")),
    }
}
