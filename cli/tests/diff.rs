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
    let (text, exit) = compare(&narrow, &halves);
    assert_eq!((text.contains("Opens") || text.contains("Closes"), exit), (false, 0), "{text}");
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
    let rule = "all requests of rule 0 (`prefix: /admin`)";
    assert_eq!(compare(OLD, &OLD.replace("a:1", "a:2")), said(&format!("{rule}, passwords and hashes")));
    let hidden = OLD.replace("credentials", "hide_credentials: true, credentials");
    assert_eq!(compare(&hidden, OLD), said("`hide_credentials`"));
    let (text, exit) = compare(OLD, &format!("plain_http: refuse\n{}", OLD.replace("prefix", "exact")));
    assert!(text.starts_with("Opens\n") && text.ends_with("\nnot compared: `plain_http`\n"), "{text}");
    assert_eq!(exit, 1);
}

/// Where no example of a rule shows that something opens, nobody is told that nothing does.
#[test]
fn a_rule_that_may_let_more_pass_is_shown_or_named() {
    let rules = |rules: &[&str]| {
        let rules: Vec<String> =
            rules.iter().map(|rule| format!("- {{{}}}\n", rule.replace("$C", "credentials: ['a:1']"))).collect();
        format!("basic_auth_rules:\n{}", rules.concat())
    };
    let fetch = "htpasswd_fetch: {cluster: c, path: /u}";
    let fetched = format!("prefix: /a, {fetch}");
    let fetched_by_one = format!("{fetched}, allow_users: [alice]");
    let nine = |count: usize| {
        let hosts: Vec<String> = (0..count).map(|number| format!("h{number}.test")).collect();
        format!("prefix: /a, $C, hosts: [{}]", hosts.join(", "))
    };
    for (old, new) in [
        (vec!["prefix: /a, $C"], vec!["prefix: /a, $C, request_methods: [GET, POST, DELETE]"]),
        (vec!["prefix: /a, $C"], vec!["prefix: /a, $C, except: [{suffix: .css}]"]),
        (vec!["suffix: .php, $C"], vec!["suffix: .php, $C, except: [{prefix: /public/}]"]),
        (vec!["prefix: /a, $C, hosts: ['*.foo.com']"], vec!["prefix: /a, $C, hosts: [x.foo.com]"]),
        (vec!["prefix: /p, $C, hosts: [foo.com]"], vec!["prefix: /p, $C, except: [{prefix: /p/q}]"]),
        (vec![&nine(9)], vec![&nine(8)]),
        (vec!["regex: '/(a|b)', $C"], vec!["regex: /a, $C"]),
        (vec![r"regex: '/\x41dmin.*', $C", "prefix: /a, $C"], vec!["prefix: /a, $C"]),
        (vec!["suffix: /admin, $C", "prefix: /admin, $C"], vec!["prefix: /admin, $C"]),
        (
            vec!["prefix: /a, $C, allow_source_ranges: [0.0.0.0/0]"],
            vec!["prefix: /a, $C, allow_source_ranges: ['2001:db8::/32']"],
        ),
        (vec!["prefix: /a, allow_missing: true, $C"], vec!["prefix: /a, dry_run: true, $C"]),
        (
            vec![
                "prefix: /a, hosts: [x.test], credentials: ['a:1']",
                "prefix: /a, hosts: [y.test], credentials: ['a:2']",
            ],
            vec![
                "prefix: /a, hosts: [x.test], credentials: ['a:2']",
                "prefix: /a, hosts: [y.test], credentials: ['a:1']",
            ],
        ),
        (vec![&fetched_by_one], vec![&fetched]),
    ] {
        let (text, exit) = compare(&rules(&old), &rules(&new));
        let is_told = exit == 1 || text.contains("\nnot compared: all requests of rule 0 (`");
        assert!(is_told, "{old:?} to {new:?}: {text}");
    }
    // The list of users that a rule names has others now.
    let lists = |cluster: &str| {
        format!(
            "users: {{ops: {{htpasswd_fetch: {{cluster: {cluster}, path: /u}}}}}}\nbasic_auth_rules:\n- {{prefix: /a, users: [ops]}}\n"
        )
    };
    assert!(compare(&lists("one"), &lists("two")).0.ends_with("not compared: all requests of rule 0 (`prefix: /a`)\n"));
    // What lets in fewer, or covers more, opens nothing.
    for (old, new) in [
        (vec!["prefix: /a/b, $C"], vec!["prefix: /a, $C"]),
        (vec!["prefix: /a, credentials: ['a:1', 'b:2']"], vec!["prefix: /a, $C"]),
        (vec!["prefix: /a, $C, except: [{prefix: /a/open/}]"], vec!["prefix: /a, $C"]),
        (vec!["prefix: /a, $C"], vec!["prefix: /b, $C", "prefix: /a, $C"]),
    ] {
        let (text, exit) = compare(&rules(&old), &rules(&new));
        assert_eq!((text.contains("not compared"), exit), (false, 0), "{old:?} to {new:?}: {text}");
    }
    // A rule before it may take its requests.
    let first = |all: &[&str]| format!("first_match: true\n{}", rules(all));
    let (text, _) = compare(&first(&["prefix: /a, $C"]), &first(&["prefix: /, $C", "prefix: /a, $C"]));
    assert!(text.contains("not compared: all requests of rule 0 (`prefix: /a`)"), "{text}");
}

#[test]
fn what_a_resource_says_beside_its_configuration_is_named() {
    let plugin = |more: &str| {
        format!(
            "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {{name: one}}\nspec:\n  url: oci://x.test/basic_auth:1.0.0\n  phase: AUTHN\n{more}  pluginConfig:\n    basic_auth_rules: [{{exact: /one, credentials: ['a:1']}}]\n"
        )
    };
    let old = plugin("");
    assert_eq!(compare(&old, &old), ("no request is decided otherwise\n".to_owned(), 0));
    for (more, name) in [("failStrategy: FAIL_OPEN", "failStrategy"), ("selector: {matchLabels: {app: x}}", "selector")]
    {
        let (text, exit) = compare(&old, &plugin(&format!("  {more}\n")));
        assert_eq!((text.ends_with(&format!("\nnot compared: `spec.{name}`\n")), exit), (true, 0), "{text}");
    }
    let (text, _) = compare(&old, &old.replace("1.0.0", "1.0.1"));
    assert!(text.ends_with("\nnot compared: `spec.url`\n"), "{text}");
}

#[test]
fn filters_of_one_resource_are_told_apart() {
    let patch = |path: &str| {
        format!(
            "  - applyTo: HTTP_FILTER\n    patch:\n      operation: INSERT_BEFORE\n      value:\n        name: basic_auth\n        typed_config:\n          '@type': type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm\n          config:\n            configuration:\n              '@type': type.googleapis.com/google.protobuf.StringValue\n              value: '{{\"basic_auth_rules\": [{{\"exact\": \"{path}\", \"credentials\": [\"a:1\"]}}]}}'\n            vm_config: {{code: {{local: {{filename: /basic_auth.wasm}}}}}}\n"
        )
    };
    let filter = |patches: &[String]| {
        format!(
            "apiVersion: networking.istio.io/v1alpha3\nkind: EnvoyFilter\nmetadata: {{name: one}}\nspec:\n  configPatches:\n{}",
            patches.concat()
        )
    };
    let both = filter(&[patch("/a"), patch("/b")]);
    assert_eq!(compare(&both, &both), ("no request is decided otherwise\n".to_owned(), 0));
    let (text, exit) = compare(&both, &filter(&[patch("/a"), patch("/z")]));
    assert!(text.starts_with("Opens\n") && text.contains(" GET /b: was for a (rule 0), is open"), "{text}");
    assert_eq!(exit, 1);
}
