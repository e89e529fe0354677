//! `check --diff`: which requests a change decides otherwise.

use crate::support::{Scratch, run};

fn compare(old: &str, new: &str) -> (String, u8) {
    let (old, new) = (Scratch::new("old.yaml", old), Scratch::new("new.yaml", new));
    let said = run(&["check", "--diff", old.name(), new.name()]);
    assert_eq!(said.errors, "");
    (said.output, said.exit)
}

const OLD: &str = "basic_auth_rules:\n- {prefix: /admin, credentials: ['a:1']}\n";

#[test]
fn what_opens_is_named_and_is_an_error() {
    let new = "basic_auth_rules:\n- {prefix: /admin, credentials: ['a:1'], request_methods: [GET, POST]}\n";
    let expected = "\
Opens
  DELETE /admin: was for a (rule 0), is open (rule 0 names other methods)
  DELETE /admin/x: was for a (rule 0), is open (rule 0 names other methods)
  DELETE /adminx: was for a (rule 0), is open (rule 0 names other methods)
";
    assert_eq!(compare(OLD, new), (expected.to_owned(), 1));
    let (text, exit) = compare(new, OLD);
    assert_eq!(
        (text.starts_with("Closes\n  DELETE /admin: was open (rule 0 names other methods), is for a (rule 0)\n"), exit),
        (true, 0),
        "{text}"
    );
}

#[test]
fn an_exception_a_host_and_a_user_are_boundaries() {
    let new = "basic_auth_rules:\n- {prefix: /admin, credentials: ['a:1'], except: [{prefix: /admin/open/}]}\n";
    let (text, exit) = compare(OLD, new);
    assert!(text.contains("  GET /admin/open/x: was for a (rule 0), is open (an exception of rule 0)\n"), "{text}");
    assert_eq!(exit, 1);
    let new = "basic_auth_rules:\n- {prefix: /admin, credentials: ['a:1'], hosts: [shop.test]}\n";
    let (text, exit) = compare(OLD, new);
    assert!(
        text.contains("  GET /admin: was for a (rule 0), is open (no rule)\n") && !text.contains("shop.test"),
        "{text}"
    );
    assert_eq!(exit, 1);
    let new = "basic_auth_rules:\n- {prefix: /admin, credentials: ['a:1', 'b:2']}\n";
    let (text, exit) = compare(OLD, new);
    assert!(
        text.starts_with("Lets others in\n")
            && text.contains("  GET /admin: was for a (rule 0), is for a, b (rule 0)\n"),
        "{text}"
    );
    assert_eq!(exit, 0);
}

#[test]
fn a_change_of_words_alone_is_none() {
    let new = "# shop\nrealm: shop\nbasic_auth_rules:\n- prefix: /admin\n  credentials: [YToxCg==]\n"
        .replace("YToxCg==", "YTox");
    assert_eq!(compare(OLD, &new), ("no request is decided otherwise\n".to_owned(), 0));
    let file = Scratch::new("old.yaml", OLD);
    let said = run(&["check", "--diff", file.name()]);
    assert_eq!((said.exit, said.errors.contains("compares two files")), (2, true));
}

#[test]
fn a_plugin_that_is_gone_opens_what_it_protected() {
    let plugin = |name: &str| {
        format!(
            "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {{name: {name}}}\nspec:\n  url: oci://x.test/basic_auth:1.0.0\n  phase: AUTHN\n  pluginConfig:\n    basic_auth_rules: [{{exact: /{name}, credentials: ['a:1']}}]\n---\n"
        )
    };
    let (text, exit) = compare(&(plugin("one") + &plugin("two")), &plugin("two"));
    assert!(text.starts_with("Opens\n  WasmPlugin one: DELETE /one: was for a (rule 0), is open\n"), "{text}");
    assert_eq!(exit, 1);
    let (text, exit) = compare(&plugin("two"), &(plugin("one") + &plugin("two")));
    assert!(text.starts_with("Closes\n  WasmPlugin one: DELETE /one: was open, is for a (rule 0)\n"), "{text}");
    assert_eq!(exit, 0);
}

#[test]
fn ranges_and_preflights_that_open_are_named_and_are_an_error() {
    let rule = |more: &str| format!("basic_auth_rules:\n- {{exact: /admin, credentials: ['a:1']{more}}}\n");
    let old = rule("");
    let (text, exit) = compare(&old, &rule(", allow_source_ranges: [0.0.0.0/0]"));
    let line = "  GET /admin: was for a (rule 0), is open (`allow_source_ranges` of rule 0: 0.0.0.0/0)\n";
    assert!(text.starts_with("Opens\n") && text.contains(line), "{text}");
    assert_eq!(exit, 1);
    let narrow = rule(", allow_source_ranges: [10.0.0.0/8]");
    let (text, exit) = compare(&old, &narrow);
    assert!(text.contains("  GET /admin from 10.0.0.0/8: was for a (rule 0), is open\n"), "{text}");
    assert_eq!(exit, 1);
    let (text, exit) = compare(&narrow, &old);
    assert!(
        text.starts_with("Closes\n") && text.contains("  GET /admin from 10.0.0.0/8: was open, is for a (rule 0)\n")
    );
    assert_eq!(exit, 0);
    // A part of what was open opens nothing, whatever it is called.
    let (text, exit) = compare(&narrow, &rule(", allow_source_ranges: [10.0.0.0/9]"));
    assert!(text.starts_with("Closes\n") && !text.contains("Opens"), "{text}");
    assert_eq!(exit, 0);
    let halves = rule(", allow_source_ranges: [10.0.0.0/9, 10.128.0.0/9]");
    assert_eq!(compare(&narrow, &halves), ("no request is decided otherwise\n".to_owned(), 0));
    let (text, exit) = compare(&old, &format!("cors_preflight: allow\n{old}"));
    let line = "  OPTIONS /admin as a CORS preflight: was asked for a password, is open\n";
    assert!(text.starts_with("Opens\n") && text.contains(line), "{text}");
    assert_eq!(exit, 1);
}

#[test]
fn what_is_not_compared_is_named() {
    let said =
        |fields: &str| (format!("no request that was compared is decided otherwise\nnot compared: {fields}\n"), 0);
    for field in ["plain_http: redirect", "authentication_header: x-a", "refuse_ambiguous_paths: true"] {
        let name = field.split(':').next().unwrap();
        assert_eq!(compare(OLD, &format!("{field}\n{OLD}")), said(&format!("`{name}`")));
    }
    assert_eq!(compare(OLD, &OLD.replace("a:1", "a:2")), said("passwords and hashes"));
    let hidden = OLD.replace("credentials", "hide_credentials: true, credentials");
    assert_eq!(compare(&hidden, OLD), said("`hide_credentials`"));
    let (text, exit) = compare(OLD, &format!("plain_http: refuse\n{}", OLD.replace("prefix", "exact")));
    assert!(text.starts_with("Opens\n") && text.ends_with("\nnot compared: `plain_http`\n"), "{text}");
    assert_eq!(exit, 1);
}
