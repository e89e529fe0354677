//! One request.

use std::rc::Rc;

use log::error;
use proxy_wasm::types::Action;

use super::abi::{self, HeadersOf};
use super::root::Plugin;
use crate::session::RequestState;

pub(super) struct Stream {
    plugin: Rc<Plugin>,
    number: u32,
    /// Where it stood when its headers came.
    state: RequestState,
}

impl Stream {
    /// Decides about the request that is being handled by its headers. `is_whole` says that it has no body.
    pub(super) fn new(plugin: Rc<Plugin>, number: u32, is_whole: bool) -> Self {
        let Plugin { session, proxy } = &*plugin;
        let state = abi::with_headers(HeadersOf::Request, |headers| {
            let headers = headers.unwrap_or_else(|error| {
                // Which the session refuses.
                error!("basic_auth: {error}: the headers of a request cannot be read");
                &[]
            });
            session.on_request(proxy, number, headers, !is_whole)
        });
        Self { plugin, number, state }
    }

    /// Whether the request was answered when its headers came, so that nothing more becomes of it.
    pub(super) fn is_answered(&self) -> bool {
        self.state == RequestState::Answered
    }

    /// What becomes of the request now, and of its body and its trailers. Envoy does not ask about these while a request
    /// waits, unless the plugin has `allow_on_headers_stop_iteration`; then a body that goes on takes its request along. How a
    /// body waits is said in `exports`.
    pub(super) fn action(&self) -> Action {
        let state = match self.state {
            RequestState::Waiting => self.plugin.session.state(self.number),
            decided => decided,
        };
        match state {
            RequestState::Passed => Action::Continue,
            RequestState::Answered | RequestState::Waiting => Action::Pause,
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if self.state == RequestState::Waiting {
            self.plugin.session.on_end(self.number);
        }
    }
}
