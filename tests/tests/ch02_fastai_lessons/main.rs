//! Chapter 2, as a reader runs it: each section alone, the whole of it, and with the fetched data.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod lessons;

use chapter_tests::{Chapter, Finished, check_code};
use serde_json::Value;
use std::fs;
use std::path::Path;

/// A quick run into a folder of its own.
struct Quick {
    folder: tempfile::TempDir,
    run: Finished,
}

impl Quick {
    /// Runs with these arguments and the data in `data`, which may be missing.
    fn new(args: &[&str], data: &Path) -> Quick {
        let folder = tempfile::tempdir().unwrap();
        let (out, data) = (folder.path().display().to_string(), data.display().to_string());
        let args = [args, &["--quick", "--out", &out, "--data-dir", &data]].concat();
        let run = Chapter::build("ch02_fastai_lessons").run(&args);
        Quick { folder, run }
    }

    fn good(args: &[&str], data: &Path) -> Quick {
        let quick = Quick::new(args, data);
        assert_eq!(quick.run.code, Some(0), "{}\n{}", quick.run.stdout, quick.run.stderr);
        quick
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    fn metrics(&self) -> Value {
        serde_json::from_str(&self.read("metrics.json")).unwrap()
    }
}

/// A folder in which nobody has put data.
fn no_data() -> &'static Path {
    Path::new("no data here")
}

fn rows(metrics: &Value) -> &Vec<Value> {
    metrics["comparisons"].as_array().unwrap()
}

/// Every row with a verdict has a good one, and there are `judged` of them.
#[track_caller]
fn all_good(metrics: &Value, judged: usize) {
    let bad: Vec<&Value> = rows(metrics).iter().filter(|row| row["verdict"] == "worse").collect();
    assert!(bad.is_empty(), "{bad:#?}");
    let found = rows(metrics).iter().filter(|row| row["verdict"] != "not judged").count();
    assert_eq!(found, judged);
}

#[test]
fn the_extract_has_the_models_of_the_sources_tables_and_all_plots_answer_the_pointer() {
    let quick = Quick::good(&["--only", "which-models"], no_data());
    all_good(&quick.metrics(), 7 * 5 + 13 * 5);
    let page = quick.read("report.html");
    assert_eq!(page.matches("<figure").count(), 5);
    assert!(page.matches("<title>").count() > 400, "texts to hover over");
    assert!(page.contains("<title>levit_128s.fb_dist_in1k (levit): 76.526 %, 21486 images per second at 224 px"));
    assert_eq!(page.matches("<script>").count(), 1, "for the legends");
    assert!(quick.run.stdout.contains("cargo xtask fetch-data --only timm_results"));
    check_code(&page, 8);
}

#[test]
fn the_quadratic_has_the_printed_figures_in_every_digit_and_its_sliders_begin_there() {
    let quick = Quick::good(&["--only", "neural-net"], no_data());
    let metrics = quick.metrics();
    all_good(&metrics, 10 + 2 + 5 + 5 + 1 + 3 + 1 + 10 + 3 + 3);
    // PyTorch's figure for the start of the three ReLUs, which the source does not print.
    assert!(quick.run.stdout.contains("three ReLUs as the sliders begin: mean absolute error 2.9335"));
    // The same loop with `abc.grad.zero_()` in PyTorch, after ten steps.
    assert!(quick.run.stdout.contains("after 10 steps: added 1.46, fresh 2.21"), "{}", quick.run.stdout);
    let page = quick.read("report.html");
    assert_eq!(page.matches("class=\"explorer\"").count(), 4);
    assert_eq!(page.matches("<script>").count(), 1);
    assert!(page.contains("mean absolute error: <output>2.42</output>"));
    for outside in ["src=\"http", "href=\"http", "url(http", "<link"] {
        assert!(!page.contains(outside), "the page is not self-contained: {outside}");
    }
    check_code(&page, 10);
}

/// What a page is after a script of ours has run in it: none where there is no browser.
fn in_browser(quick: &Quick, script: &str) -> Option<String> {
    let page = quick.folder.path().join("moved.html");
    fs::write(&page, quick.read("report.html").replace("</body>", &format!("<script>{script}</script></body>")))
        .unwrap();
    let browser = std::process::Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--dump-dom"])
        .arg(format!("--user-data-dir={}", quick.folder.path().join("browser").display()))
        .arg(format!("file://{}", page.display()))
        .output();
    let Ok(browser) = browser else {
        println!("skipped: there is no `chromium` to open the page in");
        return None;
    };
    Some(String::from_utf8_lossy(&browser.stdout).into_owned())
}

#[test]
fn legends_hide_their_series_and_show_them_again() {
    let quick = Quick::good(&["--only", "spreadsheet"], no_data());
    let click = "const keys = document.querySelectorAll('[data-key]');
        keys[0].dispatchEvent(new Event('click'));
        keys[1].dispatchEvent(new Event('click')); keys[1].dispatchEvent(new Event('click'));";
    let Some(dom) = in_browser(&quick, click) else { return };
    assert_eq!(dom.matches("tabindex=\"0\" aria-pressed=\"false\"").count(), 1);
    assert!(dom.contains("tabindex=\"0\" aria-pressed=\"true\""));
    assert!(
        dom.contains("data-series=\"0\" style=\"display: none;\"")
            && !dom.contains("data-series=\"1\" style=\"display")
    );
}

/// In a browser, if there is one: a = 3, b = 2 and c = 1 are the function that was measured, and NumPy's mean absolute
/// error of the measurements from it is 1.4767.
#[test]
fn sliders_move_the_curve_and_the_error() {
    let quick = Quick::good(&["--only", "neural-net"], no_data());
    let move_them = "const inputs = document.querySelectorAll('.explorer')[0].querySelectorAll('input');
        [3, 2, 1].forEach((value, i) => { inputs[i].value = value; inputs[i].dispatchEvent(new Event('input')); });";
    let Some(dom) = in_browser(&quick, move_them) else { return };
    assert!(dom.contains("<output>1.48</output>"), "{dom}");
    assert!(dom.contains("a = <b>3</b>") && !dom.contains("<div class=\"sliders\" hidden"));
}

#[test]
fn without_the_passengers_there_are_penguins_and_nothing_is_judged() {
    let quick = Quick::good(&["--only", "spreadsheet"], no_data());
    all_good(&quick.metrics(), 0);
    assert_eq!(rows(&quick.metrics()).len(), 3);
    assert!(quick.run.stdout.contains("333 penguins, of whom 168 have Male = 1"));
    // NumPy's `lstsq` on the same columns.
    let linear = quick.metrics()["metrics"]["linear_loss"].as_f64().unwrap();
    assert!((linear - 0.0895470).abs() < 1e-7, "{linear}");
    check_code(&quick.read("report.html"), 8);
}

#[test]
fn the_passengers_losses_are_the_sources() {
    let data = Path::new("../../shared/data");
    if !data.join("titanic").is_dir() {
        println!("skipped: ../shared/data/titanic is not there");
        return;
    }
    let quick = Quick::good(&["--only", "spreadsheet"], data);
    all_good(&quick.metrics(), 3);
    // pandas and NumPy: the rows that are left, the share on the right side, and two over the largest eigenvalue.
    for words in ["712 passengers, of whom 288 have Survived = 1", "79.8 %", "the border is 0.209292"] {
        assert!(quick.run.stdout.contains(words), "no `{words}` in:\n{}", quick.run.stdout);
    }
}

#[test]
fn questions_hide_their_answers_and_a_whole_lesson_is_all_of_it() {
    let quick = Quick::good(&["--lesson", "3"], no_data());
    let page = quick.read("report.html");
    // The questions of all three lessons: 33, 27 and 14.
    assert_eq!(page.matches("<details class=\"answer\">").count(), 33 + 27 + 14);
    assert!(page.contains("What the source does not say"));
    assert!(fs::metadata(quick.folder.path().join("report.html")).unwrap().len() < 2_000_000);
    all_good(&quick.metrics(), 100 + 43);
}

#[test]
fn what_is_asked_or_fetched_wrongly_is_said() {
    let unknown = Quick::new(&["--only", "pests"], no_data());
    unknown.run.assert_fails(2, &["pests", "which-models", "neural-net", "spreadsheet"]);

    let data = tempfile::tempdir().unwrap();
    fs::create_dir(data.path().join("titanic")).unwrap();
    fs::write(data.path().join("titanic/titanic.csv"), "Survived,Pclass\n1,3\n").unwrap();
    let damaged = Quick::new(&["--only", "spreadsheet"], data.path());
    damaged.run.assert_fails(3, &["titanic.csv"]);
}
