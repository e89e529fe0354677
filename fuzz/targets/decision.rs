//! A whole decision. The input is text, so that corpora can be read: method, host, path and credential header, a line each,
//! then the configuration.

#![no_main]

use basic_auth::{Config, Decision, HeaderLines, Policy, Request};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let lines: Vec<&[u8]> = text.splitn(5, |byte| *byte == b'\n').collect();
    let [method, authority, path, credential, configuration] = lines.as_slice() else { return };
    let Ok(config) = Config::parse(configuration) else { return };
    let policy = Policy::new(config);
    let request = Request {
        method,
        path: Some(path),
        authority: Some(authority),
        credential: HeaderLines::One(credential),
        ..Request::default()
    };
    let anonymous = Request { credential: HeaderLines::None, ..request.clone() };
    let is_open = |request: &Request<'_>| matches!(decide(&policy, request), Decision::Pass);

    // The same request gets the same decision, and a refused one an answer.
    assert_eq!(decide(&policy, &request).to_string(), decide(&policy, &request).to_string());
    let open = is_open(&request);
    // A credential opens nothing that no rule covers, and closes nothing.
    assert_eq!(open, is_open(&anonymous));
    assert!(!matches!(decide(&policy, &anonymous), Decision::Accepted { .. }));
    let twice = Request { credential: HeaderLines::Several, ..request.clone() };
    assert!(!matches!(decide(&policy, &twice), Decision::Accepted { .. }));
    if open {
        return;
    }

    // What is protected stays so in other words.
    let path = path.split(|byte| *byte == b'?').next().unwrap_or_default();
    let is_covered = |path: &[u8]| !is_open(&Request { path: Some(path), ..anonymous.clone() });
    assert!(is_covered(path));
    assert!(is_covered(&[path, b"?x=/../y"].concat()));
    if path.first() == Some(&b'/') {
        let escaped: Vec<u8> = path
            .iter()
            .enumerate()
            .flat_map(|(place, byte)| if place == 0 { vec![*byte] } else { format!("%{byte:02X}").into_bytes() })
            .collect();
        assert!(is_covered(&escaped), "escaped: {}", escaped.escape_ascii());
        assert!(is_covered(&[b"//evil.com", path].concat()), "with an authority");
        let has_dots = path.split(|byte| *byte == b'/').any(|segment| segment == b"." || segment == b"..");
        assert!(has_dots || is_covered(&[b"/x/..", path].concat()), "with dot segments");
        assert!(path.contains(&b'#') || is_covered(&[path, b"#x"].concat()), "with a fragment");
        assert!(path.contains(&b';') || is_covered(&[path, b";x"].concat()), "with parameters");
    }
    let user_information = [b"user@", *authority].concat();
    assert!(!is_open(&Request { authority: Some(&user_information), ..anonymous.clone() }), "an unreadable host");
    assert!(!is_open(&Request { authority: None, ..anonymous.clone() }), "no host");
    assert!(!is_open(&Request { path: None, ..anonymous }), "no path");
});

fn decide<'p>(policy: &'p Policy, request: &Request<'p>) -> Decision<'p> {
    policy.decide(request)
}
