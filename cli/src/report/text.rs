//! For people: each finding with its line, as compilers show them, by the library that rustc and cargo use.

use std::fmt::Write;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level as Title, Origin, Renderer, Snippet};

use super::Report;
use super::excerpt::Excerpts;
use crate::finding::{Finding, Level};
use crate::plain::plain;

/// Writes the report, in colours that the stream takes out where nobody sees them.
pub fn write(report: &Report<'_>) -> String {
    let renderer = Renderer::styled().decor_style(DecorStyle::Ascii);
    let mut text = String::new();
    let mut excerpts = None;
    for finding in report.findings {
        let of_file = excerpts.take_if(|(source, _)| *source == finding.source);
        let of_file = of_file.or_else(|| Some((finding.source, report.excerpts(finding.source)?)));
        text.push_str(&one(finding, of_file.as_ref().map(|(_, excerpts)| excerpts), &renderer));
        excerpts = of_file;
        text.push_str("\n\n");
    }
    for unreadable in report.unreadable {
        let title = Title::ERROR.primary_title(plain(&format!("{}: {}", unreadable.name, unreadable.why)).into_owned());
        text.push_str(&renderer.render(&[annotate_snippets::Group::with_title(title)]));
        text.push_str("\n\n");
    }
    if report.configurations == 0 && report.findings.is_empty() {
        return text;
    }
    let counts = [(Level::Error, "error"), (Level::Warning, "warning"), (Level::Note, "note")];
    let counts = counts.map(|(level, name)| number(report.count(level), name)).join(", ");
    let _ = writeln!(text, "{}: {counts}", number(report.configurations, "configuration"));
    text
}

fn number(number: usize, name: &str) -> String {
    format!("{number} {name}{}", if number == 1 { "" } else { "s" })
}

fn one(finding: &Finding, excerpts: Option<&Excerpts<'_>>, renderer: &Renderer) -> String {
    let level = match finding.level {
        Level::Error => Title::ERROR,
        Level::Warning => Title::WARNING,
        Level::Note => Title::NOTE,
    };
    let title = level.primary_title(plain(&finding.line()).into_owned()).id(finding.code);
    let Some(excerpts) = excerpts else { return renderer.render(&[title.element(Origin::path(""))]) };
    let line = excerpts.line(finding.position.line, finding.position.column - 1);
    let name = if excerpts.name() == "-" { "standard input".into() } else { plain(excerpts.name()) };
    let Some((line, first)) = line else {
        let origin = Origin::path(name).line(finding.position.line).char_column(finding.position.column);
        return renderer.render(&[title.element(origin)]);
    };
    let start = line.char_indices().nth(first).map_or(line.len(), |(index, _)| index);
    // A word, or what stands in quotes; whatever it is, in this line.
    let rest = line.get(start..).unwrap_or_default();
    let end = rest.find([' ', ',', '}', ']']).filter(|end| *end > 0).unwrap_or(rest.len());
    let annotation = AnnotationKind::Primary.span(start..start + end);
    let annotation = if finding.resource.is_empty() { annotation } else { annotation.label(plain(&finding.resource)) };
    let snippet = Snippet::source(line.as_str()).line_start(finding.position.line).path(name).annotation(annotation);
    renderer.render(&[title.element(snippet)])
}
