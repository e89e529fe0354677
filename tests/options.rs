//! The table of `docs/options.md`: each cell is a row of the table of decisions.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs,
    reason = "tests panic when they fail"
)]

#[allow(dead_code, reason = "tests/decisions.rs decides the rows; here their names are enough")]
mod table;

use std::collections::BTreeMap;
use std::path::Path;

const DOCUMENT: &str = include_str!("../docs/options.md");

/// What the rows that are named after two options expect.
fn rows() -> BTreeMap<(String, String), String> {
    let mut rows = BTreeMap::new();
    for table in table::all(Path::new("testdata/decisions")) {
        for case in table.cases.iter().filter(|_| table.name.contains("_options_")) {
            let (options, _) = case.why.split_once(": ").unwrap();
            let (one, other) = options.split_once(" with ").unwrap();
            rows.insert((one.to_owned(), other.to_owned()), case.expect.clone());
        }
    }
    rows
}

#[test]
fn each_cell_is_a_row_of_the_table_of_decisions() {
    let rows = rows();
    let lines: Vec<Vec<&str>> = DOCUMENT
        .lines()
        .filter(|line| line.starts_with('|') && !line.contains("---"))
        .map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`')).collect())
        .collect();
    let (head, body) = lines.split_first().unwrap();
    let mut cells = 0;
    for (number, line) in body.iter().enumerate() {
        for (column, cell) in line.iter().enumerate().skip(1) {
            if column <= number {
                assert_eq!(*cell, "", "each pair stands there once");
                continue;
            }
            let pair = (line[0].to_owned(), head[column].to_owned());
            let expect = rows.get(&pair).unwrap_or_else(|| panic!("no row for {pair:?}"));
            assert!(expect.starts_with(cell) && !cell.is_empty(), "{pair:?}: {expect}, not {cell}");
            cells += 1;
        }
    }
    assert_eq!((cells, rows.len()), (21, 21));
}
