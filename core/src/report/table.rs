//! Tables of text: aligned for the terminal, and growing row by row while a network trains.

use crate::text::visible_line;

/// A table with its heads, for the terminal and for the page.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Table {
    pub(crate) headers: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(headers: &[impl AsRef<str>], rows: &[Vec<String>]) -> Table {
        let headers: Vec<String> = headers.iter().map(|h| String::from(h.as_ref())).collect();
        Table { headers: shown(&headers), rows: rows.iter().map(|row| shown(row)).collect() }
    }

    /// Number of columns: a row may be longer than the heads.
    fn columns(&self) -> usize {
        self.rows.iter().map(Vec::len).chain([self.headers.len()]).max().unwrap_or(0)
    }

    /// For each column, whether all it holds are numbers, which stand to the right.
    pub(crate) fn numeric(&self) -> Vec<bool> {
        let column = |i: usize| self.rows.iter().filter_map(move |row| row.get(i)).filter(|cell| !cell.is_empty());
        (0..self.columns()).map(|i| column(i).next().is_some() && column(i).all(|cell| is_number(cell))).collect()
    }

    /// The lines of the table, its columns aligned, with a rule below the heads.
    pub(crate) fn lines(&self) -> Vec<String> {
        let numeric = self.numeric();
        let cells = |i: usize| self.rows.iter().chain([&self.headers]).filter_map(move |row| row.get(i));
        let widths: Vec<usize> =
            (0..self.columns()).map(|i| cells(i).map(|cell| width(cell)).max().unwrap_or(0)).collect();
        let mut lines = vec![align(&self.headers, &widths, &numeric)];
        lines.push(widths.iter().map(|&w| "─".repeat(w)).collect::<Vec<_>>().join("  "));
        lines.extend(self.rows.iter().map(|row| align(row, &widths, &numeric)));
        lines
    }
}

/// A table whose rows come one at a time, so that widths are settled before the numbers are known. These are fast.ai's
/// tables of epochs: each column is as wide as its head, and wide enough for a number.
#[derive(Debug, Clone, Default)]
pub(crate) struct LiveTable {
    widths: Vec<usize>,
}

impl LiveTable {
    /// Begins a table, and gives its first line.
    pub(crate) fn begin(headers: &[String]) -> (LiveTable, String) {
        let widths = headers.iter().map(|head| width(head).max(8)).collect();
        let table = LiveTable { widths };
        let line = table.row(headers);
        (table, line)
    }

    /// The line of one row.
    pub(crate) fn row(&self, cells: &[String]) -> String {
        align(&shown(cells), &self.widths, &vec![true; cells.len()])
    }
}

/// Cells as they may be shown: a class may be called anything.
fn shown(cells: &[String]) -> Vec<String> {
    cells.iter().map(|cell| visible_line(cell).into_owned()).collect()
}

fn align(cells: &[String], widths: &[usize], right: &[bool]) -> String {
    let mut line = String::new();
    for (i, cell) in cells.iter().enumerate() {
        let room = widths.get(i).copied().unwrap_or(0).saturating_sub(width(cell));
        let (before, after) = if right.get(i).copied().unwrap_or(false) { (room, 0) } else { (0, room) };
        if i > 0 {
            line.push_str("  ");
        }
        line.push_str(&" ".repeat(before));
        line.push_str(cell);
        line.push_str(&" ".repeat(after));
    }
    String::from(line.trim_end())
}

fn width(cell: &str) -> usize {
    cell.chars().count()
}

/// Whether a cell reads as a number, a percentage or a time such as `00:12`.
fn is_number(cell: &str) -> bool {
    let cell = cell.trim().trim_end_matches('%');
    cell.replace([',', ':', '×', '→'], "").trim().parse::<f64>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: &[&str]) -> Vec<String> {
        cells.iter().map(|&c| String::from(c)).collect()
    }

    #[test]
    fn numbers_stand_to_the_right_and_words_to_the_left() {
        let table = Table::new(&["what", "n"], &[row(&["threes", "6131"]), row(&["sevens", "265"])]);
        assert_eq!(table.lines(), ["what       n", "──────  ────", "threes  6131", "sevens   265"]);
    }

    #[test]
    fn rows_longer_or_shorter_than_the_heads_are_no_trouble() {
        let table = Table::new(&["a"], &[row(&["x", "1"]), row(&[])]);
        assert_eq!(table.lines(), ["a", "─  ─", "x  1", ""]);
        assert!(Table::default().lines().iter().all(String::is_empty));
    }

    #[test]
    fn a_classs_name_cannot_colour_the_terminal() {
        let names = Table::new(&["class"], &[row(&["cats\u{1b}[31m\n"])]);
        assert_eq!(names.lines()[2], "cats\\u{1b}[31m\\n");
    }

    #[test]
    fn rows_of_a_live_table_line_up_with_its_heads() {
        let (table, head) = LiveTable::begin(&row(&["epoch", "train_loss", "time"]));
        let line = table.row(&row(&["0", "0.123456", "00:03"]));
        assert_eq!(head, "   epoch  train_loss      time");
        assert_eq!(line, "       0    0.123456     00:03");
    }
}
