//! The one file that talks to the proxy, over the proxy-wasm ABI 0.2.1.
//!
//! One root context for each configuration, one HTTP context for each request. Several plugins of one module
//! share a virtual machine, so a policy lives in its root context and nowhere else.

use std::rc::Rc;

use log::{error, info, warn};
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel};

use crate::answer::Answer;
use crate::config::Config;
use crate::decision::Decision;
use crate::policy::Policy;
use crate::request::Request;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    // The root id is the operator's (`pluginName` in Istio) and changes nothing.
    proxy_wasm::set_root_context(|_| Box::new(Plugin { policy: None }));
}}

/// How many warnings of one configuration are logged; the rest is counted.
const LOGGED_WARNINGS: usize = 10;

/// The root context: one configuration.
struct Plugin {
    policy: Option<Rc<Policy>>,
}

impl Context for Plugin {}

impl RootContext for Plugin {
    fn on_configure(&mut self, _: usize) -> bool {
        let text = self.get_plugin_configuration().unwrap_or_default();
        let config = match Config::read(&text) {
            Ok(config) => config,
            Err(error) => {
                error!("basic_auth: configuration refused: {error}");
                self.policy = None;
                return false;
            }
        };
        for warning in config.warnings.iter().take(LOGGED_WARNINGS) {
            warn!("basic_auth: {warning}");
        }
        if let Some(more @ 1..) = config.warnings.len().checked_sub(LOGGED_WARNINGS) {
            warn!("basic_auth: and {more} more warnings");
        }
        let policy = Policy::new(config);
        info!("basic_auth: protecting with {} rules and {} credentials", policy.rules(), policy.credentials());
        self.policy = Some(Rc::new(policy));
        true
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Filter { policy: self.policy.clone() }))
    }
}

/// The HTTP context: one request.
struct Filter {
    policy: Option<Rc<Policy>>,
}

impl Context for Filter {}

impl HttpContext for Filter {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        let headers = request_headers();
        // Headers that cannot be read are those of a request of which nothing is known: every rule covers it.
        let request = Request::from_header_map(&headers).unwrap_or_default();
        match Answer::from(&Decision::of(self.policy.as_deref(), &request)) {
            Answer::Continue => return Action::Continue,
            Answer::Unauthorized { challenge } => {
                self.send_http_response(401, vec![("www-authenticate", challenge)], None);
            }
            Answer::Unavailable => self.send_http_response(503, Vec::new(), None),
        }
        Action::Pause
    }
}

/// The request's headers as the proxy serializes them, in one call and without a copy; empty if the proxy has none.
///
/// The SDK offers them as a vector of vectors, which costs twice as much, and takes names that are not UTF-8 for a
/// reason to panic.
fn request_headers() -> Box<[u8]> {
    const REQUEST_HEADERS: u32 = 0;
    const OK: u32 = 0;

    #[allow(unsafe_code, reason = "the proxy is foreign code")]
    mod abi {
        #[link(wasm_import_module = "env")]
        unsafe extern "C" {
            pub(super) fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;
        }
    }

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
