//! The table of fields: each is read where it says.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs,
    reason = "tests panic when they fail"
)]

use basic_auth::{Config, FIELDS, Field, Kind, Object};
use serde_json::{Value, json};

/// An object with a value of the right kind for each of its fields, as far as they go together.
fn filled(object: Object) -> Value {
    let fields = FIELDS.iter().filter(|field| field.objects.contains(&object));
    let value = |field: &Field| match (field.name, field.kind) {
        // One of four, and users that need no environment.
        ("exact" | "suffix" | "regex" | "htpasswd_env", _) => None,
        ("htpasswd", _) => Some(json!("alice:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=")),
        ("credentials", _) => Some(json!(["ok:test"])),
        ("request_methods", _) => Some(json!(["GET"])),
        ("hosts", _) => Some(json!(["example.com"])),
        ("name", _) => Some(json!("shop")),
        ("users", Kind::Strings) => Some(json!(["staff"])),
        ("allow_users", _) => Some(json!(["ok"])),
        ("allow_source_ranges", _) => Some(json!(["10.0.0.0/8"])),
        ("authentication_header", _) => Some(json!("proxy-authorization")),
        ("forward_username_header", _) => Some(json!("x-user")),
        (_, Kind::Boolean) => Some(json!(true)),
        (_, Kind::OneOf(known)) => Some(json!(known.last())),
        (_, Kind::StringMap) => Some(json!({"access-control-allow-origin": "*"})),
        (_, Kind::ObjectMap(object)) => Some(json!({"staff": filled(object)})),
        (_, Kind::String) => Some(json!("/")),
        (_, Kind::Number { max, .. }) => Some(json!(max)),
        (_, Kind::Object(object)) => Some(filled(object)),
        (_, Kind::Objects(object)) => Some(json!([filled(object)])),
        (name, kind) => panic!("no {kind} for `{name}`"),
    };
    fields.filter_map(|field| Some((field.name.to_owned(), value(field)?))).collect()
}

#[test]
fn every_field_of_the_table_is_read() {
    let whole = filled(Object::Top);
    assert_eq!(Config::parse(whole.to_string().as_bytes()).err(), None, "{whole}");
    // Whatever the table calls it, null is refused at the field's own path: it was looked at.
    for field in FIELDS {
        for object in field.objects {
            let path = match object {
                Object::Top => field.name.to_owned(),
                Object::Rule => format!("basic_auth_rules[0].{}", field.name),
                Object::Exception => format!("basic_auth_rules[0].except[0].{}", field.name),
                Object::Lockout => format!("lockout.{}", field.name),
                Object::UserList => format!("users.staff.{}", field.name),
                Object::Unauthorized => format!("unauthorized.{}", field.name),
                Object::Fetch => format!("basic_auth_rules[0].htpasswd_fetch.{}", field.name),
                other => panic!("{other}"),
            };
            let mut broken = whole.clone();
            let parent = match object {
                Object::Rule => &mut broken["basic_auth_rules"][0],
                Object::Exception => &mut broken["basic_auth_rules"][0]["except"][0],
                Object::Lockout => &mut broken["lockout"],
                Object::UserList => &mut broken["users"]["staff"],
                Object::Unauthorized => &mut broken["unauthorized"],
                Object::Fetch => &mut broken["basic_auth_rules"][0]["htpasswd_fetch"],
                _ => &mut broken,
            };
            if ["exact", "suffix", "regex"].contains(&field.name) {
                parent.as_object_mut().unwrap().remove("prefix");
            }
            parent[field.name] = Value::Null;
            let error = Config::parse(broken.to_string().as_bytes()).err().unwrap().to_string();
            let expected = match field.kind {
                Kind::String | Kind::Lines | Kind::OneOf(_) => "a string",
                Kind::Boolean => "a boolean",
                Kind::Strings | Kind::Objects(_) => "an array",
                Kind::Number { .. } => "a number",
                Kind::Object(_) | Kind::StringMap | Kind::ObjectMap(_) => "an object",
                other => panic!("{other}"),
            };
            assert!(error.starts_with(&format!("{path}: expected {expected}, found null")), "{error}");
        }
    }
}
