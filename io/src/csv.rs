//! Tables as CSV files, quoted as RFC 4180 says.

use csv::WriterBuilder;

/// The rows as the text of a CSV file, one line each. A cell is quoted where a reader would otherwise misread it.
pub fn to_string<R>(rows: impl IntoIterator<Item = R>) -> String
where
    R: IntoIterator<Item: AsRef<[u8]>>,
{
    let mut writer = WriterBuilder::new().flexible(true).from_writer(Vec::new());
    for row in rows {
        // Memory takes all that is written to it, and rows may differ in length.
        let _ = writer.write_record(row);
    }
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_rfc_4180_wants_it() {
        let rows = [vec!["plain", "a,b", "say \"x\""], vec!["two\nlines", "", "a b"]];
        assert_eq!(to_string(rows), "plain,\"a,b\",\"say \"\"x\"\"\"\n\"two\nlines\",,a b\n");
    }
}
