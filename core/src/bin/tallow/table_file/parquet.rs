//! A table of predictions as Parquet: texts, numbers in double precision, and features as lists of numbers in single
//! precision. An empty cell is null.

use super::kind::Kind;
use parquet::basic::{ConvertedType, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, FloatType};
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{Type, TypePtr};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::sync::Arc;
use tallow_io::csv::unmarked;

/// How many rows are kept in memory, and stand together in the file.
const GROUP: usize = 4096;

pub(super) fn write(file: &mut File, head: &[String], rows: impl Iterator<Item = Vec<String>>) -> std::io::Result<()> {
    let mut rows = rows.peekable();
    let mut write_all = || -> Result<()> {
        let properties = Arc::new(WriterProperties::builder().set_dictionary_enabled(false).build());
        let mut writer = SerializedFileWriter::new(BufWriter::new(&mut *file), schema(head)?, properties)?;
        while rows.peek().is_some() {
            let group: Vec<Vec<String>> = rows.by_ref().take(GROUP).collect();
            write_group(&mut writer, head, &group)?;
        }
        writer.close()?;
        Ok(())
    };
    write_all().map_err(|error| match error {
        ParquetError::External(source) => std::io::Error::other(source),
        other => std::io::Error::other(other.to_string()),
    })
}

fn schema(head: &[String]) -> Result<TypePtr> {
    let column = |name: &String| {
        let of = |physical| Type::primitive_type_builder(name, physical).with_repetition(Repetition::OPTIONAL);
        let built = match Kind::of(name) {
            Kind::Path | Kind::Text => of(Physical::BYTE_ARRAY).with_logical_type(Some(LogicalType::String)).build()?,
            Kind::Number => of(Physical::DOUBLE).build()?,
            Kind::Numbers => return numbers(name),
        };
        Ok(Arc::new(built))
    };
    let fields = head.iter().map(column).collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(Type::group_type_builder("predictions").with_fields(fields).build()?))
}

/// A list that may be null, of numbers that may not, in the three levels that the format asks for.
fn numbers(name: &str) -> Result<TypePtr> {
    let element = Type::primitive_type_builder("element", Physical::FLOAT).with_repetition(Repetition::REQUIRED);
    let list = Type::group_type_builder("list").with_repetition(Repetition::REPEATED);
    let list = list.with_fields(vec![Arc::new(element.build()?)]).build()?;
    let group = Type::group_type_builder(name).with_repetition(Repetition::OPTIONAL);
    let group = group.with_logical_type(Some(LogicalType::List)).with_converted_type(ConvertedType::LIST);
    Ok(Arc::new(group.with_fields(vec![Arc::new(list)]).build()?))
}

fn write_group<W: Write + Send>(
    writer: &mut SerializedFileWriter<W>,
    head: &[String],
    rows: &[Vec<String>],
) -> Result<()> {
    let mut group = writer.next_row_group()?;
    for (place, name) in head.iter().enumerate() {
        let Some(mut column) = group.next_column()? else { break };
        let cells = rows.iter().map(|row| row.get(place).map_or("", String::as_str));
        let there: Vec<&str> = cells.clone().filter(|cell| !cell.is_empty()).collect();
        let levels: Vec<i16> = cells.clone().map(|cell| i16::from(!cell.is_empty())).collect();
        match Kind::of(name) {
            kind @ (Kind::Path | Kind::Text) => {
                let text = |cell| if kind == Kind::Text { unmarked(cell) } else { cell };
                let texts: Vec<ByteArray> = there.into_iter().map(|cell| text(cell).into()).collect();
                column.typed::<ByteArrayType>().write_batch(&texts, Some(&levels), None)?;
            }
            Kind::Number => {
                let numbers = there.iter().map(|cell| cell.parse().map_err(|_| not_a_number(cell)));
                let numbers = numbers.collect::<Result<Vec<f64>>>()?;
                column.typed::<DoubleType>().write_batch(&numbers, Some(&levels), None)?;
            }
            Kind::Numbers => {
                let (mut values, mut definition, mut repetition) = (Vec::<f32>::new(), Vec::new(), Vec::new());
                for cell in cells {
                    let list: Vec<f32> = match cell {
                        "" => Vec::new(),
                        cell => serde_json::from_str(cell).map_err(|_| not_a_number(cell))?,
                    };
                    // An absent list is 0, an empty one 1, each number of another 2; all but its first repeat.
                    let n = list.len().max(1);
                    definition
                        .extend(std::iter::repeat_n(if list.is_empty() { i16::from(!cell.is_empty()) } else { 2 }, n));
                    repetition.extend((0..n).map(|i| i16::from(i > 0)));
                    values.extend(list);
                }
                column.typed::<FloatType>().write_batch(&values, Some(&definition), Some(&repetition))?;
            }
        }
        column.close()?;
    }
    group.close()?;
    Ok(())
}

fn not_a_number(cell: &str) -> ParquetError {
    ParquetError::General(format!("`{cell}` is not a number: a part is damaged, score it again"))
}
