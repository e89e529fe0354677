//! What the proxy calls for each request, and for the memory that it hands things over in.
//!
//! The SDK boxes a context for each request and enters it into a hash table when the request begins, and takes it out when it
//! ends: 900 instructions, a quarter of what a request cost that no rule covers. Nearly every request is decided when its
//! headers come, and nothing has to be known of it afterwards. So a [`Stream`] is made when the headers come, and kept only if
//! its request did not pass at once. Root contexts are the SDK's.
//!
//! The SDK has functions of these names already, so `tools/link.py` exports these with `proxy_` for `basic_`.

#![allow(unsafe_code, reason = "names that no other function has, and functions of the SDK that are safe to call")]

use std::cell::{RefCell, RefMut};
use std::mem::{self, ManuallyDrop};
use std::rc::Rc;

use hashbrown::HashMap;
use proxy_wasm::traits::HttpContext;
use proxy_wasm::types::Action;

use super::abi;
use super::root::Plugin;
use super::stream::Stream;
use crate::request::number::{ByNumber, NumberHash};

unsafe extern "C" {
    /// Makes a root context, the SDK's.
    safe fn proxy_on_context_create(number: u32, root: u32);
    /// Ends a root context, the SDK's.
    safe fn proxy_on_delete(number: u32);
    /// Memory on the heap, the SDK's.
    safe fn proxy_on_memory_allocate(size: usize) -> *mut u8;
}

#[unsafe(no_mangle)]
extern "C" fn basic_on_memory_allocate(size: usize) -> *mut u8 {
    abi::take_scratch(size).unwrap_or_else(|| proxy_on_memory_allocate(size))
}

#[unsafe(no_mangle)]
extern "C" fn basic_on_context_create(number: u32, root: u32) {
    if root == 0 { proxy_on_context_create(number, root) } else { STREAMS.with(|streams| streams.begin(number, root)) }
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
    if STREAMS.with(|streams| streams.end(number)) {
        proxy_on_delete(number);
    }
}

/// Makes a plugin the one of a root context.
pub(super) fn set_plugin(root: u32, plugin: &Rc<Plugin>) {
    STREAMS.with(|streams| streams.set_plugin(root, plugin));
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
    /// The root context of nearly all requests, for which nothing has to be stored.
    home: ManuallyDrop<Home>,
    /// The requests of other root contexts, and those of `home` that did not pass at once.
    kept: ManuallyDrop<ByNumber<Kept>>,
    /// A request of `home` that was answered, which is over soon, in the place of `kept`; 0 for none.
    answered: u32,
}

/// A root context whose requests are those of which nothing is known.
struct Home {
    /// 0 until there is one.
    root: u32,
    /// `None` when the root context is gone.
    plugin: Option<Rc<Plugin>>,
    /// How many requests of it there are. As long as there are any, no other root context takes its place.
    requests: u32,
}

struct Kept {
    stream: Stream,
    is_at_home: bool,
}

/// What is forgotten with a context; when it is dropped, the proxy may be told.
struct Forgotten {
    is_root: bool,
    _kept: Option<Kept>,
    _plugins: [Option<Rc<Plugin>>; 2],
}

impl Streams {
    /// The state. Nobody else has it in hand, so there always is one.
    fn state(&self) -> Option<RefMut<'_, State>> {
        self.0.try_borrow_mut().ok()
    }

    fn set_plugin(&self, root: u32, plugin: &Rc<Plugin>) {
        let before = self.state().and_then(|mut state| state.set_plugin(root, plugin));
        // With the last of it the proxy is told.
        drop(before);
    }

    fn begin(&self, number: u32, root: u32) {
        let Some(mut state) = self.state() else { return };
        if state.home.root == root {
            state.home.requests = state.home.requests.wrapping_add(1);
        } else {
            state.begin_elsewhere(number, root);
        }
    }

    fn on_headers(&self, number: u32, count: usize, is_whole: bool) -> Action {
        let kept = self.state().and_then(|mut state| state.take_or_begin(number));
        let Some(mut kept) = kept else {
            // Nothing is known to be open, and the request is refused.
            return Stream::new(Rc::default(), number).on_http_request_headers(count, is_whole);
        };
        let action = kept.stream.on_http_request_headers(count, is_whole);
        if (action == Action::Pause || !kept.is_at_home)
            && let Some(mut state) = self.state()
        {
            state.keep(number, kept);
        }
        action
    }

    /// What becomes of more of a request. One that is not kept has passed.
    fn follow(&self, number: u32, ask: impl FnOnce(&mut Stream) -> Action) -> Action {
        match self.state() {
            Some(mut state) if state.answered != number => {
                state.kept.get_mut(&number).map_or(Action::Continue, |kept| ask(&mut kept.stream))
            }
            _ => Action::Pause,
        }
    }

    /// Forgets a request, or a root context; says whether it was one.
    fn end(&self, number: u32) -> bool {
        let Some(mut state) = self.state() else { return false };
        if state.kept.is_empty() && state.plugins.iter().all(|(root, _)| *root != number) {
            state.end_at_home(number);
            return false;
        }
        let forgotten = state.end(number);
        drop(state);
        forgotten.is_root
    }
}

impl State {
    const NONE: Self = Self {
        plugins: ManuallyDrop::new(Vec::new()),
        home: ManuallyDrop::new(Home { root: 0, plugin: None, requests: 0 }),
        kept: ManuallyDrop::new(HashMap::with_hasher(NumberHash::new())),
        answered: 0,
    };

    /// Makes a plugin the one of a root context, and returns what was before.
    fn set_plugin(&mut self, root: u32, plugin: &Rc<Plugin>) -> Option<Rc<Plugin>> {
        if self.home.root == root {
            self.home.plugin = Some(Rc::clone(plugin));
        }
        if let Some((_, known)) = self.plugins.iter_mut().find(|(number, _)| *number == root) {
            return Some(mem::replace(known, Rc::clone(plugin)));
        }
        self.plugins.push((root, Rc::clone(plugin)));
        None
    }

    /// Begins a request of a root context that is not, or not yet, the one of nearly all.
    #[cold]
    fn begin_elsewhere(&mut self, number: u32, root: u32) {
        let plugin = self.plugins.iter().find(|(number, _)| *number == root).map(|(_, plugin)| Rc::clone(plugin));
        if self.home.plugin.is_none() && self.home.requests == 0 {
            *self.home = Home { root, plugin, requests: 1 };
        } else {
            let stream = Stream::new(plugin.unwrap_or_default(), number);
            self.kept.insert(number, Kept { stream, is_at_home: false });
        }
    }

    fn keep(&mut self, number: u32, kept: Kept) {
        if kept.is_at_home && kept.stream.is_answered() && self.answered == 0 {
            self.answered = number;
        } else {
            self.kept.insert(number, kept);
        }
    }

    #[inline]
    fn take(&mut self, number: u32) -> Option<Kept> {
        if self.kept.is_empty() { None } else { self.kept.remove(&number) }
    }

    /// A request, or what is known of it when it is at home; `None` if its root context is not known.
    #[inline]
    fn take_or_begin(&mut self, number: u32) -> Option<Kept> {
        let kept = self.take(number);
        kept.or_else(|| Some(Kept { stream: Stream::new(self.home.plugin.clone()?, number), is_at_home: true }))
    }

    #[cold]
    fn end(&mut self, number: u32) -> Forgotten {
        let kept = self.take(number);
        if kept.is_none()
            && let Some(index) = self.plugins.iter().position(|(root, _)| *root == number)
        {
            let at_home = if self.home.root == number { self.home.plugin.take() } else { None };
            let plugins = [Some(self.plugins.swap_remove(index).1), at_home];
            return Forgotten { is_root: true, _kept: None, _plugins: plugins };
        }
        if kept.as_ref().is_none_or(|kept| kept.is_at_home) {
            self.end_at_home(number);
        }
        Forgotten { is_root: false, _kept: kept, _plugins: [None, None] }
    }

    fn end_at_home(&mut self, number: u32) {
        self.home.requests = self.home.requests.saturating_sub(1);
        if self.answered == number {
            self.answered = 0;
        }
    }
}
