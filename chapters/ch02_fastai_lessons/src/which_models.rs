//! Which image models are best?

use crate::timm::{Model, Published, get_data, pattern, without_tags};
use tallow::Result;
use tallow::cli::Session;
use tallow::data::Table;
use tallow::plot::Plot;

// --- Which image models are best? ------------------------------------------------------------------------------------

pub(crate) fn which_image_models_are_best(s: &mut Session) -> Result<()> {
    s.section("Which image models are best?");
    s.text(
        "
        A pretrained network is chosen before anything is trained, and there are hundreds. Ross Wightman's library
        *timm* publishes how accurate each of them is on ImageNet and how fast it runs on one graphics card. Plotted
        against each other, the two numbers answer the question: the best model is the most accurate one that is fast
        enough.

        The first table has a row for each set of trained weights. `top1` is how often, in percent, the model's first
        guess is the right one of the thousand classes; `top5`, how often the right one is among its first five.
        ",
    );
    let published = Published::open(s)?;
    let results = &published.results;
    show_head(s, results);
    for name in ["top1", "top1_err", "top5", "top5_err", "param_count", "img_size", "crop_pct"] {
        s.check(&format!("df_results.head(): {name}"), &column(results, name, 0..5)?)?;
    }

    s.text(
        "
        A name has two parts. `eva02_large_patch14_448` is the network; what follows the dot says how these weights were
        trained, here by masked images, then on ImageNet's 22,000 classes, then on its 1,000. Speed depends on the
        network alone, so the table of speeds has names without the second part. To join the two tables we cut the names
        at the dot and keep the full ones as `model_org`.
        ",
    );
    let df_results = without_tags(results)?;
    show_head(s, &df_results);

    s.text(
        "
        `get_data` joins speeds and accuracies. A network that was trained five times has five rows, with one speed and
        five accuracies. The family is the beginning of the name, up to a digit or an underscore: `regnetx` of
        `regnetx_002`. A `d` is added for the ResNets with an improved first layer, and only some families are kept.
        ",
    );
    let df = get_data("infer", &published.inference, &df_results)?;
    s.say(format!("{} models of {} networks", df.len(), networks(&df)));
    show_models(s, &published.inference, &df_results, &df);
    check_head(s, &published.inference, &df_results, &df)?;

    s.text(
        "
        Each dot is a model: to the left the fast ones, at the top the accurate ones, with larger dots for larger
        images. The time axis is logarithmic: from one labelled line to the next, time grows tenfold. In a browser, rest
        the pointer on a dot to see its name.
        ",
    );
    let caption = "Seconds for one image, and accuracy on ImageNet.";
    let plot = show_all(&df, "Inference");
    s.figure("inference", caption, plot)?;

    s.text(
        "
        That is a crowd. A few families are enough to see the pattern, each with the least-squares line through its
        dots. It is straight because the horizontal axis is logarithmic: accuracy grows with the logarithm of the time.
        ",
    );
    let subs = "levit|resnetd?|regnetx|vgg|convnext.*|efficientnetv2|beit|swin";
    let caption = "Some families, with a trend line for each.";
    let plot = show_subs(&df, "Inference", subs)?;
    s.figure("inference_families", caption, plot)?;

    s.text(
        "
        Is the number of parameters a good guess at the time? Roughly: over the whole range, larger is slower. But
        networks of one size differ in speed tenfold. VGG has more than 130 million parameters and only average speed,
        since most of them are in two layers that run once per image; and a network that looks at larger images does the
        same multiplications more often.
        ",
    );
    let caption = "Millions of parameters, and seconds for one image, by the side of the images in pixels.";
    let plot = by_image_size(&df);
    s.figure("parameters", caption, plot)?;

    s.text("The same tables exist for training, where an image typically costs three times as much.");
    let tdf = get_data("train", &published.training, &df_results)?;
    s.say(format!("{} models of {} networks", tdf.len(), networks(&tdf)));
    show_models(s, &published.training, &df_results, &tdf);
    let caption = "The same for training: seconds for one image of a step.";
    let plot = show_all(&tdf, "Training");
    s.figure("training", caption, plot)?;
    let caption = "The families while they train.";
    let plot = show_subs(&tdf, "Training", subs)?;
    s.figure("training_families", caption, plot)?;

    s.text(
        "
        Which, then, are best? Those that no other model beats in both numbers. Read the list from the top and stop
        where your time runs out. One caution that the source does not give: speed and accuracy were often measured with
        images of different sizes, because many weights are tested with larger images than the network was timed with.
        Such a model looks faster here than it is at that accuracy.
        ",
    );
    show_models_by_speed(s, &unbeaten(&df));
    let differ = df.iter().filter(|m| m.img_size != m.accuracy_img_size).count();
    s.say(format!("{differ} of {} models were timed and tested with images of different sizes", df.len()));
    Ok(())
}

fn networks(models: &[Model]) -> usize {
    let mut names: Vec<&str> = models.iter().map(|model| model.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names.len()
}

/// The first five rows of a table.
fn show_head(s: &mut Session, table: &Table) {
    let cell = |row: usize, column: usize| String::from(table.cell(row, column).unwrap_or_default());
    let cells = |row: usize| (0..table.names().len()).map(|column| cell(row, column)).collect();
    s.table(table.names(), &(0..table.n_rows().min(5)).map(cells).collect::<Vec<_>>());
}

/// The first five rows of the joined table, with pandas' names: `_x` and `_y` where both tables have a column.
fn show_models(s: &mut Session, benchmark: &Table, results: &Table, models: &[Model]) {
    let own = benchmark.names().iter().map(|name| joined_name(name, "_x"));
    let joined = results.names().iter().filter(|name| *name != "model").map(|name| joined_name(name, "_y"));
    let heads: Vec<String> = own.chain(joined).chain(["secs", "family"].map(String::from)).collect();
    let cells = |table: &Table, row: usize| -> Vec<String> {
        (0..table.names().len()).map(|i| String::from(table.cell(row, i).unwrap_or_default())).collect()
    };
    let rows = models.iter().take(5).map(|model| {
        let mut row = cells(benchmark, model.row);
        let names = results.names().iter().zip(cells(results, model.result));
        row.extend(names.filter(|(name, _)| *name != "model").map(|(_, cell)| cell));
        row.extend([format!("{:.6}", model.secs), model.family.clone()]);
        row
    });
    s.table(&heads, &rows.collect::<Vec<_>>());
}

/// Sets the first five rows of the joined table beside the source's.
fn check_head(s: &mut Session, benchmark: &Table, results: &Table, models: &[Model]) -> Result<()> {
    let head = &models[..models.len().min(5)];
    for name in ["infer_samples_per_sec", "infer_step_time", "infer_batch_size", "infer_img_size", "param_count"] {
        let rows = head.iter().map(|model| model.row);
        s.check(&format!("df.head(): {}", joined_name(name, "_x")), &column(benchmark, name, rows)?)?;
    }
    for name in ["top1", "top1_err", "top5", "top5_err", "param_count", "img_size", "crop_pct"] {
        let rows = head.iter().map(|model| model.result);
        s.check(&format!("df.head(): {}", joined_name(name, "_y")), &column(results, name, rows)?)?;
    }
    s.check("df.head(): secs", &head.iter().map(|model| model.secs).collect::<Vec<_>>())?;
    Ok(())
}

/// The name of a column after a join, for the column that both tables have.
fn joined_name(name: &str, side: &str) -> String {
    if name == "param_count" { format!("{name}{side}") } else { String::from(name) }
}

/// The numbers of a column in some rows; `1,014.45` is one as well.
fn column(table: &Table, name: &str, rows: impl IntoIterator<Item = usize>) -> Result<Vec<f64>> {
    let place = table.place(name)?;
    let number = |row: usize| {
        let text = table.cell(row, place).unwrap_or_default().replace(',', "");
        text.parse().map_err(|_| table.error(row, place, format!("`{text}` is not a number")))
    };
    rows.into_iter().map(number).collect()
}

/// All models, in the colours of their families, with dots as large as their images.
fn show_all(models: &[Model], title: &str) -> Plot {
    families(models).iter().fold(axes(title), |plot, family| dots(plot, models, family))
}

/// The models of the families that `subs` names, each family with its trend.
fn show_subs(models: &[Model], title: &str, subs: &str) -> Result<Plot> {
    let wanted = pattern(&format!("^(?:{subs})$"))?;
    let families = families(models).into_iter().filter(|family| wanted.is_match(family));
    Ok(families.fold(axes(title), |plot, family| dots(plot, models, &family).trend()))
}

fn axes(title: &str) -> Plot {
    Plot::new(title).x_label("seconds per image").y_label("top1, percent").log_x().size(760, 560)
}

fn dots(plot: Plot, models: &[Model], family: &str) -> Plot {
    let models: Vec<&Model> = models.iter().filter(|model| model.family == family).collect();
    let column = |value: fn(&Model) -> f64| models.iter().map(|&model| value(model)).collect::<Vec<f64>>();
    let texts: Vec<String> = models.iter().map(|model| text(model)).collect();
    let plot = plot.scatter(family, &column(|m| m.secs), &column(|m| m.top1));
    plot.sized(&column(|m| m.img_size * m.img_size)).hover(&texts)
}

/// What the page says of a model while the pointer is on its dot.
fn text(m: &Model) -> String {
    let Model { full_name, family, img_size, speed, top1, params, .. } = m;
    format!("{full_name} ({family}): {top1} %, {speed:.0} images per second at {img_size} px, {params} M parameters")
}

/// The families, in the order of their fastest models.
fn families(models: &[Model]) -> Vec<String> {
    let mut families: Vec<String> = Vec::new();
    for model in models {
        if !families.contains(&model.family) {
            families.push(model.family.clone());
        }
    }
    families
}

/// Time against the number of parameters, for three ranges of image sizes.
fn by_image_size(models: &[Model]) -> Plot {
    let plot = Plot::new("").x_label("millions of parameters").y_label("seconds per image").log_x().log_y();
    let ranges = [("up to 224 px", 0.0, 224.0), ("to 288 px", 224.0, 288.0), ("above 288 px", 288.0, f64::INFINITY)];
    ranges.into_iter().fold(plot.size(760, 560), |plot, (name, above, to)| {
        let models: Vec<&Model> = models.iter().filter(|m| m.img_size > above && m.img_size <= to).collect();
        let (xs, ys): (Vec<f64>, Vec<f64>) = models.iter().map(|m| (m.params, m.secs)).unzip();
        plot.scatter(name, &xs, &ys).hover(&models.iter().map(|m| text(m)).collect::<Vec<_>>())
    })
}

/// A table of models with the sizes of the images that they were timed and tested with.
fn show_models_by_speed(s: &mut Session, models: &[&Model]) {
    let rows = models.iter().map(|m| {
        let [timed, tested] = [m.img_size, m.accuracy_img_size].map(|side| format!("{side}"));
        vec![m.full_name.clone(), format!("{:.0}", m.speed), format!("{:.1}", m.top1), timed, tested]
    });
    let heads = ["model", "images per second", "top1", "timed with", "tested with"];
    s.table(&heads, &rows.collect::<Vec<_>>());
}

/// The models that no other one beats in both speed and accuracy, fastest first.
fn unbeaten(models: &[Model]) -> Vec<&Model> {
    let mut sorted: Vec<&Model> = models.iter().collect();
    sorted.sort_by(|a, b| b.speed.total_cmp(&a.speed).then(b.top1.total_cmp(&a.top1)));
    let mut best = f64::NEG_INFINITY;
    sorted.retain(|model| {
        let is_better = model.top1 > best;
        best = best.max(model.top1);
        is_better
    });
    sorted
}
