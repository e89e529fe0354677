//! The root context: one configuration. The root id is the operator's (`pluginName` in Istio) and changes nothing.

use std::fmt;
use std::rc::Rc;

use log::{error, info, warn};
use proxy_wasm::traits::{Context, RootContext};

use super::abi::{self, BufferOf, HeadersOf};
use super::{Proxy, ProxySharedData, exports, logger};
use crate::config::{Config, ConfigErrors};
use crate::policy::Policy;
use crate::session::{Host, Session};
use crate::users::fetched::FetchSource;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How many warnings of one configuration are logged; the rest is counted.
const MAX_LOGGED_WARNINGS: usize = 10;

pub(super) struct Root {
    number: u32,
    plugin: Rc<Plugin>,
}

/// What a root context shares with the requests of its configuration.
pub(super) struct Plugin {
    pub(super) session: Session,
    pub(super) proxy: Proxy,
}

/// With the last request of a configuration that is no longer in force.
impl Drop for Plugin {
    fn drop(&mut self) {
        self.session.close(&self.proxy);
    }
}

/// One that has no configuration and refuses every request.
impl Default for Plugin {
    fn default() -> Self {
        Self { session: Session::not_configured(), proxy: Proxy }
    }
}

impl Root {
    pub(super) fn new(number: u32, plugin: Rc<Plugin>) -> Self {
        Self { number, plugin }
    }
}

impl Context for Root {
    fn on_http_call_response(&mut self, token: u32, headers: usize, body: usize, _: usize) {
        // One byte more than is allowed tells that there are too many.
        let body = abi::get_buffer(BufferOf::CallResponse, body.min(FetchSource::MAX_BYTES.saturating_add(1)));
        let answered = |map: &[u8]| self.plugin.session.on_fetched(&self.plugin.proxy, token, map, body.into());
        // Without headers there is no answer.
        if headers > 0 {
            abi::with_headers(HeadersOf::CallResponse, |map| answered(map.unwrap_or_default()));
        } else {
            answered(&[]);
        }
    }
}

impl RootContext for Root {
    fn on_configure(&mut self, size: usize) -> bool {
        self.plugin.session.close(&self.plugin.proxy);
        let plugin = PluginName::ask();
        logger::follow_level();
        let configured = self.configure(size, &plugin);
        let is_configured = configured.is_ok();
        let proxy = Proxy;
        let session = configured.unwrap_or_else(|refusal| {
            refusal.log(&plugin);
            Session::not_configured()
        });
        let session = session.named(plugin.to_string());
        if is_configured {
            session.start(&proxy);
        } else {
            session.config_refused(&proxy);
        }
        self.plugin = Rc::new(Plugin { session, proxy });
        exports::set_plugin(self.number, Rc::clone(&self.plugin));
        is_configured
    }

    fn on_tick(&mut self) {
        logger::follow_level();
        self.plugin.session.on_tick(&self.plugin.proxy);
    }
}

impl Root {
    /// Takes the configuration of so many bytes from the proxy, and says what it protects.
    // Not inlined, like the other steps of loading: V8 compiles several small functions sooner than a large one.
    #[inline(never)]
    fn configure(&self, size: usize, plugin: &PluginName) -> Result<Session, Refusal> {
        Config::check_size(size)?;
        // Without a size there is no configuration, and nothing is handed over.
        let text = abi::get_buffer(BufferOf::Configuration, usize::MAX);
        if text.len() != size {
            return Err(Refusal::NotHandedOver { announced: size, received: text.len() });
        }
        let config = Config::parse_with(&text, &|name| std::env::var(name).ok())?;
        // Memory that is given back is what the policy is built in; a module never returns any to the proxy.
        drop(text);
        for warning in config.warnings.iter().take(MAX_LOGGED_WARNINGS) {
            warn!("basic_auth: {plugin}{warning}");
        }
        let more = config.warnings.len().saturating_sub(MAX_LOGGED_WARNINGS).saturating_add(config.more_warnings);
        if more > 0 {
            warn!("basic_auth: {plugin}and {more} more warnings");
        }
        let policy = Policy::new(config);
        let (rules, credentials) = (policy.rules(), policy.credentials());
        let ending = |number| if number == 1 { "" } else { "s" };
        info!(
            "basic_auth: {plugin}version {VERSION}, configuration {:08x}: protecting with {rules} rule{} and \
             {credentials} credential{}",
            policy.digest(),
            ending(rules),
            ending(credentials)
        );
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|_| Refusal::NoRandomness)?;
        Ok(Session::new(policy, &key, Box::new(ProxySharedData), self.plugin.proxy.now()))
    }
}

/// Why there is no session for a configuration.
enum Refusal {
    /// The configuration itself is refused.
    Config(ConfigErrors),
    /// The proxy announced a configuration and handed over another number of bytes.
    NotHandedOver { announced: usize, received: usize },
    /// The proxy has no random numbers to draw a key from.
    NoRandomness,
}

impl From<ConfigErrors> for Refusal {
    fn from(errors: ConfigErrors) -> Self {
        Self::Config(errors)
    }
}

impl Refusal {
    /// Logs each reason in a line of its own.
    #[inline(never)]
    fn log(&self, plugin: &PluginName) {
        let log = |reason: fmt::Arguments<'_>| error!("basic_auth: {plugin}configuration refused: {reason}");
        match self {
            Self::Config(errors) => {
                for error in errors.errors() {
                    log(format_args!("{error}"));
                }
                if errors.more() > 0 {
                    log(format_args!("and {} more", errors.more()));
                }
            }
            Self::NotHandedOver { announced, received } => {
                log(format_args!("the proxy announced {announced} bytes and handed over {received}; load it again"));
            }
            Self::NoRandomness => {
                log(format_args!("the proxy has no source of randomness; this module cannot run in it"));
            }
        }
    }
}

/// What the proxy calls this plugin, for its log lines: several plugins can be in one virtual machine. Its `Display` ends in
/// a colon and a space; it is empty where it would say nothing new.
struct PluginName(Option<String>);

impl PluginName {
    fn ask() -> Self {
        let name = abi::get_property("plugin_name");
        Self(name.and_then(|name| String::from_utf8(name.into()).ok()))
    }
}

impl fmt::Display for PluginName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_deref() {
            None | Some("" | "basic_auth") => Ok(()),
            // A line end in the name must not become one in the log.
            Some(name) => write!(f, "{}: ", name.escape_debug()),
        }
    }
}
