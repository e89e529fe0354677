//! The table of fields as a page for people: docs/configuration.md.

use std::fmt::Write;

use basic_auth::{FIELDS, Object};

use crate::outcome::Outcome;

/// What stands before the tables.
const INTRODUCTION: &str = include_str!("configuration.md");

/// Writes the page.
pub fn fields() -> Outcome {
    let mut page = INTRODUCTION.to_owned();
    for (object, heading) in [
        (Object::Top, "The configuration"),
        (Object::Rule, "A rule, an item of `basic_auth_rules`"),
        (Object::Exception, "An exception, an item of a rule's `except`"),
        (Object::UserList, "A user list, a member of `users`"),
        (Object::Fetch, "`htpasswd_fetch`"),
        (Object::Unauthorized, "`unauthorized`"),
        (Object::Lockout, "`lockout`"),
    ] {
        let _ = writeln!(page, "\n## {heading}\n\n| field | value | meaning | absent |\n| --- | --- | --- | --- |");
        for field in FIELDS.iter().filter(|field| field.objects.contains(&object)) {
            // Else it ends the cell, in code as well.
            let meaning = field.meaning.replace('|', "\\|");
            let _ = writeln!(page, "| `{}` | {} | {meaning} | {} |", field.name, field.kind, field.absent);
        }
    }
    Outcome::well(page)
}
