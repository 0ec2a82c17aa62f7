//! A table for a terminal.

/// Lines up `rows` under `head`, columns two spaces apart, with a rule under the head. Columns whose name starts with a
/// space are numbers and stand at the right.
pub(crate) fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> String {
    let width = |i: usize| {
        let cells = rows.iter().map(|row| row[i].chars().count());
        cells.chain([head[i].trim().chars().count()]).max().unwrap_or(0)
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |cells: [&str; N]| {
        let cells: Vec<String> = (0..N)
            .map(|i| match head[i].starts_with(' ') {
                true => format!("{:>1$}", cells[i].trim(), widths[i]),
                false => format!("{:<1$}", cells[i], widths[i]),
            })
            .collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    let rules = widths.map(|width| "-".repeat(width));
    let mut text = line(head);
    text += &line(std::array::from_fn(|i| rules[i].as_str()));
    for row in rows {
        text += &line(std::array::from_fn(|i| row[i].as_str()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let rows = [["a".into(), "9.5 kB".into(), "x".into()], ["long".into(), "1 byte".into(), "y".into()]];
        let expected = "name    size  state\n----  ------  -----\na     9.5 kB  x\nlong  1 byte  y\n";
        assert_eq!(table(["name", " size", "state"], &rows), expected);
    }
}
