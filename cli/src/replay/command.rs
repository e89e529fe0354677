//! `basic-auth replay`

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use indicatif::{ProgressBar, ProgressStyle};

use super::line::Line;
use super::tally::Tally;
use crate::arguments::{Replay, Shape};
use crate::outcome::Outcome;
use crate::stream::Stream;

/// The most bytes of a line; a longer one is read on as another, which is of no format.
const MAX_LINE: u64 = 1 << 20;

/// How a compressed file begins (RFC 1952, section 2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Decides about the requests of an access log.
pub fn replay(arguments: &Replay) -> Outcome {
    tally(arguments).unwrap_or_else(Outcome::problem)
}

fn tally(arguments: &Replay) -> Result<Outcome, String> {
    let stream = Stream::open(&arguments.input.with_file(&arguments.file))?;
    let (_, accepted) = stream.one().map_err(|problem| {
        if is_log(&arguments.file) {
            format!("{}: an access log where the configuration should be; the log comes first", arguments.file)
        } else {
            problem
        }
    })?;
    let problem = |error: io::Error| format!("{}: {error}", arguments.log);
    let (log, length): (Box<dyn Read>, Option<u64>) = if arguments.log == "-" {
        (Box::new(io::stdin()), None)
    } else {
        let file = File::open(&arguments.log).map_err(problem)?;
        let length = file.metadata().ok().map(|data| data.len());
        (Box::new(file), length)
    };
    // Drawn on standard error, and only where that is a terminal.
    let style = ProgressStyle::with_template("{bar:40} {bytes} of {total_bytes}, {eta} to go");
    let progress = length.map_or_else(ProgressBar::no_length, ProgressBar::new);
    let progress = style.map_or(progress.clone(), |style| progress.with_style(style));
    let mut log = BufReader::with_capacity(1 << 20, log);
    if log.fill_buf().map_err(problem)?.starts_with(&GZIP) {
        return Err(format!("{}: compressed; give what `gzip -dc` makes of it, with `-` for the log", arguments.log));
    }
    let (mut tally, mut line) = (Tally::default(), Vec::new());
    let (mut bytes, mut shown) = (0, 0);
    loop {
        line.clear();
        let read = log.by_ref().take(MAX_LINE).read_until(b'\n', &mut line).map_err(problem)?;
        if read == 0 {
            break;
        }
        tally.add(&line, &accepted.policy);
        bytes += read as u64;
        if bytes - shown > 1 << 22 {
            shown = bytes;
            progress.set_position(bytes);
        }
    }
    progress.finish_and_clear();
    if tally.readable() == 0 {
        return Err(format!(
            "{}: no line of a known format; give a log in the default format of Envoy or Istio, as text or JSON",
            arguments.log
        ));
    }
    let output = match arguments.format {
        Shape::Text => tally.text(&accepted.written),
        Shape::Json => format!("{:#}\n", tally.json(&accepted.written)),
    };
    Ok(Outcome { problem: accepted.caveat(), ..Outcome::well(output) })
}

/// Whether a file is an access log, compressed or not.
fn is_log(name: &str) -> bool {
    let mut line = Vec::new();
    let read = File::open(name).and_then(|file| BufReader::new(file.take(MAX_LINE)).read_until(b'\n', &mut line));
    read.is_ok() && (line.starts_with(&GZIP) || Line::read(&line).is_some())
}
