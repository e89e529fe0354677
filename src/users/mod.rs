//! Who may pass: user names, passwords and their hashes.

pub(crate) mod fetched;
pub(crate) mod hash;
pub(crate) mod header;
pub(crate) mod htpasswd;
pub(crate) mod list;
pub(crate) mod name;
pub(crate) mod pair;
pub(crate) mod plain;
pub(crate) mod verification;

#[cfg(test)]
mod tests {
    use super::hash::Hash;
    use super::header::Presented;
    use super::htpasswd::lines;
    use super::list::UserList;
    use super::pair::{Pair, configured};
    use crate::request::HeaderLines;
    use crate::test_support::hashes::SHA;

    /// Where it is a password, a hash or a part of one.
    const SECRET: &str = "hunter2";

    #[test]
    fn nothing_that_is_shown_holds_a_secret() {
        let listed = format!("alice:{SHA}\nbob:{{SSHA}}{SECRET}");
        let mut shown = vec![
            format!("{:?}", Pair::new(format!("alice:{SECRET}").into_bytes()).unwrap()),
            // alice:hunter2
            format!("{:?}", Presented::parse(HeaderLines::One(b"Basic YWxpY2U6aHVudGVyMg=="))),
            format!("{:?}", Hash::parse(SHA).unwrap()),
            format!("{:?}", UserList::parse(format!("alice:{SHA}")).unwrap()),
            format!("{:?}", lines(&listed).collect::<Vec<_>>()),
        ];
        assert!(shown.iter().all(|text| !text.contains(&SHA[5..])), "{shown:?}");
        for text in [
            SECRET.to_owned(),
            format!(":{SECRET}"),
            format!("alice {SECRET}"),
            format!("alice:\u{7}{SECRET}"),
            format!("alice:{SECRET}\n:{SECRET}"),
            format!("alice: {SECRET}"),
            format!("alice:{SHA}:{SECRET}:{SECRET}"),
            listed,
        ] {
            let errors =
                (configured(&text).err(), UserList::parse(text.as_str()).err(), Pair::new(text.as_bytes()).err());
            shown.push(format!("{errors:?}"));
            shown.extend(errors.0.map(|error| error.to_string()));
            shown.extend(errors.1.map(|error| error.to_string()));
        }
        for marker in
            ["", "{SHA}", "{SSHA}", "$apr1$", "$1$", "$2y$", "$2y$10$", "$5$", "$6$rounds=", "$argon2id$", "$7$", "$x$"]
        {
            let error = Hash::parse(&format!("{marker}{SECRET}")).unwrap_err();
            shown.push(format!("{error:?} {error}"));
        }
        assert!(shown.iter().all(|text| !text.contains(SECRET)), "{shown:?}");
    }
}
