//! The HTTP context: one request.

use std::rc::Rc;

use log::error;
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use super::abi::{self, HeadersOf};
use super::root::Plugin;
use crate::session::RequestState;

pub(super) struct Stream {
    plugin: Rc<Plugin>,
    number: u32,
    /// Where it stood when its headers came; `None` until then.
    state: Option<RequestState>,
}

impl Stream {
    pub(super) fn new(plugin: Rc<Plugin>, number: u32) -> Self {
        Self { plugin, number, state: None }
    }

    /// Whether the request was answered when its headers came, so that nothing more becomes of it.
    pub(super) fn is_answered(&self) -> bool {
        self.state == Some(RequestState::Answered)
    }

    /// What becomes of the request now, and of its body and its trailers. Envoy does not ask about these while a request
    /// waits, unless the plugin has `allow_on_headers_stop_iteration`; then a body that goes on takes its request along. How a
    /// body waits is said in `exports`.
    pub(super) fn action(&self) -> Action {
        let state = match self.state {
            Some(RequestState::Waiting) => Some(self.plugin.session.state(self.number)),
            decided => decided,
        };
        match state {
            Some(RequestState::Passed) => Action::Continue,
            Some(RequestState::Answered | RequestState::Waiting) | None => Action::Pause,
        }
    }
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _: usize, is_whole: bool) -> Action {
        let Plugin { session, proxy } = &*self.plugin;
        let state = abi::with_headers(HeadersOf::Request, |headers| {
            let headers = headers.unwrap_or_else(|error| {
                // Which the session refuses.
                error!("basic_auth: {error}: the headers of a request cannot be read");
                &[]
            });
            session.on_request(proxy, self.number, headers, !is_whole)
        });
        self.state = Some(state);
        self.action()
    }

    fn on_http_request_body(&mut self, _: usize, _: bool) -> Action {
        self.action()
    }

    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        self.action()
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if self.state == Some(RequestState::Waiting) {
            self.plugin.session.on_end(self.number);
        }
    }
}
