//! `docs/matching.md` a second time, as plainly as it can be said: sets of byte strings, one function a step, no limit on
//! work, no shortcut. It shares no line with `src/`, so that a slip there is no slip here.

use std::collections::BTreeSet;

/// How many readings make a path unreadable.
const MAX_READINGS: usize = 64;

/// How many bytes in all readings make a path of that length unreadable.
fn max_bytes(sent: usize) -> usize {
    if sent < 5_462 { 16_384 } else { sent * 3 }
}

/// One of the steps, by which one reading becomes another.
pub type Step = fn(&[u8]) -> Option<Vec<u8>>;

/// The steps that count for rules and exceptions alike.
pub const STEPS: [Step; 21] = [
    decode_all,
    decode_all_but_slashes,
    decode_unreserved,
    |path| end_at(path, b'#'),
    |path| end_at(path, b'?'),
    |path| end_at(path, 0),
    |path| end_at(path, b'\n'),
    |path| end_at(path, b';'),
    only_utf_8,
    latin_1,
    trimmed,
    dots_of_segments,
    dots_at_end,
    backslashes,
    pluses,
    merge,
    authority,
    authority_behind_slashes,
    dots,
    parameters,
    letters,
];

/// The readings of a path.
pub struct Readings {
    /// Those that count for an exception.
    pub for_exceptions: BTreeSet<Vec<u8>>,
    /// Those that count for a rule: a trailing slash may be cut as well.
    pub for_rules: BTreeSet<Vec<u8>>,
}

/// Reads a path; `None` if it is unreadable.
pub fn readings(method: &[u8], path: Option<&[u8]>) -> Option<Readings> {
    let sent = end_at(path?, b'?').unwrap_or(path?.to_vec());
    if method == b"OPTIONS" && sent == b"*" {
        return Some(Readings { for_exceptions: BTreeSet::from([sent.clone()]), for_rules: BTreeSet::from([sent]) });
    }
    if !sent.starts_with(b"/") {
        return None;
    }
    // Before anything is decoded, somebody may split the request line at what is white space in ISO 8859-1.
    let ends = sent.iter().position(|byte| char::from(*byte).is_whitespace() || (0x1c..=0x1f).contains(byte));
    let from: Vec<&[u8]> = [&sent[..]].into_iter().chain(ends.map(|end| &sent[..end])).collect();
    let for_exceptions = closure(&from, &STEPS)?;
    // The trailing slash is cut last.
    let mut for_rules = for_exceptions.clone();
    for reading in &for_exceptions {
        let mut cut = cut_slash(reading);
        while let Some(path) = cut {
            cut = cut_slash(&path);
            for_rules.insert(path);
        }
    }
    if is_too_much(&for_rules, sent.len()) {
        return None;
    }
    Some(Readings { for_exceptions, for_rules })
}

fn is_too_much(readings: &BTreeSet<Vec<u8>>, sent: usize) -> bool {
    readings.len() > MAX_READINGS || readings.iter().map(Vec::len).sum::<usize>() > max_bytes(sent)
}

fn closure(from: &[&[u8]], steps: &[Step]) -> Option<BTreeSet<Vec<u8>>> {
    let mut readings = BTreeSet::new();
    let mut left: Vec<Vec<u8>> = from.iter().map(|path| path.to_vec()).collect();
    while let Some(reading) = left.pop() {
        if malformed(&reading) || overlong(&reading) {
            return None;
        }
        if readings.contains(&reading) {
            continue;
        }
        left.extend(steps.iter().filter_map(|step| step(&reading)));
        readings.insert(reading);
        if is_too_much(&readings, from[0].len()) {
            return None;
        }
    }
    Some(readings)
}

/// The byte that the escape at the beginning stands for.
fn escape(path: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = path else { return None };
    u8::from_str_radix(str::from_utf8(&[*high, *low]).ok().filter(|digits| !digits.contains('+'))?, 16).ok()
}

fn malformed(path: &[u8]) -> bool {
    (0..path.len()).any(|place| path[place] == b'%' && escape(&path[place..]).is_none())
}

/// Whether two bytes begin a sequence of UTF-8 whose character would have fitted into a shorter one.
fn overlong(path: &[u8]) -> bool {
    path.windows(2).any(|pair| {
        let (lead, next) = (u64::from(pair[0]), u64::from(pair[1]));
        let length = u64::from(pair[0].leading_ones());
        if !(2..=6).contains(&length) || next >> 6 != 0b10 {
            return false;
        }
        // The most that the sequence can say, and the least that needs its length.
        let rest = 6 * (length - 2);
        let most = (((lead & ((1 << (7 - length)) - 1)) << 6 | (next & 0x3f)) << rest) | ((1 << rest) - 1);
        let least = if length == 2 { 0x80 } else { 1 << (5 * (length - 1) + 1) };
        most < least
    })
}

fn decode(path: &[u8], wanted: fn(u8) -> bool) -> Option<Vec<u8>> {
    let mut decoded = Vec::new();
    let mut place = 0;
    while place < path.len() {
        match escape(&path[place..]) {
            Some(byte) if wanted(byte) => {
                decoded.push(byte);
                place += 3;
            }
            _ => {
                decoded.push(path[place]);
                // The digits of an escape that stays are no beginning of another.
                place += 1;
            }
        }
    }
    Some(decoded)
}

fn decode_all(path: &[u8]) -> Option<Vec<u8>> {
    decode(path, |_| true)
}

fn decode_all_but_slashes(path: &[u8]) -> Option<Vec<u8>> {
    decode(path, |byte| byte != b'/')
}

fn decode_unreserved(path: &[u8]) -> Option<Vec<u8>> {
    decode(path, |byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

fn end_at(path: &[u8], end: u8) -> Option<Vec<u8>> {
    let place = path.iter().position(|byte| *byte == end)?;
    Some(path[..place].to_vec())
}

fn only_utf_8(path: &[u8]) -> Option<Vec<u8>> {
    let mut kept = Vec::new();
    let mut place = 0;
    while place < path.len() {
        // A character has up to four bytes, and is the shortest piece from here that is text.
        let lengths = 1..=4.min(path.len() - place);
        match lengths.into_iter().find(|length| str::from_utf8(&path[place..place + length]).is_ok()) {
            Some(length) => {
                kept.extend(&path[place..place + length]);
                place += length;
            }
            None => place += 1,
        }
    }
    Some(kept)
}

fn trimmed(path: &[u8]) -> Option<Vec<u8>> {
    let is_blank = |byte: u8| byte == b' ' || byte.is_ascii_control();
    let mut segments: Vec<Vec<u8>> = path.split(|byte| *byte == b'/').map(<[u8]>::to_vec).collect();
    for segment in &mut segments {
        while segment.last().is_some_and(|byte| is_blank(*byte)) {
            segment.pop();
        }
        while segment.first().is_some_and(|byte| is_blank(*byte)) {
            segment.remove(0);
        }
    }
    Some(segments.join(&b'/'))
}

fn latin_1(path: &[u8]) -> Option<Vec<u8>> {
    let mut read = Vec::new();
    let mut place = 0;
    while place < path.len() {
        let lengths = 1..=4.min(path.len() - place);
        if let Some(length) = lengths.into_iter().find(|length| str::from_utf8(&path[place..place + length]).is_ok()) {
            read.extend(&path[place..place + length]);
            place += length;
        } else {
            read.extend(char::from(path[place]).to_string().bytes());
            place += 1;
        }
    }
    Some(read)
}

fn is_dot_or_blank(byte: u8) -> bool {
    byte == b'.' || byte == b' ' || byte.is_ascii_control()
}

/// Of Windows.
fn dots_of_segments(path: &[u8]) -> Option<Vec<u8>> {
    let mut segments: Vec<Vec<u8>> = path.split(|byte| *byte == b'/').map(<[u8]>::to_vec).collect();
    // Nothing happens unless a segment ends in a dot: blanks are cut for another reason.
    if !segments.iter().any(|segment| segment.ends_with(b".")) {
        return None;
    }
    for segment in segments.iter_mut().filter(|segment| !segment.iter().all(|byte| is_dot_or_blank(*byte))) {
        while segment.last().is_some_and(|byte| is_dot_or_blank(*byte)) {
            segment.pop();
        }
    }
    Some(segments.join(&b'/'))
}

/// Of Caddy.
fn dots_at_end(path: &[u8]) -> Option<Vec<u8>> {
    let mut trimmed = path.to_vec();
    let names_end_in_dot = dots_of_segments(path).is_some();
    while names_end_in_dot && trimmed.last().is_some_and(|byte| is_dot_or_blank(*byte)) {
        trimmed.pop();
    }
    Some(trimmed)
}

fn backslashes(path: &[u8]) -> Option<Vec<u8>> {
    Some(path.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect())
}

/// Of Mustermann.
fn pluses(path: &[u8]) -> Option<Vec<u8>> {
    Some(path.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect())
}

fn merge(path: &[u8]) -> Option<Vec<u8>> {
    let mut merged: Vec<u8> = Vec::new();
    for byte in path {
        if *byte != b'/' || merged.last() != Some(&b'/') {
            merged.push(*byte);
        }
    }
    Some(merged)
}

/// URL parsers take any number of slashes before a name for two.
fn authority_behind_slashes(path: &[u8]) -> Option<Vec<u8>> {
    let name = path.iter().position(|byte| *byte != b'/').filter(|slashes| *slashes >= 2)?;
    authority(&path[name - 2..])
}

fn authority(path: &[u8]) -> Option<Vec<u8>> {
    let [b'/', b'/', rest @ ..] = path else { return None };
    let slash = rest.iter().position(|byte| *byte == b'/');
    Some(slash.map_or(b"/".to_vec(), |slash| rest[slash..].to_vec()))
}

/// RFC 3986, section 5.2.4, to the letter: an input buffer, an output buffer, and its cases A to E.
fn dots(path: &[u8]) -> Option<Vec<u8>> {
    let mut input = path.to_vec();
    let mut output: Vec<u8> = Vec::new();
    while !input.is_empty() {
        if input.starts_with(b"/./") || input == b"/." {
            input = [b"/", input.get(3..).unwrap_or_default()].concat();
        } else if input.starts_with(b"/../") || input == b"/.." {
            input = [b"/", input.get(4..).unwrap_or_default()].concat();
            let parent = output.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
            output.truncate(parent);
        } else {
            let end = input.iter().skip(1).position(|byte| *byte == b'/').map_or(input.len(), |place| place + 1);
            output.extend(input.drain(..end));
        }
    }
    Some(output)
}

fn parameters(path: &[u8]) -> Option<Vec<u8>> {
    let segments: Vec<&[u8]> =
        path.split(|byte| *byte == b'/').map(|segment| segment.split(|byte| *byte == b';').next().unwrap()).collect();
    Some(segments.join(&b'/'))
}

/// The letters that are ASCII in the other case, by Unicode's own tables.
fn letters(path: &[u8]) -> Option<Vec<u8>> {
    let mut read = Vec::new();
    for chunk in path.utf8_chunks() {
        for letter in chunk.valid().chars() {
            let mut others = letter.to_lowercase().chain(letter.to_uppercase());
            let ascii = others.find(char::is_ascii).filter(|_| !letter.is_ascii());
            // Of more than one letter, as the `ﬁ` that is `FI` in capitals, none is taken for the whole.
            let alone = letter.to_uppercase().count() == 1;
            let letter = ascii.filter(|_| alone).map_or(letter, |ascii| ascii.to_ascii_lowercase());
            read.extend(letter.to_string().bytes());
        }
        read.extend(chunk.invalid());
    }
    Some(read)
}

/// Letters in one case, by the tables of the standard library.
pub fn fold(text: &[u8]) -> Vec<u8> {
    let single = |letters: &mut dyn Iterator<Item = char>| letters.next().filter(|_| letters.next().is_none());
    let fold = |letter: char| {
        let capital = single(&mut letter.to_uppercase()).unwrap_or(letter);
        single(&mut capital.to_lowercase()).unwrap_or(capital)
    };
    let folded = |chunk: std::str::Utf8Chunk<'_>| {
        let text: String = chunk.valid().chars().map(fold).collect();
        [text.as_bytes(), chunk.invalid()].concat()
    };
    text.utf8_chunks().flat_map(folded).collect()
}

/// The trailing slash, not the root's.
pub fn cut_slash(path: &[u8]) -> Option<Vec<u8>> {
    match path {
        [before @ .., b'/'] if !before.is_empty() => Some(before.to_vec()),
        _ => None,
    }
}
