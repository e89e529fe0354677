//! Coverage as a picture for documents.

use std::fmt::Write;

use super::Coverage;
use super::html::escaped;

const LINE: usize = 24;
const WIDTH: usize = 1_000;

/// Draws the picture: a line for each state.
pub fn write(all: &[Coverage]) -> String {
    let mut lines = String::new();
    let mut y = LINE;
    for coverage in all {
        for group in &coverage.groups {
            let title = [coverage.title.as_str(), &group.title].into_iter().filter(|part| !part.is_empty());
            let title = title.collect::<Vec<_>>().join(": ");
            let _ = writeln!(lines, r#"<text class="title" x="8" y="{y}">{}</text>"#, escaped(&title));
            y += LINE;
            for row in &group.rows {
                let (mut host, mut path) = (row.host.as_str(), row.path.as_str());
                let indent = if row.is_part { 216 } else { 200 };
                for state in &row.states {
                    let class = state.class();
                    let _ = writeln!(
                        lines,
                        r#"<rect class="{class}" x="510" y="{}" width="6" height="18"/><text x="16" y="{y}">{}</text><text x="{indent}" y="{y}">{}</text><text x="524" y="{y}">{}: {}</text>"#,
                        y - 14,
                        escaped(host),
                        escaped(path),
                        escaped(&state.methods_text()),
                        escaped(&state.who())
                    );
                    (host, path) = ("", "");
                    y += LINE;
                }
                if row.states.is_empty() {
                    let _ = writeln!(lines, r#"<text x="{indent}" y="{y}">{}</text>"#, escaped(path));
                    y += LINE;
                }
            }
        }
    }
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" width="{WIDTH}" height="{y}">
<style>
svg {{ background: #fff; }}
text {{ font: 14px system-ui, sans-serif; fill: #111; white-space: pre; }}
.title {{ font-weight: 600; }}
.protected {{ fill: #2a8; }} .open {{ fill: #d33; }} .open_by_exception, .exempt {{ fill: #d80; }} .nobody, .refused {{ fill: #888; }}
</style>
{lines}</svg>
"#
    )
}
