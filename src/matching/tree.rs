//! Radix trees over bytes: which of many texts are a prefix of this one, in one walk along it.
//!
//! The walk looks at each byte of the text once, however many texts the tree holds, and stops at the first byte with
//! which none of them goes on. Suffixes are found by a tree of reversed texts.
//!
//! The nodes stand in one vector, the children of a node beside each other, so that 100,000 texts cost a few megabytes
//! and are built in a pass over the sorted texts.
//!
//! Crates that were looked at: `matchit` takes no two patterns that overlap, `radix_trie` and `patricia_tree` allocate for
//! each node and want the text folded and reversed in a copy, `aho-corasick` finds texts anywhere. The nodes of
//! `fst::raw` can be walked as well. Of 100,000 texts it makes 250 bytes where they are numbered and 1.8 MB where they are
//! random, in the place of 3.8 to 5.2 MB here; but a walk along numbered ones takes two to three times as long (150 ns in
//! the place of 49), and each text has one number in it, not a list. Requests are many, and a configuration is loaded once.

use std::iter::successors;
use std::num::NonZeroU32;

use crate::order;

/// A text and the number that a walk reports for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct IndexedText {
    /// Which of the trees it belongs to.
    pub(crate) tree: u32,
    /// The text, in lower case.
    pub(crate) text: Box<[u8]>,
    /// Whether all of the walked text has to be this one.
    pub(crate) whole: bool,
    /// What is reported.
    pub(crate) value: u32,
}

/// Several trees, numbered from zero.
pub(crate) struct Forest {
    from: From,
    /// The root of each tree; `None` where nothing was entered.
    roots: Vec<Option<u32>>,
    nodes: Vec<TreeNode>,
    /// The first byte of each node's label, close together for the search among siblings, which are sorted by it.
    first_bytes: Vec<u8>,
    /// The other bytes of labels, in the order of the texts that are walked.
    labels: Vec<u8>,
    values: Vec<u32>,
}

/// At which end of a text a walk begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    /// At its beginning.
    Beginning,
    /// At its end: the texts of the tree are reversed.
    End,
}

/// A node: what it adds to the text of its parent, and what is reported where that leads.
#[derive(Clone, Copy, Default)]
struct TreeNode {
    children: u16,
    /// The first byte of the first child's label.
    lowest: u8,
    /// Whether those of its children follow one another without a gap, as digits and letters mostly do.
    is_dense: bool,
    first_child: u32,
    /// Where the label is, but for its first byte.
    label: u32,
    label_length: u32,
    /// Where its values begin: first those that are reported on the way, then those for a text that ends here.
    values: u32,
    prefix_values: u32,
    whole_values: u32,
}

impl Forest {
    /// Builds the trees, of texts that are reversed where walks begin at the end. The time is that of sorting the entries.
    pub(crate) fn new(mut entries: Vec<IndexedText>, from: From) -> Self {
        order::sort(&mut entries, IndexedText::cmp);
        entries.dedup();
        let (roots, nodes) = (Vec::new(), Vec::new());
        let mut forest = Self { from, roots, nodes, first_bytes: Vec::new(), labels: Vec::new(), values: Vec::new() };
        for tree in entries.chunk_by(|entry, next| entry.tree == next.tree) {
            let number = tree.first().map_or(0, |entry| to_usize(entry.tree));
            forest.roots.resize(number, None);
            let root = forest.add(tree);
            forest.roots.push(Some(root));
        }
        forest.nodes.shrink_to_fit();
        forest.first_bytes.shrink_to_fit();
        forest.labels.shrink_to_fit();
        forest.values.shrink_to_fit();
        forest
    }

    /// Reports every value whose text in that tree is a prefix of `text`, or all of it. Bytes of `text` count as what
    /// `fold` makes of them.
    pub(crate) fn walk(
        &self,
        tree: u32,
        mut text: &[u8],
        fold: impl Fn(&u8) -> u8 + Copy,
        mut report: impl FnMut(&[u32]),
    ) {
        let mut node =
            self.roots.get(to_usize(tree)).copied().flatten().and_then(|root| self.nodes.get(to_usize(root)));
        while let Some(here) = node {
            if here.prefix_values > 0 {
                report(self.values(here.values, here.prefix_values));
            }
            let split = match self.from {
                From::Beginning => text.split_first(),
                From::End => text.split_last(),
            };
            let Some((byte, rest)) = split else {
                if here.whole_values > 0 {
                    let first = here.values.saturating_add(here.prefix_values);
                    report(self.values(first, here.whole_values));
                }
                return;
            };
            let Some(child) = self.child(here, fold(byte)) else { return };
            (node, text) = (Some(child), rest);
            // Among many texts most labels are one byte long, and that one is known.
            if child.label_length > 0 {
                let Some(rest) = self.behind_label(child, rest, fold) else { return };
                text = rest;
            }
        }
    }

    /// What follows the label of a node, if a text has that next.
    fn behind_label<'t>(&self, node: &TreeNode, text: &'t [u8], fold: impl Fn(&u8) -> u8) -> Option<&'t [u8]> {
        let length = to_usize(node.label_length);
        let label = self.labels.get(to_usize(node.label)..)?.get(..length)?;
        let (part, rest) = match self.from {
            From::Beginning => text.split_at_checked(length)?,
            From::End => {
                let (rest, part) = text.split_at_checked(text.len().checked_sub(length)?)?;
                (part, rest)
            }
        };
        // Mostly bytes are the same as they are.
        let is_same = |(byte, expected): (&u8, &u8)| byte == expected || fold(byte) == *expected;
        let are_same =
            |(word, expected): (&[u8; 8], &[u8; 8])| word == expected || word.iter().zip(expected).all(is_same);
        let ((words, bytes), (label_words, label_bytes)) = (part.as_chunks(), label.as_chunks());
        let is_label = words.iter().zip(label_words).all(are_same) && bytes.iter().zip(label_bytes).all(is_same);
        is_label.then_some(rest)
    }

    fn values(&self, first: u32, count: u32) -> &[u32] {
        let values = self.values.get(to_usize(first)..).unwrap_or_default();
        values.get(..to_usize(count)).unwrap_or_default()
    }

    fn child(&self, node: &TreeNode, byte: u8) -> Option<&TreeNode> {
        let guess = u16::from(byte.wrapping_sub(node.lowest));
        let index = if node.is_dense {
            (guess < node.children).then_some(usize::from(guess))?
        } else {
            self.index_of_child(node, byte)?
        };
        self.nodes.get(to_usize(node.first_child).checked_add(index)?)
    }

    /// Which of its children has that byte, where there are gaps between theirs.
    fn index_of_child(&self, node: &TreeNode, byte: u8) -> Option<usize> {
        let bytes = self.first_bytes.get(to_usize(node.first_child)..)?.get(..usize::from(node.children))?;
        let guess = usize::from(byte.checked_sub(node.lowest)?);
        if bytes.get(guess) == Some(&byte) {
            Some(guess)
        } else if bytes.len() <= 16 {
            // A few are found soonest one by one.
            bytes.iter().position(|first| *first == byte)
        } else {
            bytes.binary_search(&byte).ok()
        }
    }

    /// Adds one tree of sorted entries and returns its root.
    fn add(&mut self, entries: &[IndexedText]) -> u32 {
        let builder = Builder::from_sorted(entries);
        self.nodes.reserve(builder.nodes.len());
        let root = to_u32(self.nodes.len());
        self.nodes.push(TreeNode::default());
        // Nodes are numbered level by level, so the children of each stand together.
        let mut level = vec![(root, ROOT)];
        while !level.is_empty() {
            let mut below = Vec::new();
            for (index, built) in level {
                let Some(node) = builder.nodes.get(to_usize(built)) else { continue };
                let first_child = to_u32(self.nodes.len());
                let children = builder.children(built);
                below.extend(children.iter().zip(first_child..).map(|(child, index)| (index, *child)));
                self.nodes.resize(self.nodes.len().saturating_add(children.len()), TreeNode::default());
                let first_byte_of = |child: Option<&u32>| {
                    let child = child.and_then(|child| builder.nodes.get(to_usize(*child)));
                    child.and_then(|child| builder.label(child).first().copied()).unwrap_or_default()
                };
                let (lowest, highest) = (first_byte_of(children.first()), first_byte_of(children.last()));
                let label = to_u32(self.labels.len());
                let text = builder.label(node);
                let (first_byte, rest) = text.split_first().unwrap_or((&0, &[]));
                match self.from {
                    From::Beginning => self.labels.extend_from_slice(rest),
                    From::End => self.labels.extend(rest.iter().rev()),
                }
                let values = to_u32(self.values.len());
                let (whole_texts, prefixes): (Vec<&IndexedText>, Vec<&IndexedText>) =
                    builder.entries(node).iter().partition(|entry| entry.whole);
                self.values.extend(prefixes.iter().chain(&whole_texts).map(|entry| entry.value));
                let node = TreeNode {
                    children: u16::try_from(children.len()).unwrap_or(u16::MAX),
                    lowest,
                    is_dense: children.len() == usize::from(highest.wrapping_sub(lowest)).saturating_add(1),
                    first_child,
                    label,
                    label_length: to_u32(rest.len()),
                    values,
                    prefix_values: to_u32(prefixes.len()),
                    whole_values: to_u32(whole_texts.len()),
                };
                self.first_bytes.resize(self.nodes.len(), 0);
                if let (Some(slot), Some(byte)) =
                    (self.nodes.get_mut(to_usize(index)), self.first_bytes.get_mut(to_usize(index)))
                {
                    *slot = node;
                    *byte = *first_byte;
                }
            }
            level = below;
        }
        root
    }
}

/// A tree while it is built, with links instead of indices.
struct Builder<'a> {
    entries: &'a [IndexedText],
    nodes: Vec<BuilderNode>,
}

/// A node of a [`Builder`]: the bytes `start..end` of the text of an entry that goes through it.
#[derive(Clone, Copy)]
struct BuilderNode {
    entry: u32,
    start: u32,
    end: u32,
    /// How many entries, from that one on, have the text that ends here.
    entries: u32,
    last_child: Option<NonZeroU32>,
    previous_sibling: Option<NonZeroU32>,
}

/// The index of the root, which is nobody's child.
const ROOT: u32 = 0;

impl<'a> Builder<'a> {
    /// Builds the tree of sorted texts. Each text shares with the one before it the longest beginning that it shares
    /// with any before it, so the tree only ever grows at its right edge.
    fn from_sorted(entries: &'a [IndexedText]) -> Self {
        let root = BuilderNode { entry: 0, start: 0, end: 0, entries: 0, last_child: None, previous_sibling: None };
        let mut builder = Self { entries, nodes: vec![root] };
        let mut right_edge = vec![ROOT];
        let mut before: &[u8] = &[];
        let mut index = 0_u32;
        for same_text in entries.chunk_by(|entry, next| entry.text == next.text) {
            let Some(text) = same_text.first().map(|entry| &*entry.text) else { continue };
            let (entry, count) = (index, to_u32(same_text.len()));
            index = index.saturating_add(count);
            let shared = to_u32(before.iter().zip(text).take_while(|(left, right)| left == right).count());
            before = text;
            let mut left = None;
            // Never beyond the root, which ends where it begins.
            while builder.end(right_edge.last()) > shared {
                left = right_edge.pop();
            }
            let mut parent = right_edge.last().copied().unwrap_or(ROOT);
            if builder.end(Some(&parent)) < shared
                && let Some(left) = left
            {
                parent = builder.split(parent, left, shared);
                right_edge.push(parent);
            }
            if to_u32(text.len()) == shared {
                // Only the empty text: a text that ends inside an earlier one would stand before it.
                if let Some(node) = builder.nodes.get_mut(to_usize(parent)) {
                    (node.entry, node.entries) = (entry, count);
                }
                continue;
            }
            let previous_sibling = builder.nodes.get(to_usize(parent)).and_then(|node| node.last_child);
            let end = to_u32(text.len());
            let node = BuilderNode { entry, start: shared, end, entries: count, last_child: None, previous_sibling };
            right_edge.push(builder.append(parent, node));
        }
        builder
    }

    /// What a node adds to the text of its parent.
    fn label(&self, node: &BuilderNode) -> &'a [u8] {
        let text = self.entries.get(to_usize(node.entry)).map_or(&[][..], |entry| &entry.text);
        text.get(to_usize(node.start)..to_usize(node.end)).unwrap_or_default()
    }

    /// The entries whose text ends in a node.
    fn entries(&self, node: &BuilderNode) -> &'a [IndexedText] {
        let entries = self.entries.get(to_usize(node.entry)..).unwrap_or_default();
        entries.get(..to_usize(node.entries)).unwrap_or_default()
    }

    /// The children of a node, in order.
    fn children(&self, node: u32) -> Vec<u32> {
        let last = self.nodes.get(to_usize(node)).and_then(|node| node.last_child);
        let before = |child: &NonZeroU32| self.nodes.get(to_usize(child.get()))?.previous_sibling;
        let mut children: Vec<u32> = successors(last, before).map(NonZeroU32::get).collect();
        children.reverse();
        children
    }

    fn end(&self, node: Option<&u32>) -> u32 {
        node.and_then(|node| self.nodes.get(to_usize(*node))).map_or(0, |node| node.end)
    }

    /// Adds a node as the last child of another.
    fn append(&mut self, parent: u32, node: BuilderNode) -> u32 {
        let index = to_u32(self.nodes.len());
        self.nodes.push(node);
        if let Some(parent) = self.nodes.get_mut(to_usize(parent)) {
            parent.last_child = NonZeroU32::new(index);
        }
        index
    }

    /// Puts a node that ends at `end` between a parent and its last child, and returns it.
    fn split(&mut self, parent: u32, child: u32, end: u32) -> u32 {
        let Some(lower) = self.nodes.get_mut(to_usize(child)) else { return parent };
        let upper = BuilderNode { end, entries: 0, last_child: NonZeroU32::new(child), ..*lower };
        lower.start = end;
        lower.previous_sibling = None;
        self.append(parent, upper)
    }
}

/// Indices fit: a module has at most 4 GiB of memory.
fn to_u32(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

fn to_usize(index: u32) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{Just, ProptestConfig, any, prop_oneof, proptest};

    use super::{Forest, From, IndexedText};

    fn forest(texts: &[(u32, &str, bool)]) -> Forest {
        let entry = |(&(tree, text, whole), value): (&(u32, &str, bool), u32)| {
            let text = text.as_bytes().into();
            IndexedText { tree, text, whole, value }
        };
        Forest::new(texts.iter().zip(0..).map(entry).collect(), From::Beginning)
    }

    fn found(forest: &Forest, tree: u32, text: &str) -> Vec<u32> {
        let mut found = Vec::new();
        forest.walk(tree, text.as_bytes(), |byte| *byte, |values| found.extend_from_slice(values));
        found.sort_unstable();
        found
    }

    #[test]
    fn prefixes_and_whole_texts_are_found_on_one_walk() {
        let texts = [
            (0, "/api", false),
            (0, "/api/users", false),
            (0, "/api/users", true),
            (0, "/apiary", true),
            (0, "/b", false),
            (0, "", false),
            (2, "/api", true),
        ];
        let forest = forest(&texts);
        for (tree, text, values) in [
            (0, "/api/users", &[0, 1, 2, 5][..]),
            (0, "/api/users/7", &[0, 1, 5]),
            (0, "/apiary", &[0, 3, 5]),
            (0, "/apiaryx", &[0, 5]),
            (0, "/ap", &[5]),
            (0, "", &[5]),
            (1, "/api", &[]),
            (2, "/api", &[6]),
            (2, "/api/", &[]),
            (3, "/api", &[]),
        ] {
            assert_eq!(found(&forest, tree, text), values, "tree {tree}, {text}");
        }
    }

    #[test]
    fn texts_are_found_from_either_end_and_as_they_are_folded() {
        let labels = ["abcdefghijklmnopqrs", "abcdefghijklmnopqrt", "abcdefghi", "abcdefghij", "b"];
        for from in [From::Beginning, From::End] {
            let in_order = |text: &str| -> String {
                if from == From::End { text.chars().rev().collect() } else { text.to_owned() }
            };
            let entries = labels.iter().zip(0..).map(|(text, value)| {
                let text = text.as_bytes().into();
                IndexedText { tree: 0, text, whole: false, value }
            });
            let forest = Forest::new(entries.collect(), from);
            let found = |text: &str, fold: fn(&u8) -> u8| {
                let mut found = Vec::new();
                forest.walk(0, in_order(text).as_bytes(), fold, |values| found.extend_from_slice(values));
                found.sort_unstable();
                found
            };
            for (text, values) in [
                ("abcdefghijklmnopqrs/x", &[0, 2, 3][..]),
                ("abcdefghijklmnopqrt", &[1, 2, 3]),
                ("abcdefghijklmnopqr", &[2, 3]),
                ("abcdefghiJ", &[2]),
                ("abcdefgh", &[]),
                ("Abcdefghij", &[]),
                ("bc", &[4]),
            ] {
                assert_eq!(found(text, |byte| *byte), values, "{text} {from:?}");
            }
            assert_eq!(found("ABCdefGHIjklmNOPQRS", u8::to_ascii_lowercase), [0, 2, 3], "{from:?}");
            assert_eq!(found("ABCdefGHIjkl-NOPQRS", u8::to_ascii_lowercase), [2, 3], "{from:?}");
        }
    }

    #[test]
    fn every_tree_finds_what_a_search_through_all_texts_finds() {
        // Texts over two letters share beginnings in every way that there is.
        let words: Vec<String> =
            (0..6_u32).flat_map(|length| (0..1_u32 << length).map(move |bits| word(length, bits))).collect();
        let mut state = 7_u32;
        for _ in 0..200 {
            let mut texts = Vec::new();
            for text in &words {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                if state >> 29 == 0 {
                    texts.push((0, text.as_str(), state >> 28 & 1 == 1));
                }
            }
            let forest = forest(&texts);
            for text in &words {
                let covers =
                    |(prefix, whole): (&str, bool)| if whole { text == prefix } else { text.starts_with(prefix) };
                let expected: Vec<u32> =
                    (0..).zip(&texts).filter(|(_, entry)| covers((entry.1, entry.2))).map(|(value, _)| value).collect();
                assert_eq!(found(&forest, 0, text), expected, "{text} in {texts:?}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// Labels longer than a word, siblings with and without gaps, few and many of them, and every byte.
        #[test]
        fn either_end_and_any_fold_find_what_a_search_through_all_texts_finds(
            stems in vec(vec(prop_oneof![Just(b'a'), Just(b'b'), any::<u8>()], 0..20), 1..4),
            ends in vec((0..4_usize, vec(any::<u8>(), 0..12), any::<bool>()), 0..60),
            is_from_end in any::<bool>(),
            is_folded in any::<bool>(),
        ) {
            let fold = if is_folded { u8::to_ascii_lowercase } else { |byte: &u8| *byte };
            let text = |stem: usize, end: &[u8]| -> Vec<u8> {
                stems.get(stem).into_iter().flatten().chain(end).map(fold).collect()
            };
            let texts: Vec<Vec<u8>> = ends.iter().map(|(stem, end, _)| text(*stem, end)).collect();
            let from = if is_from_end { From::End } else { From::Beginning };
            let entries = texts.iter().zip(&ends).zip(0..).map(|((text, (_, _, whole)), value)| {
                IndexedText { tree: 0, text: text.as_slice().into(), whole: *whole, value }
            });
            let forest = Forest::new(entries.collect(), from);
            let walked = texts.iter().flat_map(|text| {
                let longer = [text, &b"x"[..]].concat();
                let shorter = text[..text.len().saturating_sub(1)].to_vec();
                [text.clone(), text.to_ascii_uppercase(), longer, shorter]
            });
            for text in walked {
                let folded: Vec<u8> = text.iter().map(fold).collect();
                let covers = |prefix: &[u8], whole| if whole { folded == prefix } else { folded.starts_with(prefix) };
                let expected: Vec<u32> = (0..)
                    .zip(texts.iter().zip(&ends))
                    .filter(|(_, (prefix, (_, _, whole)))| covers(prefix, *whole))
                    .map(|(value, _)| value)
                    .collect();
                let in_order = if is_from_end { text.iter().rev().copied().collect() } else { text };
                let mut found = Vec::new();
                forest.walk(0, &in_order, fold, |values| found.extend_from_slice(values));
                found.sort_unstable();
                assert_eq!(found, expected, "{}, {from:?}", in_order.escape_ascii());
            }
        }
    }

    #[test]
    fn a_node_may_have_a_child_for_every_byte() {
        for (lowest, highest) in [(0, u8::MAX), (0, 200), (1, u8::MAX), (7, 7)] {
            let entries = (lowest..=highest).map(|byte| {
                let text = [b'/', byte].into();
                IndexedText { tree: 0, text, whole: true, value: u32::from(byte) }
            });
            let forest = Forest::new(entries.collect(), From::Beginning);
            for byte in 0..=u8::MAX {
                let mut found = Vec::new();
                forest.walk(0, &[b'/', byte], |byte| *byte, |values| found.extend_from_slice(values));
                let expected = (lowest..=highest).contains(&byte).then_some(u32::from(byte));
                assert_eq!(found, Vec::from_iter(expected), "{byte} of {lowest} to {highest}");
            }
        }
    }

    fn word(length: u32, bits: u32) -> String {
        (0..length).map(|index| if bits >> index & 1 == 1 { 'b' } else { 'a' }).collect()
    }

    #[test]
    fn a_hundred_thousand_texts_that_begin_alike_are_no_deep_recursion() {
        let texts: Vec<String> = (0..2_000).map(|length| "a".repeat(length)).collect();
        let entries = texts.iter().map(|text| (0, text.as_str(), false)).collect::<Vec<_>>();
        assert_eq!(found(&forest(&entries), 0, &"a".repeat(1_500)).len(), 1_501);
    }
}
