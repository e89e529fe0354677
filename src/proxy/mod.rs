//! The proxy, over the proxy-wasm ABI 0.2.1: the only module that talks to it.
//!
//! One root context for each configuration, one HTTP context for each request. Several plugins of one module
//! share a virtual machine, so a policy lives in its root context and nowhere else.

mod abi;
mod c_memory;
mod exports;
mod logger;
mod root;
mod stream;

use std::time::Duration;

use crate::host::HostError;
use crate::response::Response;
use crate::session::Host;
use crate::telemetry::{MetricHost, MetricKind};
use crate::throttle::SharedData;
use crate::users::fetched::FetchSource;

proxy_wasm::main! {{
    logger::install();
}}

/// Takes as long for a block whatever else is allocated: with the standard allocator a request among 100,000 rules cost a
/// sixth more than one among a single rule, because the memory that loading left behind had to be searched.
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

/// The proxy, as a session sees it.
struct Proxy;

impl MetricHost for Proxy {
    fn define_metric(&self, kind: MetricKind, name: &str) -> Result<u32, HostError> {
        abi::define_metric(kind, name)
    }

    fn add_to_metric(&self, metric: u32, difference: i64) -> Result<(), HostError> {
        abi::increment_metric(metric, difference)
    }

    fn set_metric(&self, metric: u32, value: u64) -> Result<(), HostError> {
        abi::record_metric(metric, value)
    }
}

impl Host for Proxy {
    fn now(&self) -> Duration {
        abi::monotonic_time()
    }

    fn source_address(&self) -> Option<Vec<u8>> {
        abi::get_property("source\0address").map(Into::into)
    }

    fn set_tick_period(&self, period: Duration) -> Result<(), HostError> {
        abi::set_tick_period(period)
    }

    fn select(&self, request: u32) -> Result<(), HostError> {
        abi::set_effective_context(request)
    }

    fn resume(&self) -> Result<(), HostError> {
        abi::resume_request()
    }

    fn respond(&self, response: &Response<'_>) -> Result<(), HostError> {
        abi::send_local_response(response)
    }

    fn remove_header(&self, name: &[u8]) -> Result<(), HostError> {
        abi::remove_header(name)
    }

    fn set_header(&self, name: &[u8], value: &[u8]) -> Result<(), HostError> {
        abi::set_header(name, value)
    }

    fn set_property(&self, name: &str, value: &[u8]) -> Result<(), HostError> {
        abi::set_property(name, value)
    }

    fn fetch(&self, source: &FetchSource, etag: Option<&str>) -> Result<u32, HostError> {
        let FetchSource { cluster, path, authority, .. } = source;
        let mut headers: Vec<(&str, &[u8])> = vec![
            (":method", b"GET"),
            (":path", path.as_bytes()),
            (":authority", authority.as_bytes()),
            ("accept", b"text/plain"),
        ];
        headers.extend(etag.map(|etag| ("if-none-match", etag.as_bytes())));
        abi::http_call(cluster, &headers, source.timeout)
    }
}

/// The store that all workers of the process share.
struct ProxySharedData;

impl SharedData for ProxySharedData {
    fn get(&self, key: &str) -> Option<(Box<[u8]>, u32)> {
        abi::get_shared_data(key)
    }

    fn set(&self, key: &str, value: &[u8], version: u32) -> bool {
        abi::set_shared_data(key, value, version)
    }
}
