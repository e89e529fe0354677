//! Coverage as one page that needs nothing else: hosts and paths as a tree.

use std::fmt::Write;

use super::Coverage;

const HEAD: &str = r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>basic_auth: what is protected and what is open</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
code { font-size: .95em; overflow-wrap: anywhere; }
ul { list-style: none; padding-left: 1rem; border-left: 1px solid color-mix(in srgb, currentColor 25%, transparent); }
li { margin: .25rem 0; }
.part { margin-left: 1.5rem; }
.state { display: inline-block; padding: 0 .5em; border-radius: .5em; border: 2px solid; margin: .1em .25em; }
.protected { border-color: #2a8; }
.nobody, .refused { border-color: #888; border-style: dashed; }
.open { border-color: #d33; font-weight: 600; }
.open_by_exception, .exempt { border-color: #d80; }
small { opacity: .8; }
</style>
<h1>What is protected and what is open</h1>
"#;

/// Writes the page.
pub fn write(all: &[Coverage]) -> String {
    let mut page = HEAD.to_owned();
    for coverage in all {
        if !coverage.title.is_empty() {
            let _ = writeln!(page, "<h2>{}</h2>", escaped(&coverage.title));
        }
        for group in &coverage.groups {
            let _ = writeln!(page, "<h3>{}</h3>", escaped(&group.title));
            let mut hosts: Vec<&str> = Vec::new();
            for row in &group.rows {
                if !hosts.contains(&row.host.as_str()) {
                    hosts.push(&row.host);
                }
            }
            page.push_str("<ul>\n");
            for host in hosts {
                let _ = writeln!(page, "<li><code>{}</code>\n<ul>", escaped(host));
                for row in group.rows.iter().filter(|row| row.host == host) {
                    let class = if row.is_part { " class=\"part\"" } else { "" };
                    let _ = writeln!(page, "<li{class}><code>{}</code>", escaped(&row.path));
                    for state in &row.states {
                        let _ = writeln!(
                            page,
                            "<span class=\"state {}\">{}: {}</span> <small>{}</small>",
                            state.class(),
                            escaped(&state.methods_text()),
                            escaped(&state.who()),
                            escaped(&state.why)
                        );
                    }
                    page.push_str("</li>\n");
                }
                page.push_str("</ul></li>\n");
            }
            page.push_str("</ul>\n");
        }
    }
    page.push_str("</html>\n");
    page
}

/// Text that stands for itself in HTML and SVG.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
