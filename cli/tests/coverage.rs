//! `coverage`: what is protected and what is open.

use serde_json::Value;

use crate::support::{Scratch, root, run};

#[test]
fn the_routes_of_bookinfo_show_what_the_example_leaves_open() {
    let (plugin, routes) = (root().join("examples/istio/gateway.yaml"), root().join("tools/istio/manifests/mesh.yaml"));
    let said = run(&["coverage", &plugin.to_string_lossy(), &routes.to_string_lossy()]);
    let expected = "\
WasmPlugin basic-auth-at-gateway

HTTPRoute bookinfo
  *  Exact /productpage           GET, HEAD, POST  admin3, ok  rule 0
                                  all others       open        rule 0 names other methods
  *  PathPrefix /static           all methods      open        no rule
  *  Exact /login                 all methods      open        no rule
  *  Exact /logout                all methods      open        no rule
  *  PathPrefix /api/v1/products  all methods      open        no rule

5 of 5 rows open to somebody without a password
";
    assert_eq!((said.output.as_str(), said.exit), (expected, 0), "{}", said.errors);
}

const RULES: &str = r#"{"basic_auth_rules": [
    {"prefix": "/", "credentials": ["a:1", "b:2"], "hosts": ["<b>.test"], "except": [{"prefix": "/open/", "request_methods": ["GET"]}]},
    {"prefix": "/admin", "credentials": ["b:2", "c:3"]},
    {"exact": "/nobody", "credentials": ["d:4"]},
    {"exact": "/nobody", "credentials": ["e:5"]},
    {"exact": "/maybe", "credentials": ["a:1"], "allow_missing": true},
    {"regex": "/v[0-9]+/x", "credentials": ["a:1"]},
    {"suffix": ".old", "credentials": ["a:1"]}
]}"#;

/// Host, path, methods, state and users of every row.
fn rows(arguments: &[&str]) -> Vec<String> {
    let said = run(&[&["coverage", "--format", "json"], arguments].concat());
    let all: Value = serde_json::from_str(&said.output).unwrap_or_else(|_| panic!("{}", said.errors));
    let mut lines = Vec::new();
    for row in all[0]["groups"].as_array().unwrap().iter().flat_map(|group| group["rows"].as_array().unwrap()) {
        for state in row["states"].as_array().unwrap() {
            let list = |name: &str| {
                state[name].as_array().unwrap().iter().map(|item| item.as_str().unwrap()).collect::<Vec<_>>().join("+")
            };
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            lines.push(format!(
                "{} {} {} {} {}",
                text(&row["host"]),
                text(&row["path"]),
                list("methods"),
                text(&state["state"]),
                list("users")
            ));
        }
    }
    lines
}

#[test]
fn every_rule_and_exception_has_its_row() {
    let file = Scratch::new("rules.json", &RULES.replace("<b>", "b"));
    assert_eq!(
        rows(&[file.name()]),
        [
            "b.test prefix: /  protected a+b",
            "b.test prefix: /open/ GET open_by_exception ",
            "b.test prefix: /open/ HEAD+POST+PUT+PATCH+DELETE+OPTIONS protected a+b",
            "* prefix: /admin  protected b+c",
            "* exact: /nobody  nobody ",
            "* exact: /nobody  nobody ",
            "* exact: /maybe  exempt ",
            "* regex: /v[0-9]+/x  protected a",
            "* suffix: .old  protected a",
            "* any other path  open ",
        ]
    );
}

#[test]
fn routes_are_told_by_host_method_and_part_and_unreached_rules_are_named() {
    let plugin = "\
apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: {name: basic-auth}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: shop}]
  url: oci://registry.example/basic_auth:1.0.0
  phase: AUTHN
  pluginConfig:
    basic_auth_rules:
    - {prefix: /shop/admin, credentials: ['a:1']}
    - {prefix: /gone, credentials: ['a:1']}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: shop}
spec:
  gatewayClassName: istio
  listeners: [{name: a, hostname: a.test}, {name: b, hostname: '*.b.test'}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop, namespace: web}
spec:
  parentRefs: [{name: shop}]
  rules:
  - matches: [{path: {type: PathPrefix, value: /shop}, method: DELETE}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: other}
spec:
  parentRefs: [{name: other}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: service}
spec:
  hosts: [c.test]
  http: [{match: [{uri: {regex: '/x/.*'}}, {uri: {exact: /shop/admin}}]}, {route: []}]
";
    let file = Scratch::new("stream.yaml", plugin);
    let said = run(&["coverage", file.name()]);
    let expected = "\
WasmPlugin basic-auth

HTTPRoute web/shop
  a.test    DELETE PathPrefix /shop  DELETE       open  no rule
              prefix: /shop/admin    DELETE       a     rule 0
  *.b.test  DELETE PathPrefix /shop  DELETE       open  no rule
              prefix: /shop/admin    DELETE       a     rule 0

VirtualService service
  c.test    regex /x/.*              all methods  open  no rule
  c.test    exact /shop/admin        all methods  a     rule 0
  c.test    prefix /                 all methods  open  no rule
              prefix: /shop/admin    all methods  a     rule 0
              prefix: /gone          all methods  a     rule 1

4 of 9 rows open to somebody without a password
";
    assert_eq!(said.output, expected);
    let without_service = plugin.split("---\napiVersion: networking.istio.io").next().unwrap();
    let file = Scratch::new("stream.yaml", without_service);
    let said = run(&["coverage", file.name()]);
    let end = "\nRules that no route reaches\n  *         rule 1, prefix: /gone\n\n2 of 5 rows open to somebody without a password\n";
    assert!(said.output.ends_with(end), "{}", said.output);
}

#[test]
fn a_page_and_a_picture_need_nothing_else_and_hold_no_markup_of_the_configuration() {
    let file = Scratch::new("stream.yaml", "basic_auth_rules:\n- {prefix: '/<script>', credentials: ['\"><b>:1']}\n");
    for (format, end) in [("html", "</html>\n"), ("svg", "</svg>\n")] {
        let page = run(&["coverage", "--format", format, file.name()]).output;
        assert!(page.contains("prefix: /&lt;script&gt;") && page.contains("&quot;&gt;&lt;b&gt;"), "{page}");
        assert!(page.ends_with(end) && !page.contains("<script") && !page.contains("<b>"), "{page}");
        let links = page.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "");
        assert!(!links.contains("http"), "{page}");
    }
}

#[test]
fn who_passes_without_a_password_is_told() {
    let rules = "\
cors_preflight: allow
basic_auth_rules:
- {prefix: /office, credentials: ['a:1'], allow_source_ranges: [10.0.0.0/8, '2001:db8::/32']}
- {prefix: /office/hq, credentials: ['a:1'], allow_source_ranges: [10.1.0.0/16]}
- {prefix: /all, credentials: ['a:1'], allow_source_ranges: [0.0.0.0/1, 128.0.0.0/1]}
";
    let file = Scratch::new("rules.yaml", rules);
    let said = run(&["coverage", file.name()]);
    for line in [
        "a; without a password from 10.0.0.0/8, 2001:db8::/32 ",
        "a; without a password from 10.0.0.0/8, 2001:db8::/32; preflights without a password ",
        "a; without a password from 10.1.0.0/16 ",
        "open without a password ",
        "4 of 4 rows open to somebody without a password\n",
    ] {
        assert!(said.output.contains(line), "{line}: {}", said.output);
    }
    let said = run(&["coverage", "--format", "json", file.name()]);
    let all: Value = serde_json::from_str(&said.output).unwrap();
    let states = &all[0]["groups"][0]["rows"][1]["states"];
    assert_eq!(states[0]["ranges_without_password"], serde_json::json!(["10.1.0.0/16"]), "{states:#}");
    assert_eq!(states[1]["preflight_without_password"], true, "{states:#}");
    // Without either nothing is said of them, and what is protected is.
    let file = Scratch::new("rules.yaml", "basic_auth_rules:\n- {prefix: /, credentials: ['a:1']}\n");
    let said = run(&["coverage", file.name()]);
    assert!(said.output.ends_with("\n0 of 2 rows open to somebody without a password\n"), "{}", said.output);
}

/// A part of a route for which something else holds has a row of its own, and so has what no example is known of.
#[test]
fn a_route_is_not_protected_by_one_path_of_it() {
    let rules = "basic_auth_rules:\n- {exact: /static, credentials: ['a:1']}\n- {prefix: /site/, except: [{prefix: /site/public/}], credentials: ['a:1']}\n- {prefix: /host/, hosts: [x.foo.com], credentials: ['a:1']}\n";
    let routes = "---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: shop}\nspec:\n  parentRefs: [{name: gateway}]\n  hostnames: ['*.foo.com']\n  rules:\n  - matches:\n    - path: {type: PathPrefix, value: /static}\n    - path: {type: PathPrefix, value: /site}\n    - path: {type: PathPrefix, value: /host}\n    - path: {type: RegularExpression, value: '/\\p{L}+'}\n";
    let file = Scratch::new("routes.yaml", &format!("{rules}{routes}"));
    let said = run(&["coverage", file.name()]).output;
    let rows: Vec<Vec<&str>> = said.lines().map(|line| line.split_whitespace().collect()).collect();
    let row = |words: &str| {
        rows.iter().find(|row| row.join(" ").starts_with(words)).unwrap_or_else(|| panic!("{words}: {said}")).join(" ")
    };
    assert!(row("*.foo.com PathPrefix /static").contains("all methods a"), "{said}");
    assert_eq!(row("any other path below"), "any other path below all methods open no rule");
    assert!(row("prefix: /site/public/").contains("open by exception"), "{said}");
    assert!(row("*.foo.com PathPrefix /host").contains("open"), "{said}");
    assert!(row("*.foo.com RegularExpression").contains("too hard for an example"), "{said}");
    assert!(said.ends_with("4 of 8 rows open to somebody without a password\n"), "{said}");
}
