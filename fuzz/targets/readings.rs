//! The readings of a path are those of the oracle of the property tests, and never more than there may be; the readings of
//! a pattern are closed.

#![no_main]

use std::collections::BTreeSet;

use basic_auth::{MAX_READINGS, PatternKind, Readings};
use libfuzzer_sys::fuzz_target;

#[path = "../../tests/oracle/mod.rs"]
mod oracle;

fuzz_target!(|path: &[u8]| {
    let readings = Readings::parse(b"GET", Some(path));
    let (mut for_rules, mut for_exceptions) = (Vec::new(), Vec::new());
    let any = readings.any(|reading| {
        for_rules.push(reading.to_vec());
        false
    });
    let every = readings.all(|reading| {
        for_exceptions.push(reading.to_vec());
        true
    });
    let count = for_exceptions.len();
    let sets = [for_rules, for_exceptions].map(BTreeSet::from_iter);
    assert!(count <= MAX_READINGS && sets[1].len() == count, "{count} readings, {} of them different", sets[1].len());
    match oracle::readings(b"GET", Some(path)) {
        None => assert!(any && !every, "readable"),
        Some(expected) => {
            assert!(!any && every, "unreadable");
            assert_eq!(sets, [expected.for_rules, expected.for_exceptions]);
        }
    }

    for kind in [PatternKind::Path, PatternKind::Prefix, PatternKind::Suffix] {
        // The configuration refuses a path or a prefix that does not begin with a slash.
        if kind != PatternKind::Suffix && path.first() != Some(&b'/') {
            continue;
        }
        let Some(readings) = kind.readings(path) else { continue };
        assert!(readings.len() <= MAX_READINGS);
        assert_eq!(readings.first().map(Vec::as_slice), Some(path));
        for reading in &readings {
            // A reading with a lone percent sign may be reached, but is no pattern of its own.
            for reached in kind.readings(reading).into_iter().flatten() {
                assert!(readings.contains(&reached), "{} is missing", reached.escape_ascii());
            }
        }
    }
});
