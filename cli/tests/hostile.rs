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

#[test]
fn merged_mappings_are_read_as_kubectl_reads_them() {
    let text = "x: &x {prefix: /a, credentials: ['a:1']}\nbasic_auth_rules:\n- <<: *x\n  prefix: /b\n- <<: [*x]\n";
    // `x` is no field of a configuration; the rules are what they should be.
    let file = Scratch::new("merge.yaml", text);
    let said = run(&["check", "--format", "github", file.name()]);
    assert!(said.output.contains("unknown field") && said.output.lines().count() == 1, "{}", said.output);
}
