//! Files that nobody wrote: whatever is in them, there is an answer, and soon.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use crate::support::{Scratch, run};

/// A file's text with some bytes doubled, taken out, or exchanged for signs of YAML and JSON.
fn spoiled(text: &str, seed: u64) -> String {
    const SIGNS: &[char] =
        &['{', '}', '[', ']', ':', '-', '"', '\'', '&', '*', '!', '|', '>', '#', '\n', '\t', ' ', '\\', ',', 'é'];
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = |bound: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(bound.max(1)).unwrap()).unwrap()
    };
    let mut characters: Vec<char> = text.chars().collect();
    for _ in 0..=next(4) {
        let place = next(characters.len());
        match next(4) {
            0 => drop(characters.drain(place..characters.len().min(place + 1 + next(20)))),
            1 => characters.insert(place, SIGNS[next(SIGNS.len())]),
            2 => characters[place] = SIGNS[next(SIGNS.len())],
            _ => {
                let part: Vec<char> = characters[place..characters.len().min(place + 1 + next(40))].to_vec();
                characters.splice(place..place, part);
            }
        }
        if characters.is_empty() {
            characters.push('x');
        }
    }
    characters.into_iter().collect()
}

#[test]
fn no_file_stops_the_program() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wrong");
    let rounds = std::env::var("HOSTILE_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(4);
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        for seed in 0..rounds {
            let file = Scratch::new("spoiled.yaml", &spoiled(&text, seed));
            for command in
                [&["check", file.name()][..], &["coverage", file.name()], &["explain", file.name(), "GET", "/a"]]
            {
                let said = run(command);
                assert!(said.exit <= 2 && !(said.output.is_empty() && said.errors.is_empty()), "{}", path.display());
            }
        }
    }
}

#[test]
fn aliases_and_depth_have_an_end() {
    let mut chain = String::from("a0: &a0 {x: 1}\n");
    for index in 1..400 {
        let before = index - 1;
        let _ = writeln!(chain, "a{index}: &a{index} {{x: *a{before}}}");
    }
    chain.push_str("basic_auth_rules: *a399\n");
    let nested = |depth: usize| (0..depth).fold(String::new(), |text, index| text + &"  ".repeat(index) + "a:\n");
    for (text, sentence) in [
        (chain, "its aliases unfold to more than a module takes"),
        (nested(200), "more than 128 nodes within one another"),
        (format!("basic_auth_rules: {}", "[".repeat(100_000)), "recursion limit exceeded"),
    ] {
        let file = Scratch::new("hostile.yaml", &text);
        let said = run(&["check", file.name()]);
        let shown = said.output + &said.errors;
        assert!(said.exit > 0 && shown.contains(sentence), "{sentence}: {}", &shown[..shown.len().min(500)]);
    }
}

/// Nothing is looked through again for each document, resource or finding: this takes seconds, or longer than anybody waits.
#[test]
fn many_documents_and_resources_have_an_end() {
    let plugin = |number: usize| {
        format!(
            r#"{{"apiVersion": "extensions.istio.io/v1alpha1", "kind": "WasmPlugin", "metadata": {{"name": "p{number}"}}, "spec":
            {{"selector": {{}}, "pluginConfig": {{"basic_auth_rules": [{{"prefix": "/*", "credentials": ["a:1"]}}]}}}}}}"#
        )
    };
    let plugins: Vec<String> = (0..10_000).map(plugin).collect();
    let list = format!(r#"{{"apiVersion": "v1", "kind": "List", "items": [{}]}}"#, plugins.join(","));
    for (text, exit) in [("---\na: 1\n".repeat(200_000), 2), (list, 1), (plugins.join("\n---\n"), 1)] {
        let file = Scratch::new("many.yaml", &text);
        let said = run(&["check", file.name()]);
        assert_eq!(said.exit, exit, "{}", said.errors);
    }
}

/// Whoever may write a resource or a log writes to no terminal.
#[test]
fn names_and_patterns_move_no_cursor() {
    let plugin = |pattern: &str| {
        format!(
            "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {{name: \"x\\e]0;owned\\a\\u202e\"}}\nspec:\n  \
             pluginConfig:\n    basic_auth_rules:\n    - {{prefix: \"/a\\e[8m{pattern}\", credentials: [\"a\\u200eb:x\"]}}\n"
        )
    };
    let (good, bad) = (Scratch::new("good.yaml", &plugin("")), Scratch::new("bad.yaml", &plugin("*")));
    let log =
        r#"{"method":"GET","path":"/a\u001b[8m","authority":"x\u001b[31m","downstream_remote_address":"1.2.3.4:1"}"#;
    let log = Scratch::new("access.log", log);
    for command in [
        &["check", good.name()][..],
        &["check", bad.name()],
        &["check", "--show-secrets", bad.name()],
        &["check", "--format", "github", bad.name()],
        &["check", "--format", "json", bad.name()],
        &["check", "--format", "sarif", bad.name()],
        &["check", "--diff", bad.name(), good.name()],
        &["check", "--diff", good.name(), good.name()],
        &["check", "/no/\u{1b}[31m"],
        &["explain", good.name(), "GET", "https://x/a\u{1b}[8m"],
        &["explain", "--format", "json", good.name(), "GET", "https://x/a\u{1b}[8m"],
        &["coverage", good.name()],
        &["coverage", "--format", "json", good.name()],
        &["coverage", "--format", "html", good.name()],
        &["coverage", "--format", "svg", good.name()],
        &["test", "--init", good.name()],
        &["replay", log.name(), good.name()],
    ] {
        // As a terminal gets it: with the colours of the report.
        let (mut output, mut errors) = (Vec::new(), Vec::new());
        let arguments = ["basic-auth"].iter().chain(command).map(Into::into);
        basic_auth_cli::run(arguments, &mut output, &mut errors);
        let shown = String::from_utf8([output, errors].concat()).unwrap();
        let is_colour = |rest: &&str| {
            let number = rest.strip_prefix('[').and_then(|rest| rest.split_once('m')).map(|(number, _)| number.parse());
            matches!(number, Some(Ok(0 | 1 | 30..=37 | 90..=97)))
        };
        let others = shown.split('\u{1b}').skip(1).find(|rest| !is_colour(rest));
        assert!(others.is_none(), "{command:?}: {others:?}");
        let acts = |character: char| matches!(character, '\u{7}' | '\u{200e}' | '\u{202e}');
        assert!(!shown.contains(acts), "{command:?}: {}", shown.escape_debug());
        if command.contains(&"json") || command.contains(&"sarif") {
            assert!(serde_json::from_str::<serde_json::Value>(&shown).is_ok(), "{shown}");
        }
    }
}

#[cfg(unix)]
#[test]
fn what_never_ends_is_not_waited_for() {
    let rules = Scratch::new("rules.json", "{}");
    let said = run(&["check", "--env", "X=@/dev/zero", rules.name()]);
    assert_eq!((said.exit, said.errors.contains("more than ")), (2, true), "{}", said.errors);
    assert_eq!(run(&["check", "/dev/zero"]).exit, 2);
    // A pipe in a folder has no writer.
    let folder = std::env::temp_dir().join(format!("basic-auth-pipe-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let made = std::process::Command::new("mkfifo").arg(folder.join("a.yaml")).status().unwrap();
    let said = run(&["check", &folder.to_string_lossy()]);
    fs::remove_dir_all(&folder).unwrap();
    assert!(made.success() && said.exit == 2, "{}", said.output);
}

#[test]
fn merged_mappings_are_read_as_kubectl_reads_them() {
    let text = "x: &x {prefix: /a, credentials: ['a:1']}\nbasic_auth_rules:\n- <<: *x\n  prefix: /b\n- <<: [*x]\n";
    // `x` is no field of a configuration; the rules are what they should be.
    let file = Scratch::new("merge.yaml", text);
    let said = run(&["check", "--format", "github", file.name()]);
    assert!(said.output.contains("unknown field") && said.output.lines().count() == 1, "{}", said.output);
}
