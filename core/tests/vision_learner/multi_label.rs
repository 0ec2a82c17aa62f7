//! Images that may show several classes: from a table to an exported model.

use std::path::Path;
use tallow::data::{DataBlock, ImageDataLoaders, LabelTable, TableColumns};
use tallow::interpret::MultiLabelInterpretation;
use tallow::onnx::OnnxOptions;
use tallow::train::{accuracy_multi, f1_score_multi, mean_average_precision};
use tallow::vision::{Image, Resize};
use tallow::vision_learner::{Arch, Pretrained, VisionConfig, VisionLearner, load_learner, vision_learner};

/// Pictures with a red half, a blue half, both or neither, and a table that says so.
fn loaders(folder: &Path) -> ImageDataLoaders {
    let mut table = String::from("image,shows\n");
    for i in 0..48 {
        let (red, blue) = (i % 2 == 1, i / 2 % 2 == 1);
        let picture = Image::from_fn(32, 32, |x, y| {
            let noise = ((x * 7 + y * 13 + i * 31) % 40) as u8;
            if red && y < 16 {
                [255, noise, noise]
            } else if blue && y >= 16 {
                [noise, noise, 255]
            } else {
                [120 + noise, 120, 120]
            }
        });
        picture.unwrap().save(folder.join(format!("{i}.png"))).unwrap();
        let names: Vec<&str> = [(red, "red"), (blue, "blue")].iter().filter(|(is, _)| *is).map(|(_, n)| *n).collect();
        table += &format!("{i}.png,{}\n", names.join(" "));
    }
    let file = folder.join("labels.csv");
    std::fs::write(&file, table).unwrap();
    let columns = TableColumns { label: Some("shows".into()), delimiter: Some(' '), ..TableColumns::default() };
    let images = LabelTable::read(&file, &columns).unwrap().images_in(folder).unwrap();
    let block = DataBlock::multi_label_images().labelled(images).item_tfms([Resize::squish(32)]).workers(0);
    block.dataloaders(folder, 8).unwrap()
}

fn learner(dls: &ImageDataLoaders) -> VisionLearner {
    let config = VisionConfig::default().pretrained(Pretrained::None).metrics([
        mean_average_precision(),
        accuracy_multi(0.5),
        f1_score_multi(0.5),
    ]);
    vision_learner(dls, Arch::ResNet18, config).unwrap()
}

#[test]
fn several_classes_are_learnt_exported_and_predicted() {
    let dir = tempfile::tempdir().unwrap();
    let dls = loaders(dir.path());
    assert!(dls.is_multi_label() && dls.vocab().classes() == ["blue", "red"]);
    let counts = dls.counts();
    assert_eq!(counts.iter().map(|(train, valid)| train + valid).collect::<Vec<_>>(), [24, 24]);
    let batch = dls.train.one_batch().unwrap();
    assert_eq!((batch.ys.dims(), batch.ys.dtype()), (&[8, 2][..], tallow::candle::DType::F32));
    let captions = dls.valid.captioned(9).unwrap();
    assert!(captions.iter().any(|shown| shown.caption == "blue, red") && captions.iter().any(|s| s.caption.is_empty()));

    let mut learner = learner(&dls);
    learner.fit_one_cycle(10, 1e-2).unwrap();
    let judged = MultiLabelInterpretation::from_learner(&learner).unwrap();
    let report = judged.report();
    assert!(report.mean_average_precision > 0.95, "{report:?}");
    // The metrics of the last epoch are those of the report.
    let last = learner.recorder().rows.last().unwrap();
    for (metric, of_report) in
        last.metrics.iter().zip([report.mean_average_precision, report.accuracy, report.macro_f1])
    {
        assert!((metric - of_report).abs() < 1e-6, "{:?} {report:?}", last.metrics);
    }
    // The mean of the items' losses is the validation loss: PyTorch's binary cross entropy.
    let lines = judged.predictions_csv();
    assert!(lines.starts_with("file,classes,predicted,loss,blue,red\n") && lines.lines().count() == 10, "{lines}");
    let losses: f64 = lines.lines().skip(1).map(|line| line.split(',').nth(3).unwrap().parse::<f64>().unwrap()).sum();
    assert!((losses / 9.0 - last.valid_loss).abs() < 1e-4, "{losses} {}", last.valid_loss);

    let folder = dir.path().join("model");
    learner.export(&folder).unwrap();
    let loaded = load_learner(&folder).unwrap();
    assert_eq!(loaded.threshold(), Some(0.5));
    let file = dir.path().join("colours.onnx");
    let summary = loaded.export_onnx(&file, OnnxOptions { pixels: true, half: true, size: None }).unwrap();
    assert_eq!(summary.inputs, ["pixels uint8 [batch, 32, 32, 3]"]);
    let written = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
    assert!(written.contains("Sigmoid") && !written.contains("Softmax") && written.contains("[\"blue\",\"red\"]"));
    for (i, file) in dls.valid.files().iter().enumerate() {
        let prediction = loaded.predict_file(file).unwrap();
        let (predicted, _) = judged.classes_of(i);
        let mut labels = prediction.labels.clone();
        labels.sort();
        assert_eq!(labels, predicted);
        assert!(prediction.probabilities.iter().all(|p| (0.0..=1.0).contains(p)));
    }
    // A program that knows single classes only must not read it as one of these.
    let notes = std::fs::read_to_string(folder.join("learner.json")).unwrap();
    assert!(notes.contains("multi_label_image_classifier"), "{notes}");
    let broken = notes.replace("multi_label_image_classifier", "image_classifier");
    std::fs::write(folder.join("learner.json"), broken).unwrap();
    assert!(load_learner(&folder).err().unwrap().to_string().contains("threshold"));

    let single = DataBlock::images().item_tfms([Resize::squish(32)]).label(|_| Ok("blue".into()));
    let single = single.dataloaders(dir.path(), 8).unwrap();
    assert!(learner.set_dls(&single).is_err());
}
