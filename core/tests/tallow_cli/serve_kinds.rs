//! `tallow serve` with models of texts, tables, ratings and masks: programs are told what the command line says, and a
//! browser shows it. Called by the tests that train such models.
#![cfg(feature = "serve")]

use crate::serve::{Answer, Serving};
use crate::{fails, tallow};
use serde_json::{Value, json};
use std::path::Path;
use tallow::vision::Mask;
use test_support::Browser;

fn start(here: &Path) -> Serving {
    Serving::of(here, &["serve", "run", "--port", "0"])
}

const JSON: &[&str] = &["Content-Type: application/json"];

fn ask(serving: &Serving, question: &Value) -> Answer {
    serving.send("POST /api/predict", JSON, question.to_string().as_bytes())
}

fn told(serving: &Serving, question: &Value) -> Value {
    let answer = ask(serving, question);
    assert_eq!(answer.code, 200, "{question}: {}", answer.json());
    answer.json()
}

#[track_caller]
fn refused(answer: &Answer, code: u16, words: &str) {
    let error = answer.json()["error"].as_str().unwrap_or_default().to_string();
    assert!(answer.code == code && error.contains(words), "{} {error}", answer.code);
}

/// The page after what stands behind its `#`, if there is a browser.
fn page(here: &Path, serving: &Serving, wish: &str) -> Option<String> {
    let browser = Browser::start(here)?;
    let page = browser.open(&serving.url(wish), 380, true);
    page.wait("!document.querySelector('#result').hidden && document.querySelector('#status').textContent === ''");
    assert!(!page.scrolls_sideways(), "{wish}");
    assert_eq!(page.complaints(), [""; 0], "{wish}");
    page.value("document.documentElement.outerHTML").as_str().map(String::from)
}

/// `said` is what the command line says of the text `a dull film`.
pub(crate) fn texts(here: &Path, said: &Value) {
    let serving = start(here);
    let one = told(&serving, &json!({ "text": "a dull film" }));
    assert_eq!(
        (&one["class"], &one["probability"], &one["model"]),
        (&"neg".into(), &said["probability"], &"run".into())
    );
    assert_eq!(one["classes"].as_array().unwrap().len(), 2);
    let plain = serving.send("POST /api/predict?top=1", &["Content-Type: text/plain; charset=utf-8"], b"a dull film");
    assert_eq!(plain.json()["classes"], json!([one["classes"][0]]));
    // Without a type a text is a text, and not the JSON that it looks like.
    assert_eq!(serving.send("POST /api/predict", &[], b"{\"text\": \"a lovely film\"}").json()["class"], "pos");
    let many = told(&serving, &json!({ "texts": ["great cast", "an awful plot", "xyzzy"] }));
    let classes: Vec<&Value> = many["predictions"].as_array().unwrap().iter().map(|one| &one["class"]).collect();
    assert_eq!(classes[..2], ["pos", "neg"]);
    assert!(many["predictions"][2]["notes"][0].as_str().unwrap().contains("1 of 1 words are unknown"), "{many}");
    let words = serving.send("POST /api/explain", &[], b"a dull film").json();
    let words: Vec<&str> =
        words["words"].as_array().unwrap().iter().map(|w| w["text"].as_str().unwrap().trim()).collect();
    assert_eq!(words, ["a", "dull", "film"]);

    refused(&serving.send("POST /api/predict", &["Content-Type: image/png"], b"x"), 415, "text/plain");
    refused(&serving.send("POST /api/predict", &["Content-Type: text/plain"], b"caf\xe9"), 422, "not UTF-8");
    refused(&serving.send("POST /api/predict", JSON, b"{"), 400, "no JSON");
    refused(&serving.send("POST /api/predict", &[], &[b'a'; 100_001]), 413, "100001 bytes");
    refused(&serving.send("POST /api/explain", &[], &[b'a'; 10_001]), 413, "10001 bytes");
    refused(&ask(&serving, &json!({ "txt": "a" })), 422, "{\"text\": \"...\"}");
    refused(&ask(&serving, &json!({ "texts": vec!["a"; 257] })), 413, "257 texts");
    refused(&serving.send("POST /api/mask", &[], b"a"), 404, "tallow segment");
    refused(&serving.send("POST /api/similar", &[], b"a"), 404, "--similar");
    refused(&serving.send("GET /api/find?text=a", &[], b""), 404, "tallow ratings");
    fails(&tallow(&["serve", "run", "--port", "0", "--similar", "."], here), 2, &["a model of photos"]);
    if let Some(dom) = page(here, &serving, "text=a+%3Cb%3Edull%3C/b%3E+film&where") {
        assert!(dom.contains("<h2 id=\"class\">neg</h2>") && dom.matches("<progress").count() == 2, "{dom}");
        assert!(dom.contains("<mark class=\"for\"") && !dom.contains("<b>dull"), "{dom}");
    }
}

/// `said` is what the command line says of a judge who earns 4800 and wants 600.
pub(crate) fn rows(here: &Path, said: &str) {
    let serving = start(here);
    let about = serving.send("GET /api/models", &[], b"").json()["models"][0].clone();
    let columns: Vec<(&Value, &Value)> =
        about["columns"].as_array().unwrap().iter().map(|column| (&column["name"], &column["kind"])).collect();
    let kinds = [("since", "date"), ("job", "category"), ("income", "number"), ("sum", "number")];
    assert_eq!(
        columns,
        kinds.map(|(name, kind)| (Value::from(name), Value::from(kind))).each_ref().map(|(n, k)| (n, k))
    );
    assert_eq!(about["columns"][1]["values"], json!(["clerk", "cook", "judge"]));
    let judge = json!({ "job": "judge", "income": 4800, "sum": "600", "since": "2015-03-11" });
    let one = told(&serving, &judge);
    assert_eq!(format!("{} {:.4}", one["class"].as_str().unwrap(), one["probability"].as_f64().unwrap()), said.trim());
    assert_eq!((&one["notes"], one["classes"].as_array().unwrap().len()), (&json!([]), 2));
    let many = told(&serving, &json!([judge, { "job": "pilot", "income": null }]));
    assert_eq!(many["predictions"][0]["probability"], one["probability"]);
    let notes = many["predictions"][1]["notes"].to_string();
    assert!(notes.contains("`pilot`, unknown in training") && notes.contains("`income` ("), "{notes}");

    refused(&ask(&serving, &json!({ "jop": "judge" })), 422, "no column `jop` (`job`?)");
    refused(&ask(&serving, &json!([judge, { "income": "much" }])), 422, "row 1: ");
    refused(&ask(&serving, &json!({ "income": [1] })), 422, "`income`: expected a number");
    refused(&ask(&serving, &json!("judge")), 422, "an object of columns");
    refused(&ask(&serving, &json!(vec![json!({}); 1001])), 413, "1001 rows");
    refused(&serving.send("POST /api/explain", JSON, b"{}"), 404, "does not tell");
    if let Some(dom) = page(here, &serving, "job=judge&income=4800&sum=600&since=2015-03-11") {
        let class = one["class"].as_str().unwrap();
        assert!(dom.contains(&format!("<h2 id=\"class\">paid: {class}</h2>")), "{dom}");
        assert!(dom.contains("<option value=\"cook\">") && dom.contains("type=\"date\""), "{dom}");
    }
}

/// `said` is what the command line recommends to user 3 first.
pub(crate) fn ratings(here: &Path, said: &Value) {
    let serving = start(here);
    let list = told(&serving, &json!({ "user": 3 }));
    let first = &list["items"][0];
    assert_eq!(
        (&first["name"], &first["rating"], list["items"].as_array().unwrap().len()),
        (&said["name"], &said["rating"], 10)
    );
    let one = told(&serving, &json!({ "user": "3", "item": first["name"] }));
    assert!((one["rating"].as_f64().unwrap() - first["rating"].as_f64().unwrap()).abs() < 1e-5, "{one}");
    let unknown = told(&serving, &json!({ "user": "99", "item": "777" }));
    assert_eq!((&unknown["unknown_user"], &unknown["unknown_item"]), (&true.into(), &true.into()));
    assert_eq!(told(&serving, &json!({ "similar": "Part 12" }))["items"].as_array().unwrap().len(), 10);
    let found = serving.send("GET /api/find?text=ART%202", &[], b"").json();
    assert_eq!((&found["found"], &found["items"][0]), (&11.into(), &json!({ "item": "2", "name": "Part 2" })));

    refused(&ask(&serving, &json!({ "user": 99 })), 422, "`99`");
    refused(&ask(&serving, &json!({ "similar": "Part" })), 422, "30 titles");
    refused(&ask(&serving, &json!({ "item": "Part 2" })), 422, "expected JSON");
    refused(&ask(&serving, &json!({ "users": 2 })), 422, "unknown field");
    if let Some(dom) = page(here, &serving, "user=3") {
        let first = format!("<li><span>{}</span>", first["name"].as_str().unwrap());
        assert!(dom.contains("<h2 id=\"class\">For user 3</h2>") && dom.contains(&first), "{dom}");
    }
}

/// `photo` is one that the command line made the mask `mask` of.
pub(crate) fn masks(here: &Path, photo: &[u8], mask: &Path) {
    let serving = Serving::of(here, &["serve", "run", "--port", "0", "--examples", "photos"]);
    let answer = serving.send("POST /api/predict", &["Content-Type: image/png"], photo).json();
    let want = Mask::open(mask).unwrap();
    assert_eq!((&answer["width"], &answer["height"]), (&want.width().into(), &want.height().into()));
    let shares: Vec<f64> =
        answer["classes"].as_array().unwrap().iter().map(|class| class["share"].as_f64().unwrap()).collect();
    assert!(shares.is_sorted_by(|a, b| a >= b) && (shares.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{answer}");
    let made = serving.send("POST /api/mask", &[], photo);
    assert!(made.code == 200 && made.body == std::fs::read(mask).unwrap(), "{}", made.code);
    let overlay = serving.send("POST /api/explain", &[], photo);
    assert!(overlay.code == 200 && overlay.body.starts_with(b"\x89PNG"));
    refused(&serving.send("POST /api/predict", JSON, b"{}"), 415, "an image");
    if let Some(dom) = page(here, &serving, "example=0") {
        assert!(
            dom.contains("<h2 id=\"class\">Mostly ground</h2>") && dom.contains("<i style=\"background-color"),
            "{dom}"
        );
        assert!(dom.contains("<figure id=\"heat\">"), "{dom}");
    }
}
