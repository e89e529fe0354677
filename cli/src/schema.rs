//! The JSON Schema of the configuration, made of the table of fields that parses it.
//!
//! Draft 7, which language servers for YAML know best. What only a parser can tell, a hash for one, it leaves out.

use basic_auth::{FIELDS, Field, Kind, Object};
use serde_json::{Map, Value, json};

use crate::arguments::{Schema, SchemaOf};
use crate::outcome::Outcome;

/// Where the committed schemas are found by their names.
const BASE: &str = "https://raw.githubusercontent.com/OWNER/basic_auth/main/schema/";

/// Writes a schema.
pub fn schema(arguments: &Schema) -> Outcome {
    let schema = match arguments.of {
        SchemaOf::Configuration => configuration(),
        SchemaOf::Plugin => plugin(),
    };
    Outcome::well(format!("{schema:#}\n"))
}

/// The schema of a configuration.
fn configuration() -> Value {
    let mut schema = object(Object::Top);
    insert(&mut schema, "$schema", json!("http://json-schema.org/draft-07/schema#"));
    insert(&mut schema, "$id", json!(format!("{BASE}configuration.json")));
    insert(&mut schema, "title", json!("Configuration of the filter basic_auth"));
    insert(&mut schema, "definitions", definitions());
    schema
}

/// The schema of a WasmPlugin or a TrafficExtension, of whose fields only the configuration is looked at.
fn plugin() -> Value {
    let configuration = object(Object::Top);
    let mut definitions = definitions();
    insert(&mut definitions, "configuration", configuration);
    let plugin = json!({"properties": {"pluginConfig": {"$ref": "#/definitions/configuration"}}});
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": format!("{BASE}plugin.json"),
        "title": "WasmPlugin or TrafficExtension with the filter basic_auth",
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "properties": {"pluginConfig": {"$ref": "#/definitions/configuration"}, "wasm": plugin},
            },
        },
        "definitions": definitions,
    })
}

/// The objects below the top.
fn definitions() -> Value {
    let all = [Object::Rule, Object::Exception, Object::Lockout, Object::UserList, Object::Unauthorized, Object::Fetch];
    Value::Object(all.into_iter().map(|kind| (name(kind), object(kind))).collect())
}

fn name(object: Object) -> String {
    object.to_string().replace(' ', "_")
}

fn object(object: Object) -> Value {
    let fields = || FIELDS.iter().filter(|field| field.objects.contains(&object));
    let properties: Map<String, Value> = fields().map(|field| (field.name.to_owned(), property(field))).collect();
    let mut schema = json!({"type": "object", "additionalProperties": false, "properties": properties});
    let one_of = |names: &[&str]| names.iter().map(|name| json!({"required": [name]})).collect::<Vec<_>>();
    match object {
        Object::Rule => {
            insert(&mut schema, "oneOf", json!(one_of(&["prefix", "exact", "suffix", "regex"])));
            insert(
                &mut schema,
                "anyOf",
                some_user(&["credentials", "htpasswd", "htpasswd_env", "htpasswd_fetch", "users"]),
            );
        }
        Object::Exception => insert(&mut schema, "oneOf", json!(one_of(&["prefix", "exact", "suffix", "regex"]))),
        Object::UserList => {
            insert(&mut schema, "anyOf", some_user(&["credentials", "htpasswd", "htpasswd_env", "htpasswd_fetch"]));
        }
        Object::Lockout => {
            insert(&mut schema, "required", json!(fields().map(|field| field.name).collect::<Vec<_>>()));
        }
        Object::Fetch => insert(&mut schema, "required", json!(["cluster", "path"])),
        _ => {}
    }
    schema
}

/// One of these fields, and not as an empty array.
fn some_user(names: &[&str]) -> Value {
    names.iter().map(|name| json!({"required": [name], "properties": {*name: {"minItems": 1}}})).collect()
}

fn property(field: &Field) -> Value {
    let mut schema = match field.kind {
        Kind::String => string(field.name),
        Kind::Strings => json!({"type": "array", "items": string(field.name)}),
        Kind::Lines => json!({"type": ["string", "array"], "items": {"type": "string", "pattern": "^[^\\n]*\\n?$"}}),
        Kind::Number { min, max } => json!({"type": "integer", "minimum": min, "maximum": max}),
        Kind::Object(object) => json!({"$ref": format!("#/definitions/{}", name(object))}),
        Kind::Objects(object) => {
            json!({"type": "array", "items": {"$ref": format!("#/definitions/{}", name(object))}})
        }
        Kind::Boolean => json!({"type": "boolean"}),
        Kind::OneOf(known) => json!({"type": "string", "enum": known}),
        Kind::StringMap => json!({"type": "object", "additionalProperties": {"type": "string"}}),
        Kind::ObjectMap(object) => {
            let items = json!({"$ref": format!("#/definitions/{}", name(object))});
            json!({"type": "object", "additionalProperties": items, "propertyNames": {"pattern": NAME}})
        }
        // A kind that is added to the table is any value until it is described here.
        _ => json!({}),
    };
    if matches!(field.name, "request_methods" | "allow_users") {
        insert(&mut schema, "minItems", json!(1));
    }
    let description = format!("{}. Absent: {}.", field.meaning, field.absent);
    // Beside a reference draft 7 reads nothing else.
    if matches!(field.kind, Kind::Object(_)) {
        schema = json!({"allOf": [schema], "description": description});
    } else {
        insert(&mut schema, "description", json!(description));
    }
    schema
}

/// The name of a rule or a user list.
const NAME: &str = "^[A-Za-z0-9_.-]{1,64}$";

/// A string, as far as a pattern tells the right ones from others.
fn string(field: &str) -> Value {
    // Some validators take every `$` for the end, within brackets, too: there it is written as an escape.
    let pattern = match field {
        // No star and no brace, no blank at an end; a path begins with `/`.
        "prefix" | "exact" => r"^/([^*{}]*[^*{}\s])?$",
        "suffix" => r"^[^*{}\s]([^*{}]*[^*{}\s])?$",
        "regex" => r"^[\s\S]+$",
        "request_methods" => r"^(?!([Aa][Ll][Ll]|[Aa][Nn][Yy])$)([A-Za-z0-9!#\u0024%&'*+.^_`|~-]+)$",
        "name" => NAME,
        "realm" => r"^[^\u0000-\u001f\u007f]*$",
        "hosts" => r"^(\*|[^/@]*[^/@\s])$",
        "path" => r"^/[!-~]*$",
        "cluster" | "authority" => "^[!-~]+$",
        "htpasswd_env" => r"^[^\u0024=\s][^=]*$",
        _ => return json!({"type": "string"}),
    };
    json!({"type": "string", "pattern": pattern})
}

fn insert(object: &mut Value, name: &str, value: Value) {
    if let Value::Object(fields) = object {
        fields.insert(name.to_owned(), value);
    }
}
