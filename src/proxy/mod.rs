//! The proxy, over the proxy-wasm ABI 0.2.1: the only module that talks to it.
//!
//! One root context for each configuration, one HTTP context for each request. Several plugins of one module
//! share a virtual machine, so a policy lives in its root context and nowhere else.

mod abi;
mod c_memory;
mod exports;
mod root;
mod stream;

use std::time::Duration;

use proxy_wasm::hostcalls;
use proxy_wasm::types::{LogLevel, MapType, MetricType, Status};

use crate::host::HostError;
use crate::response::Response;
use crate::session::Host;
use crate::telemetry::{MetricHost, MetricKind};
use crate::throttle::SharedData;
use crate::users::fetched::FetchSource;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
}}

/// Takes as long for a block whatever else is allocated: with the standard allocator a request among 100,000 rules cost a
/// sixth more than one among a single rule, because the memory that loading left behind had to be searched.
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

/// The proxy, as a session sees it.
struct Proxy;

impl MetricHost for Proxy {
    fn define_metric(&self, kind: MetricKind, name: &str) -> Result<u32, HostError> {
        let kind = match kind {
            MetricKind::Counter => MetricType::Counter,
            MetricKind::Gauge => MetricType::Gauge,
        };
        hostcalls::define_metric(kind, name).map_err(failed("proxy_define_metric"))
    }

    fn add_to_metric(&self, metric: u32, difference: i64) -> Result<(), HostError> {
        hostcalls::increment_metric(metric, difference).map_err(failed("proxy_increment_metric"))
    }

    fn set_metric(&self, metric: u32, value: u64) -> Result<(), HostError> {
        hostcalls::record_metric(metric, value).map_err(failed("proxy_record_metric"))
    }
}

impl Host for Proxy {
    fn now(&self) -> Duration {
        abi::monotonic_time()
    }

    fn source_address(&self) -> Option<Vec<u8>> {
        hostcalls::get_property(vec!["source", "address"]).ok().flatten()
    }

    fn set_tick_period(&self, period: Duration) -> Result<(), HostError> {
        hostcalls::set_tick_period(period).map_err(failed("proxy_set_tick_period_milliseconds"))
    }

    fn select(&self, request: u32) -> Result<(), HostError> {
        hostcalls::set_effective_context(request).map_err(failed("proxy_set_effective_context"))
    }

    fn resume(&self) -> Result<(), HostError> {
        hostcalls::resume_http_request().map_err(failed("proxy_continue_stream"))
    }

    fn respond(&self, response: &Response<'_>) -> Result<(), HostError> {
        abi::send_local_response(response)
    }

    fn remove_header(&self, name: &[u8]) -> Result<(), HostError> {
        set_header("proxy_remove_header_map_value", name, None)
    }

    fn set_header(&self, name: &[u8], value: &[u8]) -> Result<(), HostError> {
        set_header("proxy_replace_header_map_value", name, Some(value))
    }

    fn set_property(&self, name: &str, value: &[u8]) -> Result<(), HostError> {
        hostcalls::set_property(vec![name], Some(value)).map_err(failed("proxy_set_property"))
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

fn set_header(call: &'static str, name: &[u8], value: Option<&[u8]>) -> Result<(), HostError> {
    let name = str::from_utf8(name).map_err(|_| failed(call)(Status::BadArgument))?;
    hostcalls::set_map_value_bytes(MapType::HttpRequestHeaders, name, value).map_err(failed(call))
}

fn failed(call: &'static str) -> impl FnOnce(Status) -> HostError {
    move |status| HostError { call, status: status as u32 }
}
