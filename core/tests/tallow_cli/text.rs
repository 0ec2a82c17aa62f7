//! `tallow text`: from texts to a model that another command uses.

use crate::Ran;
use crate::encoder::tiny_encoder;
use serde_json::Value;
use std::fs;
use std::path::Path;
use tallow::rng::Rng;

fn tallow(here: &Path, args: &str) -> Ran {
    crate::tallow(&shlex::split(args).unwrap().iter().map(String::as_str).collect::<Vec<_>>(), here)
}

#[track_caller]
fn fine(here: &Path, args: &str) -> Ran {
    let ran = tallow(here, args);
    assert_eq!(ran.code, Some(0), "{args}: {}\n{}", ran.stdout, ran.stderr);
    ran
}

#[track_caller]
fn fails(here: &Path, args: &str, code: i32, words: &[&str]) {
    crate::fails(&tallow(here, args), code, words);
}

/// Sentences that are good or bad by one word of theirs, with their classes.
fn sentences(n: usize) -> Vec<(String, &'static str)> {
    const WORDS: [(&str, &str); 6] =
        [("great", "pos"), ("lovely", "pos"), ("superb", "pos"), ("dull", "neg"), ("awful", "neg"), ("tedious", "neg")];
    const REST: [&str; 6] = ["the film", "and its plot", "with the cast", "of this year", "as a whole", "in the end"];
    let mut rng = Rng::new(3).stream("sentences");
    let mut sentence = || {
        let (word, class) = WORDS[rng.below(6)];
        let mut parts: Vec<&str> = (0..1 + rng.below(4)).map(|_| REST[rng.below(6)]).collect();
        parts.insert(rng.below(parts.len() + 1), word);
        (parts.join(" "), class)
    };
    (0..n).map(|_| sentence()).collect()
}

fn reviews(here: &Path, n: usize) {
    let rows = sentences(n).into_iter().enumerate().map(|(i, (text, class))| format!("{i},\"{text}\",{class}\n"));
    fs::write(here.join("reviews.csv"), format!("id,review,mood\n{}", rows.collect::<String>())).unwrap();
}

const TRAIN: &str = "text reviews.csv --text review --target mood --size 12,16,1 --batch-size 16 --min-freq 1";

#[test]
fn from_a_table_of_texts_to_predictions() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    reviews(here, 400);
    let trained = fine(here, &format!("{TRAIN} --epochs 5 --lr 0.03 --drop-mult 0.2 --words 30 --out run"));
    for words in ["texts say the same as an earlier one", "validation flatters"] {
        assert!(trained.stderr.contains(words), "no `{words}` in {}", trained.stderr);
    }
    for file in ["model/learner.json", "report.html", "history.csv", "plots/training_texts.png", "plots/confusion.png"]
    {
        assert!(here.join("run").join(file).is_file(), "{file}");
    }
    let read = |file: &str| fs::read_to_string(here.join("run").join(file)).unwrap();
    let metrics: Value = serde_json::from_str(&read("metrics.json")).unwrap();
    assert!(metrics["metrics"]["accuracy"].as_f64().unwrap() > 0.9, "{metrics}");
    assert_eq!(metrics["texts"], serde_json::json!({ "train": 320, "valid": 80, "test": 0 }));
    let names: Vec<&str> = metrics["baselines"].as_array().unwrap().iter().flat_map(|b| b["name"].as_str()).collect();
    let tfidf = "tf-idf and logistic regression";
    assert_eq!(names, ["the most frequent class", tfidf, &format!("{tfidf} (sublinear, C = 10)")]);
    let decisive: Vec<&str> =
        metrics["decisive_words"].as_array().unwrap().iter().flat_map(|w| w["word"].as_str()).take(5).collect();
    assert!(decisive.iter().all(|word| "great lovely superb dull awful tedious".contains(word)), "{decisive:?}");
    let csv = read("predictions.csv");
    let heads = "place,class,predicted,loss,probability of neg,probability of pos,text\nline ";
    assert!(csv.starts_with(heads) && csv.lines().count() == 81, "{csv}");
    // Who wins is said at the top, before the first section; words have colours and numbers.
    let page = read("report.html");
    let top = page.find("class=\"conclusion\"").unwrap();
    assert!(top < page.find("<h2 id=\"s1\"").unwrap() && page[top..].contains("80 validation texts"), "{page}");
    assert!(page.contains("<mark class=\"for\"") && page.contains("title=\"without it "), "{page}");
    // Every option of the command is in config.json.
    let config: Value = serde_json::from_str(&read("config.json")).unwrap();
    let help = tallow(here, "text train --help").stdout;
    let words = help.split_whitespace().filter_map(|word| word.strip_prefix("--"));
    let options: Vec<String> = words.filter(|word| !word.contains('`')).map(|word| word.replace('-', "_")).collect();
    assert!(options.len() > 25, "{help}");
    let others = ["json", "quiet", "out", "cpu", "require_target", "help", "quick", "overwrite"];
    for option in options.iter().filter(|option| !others.contains(&option.as_str())) {
        assert!(config.get(option).is_some(), "`{option}` is not in {config}");
    }

    // Another command uses the model: texts, a table, and lines.
    let one = fine(here, "text predict run 'The film, superb as a whole' --words");
    assert!(one.stdout.starts_with("pos 0.") && one.stdout.contains("for it superb 0."), "{}", one.stdout);
    assert!(one.stderr.contains("1 of 7 words are unknown"), "{}", one.stderr);
    let json = fine(here, "text predict run/model --json --words 'a dull film' '' 'turned \u{202e} around\u{85}'");
    let lines: Vec<Value> = json.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["class"], lines[0]["occlusion"].as_array().unwrap().len()), (&"neg".into(), 3));
    assert_eq!((&lines[1]["words"], lines.len()), (&0.into(), 3));
    // Escaped for the terminal, and read back as it was.
    assert!(json.stdout.contains(r"turned \u202e around\u0085") && lines[2]["text"] == "turned \u{202e} around\u{85}");
    #[cfg(feature = "serve")]
    crate::serve_kinds::texts(here, &lines[0]);
    fs::write(here.join("new.csv"), "id,review\n1,the film is dull\n2,\n3,great cast\n").unwrap();
    let said = fine(here, "text predict run --file new.csv --text review --out guessed.csv --words");
    assert!(said.stderr.contains("1 of 3 rows have no text"), "{}", said.stderr);
    let guessed = fs::read_to_string(here.join("guessed.csv")).unwrap();
    let lines: Vec<&str> = guessed.lines().collect();
    assert_eq!(lines[0], "id,review,predicted,probability of neg,probability of pos,words,notes");
    assert!(lines[1].starts_with("1,the film is dull,neg,0.") && lines[1].contains("dull +0."), "{guessed}");
    assert_eq!(lines[2], "2,,,,,,no text");
    fails(here, "text predict run --file new.csv --text review --out guessed.csv", 2, &["--overwrite"]);
    fails(here, "text predict run --file new.csv", 2, &["--text", "id, review"]);
    fails(here, "text predict run --file new.csv --text reviews", 3, &["no column `reviews` (`review`?)"]);
    fails(here, "text predict run new.csv", 2, &["`--file new.csv`"]);
    fs::write(here.join("lines.txt"), "an awful film\n\na lovely film\n").unwrap();
    let lines = fine(here, "text predict run --file lines.txt").stdout;
    assert!(lines.starts_with("line,text,predicted,") && lines.contains("\n3,a lovely film,pos,0."), "{lines}");
    fails(here, "export run --onnx moods.onnx", 1, &["AWD-LSTM", "--encoder"]);
    fails(here, "predict run photo.jpg", 3, &["`tallow text predict` uses it"]);
    fails(here, &format!("{TRAIN} --out run"), 2, &["holds a finished run", "--overwrite"]);
}

#[test]
fn a_run_with_a_language_model_that_was_killed_ends_as_if_it_had_not_been() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    reviews(here, 120);
    let train = format!("{TRAIN} --epochs 1 --language-model 2 --words 0 --checkpoint-every 0");
    let whole = fine(here, &format!("{train} --out whole"));
    assert!(whole.stdout.contains("perplexity") && whole.stdout.contains("it goes on with \"The\": "));
    fine(here, &format!("{train} --out killed"));
    // Checkpoints of a run that is not finished: the classifier has not begun.
    fs::remove_file(here.join("killed/metrics.json")).unwrap();
    fs::remove_file(here.join("killed/checkpoints/classifier.safetensors")).unwrap();
    fs::remove_dir_all(here.join("killed/model")).unwrap();
    fine(here, &format!("{train} --out killed --resume"));
    let read = |file: &str| fs::read(here.join(file)).unwrap();
    for file in ["history.csv", "model/model.safetensors", "predictions.csv", "encoder.safetensors"] {
        assert!(read(&format!("whole/{file}")) == read(&format!("killed/{file}")), "{file}");
    }
}

#[test]
fn a_folder_of_texts_is_trained_on_and_judged_by_its_sides() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    for (i, (text, class)) in sentences(90).into_iter().enumerate() {
        let side = ["train", "train", "valid", "test"][i % 4];
        let file = here.join("films").join(side).join(class).join(format!("{i}.txt"));
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    let args = "text films --size 8,8,1 --batch-size 8 --min-freq 1 --epochs 1 --words 4 --backwards --out run";
    let ran = fine(here, args);
    assert!(ran.stdout.contains("The test texts, looked at once"), "{}", ran.stdout);
    let metrics: Value = serde_json::from_str(&fs::read_to_string(here.join("run/metrics.json")).unwrap()).unwrap();
    assert_eq!(metrics["texts"], serde_json::json!({ "train": 46, "valid": 22, "test": 22 }));
    assert!(metrics["metrics"]["test_accuracy"].is_number());
    fails(here, "text films --text review", 2, &["columns are of a table"]);
}

#[test]
fn what_cannot_be_trained_on_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    reviews(here, 40);
    let train = "text reviews.csv --out run";
    fails(here, train, 2, &["`--text` and `--target`", "id, review, mood"]);
    fails(here, "text nowhere.csv --text a --target b", 3, &["nowhere.csv: is not there"]);
    fails(here, &format!("{train} --text revew --target mood"), 3, &["no column `revew` (`review`?)"]);
    fails(here, &format!("{train} --text review --target mod"), 3, &["no column `mod` (`mood`?)"]);
    fails(here, &format!("{train} --text mood --target mood"), 1, &["as the text and as the class"]);
    fails(here, &format!("{train} --text mood --target id"), 3, &["40 different classes", "name another target"]);
    fails(here, &format!("{train} --text review --target mood --size 1,2"), 2, &["such as 100,256,3"]);
    let published = format!("{train} --text review --target mood --pretrained here");
    fails(here, &published, 3, &["here", "is not there", "fetch-data --only wt103_fwd"]);
    let backwards = format!("{train} --text review --target mood --pretrained wt103_bwd");
    fails(here, &backwards, 2, &["`--backwards` asks for"]);
    fs::create_dir(here.join("empty")).unwrap();
    fails(here, "text empty --out run", 3, &["holds no text file (.txt)"]);
    let table = |text: &[u8]| fs::write(here.join("odd.csv"), text).unwrap();
    let odd = "text odd.csv --text a --target b --out run";
    table(b"");
    fails(here, odd, 3, &["odd.csv: is empty"]);
    table(b"a,b\n");
    fails(here, odd, 3, &["no rows"]);
    table(b"a,b\nx,up\ny,up\nz,up\nw,up\nv,up\n");
    fails(here, odd, 3, &["one class, `up`"]);
    table(b"a,b\n\"x,up\ny,down\nz,up\n");
    fails(here, odd, 3, &["odd.csv: line 2", "quotation mark"]);
    table(&"a,b\nx,up\n".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>());
    fails(here, odd, 3, &["UTF-16", "save it as UTF-8"]);
    table(b"a,b\ncaf\xe9,up\nx,down\n");
    fails(here, odd, 3, &["not UTF-8 (line 2)", "`\u{e9}` in Latin-1"]);
    fails(here, "text odd.csv --text a --target b --encoding ebcdic", 2, &["latin-1"]);
    assert!(!here.join("run/model").exists());
}

#[test]
fn odd_texts_are_trained_on_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let small = "--size 8,8,1 --batch-size 4 --epochs 1 --min-freq 1 --text a --target b";
    // All texts are the same, and none has a word that tf-idf counts.
    let same: String = (0..20).map(|i| format!("!,{}\n", ["up", "down"][i % 2])).collect();
    fs::write(here.join("same.csv"), format!("a,b\n{same}")).unwrap();
    let ran = fine(here, &format!("text same.csv {small} --out same"));
    for words in ["19 texts say the same", "in two classes", "validation flatters"] {
        assert!(ran.stderr.contains(words), "no `{words}` in {}", ran.stderr);
    }
    assert!(ran.stdout.contains("Simpler methods are not judged"), "{}", ran.stdout);
    // One text of a megabyte, control characters, a row without a text, and classes that are numbers.
    let long = "never again ".repeat(1_000_000 / 12);
    let mut rows: String = (0..60).map(|i| format!("film number {i},{}\n", f64::from(i % 25) / 2.0)).collect();
    rows += &format!("{long},0.5\nnul \0 and \u{1b}[31m escapes,1\n,1\n\u{fe0f},1\n");
    fs::write(here.join("odd.csv"), format!("a,b\n{rows}")).unwrap();
    let ran = fine(here, &format!("text odd.csv {small} --out odd"));
    for words in
        ["1 texts have more than 1440 tokens", "hold control characters", "1 rows have no text", "classes are numbers"]
    {
        assert!(ran.stderr.contains(words), "no `{words}` in {}", ran.stderr);
    }
    let page = fs::read_to_string(here.join("odd/report.html")).unwrap();
    assert!(page.contains("more than 1440 tokens") && !page.contains(['\0', '\u{1b}']));
    assert!(!ran.stdout.contains(['\0', '\u{1b}']), "{}", ran.stdout);
    fine(here, &format!("text predict odd '{}'", "word ".repeat(2000)));
}

#[test]
fn a_published_encoder_is_trained_or_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    reviews(here, 150);
    tiny_encoder(&here.join("tiny"), &["great", "lovely", "superb", "dull", "awful", "tedious"]);
    let train = "text reviews.csv --text review --target mood --min-freq 1 --words 4";
    let frozen = fine(here, &format!("{train} --encoder tiny --frozen --out frozen"));
    assert!(frozen.stdout.contains("tf-idf"), "{}", frozen.stdout);
    let tuned = fine(here, &format!("{train} --encoder tiny --epochs 2 --lr 0.01 --max-pieces 16 --out tuned"));
    assert!(tuned.stderr.contains("have more than 16 pieces"), "{}", tuned.stderr);
    for run in ["frozen", "tuned"] {
        let metrics: Value = serde_json::from_slice(&fs::read(here.join(run).join("metrics.json")).unwrap()).unwrap();
        assert!(metrics["baselines"].as_array().unwrap().len() > 1 && metrics["metrics"]["accuracy"].is_number());
        assert!(here.join(run).join("predictions.csv").is_file());
        let one = fine(here, &format!("text predict {run} 'a superb film' --words --json")).stdout;
        let one: Value = serde_json::from_str(&one).unwrap();
        assert_eq!((one["words"].as_u64(), one["unknown_words"].as_u64()), (Some(3), Some(0)), "{one}");
        assert_eq!(one["occlusion"].as_array().unwrap().len(), 3);
    }
    let remedies = ["cargo xtask fetch-data --only minilm", "all-MiniLM-L6-v2/resolve/main/config.json"];
    fails(here, &format!("{train} --encoder minilm --out run"), 3, &remedies);
    fails(here, &format!("{train} --encoder nowhere --out run"), 3, &["holds no encoder"]);
    fails(here, &format!("{train} --encoder tiny --max-pieces 65 --out run"), 1, &["at most 64"]);
    fails(here, &format!("{train} --encoder tiny --backwards --out run"), 2, &["reads forwards"]);
    fails(here, &format!("{train} --encoder tiny --size 1,2,3 --out run"), 2, &["--size"]);
    fails(here, &format!("{train} --frozen --out run"), 2, &["--encoder"]);
}
