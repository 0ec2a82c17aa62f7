//! JSON, changed value by value.

use serde_json::{Value, json};
use tallow::rng::Rng;

/// The same document with one to three values replaced, removed, doubled or exchanged.
pub(super) fn changed(text: &[u8], rng: &mut Rng) -> Option<Vec<u8>> {
    let mut document: Value = serde_json::from_slice(text).ok()?;
    for _ in 0..=rng.below(3) {
        let n = count(&document);
        let mut at = rng.below(n);
        let elsewhere = pick(&document, &mut rng.below(n)).cloned();
        if let Some(value) = pick_mut(&mut document, &mut at) {
            change(value, elsewhere, rng);
        }
    }
    serde_json::to_vec(&document).ok()
}

fn change(value: &mut Value, elsewhere: Option<Value>, rng: &mut Rng) {
    let numbers =
        [json!(0), json!(-1), json!(1e308), json!(1e-300), json!(u64::MAX), json!(1u64 << 32), json!(0.5), json!(2)];
    match (rng.below(6), value) {
        (0, value) => {
            *value =
                [json!(null), json!(true), json!(""), json!([]), json!({}), json!("\u{202e}x")][rng.below(6)].clone()
        }
        (1, value) => *value = elsewhere.unwrap_or_default(),
        (2, Value::Array(items)) if !items.is_empty() => {
            let item = items[rng.below(items.len())].clone();
            if rng.below(2) == 0 { items.push(item) } else { drop(items.pop()) }
        }
        (3, Value::Object(fields)) if !fields.is_empty() => {
            let name = fields.keys().nth(rng.below(fields.len())).cloned().unwrap_or_default();
            let old = fields.remove(&name);
            if rng.below(2) == 0 {
                fields.insert(format!("{name}x"), old.unwrap_or_default());
            }
        }
        (4, Value::String(text)) => text.push_str(["x", "\0", " ", "/..", "é"][rng.below(5)]),
        (_, value) => *value = numbers[rng.below(numbers.len())].clone(),
    }
}

/// How many values there are, the document itself among them.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(fields) => fields.values().map(count).sum(),
        _ => 0,
    }
}

/// The value of this number, in the order of the text.
fn pick<'a>(value: &'a Value, at: &mut usize) -> Option<&'a Value> {
    if *at == 0 {
        return Some(value);
    }
    *at -= 1;
    match value {
        Value::Array(items) => items.iter().find_map(|item| pick(item, at)),
        Value::Object(fields) => fields.values().find_map(|field| pick(field, at)),
        _ => None,
    }
}

fn pick_mut<'a>(value: &'a mut Value, at: &mut usize) -> Option<&'a mut Value> {
    if *at == 0 {
        return Some(value);
    }
    *at -= 1;
    match value {
        Value::Array(items) => items.iter_mut().find_map(|item| pick_mut(item, at)),
        Value::Object(fields) => fields.values_mut().find_map(|field| pick_mut(field, at)),
        _ => None,
    }
}
