//! Text that does nothing to a terminal. Names, patterns and users are written by others, and may hold what moves the
//! cursor, sets the window's title or turns the direction of reading.

use std::borrow::Cow;
use std::fmt::Write;

/// A text with control characters and marks of direction written out as JSON does, `\u001b`; lines and tabs stay.
pub fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains(is_active) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        if is_active(character) {
            let _ = write!(plain, "\\u{:04x}", u32::from(character));
        } else {
            plain.push(character);
        }
    }
    Cow::Owned(plain)
}

/// Whether a terminal would act upon a character.
pub fn is_active(character: char) -> bool {
    // Unicode's standard annex 9, section 2.
    let turns =
        matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || character.is_control() && !matches!(character, '\n' | '\t')
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn what_acts_is_written_out() {
        assert_eq!(plain("a\u{1b}[31m\u{7}\u{85}\u{202e}b"), r"a\u001b[31m\u0007\u0085\u202eb");
        assert_eq!(plain("ü\n\tשלום 日本 👩‍🚀"), "ü\n\tשלום 日本 👩‍🚀");
    }
}
