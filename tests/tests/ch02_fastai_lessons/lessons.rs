//! Lessons 1 and 2: without data, with data laid out as fetched ones are, stopped and resumed, and with damaged data.

use crate::{Quick, all_good, no_data};
use chapter_tests::{Chapter, check_code};
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// Everything that the sections of lesson 1 and the first of lesson 2 show, without any data and without a network.
#[test]
fn lessons_one_and_two_need_no_data() {
    let sections = ["alligator", "segmentation", "tabular", "collab", "cats", "text", "export", "loaders"];
    let args: Vec<&str> = sections.iter().flat_map(|section| ["--only", section]).collect();
    let quick = Quick::good(&args, no_data());
    let said = &quick.run.stdout;
    for words in [
        "drawings of birds and bugs",
        "scenes composed of drawings",
        "penguins of the Palmer Archipelago",
        "left out: no reviews are part of the program",
        "Is it a mammal? The other process says: ",
        "It says what this one does: true",
        "cargo xtask fetch-data --only pets",
    ] {
        assert!(said.contains(words), "no `{words}` in:\n{said}");
    }
    let page = quick.read("report.html");
    for caption in ["Six images of a training batch", "Resized by squishing", "padding with zeros", "eight times"] {
        assert!(page.contains(caption), "no figure `{caption}`");
    }
    // Nothing that is drawn by chance is judged.
    all_good(&quick.metrics(), 0);
    check_code(&page, 12);
    // The model works in another program, which gets the name of the class right.
    let image = quick.folder.path().join("data/some_drawings/mammal");
    let image = fs::read_dir(image).unwrap().next().unwrap().unwrap().path();
    let model = quick.folder.path().join("model");
    let chapter = Chapter::build("ch02_fastai_lessons");
    let answer = chapter.run(&["--predict", &model.display().to_string(), &image.display().to_string()]);
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
    assert!(answer.stdout.starts_with("true (") || answer.stdout.starts_with("false ("), "{}", answer.stdout);
    chapter.run(&["--predict", "no model", "no photo"]).assert_fails(3, &["no model"]);
}

#[test]
fn drawings_are_cleaned_and_breeds_come_from_names() {
    let quick = Quick::good(&["--only", "cleaning", "--only", "breeds"], no_data());
    let said = &quick.run.stdout;
    assert_eq!(said.matches(" drawings deleted").count(), 2, "{said}");
    for words in ["1 photo is there twice in one class", "convnext_tiny is left out", "6 classes", "_blocks.0"] {
        assert!(said.contains(words), "no `{words}` in:\n{said}");
    }
    let left = |class: &str| fs::read_dir(quick.folder.path().join("data/to_clean").join(class)).unwrap();
    let names: Vec<String> = left("fruit").map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    assert!(!names.is_empty() && !names.iter().any(|name| name.contains("juice")), "{names:?}");
    let page = quick.read("report.html");
    assert!(page.contains("whose labels the others doubt most"));
}

/// A folder as `fetch-data` leaves it, with a part of each of the shared data; none where they are not.
fn fetched() -> Option<tempfile::TempDir> {
    let shared = Path::new("../../shared/data");
    if ["adult", "camvid", "movielens", "polarity"].iter().any(|name| !shared.join(name).is_dir()) {
        println!("skipped: ../shared/data is not there");
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    let put = |name: &str, text: String| {
        let to = dir.path().join(name);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::write(to, text).unwrap();
    };
    let adult = fs::read_to_string(shared.join("adult/adult.csv")).unwrap();
    let adult = adult.lines().take(4000).collect::<Vec<_>>().join("\n").replace(", ", ",");
    put("adult_sample/adult.csv", adult.replacen("classification", "salary", 1));
    let ratings = fs::read_to_string(shared.join("movielens/ratings.csv")).unwrap();
    put("movie_lens_sample/ratings.csv", ratings.lines().take(3000).collect::<Vec<_>>().join("\n"));
    let mut reviews = String::from("label,text,is_valid\n");
    for (file, label) in [("rt-polarity.pos", "positive"), ("rt-polarity.neg", "negative")] {
        let text = fs::read_to_string(shared.join("polarity").join(file)).unwrap();
        for (i, line) in text.lines().take(150).enumerate() {
            writeln!(reviews, "{label},\"{}\",{}", line.replace('"', "\"\""), i % 5 == 0).unwrap();
        }
    }
    put("imdb_sample/texts.csv", reviews);
    let codes = [
        "Sky",
        "Building",
        "Pole",
        "Road",
        "Pavement",
        "Tree",
        "SignSymbol",
        "Fence",
        "Car",
        "Pedestrian",
        "Bicyclist",
        "Void",
    ];
    put("camvid_tiny/codes.txt", codes.join("\n"));
    for folder in ["images", "labels"] {
        fs::create_dir(dir.path().join("camvid_tiny").join(folder)).unwrap();
    }
    let images = tallow::data::image_files(&shared.join("camvid/train/images")).unwrap();
    for image in images.iter().take(20) {
        let stem = image.file_stem().unwrap().to_str().unwrap();
        let to = dir.path().join("camvid_tiny");
        fs::copy(image, to.join(format!("images/{stem}.jpg"))).unwrap();
        fs::copy(shared.join(format!("camvid/train/labels/{stem}.png")), to.join(format!("labels/{stem}_P.png")))
            .unwrap();
    }
    Some(dir)
}

#[test]
fn fetched_data_take_the_place_of_what_stands_in() {
    let Some(data) = fetched() else { return };
    let sections = ["--only", "segmentation", "--only", "tabular", "--only", "collab", "--only", "text"];
    let quick = Quick::good(&sections, data.path());
    let said = &quick.run.stdout;
    for words in
        ["CamVid: ", "12 codes: Sky, Building", "Adult: ", "MovieLens: ", "IMDB: ", "I really liked the movie!"]
    {
        assert!(said.contains(words), "no `{words}` in:\n{said}");
    }
    // Three quarters earn less: a network that has learnt something is above that.
    let accuracy = quick.metrics()["metrics"]["census_accuracy"].as_f64().unwrap();
    assert!(accuracy > 0.77, "{accuracy}");
}

#[test]
fn damaged_data_are_named() {
    let data = tempfile::tempdir().unwrap();
    for (section, file, text, words) in [
        ("tabular", "adult_sample/adult.csv", "age,salary\n1\n", "adult.csv"),
        ("collab", "movie_lens_sample/ratings.csv", "userId,movieId,rating\n1,2,good\n", "ratings.csv"),
        ("text", "imdb_sample/texts.csv", "label,text\n", "texts.csv"),
        ("cats", "pets/images/Abyssinian_1.jpg", "no photo", "pets"),
    ] {
        let to = data.path().join(file);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::write(to, text).unwrap();
        Quick::new(&["--only", section], data.path()).run.assert_fails(3, &[words]);
    }
    // A part of a dataset is not used, and that is said.
    let codes = data.path().join("camvid_tiny/codes.txt");
    fs::create_dir(codes.parent().unwrap()).unwrap();
    fs::write(&codes, "Sky\nVoid\n").unwrap();
    let stands_in = Quick::good(&["--only", "segmentation"], data.path());
    assert!(stands_in.run.stderr.contains("it is not used"), "{}", stands_in.run.stderr);
    for (folder, name) in [("images", "1.jpg"), ("labels", "1_P.png")] {
        fs::create_dir(data.path().join("camvid_tiny").join(folder)).unwrap();
        fs::write(data.path().join("camvid_tiny").join(folder).join(name), "no picture").unwrap();
    }
    Quick::new(&["--only", "segmentation"], data.path()).run.assert_fails(3, &["camvid_tiny"]);
}

#[test]
fn a_photo_of_the_readers_own_is_asked_about() {
    let data = tempfile::tempdir().unwrap();
    let photo = tallow::vision::Image::from_fn(40, 30, |x, y| [x as u8, y as u8, 9]).unwrap();
    photo.save(data.path().join("is_it_a_cat.jpg")).unwrap();
    let quick = Quick::good(&["--only", "cats"], data.path());
    assert!(quick.run.stdout.contains("is_it_a_cat.jpg: Is it a mammal? "), "{}", quick.run.stdout);
}

#[test]
fn trainings_that_are_killed_and_resumed_end_with_the_same_history() {
    let chapter = Chapter::build("ch02_fastai_lessons");
    let sections = ["--only", "alligator", "--only", "segmentation", "--only", "collab", "--only", "cleaning"];
    let args = |out: &Path, more: &[&str]| -> Vec<String> {
        let (out, data) = (out.display().to_string(), "no data here".to_string());
        let fixed = ["--quick".to_string(), "--out".into(), out, "--data-dir".into(), data];
        let given = sections.iter().chain(more).map(ToString::to_string);
        fixed.into_iter().chain(given).collect()
    };
    let run = |out: &Path, more: &[&str]| {
        let args = args(out, more);
        chapter.run(&args.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let history = |out: &Path| fs::read_to_string(out.join("history.csv")).unwrap();
    let undisturbed = tempfile::tempdir().unwrap();
    let whole = run(undisturbed.path(), &[]);
    assert_eq!(whole.code, Some(0), "{}", whole.stderr);

    let folder = tempfile::tempdir().unwrap();
    let mut more = vec!["--checkpoint-every", "0"];
    for training in ["alligator", "after_cleaning"] {
        let checkpoint = folder.path().join(format!("checkpoints/{training}.safetensors"));
        let args = args(folder.path(), &more);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let mut child = chapter.start_and_wait(&args, || checkpoint.is_file());
        child.kill().unwrap();
        child.wait().unwrap();
        more = vec!["--checkpoint-every", "0", "--resume"];
    }
    let resumed = run(folder.path(), &["--resume"]);
    assert_eq!(resumed.code, Some(0), "{}", resumed.stderr);
    assert_eq!(history(folder.path()), history(undisturbed.path()));
}
