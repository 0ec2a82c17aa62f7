//! CSV files as they come, and what is wrong with some of them.

use std::fs;
use std::path::{Path, PathBuf};
use tallow::data::Table;

fn written(folder: &Path, bytes: impl AsRef<[u8]>) -> PathBuf {
    let file = folder.join("table.csv");
    fs::write(&file, bytes).unwrap();
    file
}

fn rows(table: &Table) -> Vec<Vec<Option<&str>>> {
    let columns = 0..table.names().len();
    (0..table.n_rows()).map(|row| columns.clone().map(|column| table.cell(row, column)).collect()).collect()
}

#[test]
fn a_file_is_read_whatever_program_wrote_it() {
    let folder = tempfile::tempdir().unwrap();
    // Blanks after separators as in UCI's Adult, a byte order mark, quotes, line ends of Windows, empty lines.
    let text = "\u{feff}age, work class, \"notes, long\"\r\n39, State-gov, \"says \"\"hi\"\", then\r\nleaves\"\r\n\r\n\
                \r\n 50 ,?,plain \"quote\r\n";
    let table = Table::read(written(folder.path(), text)).unwrap();
    assert_eq!(table.names(), ["age", "work class", "notes, long"]);
    let quoted = "says \"hi\", then\r\nleaves";
    assert_eq!(
        rows(&table),
        [[Some("39"), Some("State-gov"), Some(quoted)], [Some("50"), Some("?"), Some("plain \"quote")]]
    );
    let error = table.error(1, 0, "`50` is too old").to_string();
    assert!(error.ends_with("table.csv: line 6, column `age`: `50` is too old"), "{error}");
    for separator in [';', '\t'] {
        let text = format!("a{separator}b{separator}c,d\n1{separator}2,5{separator}3\n");
        assert_eq!(rows(&Table::read(written(folder.path(), text)).unwrap()), [[Some("1"), Some("2,5"), Some("3")]]);
    }
    // What stands between quotes separates nothing.
    let table = Table::read(written(folder.path(), "\"x, in m, at noon\";c;y\n1;2;3\n")).unwrap();
    assert_eq!(table.names(), ["x, in m, at noon", "c", "y"]);
    // A column of numbers of rows has no name in pandas' files.
    assert_eq!(Table::read(written(folder.path(), ",a\n0,1\n")).unwrap().names(), ["Unnamed: 0", "a"]);
}

#[test]
fn what_is_missing_is_spelt_in_many_ways() {
    let folder = tempfile::tempdir().unwrap();
    let file = written(folder.path(), "a,b\nNA,1\n,2\nN/A,3\nNaN,4\nnan,5\nnull,6\nNone,7\n\"\",8\n?,9\nna,10\n");
    let first = |table: &Table| (0..table.n_rows()).map(|row| table.cell(row, 0).is_some()).collect::<Vec<bool>>();
    let table = Table::read(&file).unwrap();
    assert_eq!(first(&table), [[false; 8].as_slice(), &[true, true]].concat());
    assert_eq!(first(&Table::read_with(&file, &["?"]).unwrap())[8..], [false, true]);
    assert_eq!((table.number(3, 1).unwrap(), table.number(0, 0).unwrap()), (Some(4.0), None));
    let error = table.number(8, 0).unwrap_err().to_string();
    assert!(error.contains("line 10, column `a`: `?` is not a number"), "{error}");
}

#[test]
fn what_is_no_table_is_told_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let cases: [(&[u8], &[&str]); 12] = [
        (b"PK\x03\x04\x14\0\x08\x08\xff", &["workbook", "save it as CSV"]),
        (b"\x1f\x8b\x08\0\xff", &["gzip", "unpack it"]),
        (b"PAR1\x15\x04\xff", &["Parquet", "convert it"]),
        (b"\xff\xfe\0\0a\0\0\0", &["UTF-32"]),
        (b"", &["is empty", "column names"]),
        (b"a,b\n", &["no rows below"]),
        (b"a,b\n1,2\n3\n", &["line 3 has 1 cells, and there are 2 columns"]),
        (b"a,b\n1,2\n\n3,4,5\n", &["line 4 has 3 cells", "must be quoted"]),
        (b"a,b\n1,\"2\n3,4\n5,6\n", &["line 2", "a quotation mark is not closed"]),
        (b"a,b,a\n1,2,3\n", &["two columns `a`"]),
        (b"a,b\n1,2\n\xff,3\n", &["not UTF-8 (line 3)"]),
        (b"age,job\n1,2\n", &["no column `Age `", "(`age`?)", "its columns are age, job"]),
    ];
    for (bytes, words) in cases {
        let error = Table::read(written(folder.path(), bytes)).and_then(|table| table.place("Age ")).unwrap_err();
        for word in words {
            assert!(error.to_string().contains(word), "no `{word}` in {error}");
        }
        assert!(error.to_string().contains("table.csv"), "{error}");
    }
    assert!(Table::read(folder.path().join("nowhere.csv")).unwrap_err().to_string().contains("nowhere.csv"));
}
