//! What is embedded, counted.
#![allow(clippy::unwrap_used, missing_docs)]

use tallow_datasets::tables;

#[test]
fn the_tables_have_their_rows() {
    let count =
        |table: &str, class: &str| table.lines().filter(|line| line.split(',').any(|cell| cell == class)).count();
    let penguins = tables::penguins();
    assert_eq!(penguins.lines().count(), 1 + 344);
    assert_eq!(["Adelie", "Chinstrap", "Gentoo"].map(|species| count(penguins, species)), [152, 68, 124]);
    assert_eq!(["male", "female"].map(|sex| count(penguins, sex)), [168, 165]);
    let weather = tables::seattle_weather();
    assert_eq!(weather.lines().count(), 1 + 1461);
    let kinds = ["drizzle", "fog", "rain", "snow", "sun"];
    assert_eq!(kinds.map(|kind| count(weather, kind)), [53, 101, 641, 26, 640]);
}

#[cfg(feature = "drawings")]
#[test]
fn the_drawings_are_webp_files_with_alpha_in_six_classes() {
    let drawings = tallow_datasets::drawings::all();
    let of = |class: &str| drawings.iter().filter(|drawing| drawing.class == class).count();
    assert_eq!(["bird", "bug", "flower", "fruit", "mammal", "vehicle"].map(of), [46, 49, 32, 90, 66, 52]);
    let webp = |bytes: &[u8]| bytes.starts_with(b"RIFF") && &bytes[8..12] == b"WEBP";
    assert!(drawings.iter().all(|drawing| webp(drawing.bytes) && drawing.name.ends_with(".webp")));
}
