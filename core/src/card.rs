//! Model cards (Mitchell et al., *Model Cards for Model Reporting*, 2019).

use crate::error::Result;
use crate::models::Arch;
use crate::text::visible_line;
use crate::train::export;
use serde_json::Value;
use std::fmt::Write;
use std::path::Path;

/// What a user should know of an exported model, in Markdown: what it is for, what it learnt from, how good it is, the
/// licence of the weights that it began with, and how it is used. What lies beside the model in the folder of its run
/// (`config.json`, `metrics.json`) is taken in; what is not known is said to be so.
///
/// # Errors
/// Those of [`export::load`].
pub fn model_card(folder: impl AsRef<Path>) -> Result<String> {
    let folder = folder.as_ref();
    let exported = export::load(folder)?;
    let run = folder.parent().filter(|_| folder.file_name().is_some_and(|name| name == "model"));
    let beside = |name: &str| run.and_then(|run| json(&run.join(name))).unwrap_or(Value::Null);
    let (config, measured) = (beside("config.json"), beside("metrics.json"));
    let named = run.unwrap_or(folder).file_name().map(|name| name.to_string_lossy().into_owned());
    let mut card = format!("# {}\n\n", code(named.as_deref().unwrap_or("A model")));
    let mut section = |title: &str, text: String| {
        let _ = write!(card, "## {title}\n\n{}\n\n", text.trim_end());
    };
    section("The model", model(&exported));
    section("What it is for", purpose(&exported));
    section("What it learnt from", data(&config, &measured));
    section("How good it is", metrics(&exported, &measured));
    if !exported.vocab.is_empty() {
        let classes = exported.vocab.iter().enumerate().map(|(number, class)| format!("{number}. {}\n", code(class)));
        section("Classes", format!("By number:\n\n{}", classes.collect::<String>()));
    }
    section("Licence of the weights", licence(&exported, &config));
    Ok(card.trim_end().to_string() + "\n")
}

/// A file, if it is there and JSON.
fn json(file: &Path) -> Option<Value> {
    serde_json::from_slice(&tallow_io::read::bytes(file, tallow_io::read::NOTES).ok()?).ok()
}

/// A name as it is, whatever Markdown would make of it.
fn code(text: &str) -> String {
    format!("`{}`", visible_line(text).replace('`', "'"))
}

fn model(exported: &export::Exported) -> String {
    let parameters: usize = exported.weights.values().map(candle_core::Tensor::elem_count).sum();
    let network = exported.recipe.get("arch").and_then(Value::as_str).map(|arch| format!(" on {}", code(arch)));
    format!(
        "{}{}, {parameters} numbers in {} tensors. Written by Tallow {}.",
        code(&exported.kind),
        network.unwrap_or_default(),
        exported.weights.len(),
        env!("CARGO_PKG_VERSION")
    )
}

fn purpose(exported: &export::Exported) -> String {
    let n = exported.vocab.len();
    let (what, limits) = match exported.kind.as_str() {
        "image_classifier" => (
            format!("It tells which of {n} classes a photo shows."),
            "It names one of them for every photo, also for one that shows none. A photo that is unlike those in \
             training, in subject, camera or light, may get a wrong class with a high probability.",
        ),
        "multi_label_image_classifier" => (
            format!("It tells which of {n} classes a photo shows: any number of them."),
            "It knows no others. A photo that is unlike those in training may get wrong ones with high probabilities.",
        ),
        "image_segmenter" => (
            format!("It tells which of {n} classes each pixel of a picture shows."),
            "It gives each pixel one of them, also where a picture shows something else.",
        ),
        "tabular" => (
            "It predicts a column of a table from the others.".into(),
            "Rows that are unlike those in training get a prediction like any other.",
        ),
        "text_classifier" => (
            format!("It tells which of {n} classes a text is of."),
            "It gives each text one of them, also a text in another language or on another subject.",
        ),
        "collab" => (
            "It predicts how users rate items.".into(),
            "Users and items without ratings in training get the prediction of an average one.",
        ),
        _ => ("It is a network of a kind that this program does not know.".into(), ""),
    };
    format!("{what} {limits} Try it on data of your own before you rely on it.")
}

fn data(config: &Value, measured: &Value) -> String {
    let sources: Vec<&str> =
        config["data"].as_array().map(|all| all.iter().filter_map(Value::as_str).collect()).unwrap_or_default();
    let mut text = match sources.as_slice() {
        [] => "Not recorded: the model does not lie in the folder of the run that made it.".to_string(),
        some => some.iter().map(|source| format!("- {}\n", code(source))).collect(),
    };
    if let Some(counts) = measured["photos"].as_object() {
        let count = |(side, n): (&String, &Value)| Some(format!("{} {}", n.as_u64()?, side.replace('_', " ")));
        let counts: Vec<String> = counts.iter().filter_map(count).collect();
        let _ = write!(text, "\nPhotos: {}.", counts.join(", "));
    }
    if let Some(seed) = config["seed"].as_u64() {
        let _ = write!(text, " Seed {seed}.");
    }
    text
}

fn metrics(exported: &export::Exported, measured: &Value) -> String {
    let mut numbers = exported.metrics.clone();
    for (name, value) in measured["metrics"].as_object().into_iter().flatten() {
        numbers.extend(value.as_f64().map(|value| (name.clone(), value)));
    }
    if numbers.is_empty() {
        return "Not recorded.".into();
    }
    let mut text =
        "On the validation set, which the weights were not fitted to but settings may have been chosen by:\n\n\
                    | metric | value |\n|---|---|\n"
            .to_string();
    for (name, value) in &numbers {
        let _ = writeln!(text, "| {} | {value:.4} |", name.replace('_', " "));
    }
    let classes = measured["report"].as_object();
    if let Some(classes) = classes.filter(|classes| !classes.is_empty()) {
        text += "\n| class | precision | recall | F1 | photos |\n|---|---|---|---|---|\n";
        for (class, row) in classes {
            let number = |name: &str| row[name].as_f64().map_or("-".into(), |value| format!("{value:.4}"));
            let (precision, recall, f1) = (number("precision"), number("recall"), number("f1"));
            let class = code(class).replace('|', "\\|");
            let _ = writeln!(text, "| {class} | {precision} | {recall} | {f1} | {} |", row["support"]);
        }
    }
    text
}

/// The licence of what training began with; that of what was trained is for its maker to choose.
fn licence(exported: &export::Exported, config: &Value) -> String {
    const MODEL: &str = "The licence of the trained model is yours to state here.";
    let arch: Option<Arch> = exported.recipe.get("arch").and_then(Value::as_str).and_then(|arch| arch.parse().ok());
    let begun = match (arch, config.get("weights")) {
        (None, _) => "Training began with random weights, or with weights that are not recorded.".to_string(),
        (Some(_), Some(Value::String(file))) => {
            format!("Training began with the weights in {}, under the licence of that file.", code(file))
        }
        (Some(Arch::EfficientNetLite0), Some(_)) => {
            "Training began with EfficientNet-Lite0's weights, (c) 2020 ML Illustrated, Apache License 2.0, trained on \
             ImageNet (for research and teaching, by its terms)."
                .into()
        }
        (Some(arch), Some(_)) => format!(
            "Training began with the weights that torchvision publishes for {arch}, BSD 3-Clause licence, trained on \
             ImageNet (for research and teaching, by its terms)."
        ),
        (Some(arch), None) => {
            format!("Not recorded. Published weights for {arch} were trained on ImageNet, which has terms of its own.")
        }
    };
    format!("{begun} {MODEL}")
}
