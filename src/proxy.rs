//! The one file that talks to the proxy, over the proxy-wasm ABI 0.2.1.
//!
//! One root context for each configuration, one HTTP context for each request. Several plugins of one module
//! share a virtual machine, so a policy lives in its root context and nowhere else.

use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;
use std::time::{Duration, Instant};

use log::{error, info, warn};
use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel};

use crate::answer::Answer;
use crate::client::Client;
use crate::config::Config;
use crate::decision::Decision;
use crate::error::{ConfigError, Problem};
use crate::gate::{Gate, Passage};
use crate::policy::Policy;
use crate::request::Request;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    // The root id is the operator's (`pluginName` in Istio) and changes nothing.
    proxy_wasm::set_root_context(|_| Box::new(Plugin { configured: None, replaced: Vec::new() }));
}}

/// Takes as long for a block whatever else is allocated: with the standard allocator a request among 100,000 rules cost a
/// sixth more than one among a single rule, because the memory that loading left behind had to be searched.
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

/// How many warnings of one configuration are logged; the rest is counted.
const LOGGED_WARNINGS: usize = 10;

/// How often hashes are worked on while any wait. Envoy's timers are no finer on a usual kernel.
const TICK: Duration = Duration::from_millis(4);

/// A policy and the logins that wait at its gate.
struct Configured {
    policy: Policy,
    gate: RefCell<Gate>,
    /// Requests that had waited and go on, until they are over.
    resumed: RefCell<HashSet<u32>>,
    start: Instant,
}

impl Configured {
    fn new(policy: Policy) -> Result<Self, getrandom::Error> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        let gate = RefCell::new(Gate::new(&policy, &key, Duration::ZERO));
        Ok(Self { policy, gate, resumed: RefCell::default(), start: Instant::now() })
    }

    /// Decides about a request, or lets it wait.
    fn decide<'p>(&'p self, request: &Request<'p>, number: u32) -> Passage<'p> {
        if !self.policy.needs_gate() {
            return Passage::Decided(Decision::of(Some(&self.policy), request));
        }
        let Ok(mut gate) = self.gate.try_borrow_mut() else { return Passage::Decided(Decision::NotConfigured) };
        let was_idle = gate.is_idle();
        let passage = gate.decide(&self.policy, request, number, client, &mut || self.start.elapsed());
        if was_idle && !gate.is_idle() && hostcalls::set_tick_period(TICK).is_err() {
            error!("basic_auth: the proxy has no timer, so hashes cannot be verified");
        }
        passage
    }

    /// Does a slice of the waiting work and answers the requests that are decided by it.
    fn work(&self) {
        let Ok(mut gate) = self.gate.try_borrow_mut() else { return };
        let decided = gate.work(&self.policy, &mut || self.start.elapsed());
        // An answer ends its request, which then asks the gate to forget it.
        drop(gate);
        for (number, decision) in decided {
            // A request that is gone has no context any more.
            if hostcalls::set_effective_context(number).is_err() {
                continue;
            }
            match Answer::from(&decision) {
                Answer::Continue => {
                    if let Ok(mut resumed) = self.resumed.try_borrow_mut() {
                        resumed.insert(number);
                    }
                    if hostcalls::resume_http_request().is_err() {
                        error!("basic_auth: the proxy did not resume a request that had waited");
                    }
                }
                Answer::Refuse { status, headers } => refuse(status, &headers),
            }
        }
    }

    fn is_idle(&self) -> bool {
        self.gate.try_borrow().is_ok_and(|gate| gate.is_idle())
    }
}

/// The root context: one configuration.
struct Plugin {
    configured: Option<Rc<Configured>>,
    /// Earlier configurations in which requests still wait.
    replaced: Vec<Rc<Configured>>,
}

impl Context for Plugin {}

impl RootContext for Plugin {
    fn on_configure(&mut self, size: usize) -> bool {
        // Requests that wait are decided by what was in force when they came.
        self.replaced.extend(self.configured.take());
        match Config::check_size(size).and_then(|()| configure(self.get_plugin_configuration().unwrap_or_default())) {
            Ok(configured) => {
                self.configured = Some(Rc::new(configured));
                true
            }
            Err(error) => {
                error!("basic_auth: configuration refused: {error}");
                false
            }
        }
    }

    fn on_tick(&mut self) {
        self.replaced.retain(|replaced| !replaced.is_idle());
        for configured in self.replaced.iter().chain(&self.configured) {
            configured.work();
        }
        // An idle tick costs the proxy as much as twenty requests cost this filter.
        if self.replaced.iter().chain(&self.configured).all(|configured| configured.is_idle()) {
            self.set_tick_period(Duration::ZERO);
        }
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, number: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Filter { configured: self.configured.clone(), number, stays: false, waits: false }))
    }
}

/// Reads a configuration and says what it protects.
fn configure(text: Vec<u8>) -> Result<Configured, ConfigError> {
    let config = Config::read_in(&text, &|name| std::env::var(name).ok())?;
    // Memory that is given back is what the policy is built in; a module never returns any to the proxy.
    drop(text);
    for warning in config.warnings.iter().take(LOGGED_WARNINGS) {
        warn!("basic_auth: {warning}");
    }
    if let Some(more @ 1..) = config.warnings.len().checked_sub(LOGGED_WARNINGS) {
        warn!("basic_auth: and {more} more warnings");
    }
    let policy = Policy::new(config);
    info!("basic_auth: protecting with {} rules and {} credentials", policy.rules(), policy.credentials());
    Configured::new(policy).map_err(|_| ConfigError { place: String::new(), problem: Problem::NoRandomness })
}

/// The HTTP context: one request.
struct Filter {
    configured: Option<Rc<Configured>>,
    number: u32,
    /// Whether it was not let on when its headers came.
    stays: bool,
    waits: bool,
}

impl Context for Filter {}

impl HttpContext for Filter {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        let headers = request_headers();
        // Headers that cannot be read are those of a request of which nothing is known: every rule covers it.
        let request = Request::from_header_map(&headers).unwrap_or_default();
        let passage = match &self.configured {
            Some(configured) => configured.decide(&request, self.number),
            None => Passage::Decided(Decision::NotConfigured),
        };
        match passage {
            Passage::Decided(decision) => match Answer::from(&decision) {
                Answer::Continue => return Action::Continue,
                Answer::Refuse { status, headers } => refuse(status, &headers),
            },
            Passage::Waiting => self.waits = true,
        }
        self.stays = true;
        Action::Pause
    }

    fn on_http_request_body(&mut self, _: usize, _: bool) -> Action {
        self.stay()
    }

    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        self.stay()
    }
}

impl Filter {
    /// What becomes of a body or of trailers. Envoy does not ask while a request waits, unless the plugin has
    /// `allow_on_headers_stop_iteration`; then a body that goes on takes its request along.
    fn stay(&self) -> Action {
        let is_resumed =
            |configured: &Rc<Configured>| configured.resumed.try_borrow().is_ok_and(|all| all.contains(&self.number));
        if self.stays && !self.configured.as_ref().is_some_and(is_resumed) { Action::Pause } else { Action::Continue }
    }
}

impl Drop for Filter {
    /// The request is over, perhaps because its client is gone: nothing more is to be hashed for it.
    fn drop(&mut self) {
        if self.waits
            && let Some(configured) = &self.configured
            && let (Ok(mut gate), Ok(mut resumed)) =
                (configured.gate.try_borrow_mut(), configured.resumed.try_borrow_mut())
        {
            gate.forget(self.number);
            resumed.remove(&self.number);
        }
    }
}

/// The client of the request that is being handled.
fn client() -> Client {
    let address = hostcalls::get_property(vec!["source", "address"]);
    address.ok().flatten().map_or(Client::UNKNOWN, |address| Client::from_source_address(&address))
}

/// The two calls of the ABI that the SDK wraps at a price: it serializes the headers of an answer anew each time, and it
/// takes those of a request apart into a vector of vectors, with a panic where a name is not UTF-8.
#[allow(unsafe_code, reason = "the proxy is foreign code")]
mod abi {
    #[link(wasm_import_module = "env")]
    unsafe extern "C" {
        /// Writes the place and the size of a block of memory.
        pub(super) fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;

        /// Only reads, and checks that what it is told to read lies in the module's memory.
        pub(super) safe fn proxy_send_local_response(
            status: u32,
            details: *const u8,
            details_size: usize,
            body: *const u8,
            body_size: usize,
            headers: *const u8,
            headers_size: usize,
            grpc_status: i32,
        ) -> u32;
    }
}

/// The status of a call that did what was asked.
const OK: u32 = 0;

/// Sends a refusal. It is the one answer of its request.
fn refuse(status: u32, headers: &[u8]) {
    // To a gRPC client the proxy says what the HTTP status stands for there.
    const GRPC_STATUS_OF_HTTP: i32 = -1;
    let none = std::ptr::null();
    let (data, size) = (headers.as_ptr(), headers.len());
    if abi::proxy_send_local_response(status, none, 0, none, 0, data, size, GRPC_STATUS_OF_HTTP) != OK {
        error!("basic_auth: the proxy took no refusal; the request stays where it is");
    }
}

/// The request's headers as a serialized header map, in one call and without a copy; empty if the proxy has none.
fn request_headers() -> Box<[u8]> {
    const REQUEST_HEADERS: u32 = 0;
    let mut data = std::ptr::null_mut();
    let mut size = 0;
    // SAFETY: The proxy writes through the two pointers while the call lasts, and both are to variables of this
    // function. It stores there a block that it had from `proxy_on_memory_allocate` and has filled: the SDK makes one of
    // a boxed slice of `size` bytes and gives it away. It is made a boxed slice of that size again here.
    #[allow(unsafe_code, reason = "the proxy is foreign code; the proof stands above")]
    unsafe {
        if abi::proxy_get_header_map_pairs(REQUEST_HEADERS, &raw mut data, &raw mut size) == OK && !data.is_null() {
            return Box::from_raw(std::ptr::slice_from_raw_parts_mut(data, size));
        }
    }
    Box::default()
}
