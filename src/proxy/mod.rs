//! The proxy, over the proxy-wasm ABI 0.2.1: the only module that talks to it.
//!
//! One root context for each configuration, one HTTP context for each request. Several plugins of one module
//! share a virtual machine, so a policy lives in its root context and nowhere else.

mod abi;
mod root;
mod stream;

use std::time::{Duration, Instant};

use log::error;
use proxy_wasm::hostcalls;
use proxy_wasm::types::{LogLevel, MapType, MetricType, Status};

use crate::response::Response;
use crate::session::{Host, HostError};
use crate::telemetry::Event;
use root::Root;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    // The root id is the operator's (`pluginName` in Istio) and changes nothing.
    proxy_wasm::set_root_context(|_| Box::new(Root::default()));
}}

/// Takes as long for a block whatever else is allocated: with the standard allocator a request among 100,000 rules cost a
/// sixth more than one among a single rule, because the memory that loading left behind had to be searched.
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

/// The proxy, as a session sees it.
struct Proxy {
    /// When the clock of its session began.
    start: Instant,
    /// The proxy's number for the counter of each event, in the order of their indexes.
    counters: Vec<u32>,
}

impl Proxy {
    /// As long as there is no configuration, nothing is counted.
    fn without_counters(start: Instant) -> Self {
        Self { start, counters: Vec::new() }
    }

    fn new(start: Instant) -> Self {
        let define = |event: Event| hostcalls::define_metric(MetricType::Counter, &event.name());
        Self { start, counters: Event::all().map_while(|event| define(event).ok()).collect() }
    }
}

impl Host for Proxy {
    fn now(&self) -> Duration {
        self.start.elapsed()
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

    fn count(&self, event: Event) {
        if let Some(counter) = self.counters.get(event.index())
            && let Err(status) = hostcalls::increment_metric(*counter, 1)
        {
            error!("basic_auth: proxy_increment_metric answered {}: something is not counted", status as u32);
        }
    }

    fn remove_header(&self, name: &[u8]) -> Result<(), HostError> {
        set_header("proxy_remove_header_map_value", name, None)
    }

    fn set_header(&self, name: &[u8], value: &[u8]) -> Result<(), HostError> {
        set_header("proxy_replace_header_map_value", name, Some(value))
    }
}

fn set_header(call: &'static str, name: &[u8], value: Option<&[u8]>) -> Result<(), HostError> {
    let name = str::from_utf8(name).map_err(|_| failed(call)(Status::BadArgument))?;
    hostcalls::set_map_value_bytes(MapType::HttpRequestHeaders, name, value).map_err(failed(call))
}

fn failed(call: &'static str) -> impl FnOnce(Status) -> HostError {
    move |status| HostError { call, status: status as u32 }
}
