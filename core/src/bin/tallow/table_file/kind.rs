//! What the columns of a table of predictions hold, by their names.

/// The beginning of the names of columns with a class's probability.
pub(crate) const PROBABILITY_OF: &str = "probability of ";

/// The column with what the network's head sees of a photo.
pub(crate) const EMBEDDING: &str = "embedding";

/// What the cells of a column hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Path,
    /// Marked where a spreadsheet would take it for a formula.
    Text,
    Number,
    Numbers,
}

impl Kind {
    pub(super) fn of(column: &str) -> Kind {
        match column {
            "file" => Kind::Path,
            "probability" | "strangeness" => Kind::Number,
            EMBEDDING => Kind::Numbers,
            name if name.starts_with(PROBABILITY_OF) => Kind::Number,
            _ => Kind::Text,
        }
    }
}
