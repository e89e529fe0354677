//! A line of a file, with everything hidden that could be a secret.
//!
//! What is shown: the fields that are known, the values of those that hold no secret, and the signs of YAML and JSON. All
//! else, comments included, becomes dots, for a password may stand anywhere by mistake.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use basic_auth::FIELDS;

use crate::plain::is_active;
use crate::resource::File;
use crate::source::{Document, Kind, NodeId, Source, parse};

/// What stands for a hidden character.
const DOT: char = '•';
/// The most bytes of a line that is shown: a configuration of one line may be megabytes.
const MAX_LINE: usize = 1_000;

/// Fields of resources that are no secret, nor are their names.
const RESOURCE_FIELDS: [&str; 43] = [
    "apiVersion",
    "kind",
    "metadata",
    "name",
    "namespace",
    "spec",
    "url",
    "phase",
    "priority",
    "failStrategy",
    "imagePullPolicy",
    "sha256",
    "selector",
    "matchLabels",
    "targetRef",
    "targetRefs",
    "group",
    "match",
    "mode",
    "pluginConfig",
    "pluginName",
    "vmConfig",
    "vm_config",
    "env",
    "valueFrom",
    "wasm",
    "labels",
    "items",
    "configuration",
    "typed_config",
    "config",
    "code",
    "local",
    "filename",
    "fail_open",
    "failure_policy",
    "environment_variables",
    "host_env_keys",
    "key_values",
    "@type",
    "runtime",
    "root_id",
    "number",
];
/// Fields of the configuration whose values are no secret.
const OPEN_VALUES: [&str; 29] = [
    "prefix",
    "exact",
    "suffix",
    "regex",
    "hosts",
    "request_methods",
    "except",
    "realm",
    "name",
    "allow_source_ranges",
    "allow_missing",
    "hide_credentials",
    "dry_run",
    "content_type",
    "first_match",
    "refuse_ambiguous_paths",
    "plain_http",
    "cors_preflight",
    "authentication_header",
    "forward_username_header",
    "hash_budget_ms_per_second",
    "lockout",
    "failures",
    "window_seconds",
    "lock_seconds",
    "url",
    "phase",
    "kind",
    "failStrategy",
];

/// What may be shown of some lines of a file.
pub struct Excerpts<'f> {
    file: &'f File,
    /// For each line the columns that may be shown, from 0; `None` where all may.
    open: Option<HashMap<usize, Vec<Range<usize>>>>,
}

impl<'f> Excerpts<'f> {
    /// Looks through a file for what may be shown of these lines.
    pub fn new(file: &'f File, lines: impl IntoIterator<Item = usize>, shows_secrets: bool) -> Self {
        let lines = lines.into_iter().filter(|line| file.source.line(*line).len() <= MAX_LINE);
        if shows_secrets {
            return Self { file, open: None };
        }
        let mut open: HashMap<usize, Vec<Range<usize>>> = lines.map(|line| (line, Vec::new())).collect();
        let sorted: BTreeSet<usize> = open.keys().copied().collect();
        for document in &file.documents {
            reveal(document, 0, 0, &mut open);
            // Lines of JSON in a string.
            for (id, node) in document.ids().filter_map(|id| Some((id, document.node(id)?))) {
                let has_lines = matches!(node.kind, Kind::Scalar { .. }) && node.start.line < node.end.line;
                if has_lines && sorted.range(node.start.line..node.end.line).next().is_some() {
                    let inner = Source::new(String::new(), document.text(id).unwrap_or_default().to_owned(), false);
                    for inner in parse(&inner).unwrap_or_default() {
                        reveal(&inner, node.start.line - 1, node.start.column - 1, &mut open);
                    }
                }
            }
        }
        Self { file, open: Some(open) }
    }

    /// The name of the file.
    pub fn name(&self) -> &str {
        &self.file.source.name
    }

    /// A line as it may be shown, and where in it a column of the file is, both from 0; `None` if it is too long.
    pub fn line(&self, line: usize, column: usize) -> Option<(String, usize)> {
        let text = Some(self.file.source.line(line)).filter(|text| text.len() <= MAX_LINE)?;
        let Some(open) = &self.open else {
            let harmless = |character| if is_active(character) { DOT } else { character };
            return Some((text.chars().map(harmless).collect(), column));
        };
        let spans = open.get(&line).map(Vec::as_slice).unwrap_or_default();
        let is_open = |column: usize| spans.iter().any(|span| span.contains(&column));
        let (mut shown, mut length, mut place, mut before) = (String::new(), 0, 0, ' ');
        for (at, character) in text.chars().enumerate() {
            // A comment is left out.
            if character == '#' && before.is_whitespace() && !is_open(at) {
                shown.truncate(shown.trim_end().len());
                break;
            }
            let is_visible = (is_sign(character) || is_open(at)) && !is_active(character);
            let visible = if is_visible { character } else { DOT };
            // How much is hidden is hidden, too.
            if visible != DOT || !shown.ends_with(DOT) {
                shown.push(visible);
                length += 1;
            }
            if at == column {
                place = length - 1;
            }
            before = character;
        }
        Some((shown, if text.chars().count() <= column { length } else { place }))
    }
}

fn is_sign(character: char) -> bool {
    character.is_whitespace() || "-:[]{},\"'|>&".contains(character)
}

/// Shows what is no secret of a document that begins so many lines and columns further in the file.
fn reveal(document: &Document, lines: usize, columns: usize, open: &mut HashMap<usize, Vec<Range<usize>>>) {
    let mut show = |id: NodeId| {
        let Some(node) = document.node(id).filter(|node| matches!(node.kind, Kind::Scalar { .. })) else { return };
        if let Some(spans) = open.get_mut(&(node.start.line + lines))
            && node.start.line == node.end.line
        {
            spans.push(columns + node.start.column - 1..columns + node.end.column - 1);
        }
    };
    for id in document.ids() {
        for (key, value) in document.members(id) {
            let Some(name) = document.text(*key) else { continue };
            if FIELDS.iter().any(|field| field.name == name) || RESOURCE_FIELDS.contains(&name) {
                show(*key);
            }
            if OPEN_VALUES.contains(&name) {
                show(*value);
                document.items(*value).iter().for_each(|item| show(*item));
            }
        }
    }
}
