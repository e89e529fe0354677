//! The yardsticks of the benchmarks, modules that decide nothing.
//!
//! Without a feature, a filter of the SDK that looks at nothing and lets every request pass. With `reading`, callbacks that
//! keep nothing and do no more than no decision can do without: the proxy hands over all headers. With `refusing` they then
//! answer every request with `401`.

#[cfg(not(feature = "reading"))]
mod idle;
#[cfg(feature = "reading")]
mod reading;

proxy_wasm::main! {{
    #[cfg(not(feature = "reading"))]
    idle::start();
}}
