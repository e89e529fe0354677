//! `basic-auth coverage`

use serde_json::json;

use super::{Coverage, html, svg, text};
use crate::arguments::{CoverageOptions, Picture};
use crate::outcome::Outcome;
use crate::resource::routes;
use crate::stream::Stream;

/// Shows what every configuration of some files covers.
pub fn coverage(arguments: &CoverageOptions) -> Outcome {
    let shown = Stream::open(&arguments.input).and_then(|stream| {
        let routes = routes(&stream.files);
        let accepted = stream.accepted()?;
        let all: Vec<Coverage> =
            accepted.iter().map(|(configuration, accepted)| Coverage::new(configuration, accepted, &routes)).collect();
        let output = match arguments.format {
            Picture::Text => text::write(&all),
            Picture::Json => format!("{:#}\n", json!(all.iter().map(Coverage::json).collect::<Vec<_>>())),
            Picture::Html => html::write(&all),
            Picture::Svg => svg::write(&all),
        };
        let caveat = accepted.iter().find_map(|(_, accepted)| accepted.caveat());
        Ok(Outcome { problem: caveat, ..Outcome::well(output) })
    });
    shown.unwrap_or_else(Outcome::problem)
}
