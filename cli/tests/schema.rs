//! `schema`: the committed files are what the program writes.

use std::fs;

use basic_auth::FIELDS;
use serde_json::Value;

use crate::support::{root, run};

#[test]
fn the_committed_schemas_are_the_ones_of_the_table_of_fields() {
    for kind in ["configuration", "plugin"] {
        let said = run(&["schema", "--for", kind]);
        let committed = fs::read_to_string(root().join(format!("schema/{kind}.json"))).unwrap();
        assert!(said.output == committed, "schema/{kind}.json is not of today's fields; `make generated` writes it");
    }
}

#[test]
fn every_field_is_described_where_it_belongs() {
    let schema: Value = serde_json::from_str(&run(&["schema"]).output).unwrap();
    for field in FIELDS {
        for object in field.objects {
            let name = object.to_string().replace(' ', "_");
            let of = if name == "top" { &schema } else { &schema["definitions"][&name] };
            let property = &of["properties"][field.name];
            assert!(
                property["description"].as_str().is_some_and(|text| text.starts_with(field.meaning)),
                "{name}.{}",
                field.name
            );
            assert!(
                property.get("type").is_some() || property.get("allOf").is_some(),
                "{name}.{}: {property}",
                field.name
            );
        }
    }
}

#[test]
fn the_page_of_fields_is_the_one_of_the_table() {
    let said = run(&["fields"]);
    let committed = fs::read_to_string(root().join("docs/configuration.md")).unwrap();
    assert!(said.output == committed, "docs/configuration.md is not of today's fields; `make generated` writes it");
}

#[test]
fn completions_and_the_manual_know_every_command() {
    for arguments in [&["completions", "bash"][..], &["completions", "zsh"], &["completions", "fish"], &["manual"]] {
        let said = run(arguments);
        for command in ["check", "explain", "coverage", "replay"] {
            assert!(said.output.contains(command), "{arguments:?} {command}");
        }
        assert_eq!(said.exit, 0);
    }
}
