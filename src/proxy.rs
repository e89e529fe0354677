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
        let method = self.get_http_request_header_bytes(":method").unwrap_or_default();
        let path = self.get_http_request_header_bytes(":path");
        let authority = self.get_http_request_header_bytes(":authority");
        let authorization = self.get_http_request_header_bytes("authorization");
        let request = Request {
            method: &method,
            path: path.as_deref(),
            authority: authority.as_deref(),
            authorization: authorization.iter().map(Vec::as_slice).collect(),
        };
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
