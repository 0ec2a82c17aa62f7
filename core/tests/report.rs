//! What a run says, and what it leaves.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tallow::Error;
use tallow::event::Event;
use tallow::plot::{Curve, Explorer, Figure, ImageGrid, Plot};
use tallow::report::{Comparison, Expect, Passage, PassageWord, Run, RunConfig, Verdict, verdict};

/// A stdout that can be read afterwards.
#[derive(Clone, Default)]
struct Screen(Arc<Mutex<Vec<u8>>>);

impl Screen {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A stdout whose reader has gone.
struct Closed;

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn config(out: &Path) -> RunConfig {
    RunConfig {
        chapter: String::from("ch00_test"),
        title: String::from("A test & its <page>"),
        out: out.to_path_buf(),
        config: json!({ "seed": 42, "device": "cpu (2 threads)", "versions": { "tallow": "0.1.0" } }),
        ..RunConfig::default()
    }
}

fn run(out: &Path) -> (Run, Screen) {
    let screen = Screen::default();
    (Run::create_with(config(out), Box::new(screen.clone())).unwrap(), screen)
}

fn read(out: &Path, name: &str) -> String {
    fs::read_to_string(out.join(name)).unwrap()
}

fn curve() -> Figure {
    Plot::new("Loss").x_label("batch").line("train", &[0.0, 1.0, 2.0], &[1.0, 0.5, 0.25]).into()
}

#[test]
fn the_printed_digits_decide_what_is_the_same() {
    for (printed, measured) in [
        ("0.9168", 0.91683),
        ("0.9828", 0.98283),
        ("0.9828", 0.98277),
        ("0.98", 0.9751),
        ("-0.2500", -0.25004),
        ("-0.00", 0.001),
        ("0.00", -0.001),
        ("1e-5", 0.00001),
        ("1e-05", 0.0000104),
        ("1.0000e-03", 0.00100003),
        ("2.5e+3", 2500.0),
        ("6,131", 6131.0),
        ("6131", 6131.4),
        ("98.3%", 98.28),
        ("  0.5 ", 0.5),
        ("nan", f64::NAN),
        ("inf", f64::INFINITY),
    ] {
        assert_eq!(verdict(printed, measured, Expect::Exact), Verdict::Same, "{printed} and {measured}");
        assert_eq!(verdict(printed, measured, Expect::AtLeast), Verdict::Same, "{printed} and {measured}");
    }
    for (printed, measured) in [
        ("0.9168", 0.91692),
        ("0.9828", 0.98271),
        ("-0.2500", 0.25),
        ("1e-5", 0.00002),
        ("6131", 6131.6),
        ("0.5", f64::NAN),
        ("0.5", f64::INFINITY),
        ("nan", 0.5),
    ] {
        assert_eq!(verdict(printed, measured, Expect::Exact), Verdict::Worse, "{printed} and {measured}");
    }
}

#[test]
fn each_expectation_has_its_own_rule() {
    assert_eq!(verdict("0.9828", 0.99, Expect::AtLeast), Verdict::Better);
    assert_eq!(verdict("0.9828", 0.98, Expect::AtLeast), Verdict::Worse);
    assert_eq!(verdict("0.9828", f64::NAN, Expect::AtLeast), Verdict::Worse);
    assert_eq!(verdict("0.0212", 0.01, Expect::AtMost), Verdict::Better);
    assert_eq!(verdict("0.0212", 0.03, Expect::AtMost), Verdict::Worse);
    assert_eq!(verdict("0.0212", f64::NAN, Expect::AtMost), Verdict::Worse);
    assert_eq!(verdict("-1.00", -1.04, Expect::Within(0.05)), Verdict::AsGood);
    assert_eq!(verdict("-1.00", -1.06, Expect::Within(0.05)), Verdict::Worse);
    assert_eq!(verdict("0.95", 0.931, Expect::AtLeastGoal(0.93)), Verdict::AsGood);
    assert_eq!(verdict("0.95", 0.96, Expect::AtLeastGoal(0.93)), Verdict::Better);
    assert_eq!(verdict("0.95", 0.949, Expect::AtLeastGoal(0.93)), Verdict::Same);
    assert_eq!(verdict("0.95", 0.929, Expect::AtLeastGoal(0.93)), Verdict::Worse);
    assert_eq!(verdict("0.95", 0.951, Expect::AtLeastGoal(0.97)), Verdict::Worse, "the digits do not excuse the goal");
    assert_eq!(verdict("0.5", 0.5, Expect::Draw), Verdict::NotJudged);
    assert_eq!(verdict("0.5", 0.5, Expect::Quick), Verdict::NotJudged);
    assert_eq!(verdict("about half", 0.5, Expect::Exact), Verdict::NotJudged);
    assert!(!Verdict::NotJudged.is_good() && !Verdict::Worse.is_good() && Verdict::AsGood.is_good());
}

#[test]
fn a_quick_run_does_not_judge_what_training_measures() {
    let folder = tempfile::tempdir().unwrap();
    let config = RunConfig { quick: true, ..config(folder.path()) };
    let mut run = Run::create_with(config, Box::new(Screen::default())).unwrap();
    run.compare("images", "6131", 6131.0, Expect::Exact);
    run.compare("accuracy", "0.98", 0.61, Expect::AtLeast);
    run.compare("subset", "100", 10.0, Expect::Quick);
    let outcome = run.finish().unwrap();
    assert_eq!((outcome.good, outcome.worse, outcome.not_judged), (1, 0, 2));
    assert_eq!(outcome.metrics["comparisons"][1]["verdict"], "not judged");
    assert_eq!(outcome.metrics["comparisons"][1]["note"], "not comparable: a quick run");
    assert!(read(folder.path(), "report.html").contains("quick run"));
}

#[test]
fn a_series_is_one_row_for_readers_and_one_entry_a_figure_for_programs() {
    let folder = tempfile::tempdir().unwrap();
    let (mut run, screen) = run(folder.path());
    run.section("4. Training");
    run.compare_series("accuracy", &["0.50", "0.60", "0.70", "0.80"], &[0.5, 0.55, 0.75], Expect::AtLeast);
    run.add(Comparison::new("loss", "0.1", 0.25, Expect::AtMost).note("other data"));
    let outcome = run.finish().unwrap();
    assert_eq!((outcome.good, outcome.worse, outcome.not_judged), (2, 2, 1));
    let rows = outcome.metrics["comparisons"].as_array().unwrap();
    assert_eq!(rows.len(), 5);
    assert_eq!(
        rows[1],
        json!({
            "what": "accuracy (2 of 4)", "series": "accuracy", "section": "4. Training", "printed": "0.60",
            "measured": 0.55, "shown": "0.55", "expect": "at least", "verdict": "worse",
            "note": "not all measured in this run",
        })
    );
    assert_eq!(rows[3]["measured"], Value::Null);
    assert_eq!(rows[4]["note"], "other data");
    let text = screen.text();
    assert!(text.contains("accuracy  0.50 … 0.80  0.50 … 0.75  2 as good of 3"), "{text}");
    assert!(text.contains("2 of 4 figures as good as printed, 1 not judged"), "{text}");
}

#[test]
fn what_is_said_is_printed_and_kept_and_prose_is_only_on_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let (mut run, screen) = run(folder.path());
    run.data("digits, embedded");
    run.section("1. Pixels");
    run.text("Why `x < y` matters.");
    run.say("shape [28, 28]");
    run.say("range 0 & 255");
    run.table(&["digit", "n"], &[vec![String::from("3"), String::from("6131")]]);
    run.finish().unwrap();
    let text = screen.text();
    let words = "A test & its <page>\n═══════════════════\nseed 42, device cpu (2 threads)\ndata: digits, embedded\n\n\
                 1. Pixels\n─────────\nshape [28, 28]\nrange 0 & 255\ndigit     n\n─────  ────\n    3  6131\n";
    assert!(text.starts_with(words), "{text}");
    assert_eq!(read(folder.path(), "transcript.txt"), text);
    let page = read(folder.path(), "report.html");
    assert!(page.contains("<p>Why <code>x &lt; y</code> matters.</p>"));
    assert!(page.contains("<pre>shape [28, 28]\nrange 0 &amp; 255</pre>"));
    assert!(page.contains("<h2 id=\"s1\">1. Pixels</h2>") && page.contains("<a href=\"#s1\">1. Pixels</a>"));
    assert!(page.contains("A test &amp; its &lt;page&gt;") && !page.contains("<page>"));
    let kept: Value = serde_json::from_str(&read(folder.path(), "config.json")).unwrap();
    assert_eq!(kept["data"], json!(["digits, embedded"]));
    assert_eq!(kept["seed"], 42);
}

#[test]
fn what_is_wide_keeps_its_lines_on_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let (mut run, _) = run(folder.path());
    run.say("class   recall\nall is well");
    run.table(&["what"], &[vec![String::from("a sentence")], vec!["word ".repeat(10)]]);
    run.figure("narrow", "", &curve()).unwrap();
    let broad = Plot::new("").line("", &[0.0, 1.0], &[1.0, 0.5]).size(900, 300);
    run.figure("broad", "", &broad.into()).unwrap();
    run.finish().unwrap();
    let page = read(folder.path(), "report.html");
    assert!(page.contains("<pre><span class=\"row\">class   recall</span>\nall is well</pre>"));
    assert!(page.contains("<td>a sentence</td>") && page.contains("<td class=\"long\">word word"));
    assert!(page.contains("<figure id=\"fig-narrow\">"));
    assert!(page.contains("<figure id=\"fig-broad\" class=\"broad\" style=\"--drawn:900\">"));
}

#[test]
fn only_a_page_with_something_that_moves_has_a_script() {
    let folder = tempfile::tempdir().unwrap();
    let (mut still, _) = run(folder.path());
    still.text("Nothing moves.");
    still.finish().unwrap();
    assert!(!read(folder.path(), "report.html").contains("<script"));

    let (mut moving, _) = run(folder.path());
    let explorer = Explorer::new("a & \"b\"", Curve::Relus).slider("m", 1.0, -2.0, 2.0).slider("b<", -1.0, -2.0, 2.0);
    moving.explorer("Move *it*.", &explorer.clone().points(&[0.0, 2.0], &[0.5, 1.0]).range((0.0, 2.0), (0.0, 1.0)));
    moving.explorer("Another one, upside down and empty.", &explorer.range((1.0, 1.0), (f64::NAN, 0.0)));
    moving.finish().unwrap();
    let page = read(folder.path(), "report.html");
    // The still picture ends at (2, 1), the top right corner, and the points are 0.5 and 0 away from the curve.
    assert!(page.contains("628.0,12.0\"/>") && page.contains("<output>0.25</output>"), "{page}");
    assert!(page.contains("data-points=\"0 0.5 2 1\"") && page.contains("aria-label=\"a &amp; &quot;b&quot;\""));
    assert!(page.contains("<input type=\"range\" min=\"-2\" max=\"2\" step=\"0.1\" value=\"-1\">"));
    assert_eq!((page.matches("<script>").count(), page.matches("class=\"explorer\"").count()), (1, 2));
    assert!(page.contains("b&lt; = <b>-1</b>") && page.contains("Move <em>it</em>."));
}

#[test]
fn sections_are_numbered_unless_they_number_themselves() {
    let folder = tempfile::tempdir().unwrap();
    let (mut run, screen) = run(folder.path());
    run.section("Pixels");
    run.section("7 sevens");
    run.section("Loss");
    run.finish().unwrap();
    let text = screen.text();
    for heading in ["\n1. Pixels\n─────────\n", "\n7 sevens\n", "\n3. Loss\n"] {
        assert!(text.contains(heading), "{text}");
    }
    assert!(read(folder.path(), "report.html").contains("<a href=\"#s3\">3. Loss</a>"));
}

#[test]
fn figures_go_to_files_and_into_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let (mut run, screen) = run(folder.path());
    run.figure("loss", "The *loss*", &curve()).unwrap();
    run.figure("loss", "Again", &curve()).unwrap();
    // Noise does not compress, so this one is too large for an inline SVG.
    let mut state = 1_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let pixels: Vec<u8> = (0..400 * 400 * 3).map(|_| noise()).collect();
    let photo = ImageGrid::new("", 1).rgb(400, 400, &pixels).into();
    run.figure("photo", "A \"photo\"", &photo).unwrap();
    for name in ["", "a/b", "../up", ".hidden", "ü"] {
        let error = run.figure(name, "", &curve()).unwrap_err();
        assert!(matches!(error, Error::Config { setting: "name", .. }), "{name}: {error:?}");
    }
    let outcome = run.finish().unwrap();
    let files = outcome.metrics["files"].as_array().unwrap().iter().map(|f| f.as_str().unwrap()).collect::<Vec<_>>();
    for name in ["plots/loss.png", "plots/loss.svg", "plots/loss_2.png", "plots/photo.svg", "metrics.json"] {
        assert!(files.contains(&name), "{files:?}");
        assert!(folder.path().join(name).is_file(), "{name}");
    }
    assert!(screen.text().contains("[plot] ") && screen.text().contains("plots/loss.png\n"));
    let page = read(folder.path(), "report.html");
    assert_eq!(page.matches("<svg").count(), 2);
    assert_eq!(page.matches("<img src=\"data:image/png;base64,").count(), 1);
    assert!(
        page.contains("<figcaption>The <em>loss</em></figcaption>") && page.contains("alt=\"A &quot;photo&quot;\"")
    );
    assert!(!page.contains("<script") && !page.contains("<link") && !page.contains("<?xml"));
    for table in ["metrics.json", "history.csv"] {
        assert!(page.contains(&format!("<a href=\"{table}\">")), "{table}");
    }
}

#[test]
fn history_has_the_columns_of_all_fits_and_the_digits_of_every_number() {
    let write = || {
        let folder = tempfile::tempdir().unwrap();
        let (mut run, _) = run(folder.path());
        run.history("simple, \"first\"", &["epoch", "loss"], &[vec![0.0, 0.1], vec![1.0, 1.0 / 3.0]]).unwrap();
        run.history("deep", &["epoch", "accuracy", "loss"], &[vec![0.0, f64::from(0.1_f32), 1e-300]]).unwrap();
        let error = run.history("bad", &["epoch", "loss"], &[vec![0.0]]).unwrap_err();
        assert_eq!(error.to_string(), "history `bad`: row 0 has 1 values for 2 columns");
        run.finish().unwrap();
        read(folder.path(), "history.csv")
    };
    let csv = write();
    assert_eq!(csv, write(), "two equal runs write equal bytes");
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines[0], "fit,epoch,loss,accuracy");
    assert_eq!(lines[1], "\"simple, \"\"first\"\"\",0,0.1,");
    assert_eq!(lines[2], "\"simple, \"\"first\"\"\",1,0.3333333333333333,");
    let cells: Vec<&str> = lines[3].split(',').collect();
    assert_eq!((cells[0], cells[3]), ("deep", "0.10000000149011612"));
    assert_eq!(cells[2].parse::<f64>().unwrap(), 1e-300);
}

#[test]
fn a_listener_prints_tables_and_keeps_them() {
    let folder = tempfile::tempdir().unwrap();
    let (run, screen) = run(folder.path());
    let listener = run.listener();
    let row = |cells: &[&str]| cells.iter().map(|&c| String::from(c)).collect::<Vec<_>>();
    listener.tell(Event::Columns(&row(&["epoch", "train_loss", "time"])));
    listener.tell(Event::Begin { task: "epoch 0", total: 2 });
    listener.tell(Event::Progress { done: 1, note: "loss 0.5" });
    listener.tell(Event::End);
    listener.tell(Event::Row(&row(&["0", "0.123456", "00:03"])));
    listener.tell(Event::Note("a <note>"));
    run.finish().unwrap();
    let text = screen.text();
    assert!(text.contains("   epoch  train_loss      time\n       0    0.123456     00:03\n"), "{text}");
    assert!(!text.contains("a <note>"), "a note is not a result");
    assert!(read(folder.path(), "transcript.txt").contains("note: a <note>\n"));
    let page = read(folder.path(), "report.html");
    assert!(page.contains("<td class=\"n\">0.123456</td>") && page.contains("a &lt;note&gt;"));
}

#[test]
fn json_mode_prints_one_object_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let screen = Screen::default();
    let config = RunConfig { json: true, ..config(folder.path()) };
    let mut run = Run::create_with(config, Box::new(screen.clone())).unwrap();
    run.section("1. Pixels");
    run.say("words");
    run.metric("accuracy", 0.5);
    run.metric("loss", f64::NAN);
    run.compare("accuracy", "0.5", 0.5, Expect::Exact);
    run.finish().unwrap();
    assert_eq!(screen.text(), read(folder.path(), "metrics.json"));
    let metrics: Value = serde_json::from_str(&screen.text()).unwrap();
    assert_eq!(metrics["version"], 1);
    assert_eq!(metrics["metrics"], json!({ "accuracy": 0.5, "loss": null }));
    for key in ["chapter", "title", "quick", "seconds", "peak_memory_mb", "data", "comparisons", "targets", "files"] {
        assert!(metrics.get(key).is_some(), "{key}");
    }
    assert!(read(folder.path(), "transcript.txt").contains("words"));
}

#[test]
fn settings_details_and_files_stand_where_programs_look_for_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = Run::create_with(config(folder.path()), Box::new(Screen::default())).unwrap();
    run.settings(json!({ "lr": 0.5, "seed": "not this one" })).unwrap();
    let settings: Value = serde_json::from_str(&read(folder.path(), "config.json")).unwrap();
    assert_eq!(settings["lr"], 0.5, "it is there before the run has ended");
    assert_ne!(settings["seed"], "not this one", "what the run began with stays");
    assert!(run.settings(3).unwrap_err().to_string().contains("struct or a map"));

    run.detail("photos", json!({ "train": 3 })).unwrap();
    for taken in ["version", "metrics", "photos", "files"] {
        assert!(matches!(run.detail(taken, 1), Err(Error::Config { setting: "name", .. })), "{taken}");
    }
    let file = run.file("predictions.csv", "file,class\n").unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), "file,class\n");
    assert!(run.file("../outside.csv", "").is_err());
    let outcome = run.finish().unwrap();
    assert_eq!(outcome.metrics["photos"], json!({ "train": 3 }));
    assert!(outcome.metrics["files"].as_array().unwrap().contains(&json!("predictions.csv")));
    // The next run of the folder clears it away.
    drop(Run::create_with(config(folder.path()), Box::new(Screen::default())).unwrap());
    assert!(!file.exists());
}

#[test]
fn quiet_prints_nothing_and_keeps_all() {
    let folder = tempfile::tempdir().unwrap();
    let screen = Screen::default();
    let config = RunConfig { quiet: true, ..config(folder.path()) };
    let mut run = Run::create_with(config, Box::new(screen.clone())).unwrap();
    run.say("words");
    run.listener().tell(Event::Note("a note"));
    run.finish().unwrap();
    assert_eq!(screen.text(), "");
    let transcript = read(folder.path(), "transcript.txt");
    assert!(transcript.contains("words\nnote: a note\n"), "{transcript}");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = Run::create_with(config(folder.path()), Box::new(Closed)).unwrap();
    run.say("words");
    run.finish().unwrap();
    assert!(read(folder.path(), "transcript.txt").contains("words"));
}

#[test]
fn missed_targets_are_told_after_all_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let (mut first, _) = run(folder.path());
    first.target("accuracy", 0.9, 0.95);
    assert_eq!(first.finish().unwrap().missed, ["accuracy: 0.9, goal 0.95: missed"]);

    let mut second = Run::create_with(config(folder.path()), Box::new(Screen::default())).unwrap();
    second.target("accuracy", 0.9, 0.95);
    second.target("nothing", f64::NAN, 0.0);
    second.target("fine", 0.95, 0.95);
    let missed = second.finish().unwrap().missed;
    assert_eq!(missed, ["accuracy: 0.9, goal 0.95: missed", "nothing: NaN, goal 0: missed"]);
    assert!(folder.path().join("report.html").is_file() && folder.path().join("metrics.json").is_file());
}

#[test]
fn a_run_clears_away_the_last_run_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    let (mut first, _) = run(out);
    first.figure("loss", "", &curve()).unwrap();
    first.finish().unwrap();
    fs::create_dir(out.join("checkpoints")).unwrap();
    fs::write(out.join("checkpoints/1.safetensors"), "weights").unwrap();
    fs::write(out.join("plots/mine.png"), "my own").unwrap();
    fs::write(out.join("notes.txt"), "my own").unwrap();
    // A list that was tampered with must not lead out of the folder.
    let outside = tempfile::NamedTempFile::new().unwrap();
    let list = read(out, ".tallow-files");
    fs::write(out.join(".tallow-files"), format!("{list}{}\n../x\n\n", outside.path().display())).unwrap();

    let (second, _) = run(out);
    for gone in ["report.html", "metrics.json", "history.csv", "plots/loss.png", "plots/loss.svg"] {
        assert!(!out.join(gone).exists(), "{gone}");
    }
    drop(second);
    for kept in ["checkpoints/1.safetensors", "plots/mine.png", "notes.txt", "config.json", "transcript.txt"] {
        assert!(out.join(kept).exists(), "{kept}");
    }
    assert!(outside.path().exists());
}

#[test]
fn a_run_that_fails_half_way_keeps_its_words_and_its_settings() {
    let folder = tempfile::tempdir().unwrap();
    let (mut run, _) = run(folder.path());
    run.data("digits");
    run.say("so far so good");
    let live = read(folder.path(), "transcript.txt");
    assert!(live.contains("so far so good"), "a killed run keeps its words too: {live}");
    drop(run);
    let transcript = read(folder.path(), "transcript.txt");
    assert!(transcript.ends_with("so far so good\n(the run ended here, before its end)\n"), "{transcript}");
    assert!(read(folder.path(), "config.json").contains("digits"));
    for never in ["report.html", "metrics.json", "history.csv"] {
        assert!(!folder.path().join(never).exists(), "{never}");
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Run::create(config(&file.join("out"))).map(drop).unwrap_err();
    assert!(matches!(&error, Error::Io { path, .. } if *path == file.join("out")), "{error:?}");
    assert_eq!(tallow::cli::exit_code(&error), 1);
}

#[test]
fn a_conclusion_stands_at_the_top_and_words_have_colours() {
    let folder = tempfile::tempdir().unwrap();
    let (mut run, screen) = run(folder.path());
    run.section("Words");
    let word = |text: &str, weight: f64| PassageWord { text: text.into(), weight, title: "by a half".into() };
    run.passages(&[Passage {
        heading: "line 7".into(),
        words: vec![word("A", 0.0), word(" dull\u{1b}", 0.5), word(" film", -0.2)],
        summary: "for neg: dull".into(),
    }]);
    run.conclude("The simpler method wins: **76** per cent.");
    run.finish().unwrap();
    let page = fs::read_to_string(folder.path().join("report.html")).unwrap();
    let (top, first) = (page.find("class=\"conclusion\"").unwrap(), page.find("id=\"s1\"").unwrap());
    assert!(top < first && page[top..].contains("<strong>76</strong>"));
    assert!(page.contains("title=\"by a half\">dull\\u{1b}</mark>") && !page.contains('\u{1b}'));
    let screen = screen.text();
    assert!(screen.contains("line 7\n  A dull\\u{1b} film\n  for neg: dull\n"), "{screen}");
    assert!(screen.contains("The simpler method wins"));
}
