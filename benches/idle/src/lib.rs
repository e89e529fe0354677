//! The yardsticks of the benchmarks: a filter that looks at nothing and lets every request pass. With the feature `reading`
//! it has the proxy hand over all headers first, which no decision can do without; with `refusing` it then answers every
//! request with `401`.

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType};

proxy_wasm::main! {{
    proxy_wasm::set_root_context(|_| Box::new(Plugin));
}}

struct Plugin;

impl Context for Plugin {}

impl RootContext for Plugin {
    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Filter))
    }
}

struct Filter;

impl Context for Filter {}

impl HttpContext for Filter {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        #[cfg(feature = "reading")]
        drop(headers::of_the_request());
        if cfg!(feature = "refusing") {
            self.send_http_response(401, vec![("www-authenticate", r#"Basic realm="shop", charset="UTF-8""#)], None);
            return Action::Pause;
        }
        Action::Continue
    }
}

/// Headers as they come: the SDK's own functions take them apart into strings, several times as dear.
#[cfg(feature = "reading")]
mod headers {
    unsafe extern "C" {
        /// Writes where a block of memory is and how large.
        fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;
    }

    const REQUEST: u32 = 0;

    /// A serialized header map.
    pub fn of_the_request() -> Box<[u8]> {
        let (mut data, mut size) = (std::ptr::null_mut(), 0);
        // SAFETY: The proxy writes through both pointers while the call lasts, and they are to variables of this function.
        unsafe { proxy_get_header_map_pairs(REQUEST, &raw mut data, &raw mut size) };
        if data.is_null() {
            return Box::default();
        }
        // SAFETY: The proxy had the block from the SDK, which made it of a boxed slice of that size and gave it away.
        unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(data, size)) }
    }
}
