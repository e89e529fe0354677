//! `check`: what it finds, where, and how it says so.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::support::{Scratch, root, run};
use serde_json::Value;

/// The findings of `--format json`, a line for each, and the exit code.
fn found(arguments: &[&str]) -> (Vec<String>, u8) {
    let said = run(&[&["check", "--format", "json"], arguments].concat());
    let report: Value = serde_json::from_str(&said.output).unwrap();
    let line = |finding: &Value| {
        let text = |name: &str| finding[name].as_str().unwrap().to_owned();
        let path = if text("path").is_empty() { String::new() } else { format!("{}: ", text("path")) };
        let place = format!("{}:{}", finding["line"], finding["column"]);
        format!("{} {place} {} {path}{}", text("level"), text("code"), text("message"))
    };
    (report["findings"].as_array().unwrap().iter().map(line).collect(), said.exit)
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wrong")
}

fn files() -> Vec<(String, String)> {
    let mut files: Vec<_> = folder().read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    files.iter().map(|path| (name(path), path.to_string_lossy().into_owned())).collect()
}

#[test]
fn everything_that_is_wrong_is_found_at_its_place() {
    let expected: BTreeMap<String, Value> = serde_json::from_str(include_str!("wrong.json")).unwrap();
    let mut actual = BTreeMap::new();
    for (name, path) in files() {
        let (findings, exit) = found(&[&path]);
        actual.insert(name, serde_json::json!({"exit": exit, "findings": findings}));
    }
    assert!(actual.len() >= 60);
    if std::env::var_os("WRITE_EXPECTED").is_some() {
        fs::write(folder().with_extension("json"), format!("{:#}\n", serde_json::json!(actual))).unwrap();
    }
    let names = |of: &BTreeMap<String, Value>| of.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&actual), names(&expected));
    for (name, found) in &actual {
        assert!(!found["findings"].as_array().unwrap().is_empty(), "{name}");
        assert_eq!(found, &expected[name], "{name}");
    }
}

/// Whoever is fetched is not known, and a password that is hidden for one rule goes on under another.
#[test]
fn a_rule_that_only_looks_useless_is_not_called_so() {
    let hash = "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=";
    let file = Scratch::new(
        "rules.yaml",
        &format!(
            "basic_auth_rules:\n- {{prefix: /a, htpasswd_fetch: {{cluster: users, path: /list}}}}\n- {{prefix: /a/b, htpasswd: 'a:{hash}'}}\n- {{prefix: /c, htpasswd: 'a:{hash}'}}\n- {{prefix: /c/d, htpasswd: 'a:{hash}', hide_credentials: true}}\n"
        ),
    );
    assert_eq!(found(&[file.name()]), (Vec::new(), 0));
}

#[test]
fn no_report_shows_a_secret() {
    for (name, path) in files() {
        for format in ["text", "json", "github", "sarif"] {
            let said = run(&["check", "--format", format, &path]);
            let shown = said.output + &said.errors;
            for secret in ["5en6G6", "ok:test", "hunter2", "b2s6dGVzd", "YWxpY2U6", "apr1$a", "CO367", "plain\n"] {
                assert!(!shown.contains(secret), "{name} {format}: {shown}");
            }
        }
    }
    // Unless it is asked for.
    let file = folder().join("value-echo-base64.yaml");
    let said = run(&["check", "--show-secrets", &file.to_string_lossy()]);
    assert!(said.output.contains("b2s6dGVzdAo="), "{}", said.output);
}

#[test]
fn the_examples_are_clean() {
    let (findings, exit) = found(&[&root().join("examples").to_string_lossy()]);
    // The example of the C++ module names its methods and its passwords, in rules.json and at the gateway; and no image of
    // ours is released yet.
    let code = |line: &String| line.split(' ').nth(2).unwrap().to_owned();
    let kinds: std::collections::BTreeSet<String> = findings.iter().map(code).collect();
    assert_eq!(exit, 0, "{findings:#?}");
    assert!(
        kinds
            .iter()
            .all(|kind| ["open-methods", "plain-password", "no-sha256", "unknown-variable"].contains(&kind.as_str())),
        "{findings:#?}"
    );
    // Nobody who pastes another example leaves a method open.
    let open = |findings: &[String]| findings.iter().filter(|line| line.contains(" open-methods")).count();
    let of_the_module = ["rules.json", "istio/gateway.yaml"].map(|file| {
        let (findings, _) = found(&[&root().join("examples").join(file).to_string_lossy()]);
        open(&findings)
    });
    assert_eq!((open(&findings), of_the_module), (2, [1, 1]), "{findings:#?}");
    // secret.yaml has the value of its variable in its own stream.
    let (findings, _) = found(&[&root().join("examples/istio/secret.yaml").to_string_lossy()]);
    assert!(!findings.iter().any(|line| line.contains("unknown-variable")), "{findings:#?}");
}

#[test]
fn a_text_shows_the_line() {
    let file = folder().join("slip-prefix-star.yaml");
    let name = file.to_string_lossy();
    let said = run(&["check", &name]);
    let cure = "`*` is no wildcard here; write `prefix: /admin/` for all below `/admin`, `suffix: .php` for an ending, `regex: /a/.*/b` for more, or `%2A` for the character";
    let expected = format!(
        "error[refused]: basic_auth_rules[0].prefix: {cure}\n  --> {name}:15:15\n   |\n15 |     - prefix: /admin*\n   |               ^^^^^^^ WasmPlugin basic-auth\n\n1 configuration: 1 error, 0 warnings, 0 notes\n"
    );
    assert_eq!((said.output, said.exit), (expected, 1));
}

#[test]
fn reports_for_machines_name_file_line_and_sentence() {
    let file = folder().join("slip-method-all.yaml");
    let name = file.to_string_lossy();
    let said = run(&["check", "--format", "github", &name]);
    let expected = format!(
        "::error file={name},line=16,col=25,title=basic_auth refused::basic_auth_rules[0].request_methods[0]: no method has this name; write `*` for every method\n"
    );
    assert_eq!(said.output, expected);
    let sarif: Value = serde_json::from_str(&run(&["check", "--format", "sarif", &name]).output).unwrap();
    let result = &sarif["runs"][0]["results"][0];
    let location = &result["locations"][0]["physicalLocation"];
    assert_eq!(
        (&sarif["version"], &result["level"], &result["ruleId"]),
        (&"2.1.0".into(), &"error".into(), &"refused".into())
    );
    assert_eq!(location["artifactLocation"]["uri"], *name);
    assert_eq!((&location["region"]["startLine"], &location["region"]["startColumn"]), (&16.into(), &25.into()));
}

#[test]
fn exit_codes_tell_wrong_from_unreadable() {
    let wrong = |name: &str| folder().join(name).to_string_lossy().into_owned();
    let warning = wrong("slip-regex-of-whole-path.yaml");
    assert_eq!(run(&["check", &warning]).exit, 0);
    assert_eq!(run(&["check", "--strict", &warning]).exit, 1);
    assert_eq!(run(&["check", "--strict", &wrong("resource-no-sha256.yaml")]).exit, 0);
    let missing = run(&["check", "/no/such/file.yaml"]);
    assert_eq!(
        (missing.exit, missing.output.contains("/no/such/file.yaml: No such file")),
        (2, true),
        "{}",
        missing.output
    );
    // No configuration of ours: a sentence.
    let other = root().join("tools/requirements");
    let said = run(&["check", &other.to_string_lossy()]);
    assert_eq!(said.exit, 2);
    assert!(said.errors.starts_with("basic-auth: no configuration of this filter in "), "{}", said.errors);
    assert!(said.output.is_empty(), "{}", said.output);
    assert_eq!(run(&["check"]).exit, 2);
    assert_eq!(run(&["--version"]).exit, 0);
}

#[test]
fn what_is_no_configuration_is_a_sentence_and_no_clean_bill() {
    let none = "no configuration of this filter in ";
    for (name, text, sentence) in [
        // What a failed `helm template` leaves in the pipe.
        ("nothing.yaml", "", "nothing but blanks and comments"),
        ("comment.yaml", "# nothing\n---\n", "nothing but blanks and comments"),
        ("word.yaml", "hunter2\n", none),
        ("compose.yaml", "services: {web: {image: nginx}}\n", none),
        ("service.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: basic-auth}\n", none),
        ("rules.json", "{\"basic_auth_rules\": [\n", "not JSON at line 2, column 0"),
        ("two.json", "{\"realm\": \"a\"}\n{\"realm\": \"b\"}\n", "not JSON at line 2, column 1"),
        ("deep.json", &"[".repeat(100_000), "not JSON"),
        ("chart.yaml", "a:\n  {{ .Values.a }}: b\n  {{- end }}\n", "this looks like a template"),
        ("bytes.yaml", "a: \0\n", "neither YAML nor JSON"),
    ] {
        let file = Scratch::new(name, text);
        for command in [&["check", file.name()][..], &["coverage", file.name()], &["explain", file.name(), "GET", "/"]]
        {
            let said = run(command);
            let shown = said.output + &said.errors;
            assert_eq!(said.exit, 2, "{command:?}: {shown}");
            assert!(shown.contains(sentence) && !shown.contains("hunter2"), "{command:?}: {shown}");
        }
    }
    // This one is meant, and protects nothing.
    assert_eq!(run(&["check", Scratch::new("rules.json", "{}").name()]).exit, 0);
}

#[test]
fn lines_are_counted_whatever_ends_them() {
    let text = fs::read_to_string(folder().join("slip-prefix-star.yaml")).unwrap();
    let (expected, _) = found(&[&folder().join("slip-prefix-star.yaml").to_string_lossy()]);
    for other in [text.replace('\n', "\r\n"), text.replace('\n', "\r"), format!("\u{feff}{text}")] {
        let file = Scratch::new("lines.yaml", &other);
        assert_eq!(found(&[file.name()]).0, expected);
        let said = run(&["check", file.name()]);
        assert!(said.output.contains("15 |     - prefix: /admin*\n"), "{}", said.output);
    }
}

#[test]
fn a_value_on_the_command_line_satisfies_a_variable() {
    let file = root().join("examples/envoy/htpasswd.yaml");
    let name = file.to_string_lossy();
    let (findings, _) = found(&[&name]);
    assert!(findings[0].contains("unknown-variable the value of `BASIC_AUTH_USERS`"), "{findings:?}");
    let (findings, exit) = found(&[&name, "--env", "BASIC_AUTH_USERS=alice:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="]);
    assert_eq!((findings, exit), (Vec::new(), 0));
    let (findings, exit) = found(&[&name, "--env", "BASIC_AUTH_USERS=alice"]);
    assert_eq!(exit, 1);
    assert!(findings[0].contains("basic_auth_rules[0].htpasswd_env: line 1: no colon"), "{findings:?}");
    assert_eq!(run(&["check", &name, "--env", "BASIC_AUTH_USERS"]).exit, 2);
}

#[test]
fn a_configuration_that_is_refused_natively_is_refused_here_in_the_same_words() {
    let document: Value = serde_json::from_str(include_str!("../../testdata/refusals.json")).unwrap();
    let folder = std::env::temp_dir().join(format!("basic-auth-refusals-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    for (index, row) in document["refusals"].as_array().unwrap().iter().enumerate() {
        // Of a bare configuration nobody knows the environment.
        if row.get("protobuf").is_some() || row.to_string().contains("BASIC_AUTH_IS_NOT_SET") {
            continue;
        }
        let text = row["text"].as_str().map_or_else(|| row["configuration"].to_string(), str::to_owned);
        let file = folder.join(format!("{index}.json"));
        fs::write(&file, &text).unwrap();
        let said = run(&["check", "--format", "github", &file.to_string_lossy()]);
        // A file that is no JSON cannot be read.
        let is_syntax = said.output.contains("title=basic_auth syntax::");
        let output = said.output.replace("title=basic_auth syntax::", "title=basic_auth refused::the configuration: ");
        let lines: Vec<&str> = output
            .lines()
            .filter_map(|line| line.split_once("title=basic_auth refused::"))
            .map(|(_, line)| line)
            .collect();
        let expected: Vec<String> = match row["errors"].as_array() {
            Some(errors) => errors.iter().map(|error| error.as_str().unwrap().replace('%', "%25")).collect(),
            None => vec![row["error"].as_str().unwrap().replace('%', "%25")],
        };
        assert!(
            expected.iter().all(|line| lines.contains(&line.as_str()) || line.starts_with("and ")),
            "{text}: {lines:?}, and not {expected:?}"
        );
        assert!(!said.output.contains("SECRET"), "{}", said.output);
        assert_eq!(said.exit, if is_syntax { 2 } else { 1 }, "{text}");
    }
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn an_empty_file_is_told_as_one() {
    for text in ["", "\n", "# a\n---\n# b\n---\n"] {
        let file = Scratch::new("empty.yaml", text);
        for command in ["check", "coverage"] {
            let said = run(&[command, file.name()]);
            let sentence = ": nothing but blanks and comments; see whether the program that writes it failed\n";
            assert_eq!((said.errors.ends_with(sentence), said.exit), (true, 2), "{}", said.errors);
        }
    }
    // Beside others it is told, too.
    let (empty, rules) = (Scratch::new("empty.yaml", ""), folder().join("plain-passwords.yaml"));
    let (findings, _) = found(&[empty.name(), &rules.to_string_lossy()]);
    assert!(findings.iter().any(|line| line.starts_with("warning 1:1 empty ")), "{findings:#?}");
    let file = Scratch::new("other.yaml", "a: b\n");
    assert!(run(&["check", file.name()]).errors.contains("no configuration of this filter"));
}

#[test]
fn rules_in_no_configuration_stop_the_other_commands() {
    let plugin = |kind: &str| {
        format!(
            "apiVersion: extensions.istio.io/v1alpha1\nkind: {kind}\nmetadata: {{name: one}}\nspec:\n  url: oci://x.test/basic_auth:1.0.0\n  phase: AUTHN\n  pluginConfig:\n    basic_auth_rules: [{{exact: /one, credentials: ['a:1']}}]\n---\n"
        )
    };
    let file = Scratch::new("two.yaml", &(plugin("WasmPlugin") + &plugin("WasmPlugn")));
    let said = run(&["coverage", file.name()]);
    assert_eq!((said.errors.contains("write `kind: WasmPlugin`"), said.exit), (true, 2), "{}", said.errors);
    assert_eq!(run(&["check", "--resource", "WasmPlugin", file.name()]).exit, 0);
    // A schema names the field as well, and has no rules.
    let schema = root().join("schema");
    assert!(!found(&[&schema.to_string_lossy()]).0.iter().any(|line| line.contains("not-applied")));
}
