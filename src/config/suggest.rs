//! Which name was meant.

/// The known name that `written` resembles, if it is at most a third of it away.
pub(super) fn nearest(written: &str, known: &'static [&'static str]) -> Option<&'static str> {
    // The distance takes time in the product of the lengths; no misspelling doubles a name.
    let comparable = known.iter().filter(|name| written.len() <= name.len().saturating_mul(2));
    let (distance, name) = comparable.map(|name| (edit_distance(written, name), *name)).min()?;
    (distance <= (name.len() / 3).max(1)).then_some(name)
}

/// Levenshtein's distance between two names, without regard to case or to `-` for `_`.
fn edit_distance(from: &str, to: &str) -> usize {
    let folded = |byte: u8| if byte == b'-' { b'_' } else { byte.to_ascii_lowercase() };
    let mut distances: Vec<usize> = (0..=to.len()).collect();
    for (row, left) in from.bytes().enumerate() {
        let mut diagonal = row;
        let mut before = row.saturating_add(1);
        let mut cells = distances.iter_mut();
        if let Some(first) = cells.next() {
            *first = before;
        }
        for (cell, right) in cells.zip(to.bytes()) {
            let replaced = diagonal.saturating_add(usize::from(folded(left) != folded(right)));
            diagonal = *cell;
            before = replaced.min(diagonal.saturating_add(1)).min(before.saturating_add(1));
            *cell = before;
        }
    }
    distances.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{edit_distance, nearest};

    #[test]
    fn edit_distance_counts_insertions_deletions_and_replacements() {
        for (from, to, distance) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("kitten", "sitting", 3),
            ("Prefix", "prefix", 0),
            ("request-methods", "request_methods", 0),
        ] {
            assert_eq!(edit_distance(from, to), distance, "{from} to {to}");
        }
    }

    #[test]
    fn nearest_names_misspellings_and_nothing_else() {
        const KNOWN: &[&str] = &["prefix", "credentials", "realm"];
        assert_eq!(nearest("credential", KNOWN), Some("credentials"));
        assert_eq!(nearest("relm", KNOWN), Some("realm"));
        // A third of its eleven letters is three.
        assert_eq!(nearest("credenti", KNOWN), Some("credentials"));
        assert_eq!(nearest("credent", KNOWN), None);
        assert_eq!(nearest("hunter2", KNOWN), None);
        assert_eq!(nearest("", KNOWN), None);
    }
}
