//! Two small tables, embedded in the program as CSV files.

/// 344 penguins of the Palmer Archipelago: `species` (Adelie, Chinstrap or Gentoo), `island`, four measures, and `sex`.
/// Some values are missing.
///
/// Collected by Kristen Gorman and the Palmer Station LTER, published by Allison Horst, CC0 1.0; the file is that of
/// the npm package `vega-datasets` 3.2.1, as CSV, with the original's column names.
pub fn penguins() -> &'static str {
    include_str!("../embedded/tables/penguins.csv")
}

/// 1,461 days in Seattle, 2012 to 2015: `date`, `precipitation` in millimetres, `temp_max` and `temp_min` in degrees
/// Celsius, `wind` in metres a second, and `weather`: drizzle, fog, rain, snow or sun.
///
/// By the US National Climatic Data Center, in the public domain; the file is that of the npm package `vega-datasets`
/// 3.2.1, unchanged.
pub fn seattle_weather() -> &'static str {
    include_str!("../embedded/tables/seattle_weather.csv")
}
