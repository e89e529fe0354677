//! The readings of a path are those of the oracle of the property tests, and never more than there may be; the forms of a
//! pattern are closed.

#![no_main]

use std::collections::BTreeSet;

use basic_auth::{MAX_FORMS, Readings, forms_of_path, forms_of_prefix, forms_of_suffix};
use libfuzzer_sys::fuzz_target;

#[path = "../../tests/oracle/mod.rs"]
mod oracle;

type FormsOf = fn(&[u8]) -> Option<Vec<Vec<u8>>>;

fuzz_target!(|path: &[u8]| {
    let readings = Readings::parse(b"GET", Some(path));
    let (mut all, mut uncut) = (Vec::new(), Vec::new());
    let any = readings.any(|form| {
        all.push(form.to_vec());
        false
    });
    let every = readings.all(|form| {
        uncut.push(form.to_vec());
        true
    });
    let count = uncut.len();
    let sets = [all, uncut].map(BTreeSet::from_iter);
    assert!(count <= MAX_FORMS && sets[1].len() == count, "{count} forms, {} of them different", sets[1].len());
    match oracle::readings(b"GET", Some(path)) {
        None => assert!(any && !every, "readable"),
        Some(expected) => {
            assert!(!any && every, "unreadable");
            assert_eq!(sets, [expected.all, expected.uncut]);
        }
    }

    for (forms_of, whole) in [(forms_of_path as FormsOf, true), (forms_of_prefix, true), (forms_of_suffix, false)] {
        // The configuration refuses a path or a prefix that does not begin with a slash.
        if whole && path.first() != Some(&b'/') {
            continue;
        }
        let Some(forms) = forms_of(path) else { continue };
        assert!(forms.len() <= MAX_FORMS);
        assert_eq!(forms.first().map(Vec::as_slice), Some(path));
        for form in &forms {
            // A form with a lone percent sign may stand in the closure, but not as a pattern of its own.
            for of_form in forms_of(form).into_iter().flatten() {
                assert!(forms.contains(&of_form), "{} is missing", of_form.escape_ascii());
            }
        }
    }
});
