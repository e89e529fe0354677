//! Values in fixed places, strung on chains in the order of their use.
//!
//! Everything takes constant time. Places are numbers that stay valid until the
//! value is removed; a place that holds nothing answers with nothing.

/// The number that no place has.
const NONE: u32 = u32::MAX;

/// Values and the links between them.
pub(crate) struct Slab<T> {
    nodes: Vec<Node<T>>,
    free: u32,
}

struct Node<T> {
    value: Option<T>,
    /// Towards the first of the chain.
    before: u32,
    /// Towards the last, or the next free place.
    after: u32,
}

/// Some of a slab's values in an order. A value is on one chain, always.
pub(crate) struct Chain {
    first: u32,
    last: u32,
}

impl Default for Chain {
    fn default() -> Self {
        Self { first: NONE, last: NONE }
    }
}

impl Chain {
    /// The place of its first value.
    pub(crate) fn first(&self) -> Option<u32> {
        (self.first != NONE).then_some(self.first)
    }
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { nodes: Vec::new(), free: NONE }
    }
}

impl<T> Slab<T> {
    fn node(&mut self, place: u32) -> Option<&mut Node<T>> {
        self.nodes.get_mut(usize::try_from(place).ok()?)
    }

    pub(crate) fn get(&self, place: u32) -> Option<&T> {
        self.nodes.get(usize::try_from(place).ok()?)?.value.as_ref()
    }

    pub(crate) fn get_mut(&mut self, place: u32) -> Option<&mut T> {
        self.node(place)?.value.as_mut()
    }

    /// The places of a chain, from its first.
    pub(crate) fn places(&self, chain: &Chain) -> impl Iterator<Item = u32> {
        std::iter::successors(chain.first(), |&place| {
            let after = self.nodes.get(usize::try_from(place).ok()?)?.after;
            (after != NONE).then_some(after)
        })
    }

    /// Puts a value at the end of a chain; says where it is.
    pub(crate) fn insert(&mut self, chain: &mut Chain, value: T) -> u32 {
        let free = self.free;
        let place = if let Some(node) = self.node(free) {
            let next = node.after;
            node.value = Some(value);
            self.free = next;
            free
        } else {
            let place = u32::try_from(self.nodes.len()).unwrap_or(NONE);
            self.nodes.push(Node { value: Some(value), before: NONE, after: NONE });
            place
        };
        self.link(chain, place);
        place
    }

    /// Takes a value off its chain, and out.
    pub(crate) fn remove(&mut self, chain: &mut Chain, place: u32) -> Option<T> {
        self.get(place)?;
        self.unlink(chain, place);
        let free = self.free;
        let node = self.node(place)?;
        let value = node.value.take();
        node.after = free;
        self.free = place;
        value
    }

    /// Makes a value the last of its chain.
    pub(crate) fn move_to_end(&mut self, chain: &mut Chain, place: u32) {
        if self.get(place).is_some() {
            self.unlink(chain, place);
            self.link(chain, place);
        }
    }

    /// Takes a value off one chain and puts it at the end of another.
    pub(crate) fn move_over(&mut self, from: &mut Chain, to: &mut Chain, place: u32) {
        if self.get(place).is_some() {
            self.unlink(from, place);
            self.link(to, place);
        }
    }

    fn link(&mut self, chain: &mut Chain, place: u32) {
        let last = chain.last;
        if let Some(node) = self.node(place) {
            node.before = last;
            node.after = NONE;
        }
        match self.node(last) {
            Some(node) => node.after = place,
            None => chain.first = place,
        }
        chain.last = place;
    }

    fn unlink(&mut self, chain: &mut Chain, place: u32) {
        let Some(node) = self.node(place) else { return };
        let (before, after) = (node.before, node.after);
        match self.node(before) {
            Some(node) => node.after = after,
            None => chain.first = after,
        }
        match self.node(after) {
            Some(node) => node.before = before,
            None => chain.last = before,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes everything off a chain, from the first.
    fn drain(slab: &mut Slab<char>, chain: &mut Chain) -> String {
        std::iter::from_fn(|| slab.remove(chain, chain.first()?)).collect()
    }

    #[test]
    fn keeps_the_order() {
        let (mut slab, mut chain, mut other) = (Slab::default(), Chain::default(), Chain::default());
        let places: Vec<u32> = "abcde".chars().map(|c| slab.insert(&mut chain, c)).collect();
        slab.move_to_end(&mut chain, places[0]);
        slab.move_to_end(&mut chain, places[2]);
        assert_eq!(slab.remove(&mut chain, places[3]), Some('d'));
        slab.move_over(&mut chain, &mut other, places[1]);
        assert_eq!(slab.insert(&mut other, 'f'), places[3]);
        assert_eq!(drain(&mut slab, &mut chain), "eac");
        assert_eq!(drain(&mut slab, &mut other), "bf");
    }

    #[test]
    fn an_empty_place_answers_nothing() {
        let (mut slab, mut chain) = (Slab::default(), Chain::default());
        let place = slab.insert(&mut chain, 'a');
        assert_eq!(slab.remove(&mut chain, place), Some('a'));
        assert_eq!(slab.remove(&mut chain, place), None);
        assert_eq!(slab.get(place), None);
        slab.move_to_end(&mut chain, place);
        assert_eq!(chain.first(), None);
        assert_eq!(slab.get(NONE), None);
    }
}
