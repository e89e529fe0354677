//! `test`: tables of cases.

use crate::support::{Scratch, root, run};

fn rules() -> String {
    root().join("examples/rules.json").to_string_lossy().into_owned()
}

#[test]
fn a_table_that_was_written_is_met() {
    let table = run(&["test", "--init", &rules()]).output;
    assert!(table.contains("- request: \"GET https://any-host.example.com/admin\"\n  expect: \"refused for missing by rule 1 with realm office\"\n"), "{table}");
    assert!(!table.contains("test\"") && !table.contains("correct horse"), "{table}");
    let cases = Scratch::new("cases.yaml", &table);
    let said = run(&["test", &rules(), cases.name()]);
    let rows = table.matches("- request").count();
    assert_eq!((said.output, said.exit), (format!("{rows} cases, 0 wrong\n"), 0));
}

#[test]
fn what_is_decided_otherwise_is_shown_with_its_line() {
    let cases = Scratch::new(
        "cases.yaml",
        "- request: GET https://shop.test/productpage\n  expect: 401\n\
         - request: GET https://shop.test/productpage\n  user: ok:test\n  expect: accepted as ok\n\
         - request: DELETE https://shop.test/productpage\n  expect: 401\n\
         - request: GET /productpage\n  headers: {authorization: [Basic x, Basic y]}\n  expect: refused for malformed\n\
         - request: GET https://shop.test/login\n  expect: 200\n",
    );
    let said = run(&["test", &rules(), cases.name()]);
    let expected = format!(
        "{}:6: DELETE https://shop.test/productpage\n  is       pass\n  expected 401\n5 cases, 1 wrong\n",
        cases.name()
    );
    assert_eq!((said.output, said.exit), (expected, 1));
}

#[test]
fn a_table_that_cannot_be_read_is_one_sentence() {
    let cases = Scratch::new("cases.yaml", "- request: GET\n  expect: 401\n");
    let said = run(&["test", &rules(), cases.name()]);
    assert_eq!(
        (said.errors.contains(":1:3: a request is a method and a URL or path"), said.exit),
        (true, 2),
        "{}",
        said.errors
    );
    let said = run(&["test", &rules()]);
    assert!(said.errors.contains("give a table of cases, or `--init`"), "{}", said.errors);
    // Of several configurations one has to be chosen.
    let examples = root().join("examples").to_string_lossy().into_owned();
    let said = run(&["test", "--init", &examples]);
    assert!(said.errors.contains("choose one with `--resource`"), "{}", said.errors);
    assert_eq!(run(&["test", "--init", &examples, "--resource", "basic-auth-in-sidecar"]).exit, 0);
}
