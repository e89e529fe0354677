//! What several tests need.

pub(crate) mod hashes;

use std::net::Ipv4Addr;

use crate::config::Config;
use crate::policy::Policy;
use crate::request::client::Client;

/// The policy of a configuration.
pub(crate) fn policy(configuration: &str) -> Policy {
    match Config::parse(configuration.as_bytes()) {
        Ok(config) => Policy::new(config),
        Err(error) => panic!("{error}: {configuration}"),
    }
}

/// The client with this number.
pub(crate) fn client(number: u32) -> Client {
    Client::from_ip(Ipv4Addr::from_bits(number).into())
}
