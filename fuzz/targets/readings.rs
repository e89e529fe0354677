//! The readings of a path are those of the oracle of the property tests, and never more than there may be; the forms of a
//! pattern are closed.

#![no_main]

use std::collections::BTreeSet;

use basic_auth::readings::{MOST_FORMS, Readings, forms_of_path, forms_of_prefix, forms_of_suffix};
use libfuzzer_sys::fuzz_target;

#[path = "../../tests/oracle/mod.rs"]
mod oracle;

fuzz_target!(|path: &[u8]| {
    let readings = Readings::of(b"GET", Some(path));
    let (mut all, mut uncut) = (Vec::new(), Vec::new());
    let any = readings.any(|form| {
        all.push(form.to_vec());
        false
    });
    let every = readings.all(|form| {
        uncut.push(form.to_vec());
        true
    });
    assert!(all.len() <= MOST_FORMS && uncut.len() <= all.len().max(1));
    let sets = [all, uncut].map(|forms| {
        let count = forms.len();
        let set = BTreeSet::from_iter(forms);
        assert_eq!(set.len(), count, "a form stands twice");
        set
    });
    match oracle::readings(b"GET", Some(path)) {
        None => assert!(any && !every, "readable"),
        Some(expected) => {
            assert!(!any && every, "unreadable");
            assert_eq!(sets, [expected.all, expected.uncut]);
        }
    }

    for forms_of in [forms_of_path, forms_of_prefix, forms_of_suffix] {
        let Some(forms) = forms_of(path) else { continue };
        assert!(forms.len() <= MOST_FORMS);
        assert_eq!(forms.first().map(Vec::as_slice), Some(path));
        for form in &forms {
            // A form with a lone percent sign may stand in the closure, but not as a pattern of its own.
            for of_form in forms_of(form).into_iter().flatten() {
                assert!(forms.contains(&of_form), "{} is missing", of_form.escape_ascii());
            }
        }
    }
});
