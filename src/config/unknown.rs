//! Fields that an object does not have, and what may have been meant.
//!
//! A name that is in no table here may be a secret in the wrong place, and is not repeated.

use super::error::Problem;
use super::fields::{FETCH, LOCKOUT, RULE, TOP, UNAUTHORIZED};
use super::suggest::nearest;

/// Names that older versions of the C++ module, other products and everyday speech have, and what to write here.
const FOREIGN: &[(&str, &str)] = &[
    (
        // The first forms of the C++ module had an object `request_path`.
        "request_path path paths path_prefix match match_pattern pattern uri url route routes location _match_route_",
        "write `prefix`, `exact`, `suffix` or `regex` in a rule",
    ),
    ("pluginConfig plugin_config configuration", "remove it, and write what is in it in its place"),
    ("rules rule _rules_", "write `basic_auth_rules` at the top"),
    ("method methods verb verbs", "write `request_methods` in a rule"),
    ("host hostname hostnames domain domains authority server_name _match_domain_", "write `hosts` in a rule"),
    (
        "consumer consumers username password user auth secret secretName basicAuth basic_auth basicauth userlist",
        "write the users of a rule in its `credentials`, as `user:password`, or in its `htpasswd`",
    ),
    (
        "usersFile users_file file htpasswd_file auth_basic_user_file inline_string filename",
        "write the text of the file in `htpasswd` of a rule, or name a variable that holds it in `htpasswd_env`",
    ),
    ("exclude excluded exclusions unless skip ignore whitelist", "write `except` in a rule"),
    ("auth_basic realm_name", "write `realm`"),
    ("allow allowed_users allowedUsers allow_groups group groups", "write `allow_users` in a rule"),
    ("removeHeader remove_header", "write `hide_credentials`"),
    ("headerField header_field", "write `forward_username_header` at the top"),
    ("anonymous anonymous_consumer", "write `allow_missing`"),
    ("satisfy whitelist_source_range allow_ips", "write `allow_source_ranges` in a rule"),
    ("global_auth", "remove it; a rule covers what its `hosts` and its path pattern match"),
];

/// What is wrong with a field that an object with these fields does not have.
pub(super) fn problem(written: &str, known: &'static [&'static str]) -> Problem {
    let homes =
        [(RULE, "in a rule"), (TOP, "at the top"), (LOCKOUT, "in `lockout`"), (UNAUTHORIZED, "in `unauthorized`")];
    for (fields, home) in homes {
        if let Some(field) = fields.iter().find(|field| **field == written) {
            return Problem::MisplacedField { field, home };
        }
    }
    for (names, cure) in FOREIGN {
        if let Some(field) = word(names, written) {
            return Problem::ForeignField { field, cure };
        }
    }
    // Last: `path` is what other products call a pattern.
    if let Some(field) = FETCH.iter().find(|field| **field == written) {
        return Problem::MisplacedField { field, home: "in `htpasswd_fetch`" };
    }
    let resembles = nearest(written, known).map(|nearest| (written.to_owned(), nearest));
    Problem::UnknownField { resembles, known }
}

/// The word of a text that equals another text.
fn word(words: &'static str, written: &str) -> Option<&'static str> {
    words.split(' ').find(|word| *word == written)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{FETCH, FOREIGN};
    use crate::config::FIELDS;

    #[test]
    fn each_name_is_in_one_list() {
        let foreign = FOREIGN.iter().flat_map(|(names, _)| names.split(' '));
        // A field may be explained twice, for two objects.
        let fields: HashSet<&str> =
            FIELDS.iter().map(|field| field.name).filter(|name| !FETCH.contains(name)).collect();
        let mut names: Vec<&str> = fields.into_iter().chain(foreign).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
        assert!(names.iter().all(|name| !name.is_empty()));
    }
}
