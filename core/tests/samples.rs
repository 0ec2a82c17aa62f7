//! The data that need no network: what is in them, and that they are always the same.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;
use tallow::Error;
use tallow::samples::{RatingRule, SCENE_CODES, Sample, drawings, film_ratings, penguins, scenes, weather};

fn text<'a>(sample: &'a Sample, name: &str) -> &'a str {
    std::str::from_utf8(&sample.files.iter().find(|(file, _)| file == name).unwrap().1).unwrap()
}

#[test]
fn a_scene_has_a_class_for_each_pixel_and_is_the_same_each_time() {
    let sample = scenes(6, 3, 1).unwrap();
    assert_eq!(sample.files.len(), 1 + 2 * 9);
    assert_eq!(text(&sample, "codes.txt").lines().collect::<Vec<_>>(), SCENE_CODES);
    let mut seen = [0usize; SCENE_CODES.len()];
    for (name, bytes) in &sample.files {
        if name.contains("/images/") {
            let image = image::load_from_memory(bytes).unwrap();
            assert_eq!((image.width(), image.height(), image.color()), (128, 96, image::ColorType::Rgb8), "{name}");
        } else if name.contains("/labels/") {
            let mask = image::load_from_memory(bytes).unwrap();
            assert_eq!((mask.width(), mask.height(), mask.color()), (128, 96, image::ColorType::L8), "{name}");
            mask.as_bytes().iter().for_each(|&class| seen[usize::from(class)] += 1);
        }
    }
    let share = |class: usize| seen[class] as f64 / seen.iter().sum::<usize>() as f64;
    assert!(share(0) > 0.4 && share(0) < 0.95, "{seen:?}");
    assert!(share(7) > 0.001 && share(7) < 0.1, "the rim is thin: {seen:?}");
    assert_eq!(sample.files, scenes(6, 3, 1).unwrap().files);
    assert_ne!(sample.files, scenes(6, 3, 2).unwrap().files);
}

#[test]
fn ratings_follow_their_rule() {
    let sample = film_ratings(RatingRule::default(), 0);
    let rows: Vec<(u32, u32, f64)> = text(&sample, "ratings.csv")
        .lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            (cells[0].parse().unwrap(), cells[1].parse().unwrap(), cells[2].parse().unwrap())
        })
        .collect();
    assert_eq!(rows.len(), 300 * 40);
    assert!(rows.iter().all(|&(user, film, stars)| {
        (1..=300).contains(&user)
            && (1..=120).contains(&film)
            && (0.5..=5.0).contains(&stars)
            && stars * 2.0 % 1.0 == 0.0
    }));
    let pairs: std::collections::BTreeSet<(u32, u32)> = rows.iter().map(|&(user, film, _)| (user, film)).collect();
    assert_eq!(pairs.len(), rows.len(), "nobody rates a film twice");
    let mean = rows.iter().map(|row| row.2).sum::<f64>() / rows.len() as f64;
    assert!((mean - 3.3).abs() < 0.2, "{mean}");

    // A person who likes one quiet drama likes the others: within a kind of film, two ratings of one person agree more
    // than across opposite kinds.
    let kind = |film: u32| (film - 1) % 4;
    let mut by_user: BTreeMap<u32, [Vec<f64>; 4]> = BTreeMap::new();
    rows.iter().for_each(|&(user, film, stars)| by_user.entry(user).or_default()[kind(film) as usize].push(stars));
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let pairs: Vec<(f64, f64)> = by_user
        .values()
        .filter(|kinds| kinds.iter().all(|ratings| !ratings.is_empty()))
        .map(|kinds| (mean(&kinds[0]), mean(&kinds[3])))
        .collect();
    let (a, b) =
        (mean(&pairs.iter().map(|p| p.0).collect::<Vec<_>>()), mean(&pairs.iter().map(|p| p.1).collect::<Vec<_>>()));
    let covariance = mean(&pairs.iter().map(|p| (p.0 - a) * (p.1 - b)).collect::<Vec<_>>());
    assert!(covariance < -0.1, "a quiet drama and a slapstick are opposites: {covariance}");
}

#[test]
fn a_sample_becomes_a_folder_and_never_replaces_one() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().join("penguins");
    penguins().write(&folder).unwrap();
    let mut names: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["README.txt", "penguins.csv"]);
    assert!(matches!(weather().write(&folder), Err(Error::Usage(_))));
    let empty = temporary.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    drawings().write(&empty).unwrap();
    assert_eq!(std::fs::read_dir(empty.join("fruit")).unwrap().count(), 90);
}
