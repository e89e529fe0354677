//! What the proxy calls, in the place of the SDK's dispatcher, which hands the same calls to the same traits.
//!
//! The SDK boxes a context for each request and enters it into a hash table when the request begins, and takes it out when it
//! ends: 900 instructions, a quarter of what a request cost that no rule covers. Nearly every request is decided when its
//! headers come, which is right after it began, and nothing has to be known of it afterwards. So a [`Stream`] is made when the
//! headers come, and kept only if its request did not pass at once. Headers of what did not begin, or had some before, are
//! refused. Of a [`Root`] its plugin is kept. For contexts of all kinds the SDK's dispatcher is also a twentieth of a module,
//! and panics where a proxy counts otherwise than it does.
//!
//! The SDK has functions of these names already, so `tools/linker/link.py` exports these with `proxy_` for `basic_`.

#![allow(unsafe_code, reason = "names that no other function has, and a function of the SDK that is safe to call")]

use std::cell::{RefCell, RefMut};
use std::mem::{self, ManuallyDrop};
use std::rc::Rc;

use hashbrown::HashMap;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::Action;

use super::abi;
use super::root::{Plugin, Root};
use super::stream::Stream;
use crate::request::number::{ByNumber, NumberHash};

unsafe extern "C" {
    /// Memory on the heap, the SDK's.
    safe fn proxy_on_memory_allocate(size: usize) -> *mut u8;
}

#[unsafe(no_mangle)]
extern "C" fn basic_on_memory_allocate(size: usize) -> *mut u8 {
    abi::take_scratch(size).unwrap_or_else(|| proxy_on_memory_allocate(size))
}

#[unsafe(no_mangle)]
extern "C" fn basic_on_context_create(number: u32, root: u32) {
    if root == 0 {
        set_plugin(number, Rc::default());
    } else {
        STREAMS.with(|streams| streams.begin(number, root));
    }
}

#[unsafe(no_mangle)]
extern "C" fn basic_on_configure(root: u32, size: usize) -> bool {
    root_context(root).on_configure(size)
}

#[unsafe(no_mangle)]
extern "C" fn basic_on_tick(root: u32) {
    root_context(root).on_tick();
}

#[unsafe(no_mangle)]
extern "C" fn basic_on_http_call_response(root: u32, token: u32, headers: usize, body: usize, trailers: usize) {
    root_context(root).on_http_call_response(token, headers, body, trailers);
}

#[unsafe(no_mangle)]
extern "C" fn basic_on_request_headers(number: u32, count: usize, is_whole: bool) -> Action {
    STREAMS.with(|streams| streams.on_headers(number, count, is_whole))
}

/// Envoy asks about the body of a request that waits if the plugin has `allow_on_headers_stop_iteration`. To the SDK's only
/// word for waiting it would buffer the body, and answer 413 for one that is larger than its buffer. To the one that the SDK
/// does not have it reads no further until the request goes on, as it does without the option.
#[unsafe(no_mangle)]
extern "C" fn basic_on_request_body(number: u32, size: usize, is_whole: bool) -> u32 {
    const CONTINUE: u32 = 0;
    /// `FilterDataStatus::StopIterationAndWatermark` of Envoy.
    const WAIT_AND_READ_NO_FURTHER: u32 = 2;
    match STREAMS.with(|streams| streams.follow(number, |stream| stream.on_http_request_body(size, is_whole))) {
        Action::Continue => CONTINUE,
        _ => WAIT_AND_READ_NO_FURTHER,
    }
}

#[unsafe(no_mangle)]
extern "C" fn basic_on_request_trailers(number: u32, count: usize) -> Action {
    STREAMS.with(|streams| streams.follow(number, |stream| stream.on_http_request_trailers(count)))
}

#[unsafe(no_mangle)]
extern "C" fn basic_on_delete(number: u32) {
    STREAMS.with(|streams| streams.end(number));
}

/// Makes a plugin the one of a root context.
pub(super) fn set_plugin(root: u32, plugin: Rc<Plugin>) {
    STREAMS.with(|streams| streams.set_plugin(root, plugin));
}

/// A root context. Of one that the proxy did not make nothing is known, not even a configuration.
fn root_context(number: u32) -> Root {
    abi::withdraw_scratch();
    let plugin = STREAMS.with(|streams| streams.state().and_then(|state| state.plugin(number)));
    Root::new(number, plugin.unwrap_or_default())
}

thread_local! {
    static STREAMS: Streams = const { Streams(RefCell::new(State::NONE)) };
}

/// The requests of a virtual machine.
///
/// What is borrowed is given back before the proxy is asked anything, for it may call back.
struct Streams(RefCell<State>);

struct State {
    /// The plugins of root contexts, by their numbers. There is more than one while a configuration is replaced, or where
    /// several plugins share the virtual machine.
    plugins: ManuallyDrop<Vec<(u32, Rc<Plugin>)>>,
    /// The request that began last, if its headers have not come.
    begun: Begun,
    /// The requests of which something has to be known. One that is not here has passed.
    kept: ManuallyDrop<ByNumber<Kept>>,
    /// A request that was answered, which is over soon, in the place of `kept`; 0 for none.
    answered: u32,
}

/// A request whose headers have not come, and its root context; zeros for none.
struct Begun {
    number: u32,
    root: u32,
}

enum Kept {
    /// Its headers have not come; the number of its root context.
    Begun(u32),
    /// It did not pass when its headers came.
    Paused(Stream),
}

/// What is forgotten with a context. When it is dropped, the proxy may be told, so that is done when nothing is borrowed.
enum Forgotten {
    Request { _kept: Option<Kept> },
    Root(Rc<Plugin>),
}

/// Ends the plugin of a root context that is no more.
#[cold]
fn end_plugin(plugin: Rc<Plugin>) {
    // Its requests that wait would have no tick to come. Envoy keeps a root context for as long as it has requests.
    if Rc::strong_count(&plugin) > 1 {
        plugin.session.close(&plugin.proxy);
    }
    // With the last of it the proxy is told.
    drop(plugin);
}

impl Streams {
    /// The state. Nobody else has it in hand, so there always is one.
    fn state(&self) -> Option<RefMut<'_, State>> {
        self.0.try_borrow_mut().ok()
    }

    fn set_plugin(&self, root: u32, plugin: Rc<Plugin>) {
        let before = self.state().and_then(|mut state| state.set_plugin(root, plugin));
        if let Some(before) = before {
            end_plugin(before);
        }
    }

    fn begin(&self, number: u32, root: u32) {
        let Some(mut state) = self.state() else { return };
        let before = mem::replace(&mut state.begun, Begun { number, root });
        if before.number != 0 {
            let forgotten = state.keep(before.number, Kept::Begun(before.root));
            drop(state);
            drop(forgotten);
        }
    }

    fn on_headers(&self, number: u32, count: usize, is_whole: bool) -> Action {
        let Some(mut state) = self.state() else { return Action::Pause };
        let plugin = if state.begun.number == number {
            let Begun { root, .. } = mem::replace(&mut state.begun, Begun::NOBODY);
            state.plugin(root)
        } else {
            match state.on_late_headers(number) {
                Ok(plugin) => plugin,
                Err(action) => return action,
            }
        };
        drop(state);
        // Of a request that is not known nothing is known to be open: it is refused.
        let mut stream = Stream::new(plugin.unwrap_or_default(), number);
        let action = stream.on_http_request_headers(count, is_whole);
        if action == Action::Pause {
            self.pause(number, stream);
        }
        action
    }

    fn pause(&self, number: u32, stream: Stream) {
        let Some(mut state) = self.state() else { return };
        if state.answered == 0 && stream.is_answered() {
            state.answered = number;
        } else {
            let forgotten = state.keep(number, Kept::Paused(stream));
            drop(state);
            drop(forgotten);
        }
    }

    /// What becomes of more of a request.
    fn follow(&self, number: u32, ask: impl FnOnce(&mut Stream) -> Action) -> Action {
        self.state().map_or(Action::Pause, |mut state| state.follow(number, ask))
    }

    /// Forgets a request, or a root context.
    fn end(&self, number: u32) {
        let Some(mut state) = self.state() else { return };
        if state.begun.number == number {
            state.begun = Begun::NOBODY;
        }
        if state.answered == number {
            state.answered = 0;
        }
        if state.kept.is_empty() && state.plugins.iter().all(|(root, _)| *root != number) {
            return;
        }
        let forgotten = state.end(number);
        drop(state);
        abi::withdraw_scratch();
        match forgotten {
            Forgotten::Root(plugin) => end_plugin(plugin),
            Forgotten::Request { .. } => drop(forgotten),
        }
    }
}

impl Begun {
    const NOBODY: Self = Self { number: 0, root: 0 };
}

impl State {
    const NONE: Self = Self {
        plugins: ManuallyDrop::new(Vec::new()),
        begun: Begun::NOBODY,
        kept: ManuallyDrop::new(HashMap::with_hasher(NumberHash::new())),
        answered: 0,
    };

    /// Makes a plugin the one of a root context, and returns what was before.
    fn set_plugin(&mut self, root: u32, plugin: Rc<Plugin>) -> Option<Rc<Plugin>> {
        if let Some((_, known)) = self.plugins.iter_mut().find(|(number, _)| *number == root) {
            return Some(mem::replace(known, plugin));
        }
        self.plugins.push((root, plugin));
        None
    }

    fn plugin(&self, root: u32) -> Option<Rc<Plugin>> {
        self.plugins.iter().find(|(number, _)| *number == root).map(|(_, plugin)| Rc::clone(plugin))
    }

    /// The plugin that decides about a request after whose beginning others began, `None` if nothing is known of it; or what
    /// becomes of one that was decided.
    #[cold]
    fn on_late_headers(&mut self, number: u32) -> Result<Option<Rc<Plugin>>, Action> {
        if self.answered == number {
            return Err(Action::Pause);
        }
        match self.kept.get(&number) {
            Some(Kept::Paused(stream)) => Err(stream.action()),
            Some(Kept::Begun(root)) => {
                let root = *root;
                self.kept.remove(&number);
                Ok(self.plugin(root))
            }
            None => Ok(None),
        }
    }

    /// Keeps a request, and returns what was under its number before.
    #[cold]
    fn keep(&mut self, number: u32, request: Kept) -> Option<Kept> {
        self.kept.insert(number, request)
    }

    fn follow(&mut self, number: u32, ask: impl FnOnce(&mut Stream) -> Action) -> Action {
        if self.answered == number || self.begun.number == number {
            return Action::Pause;
        }
        match self.kept.get_mut(&number) {
            Some(Kept::Paused(stream)) => ask(stream),
            Some(Kept::Begun(_)) => Action::Pause,
            None => Action::Continue,
        }
    }

    #[cold]
    fn end(&mut self, number: u32) -> Forgotten {
        let kept = self.kept.remove(&number);
        if kept.is_none()
            && let Some(index) = self.plugins.iter().position(|(root, _)| *root == number)
        {
            // Another root context may have its number before their headers come.
            self.kept.retain(|_, kept| !matches!(kept, Kept::Begun(root) if *root == number));
            if self.begun.root == number {
                self.begun = Begun::NOBODY;
            }
            return Forgotten::Root(self.plugins.swap_remove(index).1);
        }
        Forgotten::Request { _kept: kept }
    }
}
