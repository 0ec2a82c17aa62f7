//! The run folder and its page: what a chapter says, shows and measures, on the terminal and in `report.html`.
//!
//! A [`Run`] receives section by section what happens. It prints as it goes, and when it is finished it leaves a
//! folder:
//!
//! | file | what it holds |
//! |---|---|
//! | `report.html` | one self-contained page: prose, results, figures, tables, printed beside measured |
//! | `metrics.json` | the metrics, and every comparison with its verdict |
//! | `history.csv` | what each fit recorded, epoch by epoch |
//! | `config.json` | what the run was asked to do: seed, device, versions, data |
//! | `transcript.txt` | what the terminal showed |
//! | `plots/` | every figure as PNG and SVG |

mod appendix;
mod code;
mod compare;
mod console;
mod finish;
mod folder;
mod history;
mod html;
mod machine;
mod page;
mod passage;
mod printed;
mod record;
mod run;
mod summary;
mod table;

pub use code::Source;
pub use compare::{Comparison, Expect, Verdict, verdict};
pub use passage::{Passage, PassageWord};
pub use printed::{Measured, Printed};
pub use record::console;
pub use run::{Outcome, Run, RunConfig};
