//! Values in the order in which they were used.

use std::{borrow::Borrow, collections::BTreeMap};

/// No place.
const NONE: usize = usize::MAX;

/// A map that knows which of its keys was not used for the longest.
///
/// Values lie in places that are linked in the order of their use, and a tree tells the place of a key. A hash map would be no smaller, and worse here: with a fixed hash, clients that choose their keys could make it slow; with a random
/// one, the module asks for randomness, and panics in a proxy whose capability restrictions do not give any.
pub(super) struct Recent<K, V> {
    places: BTreeMap<K, usize>,
    nodes: Vec<Node<K, V>>,
    newest: usize,
    oldest: usize,
    /// The first place without a value; the next one is where that says `older`.
    free: usize,
}

struct Node<K, V> {
    item: Option<(K, V)>,
    newer: usize,
    older: usize,
}

// === impl Recent ===

impl<K, V> Default for Recent<K, V> {
    fn default() -> Self {
        Self { places: BTreeMap::new(), nodes: Vec::new(), newest: NONE, oldest: NONE, free: NONE }
    }
}

impl<K: Ord + Clone, V> Recent<K, V> {
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// The value of a key, which is now the one that was used last.
    pub(super) fn touch<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let place = *self.places.get(key)?;
        if place != self.newest {
            self.unlink(place);
            self.link(place);
        }
        self.nodes.get(place)?.item.as_ref().map(|(_, value)| value)
    }

    /// Adds a value as the one that was used last; what the key had.
    pub(super) fn insert(&mut self, key: K, value: V) -> Option<(K, V)> {
        let former = self.remove(&key);
        let node = Node { item: Some((key.clone(), value)), newer: NONE, older: NONE };
        let place = match self.nodes.get_mut(self.free) {
            Some(free) => {
                let place = self.free;
                self.free = free.older;
                *free = node;
                place
            }
            None => {
                self.nodes.push(node);
                self.nodes.len() - 1
            }
        };
        self.places.insert(key, place);
        self.link(place);
        former
    }

    pub(super) fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<(K, V)>
    where
        K: Borrow<Q>,
    {
        let place = self.places.remove(key)?;
        self.vacate(place)
    }

    /// Removes the value that was not used for the longest.
    pub(super) fn remove_oldest(&mut self) -> Option<(K, V)> {
        let item = self.vacate(self.oldest)?;
        self.places.remove(&item.0);
        Some(item)
    }

    fn vacate(&mut self, place: usize) -> Option<(K, V)> {
        self.unlink(place);
        let node = self.nodes.get_mut(place)?;
        node.older = self.free;
        self.free = place;
        node.item.take()
    }

    fn unlink(&mut self, place: usize) {
        let Some(&Node { newer, older, .. }) = self.nodes.get(place) else { return };
        match self.nodes.get_mut(newer) {
            Some(node) => node.older = older,
            None => self.newest = older,
        }
        match self.nodes.get_mut(older) {
            Some(node) => node.newer = newer,
            None => self.oldest = newer,
        }
    }

    /// Makes the value at a place, which is in no order, the one that was used last.
    fn link(&mut self, place: usize) {
        let newest = self.newest;
        if let Some(node) = self.nodes.get_mut(place) {
            node.newer = NONE;
            node.older = newest;
        }
        match self.nodes.get_mut(newest) {
            Some(node) => node.newer = place,
            None => self.oldest = place,
        }
        self.newest = place;
    }
}
