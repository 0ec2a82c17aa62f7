//! Pictures as a user makes them: the right colours at the right places, well-formed files, and no input that panics.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use image::RgbImage;
use tallow::Error;
use tallow::plot::{Bars, Diagram, Figure, HeatMap, ImageGrid, Panel, PixelTable, Plot};

fn drawn(figure: impl Into<Figure>) -> RgbImage {
    image::load_from_memory(&figure.into().png().unwrap()).unwrap().to_rgb8()
}

/// How many pixels have exactly this colour.
fn count(image: &RgbImage, color: [u8; 3]) -> usize {
    image.pixels().filter(|pixel| pixel.0 == color).count()
}

/// The smallest rectangle (left, top, right, bottom; inclusive) that holds all pixels of this colour.
fn extent(image: &RgbImage, color: [u8; 3]) -> (u32, u32, u32, u32) {
    let found: Vec<(u32, u32)> =
        image.enumerate_pixels().filter(|(_, _, pixel)| pixel.0 == color).map(|(x, y, _)| (x, y)).collect();
    let (xs, ys) = (found.iter().map(|p| p.0), found.iter().map(|p| p.1));
    (xs.clone().min().unwrap(), ys.clone().min().unwrap(), xs.max().unwrap(), ys.max().unwrap())
}

/// Draws both formats, which must succeed, and checks what holds of every picture.
fn sound(figure: impl Into<Figure>) -> String {
    let figure = figure.into();
    let (width, height) = figure.size();
    let image = drawn(figure.clone());
    assert_eq!(image.dimensions(), (2 * width, 2 * height), "the PNG has two pixels to a page unit");
    let svg = figure.svg().unwrap();
    well_formed(&svg);
    svg
}

/// Every tag is closed in order, every ampersand starts an entity, no number is NaN or infinite.
fn well_formed(svg: &str) {
    assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"));
    let mut open: Vec<&str> = Vec::new();
    for piece in svg.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').expect("a tag ends");
        assert!(!tag.contains("NaN") && !tag.contains("inf"), "<{tag}>");
        let name = tag.split_whitespace().next().unwrap();
        match name.strip_prefix('/') {
            Some(closed) => assert_eq!(open.pop(), Some(closed)),
            None if !tag.ends_with('/') => open.push(name),
            None => {}
        }
        for entity in text.split('&').skip(1) {
            assert!(["lt;", "gt;", "amp;", "quot;", "apos;"].iter().any(|e| entity.starts_with(e)), "&{entity}");
        }
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'));
    }
    assert!(open.is_empty(), "{open:?}");
}

fn message(figure: impl Into<Figure>) -> String {
    let figure = figure.into();
    let error = figure.svg().unwrap_err();
    assert!(matches!(error, Error::Shape { .. }) || error.to_string().contains("caption"), "{error:?}");
    assert_eq!(error.to_string(), figure.png().unwrap_err().to_string());
    error.to_string()
}

#[test]
fn a_line_is_drawn_in_the_first_colour_where_its_data_are() {
    let image = drawn(Plot::new("").line("", &[0.0, 1.0], &[0.0, 1.0]));
    let (left, top, right, bottom) = extent(&image, [0, 114, 178]);
    // From bottom left to top right, within the axes.
    assert!(left > 60 && right < 1280 && top > 20 && bottom < 760);
    let rises = |x: u32| (0..800).find(|&y| image.get_pixel(x, y).0 == [0, 114, 178]);
    assert!(rises(left + 50) > rises(right - 50));
}

#[test]
fn what_is_outside_the_range_is_not_drawn() {
    let xs: Vec<f64> = (0..50).map(f64::from).collect();
    let plot = Plot::new("").scatter("", &xs, &xs).line("", &xs, &xs).x_range(100.0, 200.0);
    assert_eq!(count(&drawn(plot.clone()), [0, 114, 178]), 0);
    assert_eq!(count(&drawn(plot), [213, 94, 0]), 0);
}

#[test]
fn a_heat_map_colours_its_cells() {
    let map = HeatMap::new("", 2, 2, &[0.0, 10.0, 10.0, 0.0]).numbers(true);
    let image = drawn(map);
    let dark = [8, 48, 107];
    let (left, top, right, bottom) = extent(&image, dark);
    let (middle_x, middle_y) = ((left + right) / 2, (top + bottom) / 2);
    let corner = |x: u32, y: u32| image.get_pixel(x, y).0;
    assert_eq!(corner(left + 10, top + 10), [255, 255, 255]);
    assert_eq!(corner(middle_x + 10, top + 10), dark);
    assert_eq!(corner(left + 10, middle_y + 10), dark);
    assert_eq!(corner(middle_x + 10, middle_y + 10), [255, 255, 255]);
}

#[test]
fn a_diverging_map_is_red_below_zero_and_blue_above() {
    let image = drawn(HeatMap::new("", 1, 3, &[-2.0, 0.0, 2.0]).numbers(true).diverging());
    let (red, blue) = (extent(&image, [178, 24, 43]), extent(&image, [33, 102, 172]));
    assert!(red.2 < blue.0);
}

#[test]
fn a_pixel_table_is_shaded_from_white_to_black() {
    let image = drawn(PixelTable::new("", 3, &[0, 100, 255, 255, 100, 0]));
    let (left, top, right, bottom) = extent(&image, [0, 0, 0]);
    // Cells are 32 by 21 page units; their corners are free of numbers.
    assert_eq!((right - left + 1, bottom - top + 1), (2 * 3 * 32, 2 * 2 * 21));
    let cell = |row: u32, column: u32| image.get_pixel(left + 64 * column + 4, top + 42 * row + 4).0;
    assert_eq!([cell(0, 0), cell(0, 1), cell(0, 2)], [[255; 3], [155; 3], [0; 3]]);
    assert_eq!([cell(1, 0), cell(1, 1), cell(1, 2)], [[0; 3], [155; 3], [255; 3]]);
}

#[test]
fn images_are_magnified_pixel_by_pixel() {
    let image = drawn(ImageGrid::new("", 1).rgb(2, 1, &[200, 10, 20, 30, 40, 220]).magnify(50.0));
    let (red, blue) = (extent(&image, [200, 10, 20]), extent(&image, [30, 40, 220]));
    assert_eq!((red.2 - red.0 + 1, red.3 - red.1 + 1), (100, 100));
    assert_eq!((blue.0, blue.1), (red.2 + 1, red.1));
    assert_eq!(count(&image, [200, 10, 20]), 100 * 100);
}

#[test]
fn ink_turns_grey_images_over() {
    let stored = drawn(ImageGrid::new("", 1).grey(2, 2, &[0, 0, 0, 80]));
    let ink = drawn(ImageGrid::new("", 1).ink().grey_f32(2, 2, &[0.0, 0.0, 0.0, 80.0 / 255.0]));
    assert!(count(&stored, [80; 3]) > 1000 && count(&stored, [0; 3]) > 3000);
    assert!(count(&ink, [175; 3]) > 1000 && count(&ink, [0; 3]) == 0);
}

#[test]
fn captions_are_green_or_red_by_correctness() {
    let grid = ImageGrid::new("", 2).grey(1, 1, &[9]).caption("3").correct(true);
    let svg = sound(grid.grey(1, 1, &[9]).caption("7").correct(false).grey(1, 1, &[9]));
    assert!(svg.contains("#007A56") && svg.contains("#D55E00"));
}

#[test]
fn svg_holds_the_texts_escaped() {
    let svg = sound(Plot::new("a < b & c").x_label("\"x\"\u{0}").line("f(x) = x²", &[0.0, 1.0], &[0.0, 1.0]));
    assert!(svg.contains("a &lt; b &amp; c"));
    assert!(svg.contains("&quot;x&quot; "));
    assert!(svg.contains("f(x) = x²"));
    assert!(svg.contains("DejaVu Sans"));
}

#[test]
fn empty_and_odd_series_are_no_trouble() {
    let nan = f64::NAN;
    let inf = f64::INFINITY;
    sound(Plot::new(""));
    sound(Plot::new("").line("", &[], &[]).scatter("none", &[], &[]).dashed("", &[], &[]));
    sound(Plot::new("").line("one", &[1.0], &[1.0]).scatter("", &[1.0], &[1.0]).dashed("", &[2.0], &[2.0]));
    sound(Plot::new("").line("", &[nan, nan], &[nan, 1.0]).arrow((nan, 0.0), (1.0, inf)).point("p", nan, inf));
    sound(Plot::new("").line("", &[1.0, 2.0, 3.0, 4.0], &[1.0, nan, inf, -inf]).hline(nan, "h").vline(inf, "v"));
    sound(Plot::new("").line("", &[3.0; 5], &[7.0; 5]).arrow((3.0, 7.0), (3.0, 7.0)));
    sound(Plot::new("").line("", &[1.0, 2.0], &[f64::MAX, f64::MIN]).scatter("", &[1e299, -1e299], &[0.0, 1e-320]));
    sound(Plot::new("").line("", &[1e16, 1e16 + 2.0], &[0.1, 0.1 + 1e-17]));
    sound(Plot::new("").function("", nan, inf, |x| x).function("", 1.0, -1.0, |x| 1.0 / x).function(
        "",
        0.1,
        9.0,
        f64::ln,
    ));
}

#[test]
fn a_line_is_broken_at_what_is_not_a_number() {
    let whole = sound(Plot::new("").line("", &[0.0, 1.0, 2.0, 3.0, 4.0], &[1.0; 5]));
    let broken = sound(Plot::new("").line("", &[0.0, 1.0, 2.0, 3.0, 4.0], &[1.0, 1.0, f64::NAN, 1.0, 1.0]));
    assert_eq!(whole.matches("<polyline").count(), 1);
    assert_eq!(broken.matches("<polyline").count(), 2);
}

#[test]
fn ranges_may_be_reversed_or_impossible() {
    let plot = Plot::new("").line("", &[1.0, 2.0], &[1.0, 2.0]);
    let forward = sound(plot.clone().x_range(0.0, 3.0).y_range(-1.0, 5.0));
    assert_eq!(forward, sound(plot.clone().x_range(3.0, 0.0).y_range(5.0, -1.0)));
    sound(plot.clone().x_range(1.0, 1.0).y_range(f64::NAN, f64::INFINITY));
    sound(plot.clone().x_range(-5.0, 10.0).log_x().log_y());
    sound(plot.x_range(-f64::MAX, f64::MAX));
}

#[test]
fn logarithmic_axes_skip_what_is_not_positive() {
    let svg = sound(Plot::new("").scatter("", &[-1.0, 0.0, 0.001, 100.0], &[1.0, 2.0, 3.0, 4.0]).log_x());
    assert_eq!(svg.matches("<circle").count(), 2);
    assert!(svg.contains("\n0.001\n") && svg.contains("\n100\n"));
    sound(Plot::new("").line("", &[-1.0], &[-1.0]).log_x().log_y());
    sound(Plot::new("").line("", &[1e-299, 1e299], &[1.0, 2.0]).log_x());
}

#[test]
fn tick_labels_are_readable() {
    let svg = sound(Plot::new("").line("", &[1e-7, 10.0], &[0.0, 50_000.0]).log_x().y_range(-20_000.0, 50_000.0));
    for label in ["1e-7", "1e-3", "1e-1", "10", "50k", "−20k", "0"] {
        assert!(svg.contains(&format!("\n{label}\n")), "{label}");
    }
    assert!(!svg.contains("\n-0") && !svg.contains("\n−0\n"));
}

#[test]
fn very_long_labels_are_cut() {
    let long = "very long ".repeat(500);
    let plot = Plot::new(&long).x_label(&long).y_label(&long).line(&long, &[0.0, 1.0], &[0.0, 1.0]);
    let svg = sound(plot.point(&long, 0.5, 0.5).hline(0.2, &long).vline(0.2, &long));
    assert!(svg.len() < 20_000 && svg.contains('…'));
    sound(Bars::new(&long, &[&long, &long], &[1.0, 2.0]));
    sound(Bars::new(&long, &[&long, &long], &[1.0, 2.0]).horizontal().y_label(&long));
    sound(HeatMap::new(&long, 1, 1, &[1.0]).row_labels(&[&long]).col_labels(&[&long]).x_label(&long).y_label(&long));
    sound(ImageGrid::new(&long, 3).grey(1, 1, &[0]).caption(&long));
    sound(PixelTable::new(&long, 1, &[1]));
}

#[test]
fn thousands_of_points_are_drawn() {
    let xs: Vec<f64> = (0..20_000).map(f64::from).collect();
    let ys: Vec<f64> = xs.iter().map(|x| (x * 0.7).sin()).collect();
    sound(Plot::new("").line("", &xs, &ys).scatter("", &xs, &ys).dashed("", &xs, &ys).hline(0.5, "half"));
}

#[test]
fn bars_of_every_sign_and_number() {
    let names: Vec<String> = (0..300).map(|i| format!("class {i}")).collect();
    let values: Vec<f64> = (0..300).map(f64::from).collect();
    for horizontal in [false, true] {
        let turned = |bars: Bars| if horizontal { bars.horizontal() } else { bars };
        sound(turned(Bars::new("", &names, &values)));
        sound(turned(Bars::new::<&str>("", &[], &[])));
        sound(turned(Bars::new("", &["a", "b", "c"], &[-1.0, f64::NAN, 2.0])));
        sound(turned(Bars::new("", &["a", "b"], &[-1.0, -2.0])));
        sound(turned(Bars::new("", &["a", "b"], &[0.0, f64::INFINITY])));
        assert!(sound(turned(Bars::new("", &["a"], &[12_345.0]))).contains("12.35k"));
    }
}

#[test]
fn small_images_and_maps_are_drawn() {
    sound(ImageGrid::new("", 0));
    sound(ImageGrid::new("", 5).grey(1, 1, &[7]).rgb(1, 3, &[1; 9]).grey_f32(1, 1, &[f32::NAN]).magnify(f64::NAN));
    sound(ImageGrid::new("", 1).rgb(500, 3, &[90; 4500]));
    sound(HeatMap::new("", 1, 1, &[f64::NAN]).numbers(true));
    sound(HeatMap::new("", 2, 1, &[f64::INFINITY, -3.0]).numbers(true).diverging());
    sound(HeatMap::new("", 1, 500, &[0.0; 500]));
    sound(PixelTable::new("", 1, &[255]));
}

#[test]
fn what_does_not_fit_together_is_named() {
    let error = message(Plot::new("Loss").line("train", &[1.0, 2.0, 3.0], &[1.0]));
    assert_eq!(error, "plot `Loss`: series `train` has 3 x values and 1 y values");
    assert!(message(Bars::new("B", &["a"], &[1.0, 2.0])).contains("1 labels and 2 values"));
    assert!(message(HeatMap::new("H", 2, 2, &[1.0])).contains("need 4 values"));
    assert!(message(HeatMap::new("H", 2, 1, &[1.0, 2.0]).row_labels(&["a"])).contains("2 rows and 1 row labels"));
    assert!(message(HeatMap::new("H", 0, 0, &[])).contains("at least one"));
    assert!(message(ImageGrid::new("I", 2).grey(2, 2, &[0; 3])).contains("needs 4 values"));
    assert!(message(ImageGrid::new("I", 2).rgb(2, 2, &[0; 4])).contains("needs 12 values"));
    assert!(message(ImageGrid::new("I", 2).grey(0, 5, &[])).contains("at least one"));
    assert!(message(ImageGrid::new("I", 2).caption("early")).contains("before the first image"));
    assert!(message(PixelTable::new("P", 4, &[0; 6])).contains("6 pixels do not make rows of 4"));
    assert!(message(PixelTable::new("P", 0, &[0; 6])).contains("rows of 0"));
    // Absurd sizes are refused rather than allocated.
    let huge = Figure::from(ImageGrid::new("I", 1).grey(usize::MAX, usize::MAX, &[0]));
    assert!(matches!(huge.png(), Err(Error::Shape { .. })) && matches!(huge.svg(), Err(Error::Shape { .. })));
}

#[test]
fn a_grid_holds_panels_of_every_kind_in_rows() {
    let plot = Plot::new("curve").function("", 0.0, 1.0, |x| x).size(300, 200);
    let panels: [Panel; 5] = [
        plot.clone().into(),
        Bars::new("bars", &["a"], &[1.0]).size(200, 250).into(),
        HeatMap::new("map", 1, 1, &[1.0]).into(),
        ImageGrid::new("images", 1).grey(1, 1, &[0]).into(),
        PixelTable::new("table", 1, &[1]).into(),
    ];
    let svg = sound(Figure::grid(&panels, 2).title("everything"));
    for title in ["everything", "curve", "bars", "map", "images", "table"] {
        assert!(svg.contains(title), "{title}");
    }
    assert_eq!(Figure::grid(&[plot.clone(), plot.clone()], 2).size(), (600, 200));
    assert_eq!(Figure::grid(&[plot.clone(), plot.clone()], 1).size(), (300, 400));
    sound(Figure::grid(&[plot], 0));
    sound(Figure::grid::<Panel>(&[], 3));
}

#[test]
fn figures_are_saved_by_extension() {
    let folder = tempfile::tempdir().unwrap();
    let figure = Figure::from(Plot::new("saved").line("", &[0.0, 1.0], &[1.0, 0.0]));
    let path = folder.path().join("new/folder/figure");
    figure.save(path.with_extension("png")).unwrap();
    figure.save(path.with_extension("SVG")).unwrap();
    assert_eq!(image::open(path.with_extension("png")).unwrap().width(), 1280);
    assert_eq!(std::fs::read_to_string(path.with_extension("SVG")).unwrap(), figure.svg().unwrap());
    for name in ["figure.pdf", "figure", ".png"] {
        let error = figure.save(folder.path().join(name)).unwrap_err();
        assert!(matches!(error, Error::Usage(_)) && error.to_string().contains("must end in .png or .svg"), "{error}");
        assert!(error.to_string().contains(name));
    }
}

#[test]
fn a_path_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "kept").unwrap();
    let error = Figure::from(Plot::new("")).save(file.join("below.png")).unwrap_err();
    assert!(error.to_string().contains("file"), "{error}");
    assert_eq!(tallow::cli::exit_code(&error), 1);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "kept");
}

#[test]
fn the_same_figure_is_the_same_file() {
    let figure = || Figure::from(Plot::new("x²").function("x²", -2.0, 2.0, |x| x * x).point("here", 1.0, 1.0));
    assert_eq!(figure().png().unwrap(), figure().png().unwrap());
    assert_eq!(figure().svg().unwrap(), figure().svg().unwrap());
}

#[test]
fn regions_fill_the_plane_in_pale_colours_and_series_take_the_colour_of_their_class() {
    // Two by two cells: the first class above left and below right.
    let plot = Plot::new("").regions((0.0, 2.0), (0.0, 2.0), 2, &[0, 1, 1, 0]).size(400, 300);
    let image = drawn(plot.clone());
    // 30 % of the palette's blue and vermillion on white.
    let (first, second) = ([179, 213, 232], [242, 207, 179]);
    let (a, b) = (count(&image, first), count(&image, second));
    assert!(a > 20_000 && a.abs_diff(b) < a / 10, "{a} {b}");
    let (left, top, ..) = extent(&image, first);
    let (right_left, second_top, ..) = extent(&image, second);
    assert!(left < right_left + 4 && top.abs_diff(second_top) < 4);
    let corner = |x: u32, y: u32| image.get_pixel(x, y).0;
    let (l, t, r, b) = extent(&image, first);
    assert_eq!((corner(l + 5, t + 5), corner(r - 5, b - 5)), (first, first));
    assert_eq!((corner(r - 5, t + 5), corner(l + 5, b - 5)), (second, second));

    // The third colour, though it is the first series.
    let green = [0, 158, 115];
    let line = plot.line("", &[0.2, 1.8], &[0.3, 1.7]).colored(2);
    assert!(count(&drawn(line), green) > 300);
    let ringed = Plot::new("").ringed("test", &[1.0], &[1.0]).colored(2);
    assert!(count(&drawn(ringed), green) > 20);
}

#[test]
fn shades_run_from_white_to_the_colour_and_cells_must_fill_rows() {
    let values = [0.0, 1.0, f64::NAN, 0.5];
    let image = drawn(Plot::new("").shades((0.0, 4.0), (0.0, 1.0), 4, 0, &values).size(400, 300));
    // 85 % of blue for 1, half of that for 0.5, grey where a number is missing.
    for color in [[38, 135, 190], [147, 195, 222], [236, 236, 236]] {
        assert!(count(&image, color) > 10_000, "{color:?}");
    }
    let error = Figure::from(Plot::new("p").shades((0.0, 1.0), (0.0, 1.0), 3, 0, &values)).svg().unwrap_err();
    assert_eq!(error.to_string(), "plot `p`: 4 cells do not fill rows of 3");
}

#[test]
fn a_diagram_has_a_circle_for_each_unit_and_a_line_for_each_weight() {
    let diagram = Diagram::new("net").layer("inputs", &["x[0]", "x[1]"]).weights(&["w0", "w1", "w2", "w3", "w4", "w5"]);
    let diagram = diagram.layer("hidden", &["h[0]", "h[1]", "h[2]"]).layer("output", &["y"]);
    let svg = sound(diagram);
    assert_eq!(svg.matches("<polyline").count() + svg.matches("<line").count(), 2 * 3 + 3, "{svg}");
    for label in ["x[0]", "h[2]", "w5", "output", "net"] {
        assert!(svg.contains(label), "{label}");
    }
    let error =
        Figure::from(Diagram::new("d").layer("", &["x"]).weights(&["1", "2"]).layer("", &["y"])).svg().unwrap_err();
    assert_eq!(error.to_string(), "diagram `d`: 2 labels for 1 lines");
    sound(Diagram::new("empty"));
}

#[test]
fn a_legend_of_colours_stands_above_the_images() {
    let names = ["sky", "a class with quite a long name", "road"];
    let colours = [[10, 200, 30], [200, 10, 30], [30, 10, 200]];
    let photo = vec![7u8; 40 * 30 * 3];
    let grid = (0..6).fold(ImageGrid::new("Masks", 3), |grid, i| grid.rgb(40, 30, &photo).caption(format!("c{i}")));
    let with = names.iter().zip(colours).fold(grid.clone(), |grid, (name, colour)| grid.colour(*name, colour));
    let svg = sound(with.clone());
    assert!(names.iter().all(|name| svg.contains(name)), "{svg}");
    let (plain, image) = (drawn(grid), drawn(with));
    assert!(image.height() > plain.height());
    let photos = extent(&image, [7; 3]);
    for colour in colours {
        // A field of 12 by 12 page units, above all images.
        assert_eq!(count(&image, colour), 24 * 24);
        assert!(extent(&image, colour).3 < photos.1);
    }
    // Many names take several rows, within the page.
    let many = (0..40u8).fold(ImageGrid::new("", 2).rgb(4, 3, &[7; 36]), |grid, i| {
        grid.colour(format!("class number {i}"), [200, i, 9])
    });
    let image = drawn(many.clone());
    sound(many);
    assert!((0..40).all(|i| count(&image, [200, i, 9]) == 24 * 24));
}

#[test]
fn dots_have_sizes_texts_and_a_trend() {
    let (xs, ys) = ([0.001, 0.01, 0.1, 1.0], [4.0, 3.0, 2.0, 1.0]);
    let plain = Plot::new("").log_x().scatter("", &xs, &ys);
    let dots = plain.clone().sized(&[0.0, 1.0, 4.0, f64::NAN]).hover(&["a", "b & <c>", "d\u{1b}\"", "e"]);
    let svg = sound(dots.clone());
    // The area is proportional: 11 and half of it, in tenths of a pixel.
    assert!(svg.contains("r=\"110\"") && svg.contains("r=\"55\""), "{svg}");
    for text in ["<title>a</title>", "<title>b &amp; &lt;c&gt;</title>", "<title>d &quot;</title>"] {
        assert!(svg.contains(text), "no {text}");
    }
    assert!(!svg.contains("<title>e</title>"), "what has no size is not there");

    // y = 1 - log10(x), which is a straight line on this axis only: the trend covers the line through the dots.
    const VERMILLION: [u8; 3] = [213, 94, 0];
    let line = drawn(plain.clone().trend().colored(1));
    let through = drawn(Plot::new("").log_x().scatter("", &xs, &ys).colored(1).line("", &xs, &ys).colored(1));
    assert_eq!(count(&line, VERMILLION), count(&through, VERMILLION));
    let linear = drawn(Plot::new("").scatter("", &xs, &ys).trend().colored(1));
    assert_ne!(count(&linear, VERMILLION), count(&line, VERMILLION));

    sound(Plot::new("").scatter("", &[1.0], &[1.0]).sized(&[0.0]).trend());
    sound(Plot::new("").sized(&[1.0]).hover(&["no series"]).trend());
    assert!(message(plain.clone().sized(&[1.0])).contains("4 dots and 1 sizes"));
    assert!(message(plain.hover(&["a"])).contains("4 dots and 1 texts"));
}
