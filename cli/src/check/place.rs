//! What a configuration asks of the place where it works.

use super::Judge;
use crate::finding::Level;
use crate::range::Range;
use crate::rules::Written;

impl Judge<'_> {
    /// Warns of what holds elsewhere than here.
    pub(super) fn place(&mut self, written: &Written) {
        let Ok(text) = &self.configuration.text else { return };
        if let Some(offset) = written.plain_password {
            let position = text.key_position(self.source, offset);
            let sentence = "passwords in plain text: whoever may read this reads them; `htpasswd` holds hashes, `htpasswd -nB -C 10 USER`";
            self.add(Level::Note, "plain-password", position, "", sentence.to_owned());
        }
        let place = self.configuration.place;
        let ranges = written.rules.iter().position(|rule| !rule.source_ranges.is_empty());
        if place.has_forged_addresses && (written.has_lockout || ranges.is_some()) {
            let field = if ranges.is_some() { "allow_source_ranges" } else { "lockout" };
            let sentence = if place.in_mesh {
                format!(
                    "`{field}` needs the client's own address, and waypoints and sidecars believe `x-forwarded-for`; move the plugin to a gateway"
                )
            } else {
                format!(
                    "`{field}` needs the client's own address, and without `use_remote_address: true` in the connection manager `x-forwarded-for` is believed; set it there"
                )
            };
            let path = ranges.map_or_else(|| field.to_owned(), |index| format!("basic_auth_rules[{index}].{field}"));
            self.add(Level::Warning, "forged-address", self.configuration.position, &path, sentence);
        }
        for (index, rule) in written.rules.iter().enumerate() {
            let whole = rule.source_ranges.iter().filter_map(|text| Range::read(text)).find(Range::is_whole);
            if let Some(range) = whole {
                let position = text.key_position(self.source, rule.ranges_offset);
                let path = format!("basic_auth_rules[{index}].allow_source_ranges");
                let sentence = format!(
                    "`{range}` is every address of its kind, and from none of them a password is asked; name your own networks, or remove the rule"
                );
                self.add(Level::Warning, "every-address", position, &path, sentence);
            }
        }
        for (index, rule) in written.rules.iter().enumerate() {
            let named = rule.hosts.iter().filter(|host| *host != "*").collect::<Vec<_>>();
            let Some(first) = named.first().filter(|_| named.len() == rule.hosts.len()) else { continue };
            let is_service = named.iter().any(|host| is_service_name(host));
            if place.in_mesh || is_service {
                let position = text.key_position(self.source, rule.hosts_offset);
                let path = format!("basic_auth_rules[{index}].hosts");
                let other =
                    if first.contains('.') { "another, or the address" } else { "with its namespace, or the address" };
                let sentence = format!(
                    "a client inside the mesh may write another host and reach the same service ({other}), and no password is asked; leave `hosts` out"
                );
                self.add(Level::Warning, "hosts-in-mesh", position, &path, sentence);
                return;
            }
        }
    }
}

/// Whether a host is the name of a Service, which has several.
fn is_service_name(host: &str) -> bool {
    let name = host.split(':').next().unwrap_or_default();
    let is_plain = !name.contains('.') && !name.contains('*') && !name.starts_with('[') && name != "localhost";
    is_plain || name.split('.').skip(2).any(|label| label == "svc")
}
