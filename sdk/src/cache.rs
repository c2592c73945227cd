//! What a filter remembers for a while, in the memory of one worker's VM.

mod recent;

use std::{
    borrow::Borrow,
    cell::RefCell,
    fmt,
    time::{Duration, SystemTime},
};

use self::recent::Recent;

/// Values that are kept for a time each, and so many of them: when one more comes, the one that was not asked for the longest goes.
///
/// Each worker has its own, so a value is fetched once by each of them; what all workers must agree on is [`shared`](crate::shared). A cache is empty after the VM's start, and goes with its filter when
/// the configuration changes.
///
/// Times are given with each call, so that a test can set them; a filter asks [`time::now`](crate::time::now). A value whose time is over is never returned, and takes up its place until it is asked for or the least recently used one.
///
/// All methods take `&self`: a cache is a field of a filter. It is not locked while a future waits, so two requests may find the same value missing, and both fetch it. (What is called from inside, the
/// `Ord` and `Clone` of keys and values, finds it empty.)
///
/// # Examples
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use inproxy::{cache::Cache, prelude::*};
///
/// struct Verdicts {
///     authority: Cluster,
///     known: Cache<Vec<u8>, bool>,
/// }
///
/// impl Verdicts {
///     async fn may_pass(&self, key: &HeaderValue, now: SystemTime) -> Result<bool> {
///         if let Some(known) = self.known.get(key.as_bytes(), now) {
///             return Ok(known);
///         }
///         let verdict = self.authority.get("/check").header("x-api-key", key)?.send().await?.status() == StatusCode::OK;
///         self.known.insert(key.as_bytes().to_vec(), verdict, Duration::from_secs(60), now);
///         Ok(verdict)
///     }
/// }
/// # let _: Cache<Vec<u8>, bool> = Cache::new(10_000);
/// ```
pub struct Cache<K, V> {
    max_entries: usize,
    entries: RefCell<Recent<K, Entry<V>>>,
}

struct Entry<V> {
    value: V,
    /// From when on it counts no more; `None` if time ends before.
    deadline: Option<SystemTime>,
}

// === impl Cache ===

impl<K: Ord + Clone, V> Cache<K, V> {
    /// A cache for so many values. It takes memory only as they come, a key twice.
    pub fn new(max_entries: usize) -> Self {
        Self { max_entries, entries: RefCell::new(Recent::default()) }
    }

    /// The value of a key, if its time is not over at `now`. It is then the one that was used last. Nothing is allocated, except by the value's `clone`: wrap what is large in an [`Rc`](std::rc::Rc).
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q, now: SystemTime) -> Option<V>
    where
        K: Borrow<Q>,
        V: Clone,
    {
        let mut entries = self.entries.try_borrow_mut().ok()?;
        let entry = entries.touch(key)?;
        if entry.is_over(now) {
            let over = entries.remove(key);
            // What is dropped may ask this cache.
            drop(entries);
            drop(over);
            return None;
        }
        Some(entry.value.clone())
    }

    /// Keeps a value until `now + ttl`, in the place of the one that the key has.
    pub fn insert(&self, key: K, value: V, ttl: Duration, now: SystemTime) {
        let entry = Entry { value, deadline: now.checked_add(ttl) };
        if self.max_entries == 0 || entry.is_over(now) {
            self.remove(&key);
            return;
        }
        let Ok(mut entries) = self.entries.try_borrow_mut() else { return };
        let former = entries.insert(key, entry);
        let oldest = if entries.len() > self.max_entries { entries.remove_oldest() } else { None };
        drop(entries);
        drop((former, oldest));
    }

    /// Removes a value; the value, whether its time is over or not.
    pub fn remove<Q: Ord + ?Sized>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let mut entries = self.entries.try_borrow_mut().ok()?;
        let (_key, entry) = entries.remove(key)?;
        drop(entries);
        Some(entry.value)
    }

    /// Removes all values.
    pub fn clear(&self) {
        let Ok(mut entries) = self.entries.try_borrow_mut() else { return };
        let all = std::mem::take(&mut *entries);
        drop(entries);
        drop(all);
    }

    /// How many values it holds, with those whose time is over and that nobody has asked for since.
    pub fn len(&self) -> usize {
        self.entries.try_borrow().map_or(0, |entries| entries.len())
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Without keys and values, which may be secret.
impl<K, V> fmt::Debug for Cache<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("max_entries", &self.max_entries).finish_non_exhaustive()
    }
}

// === impl Entry ===

impl<V> Entry<V> {
    fn is_over(&self, now: SystemTime) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= now)
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, rc::Rc};

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn a_value_is_there_until_its_time_is_over() {
        let cache = Cache::new(8);
        assert_eq!(cache.get("a", at(0)), None);
        cache.insert("a".to_owned(), 1, MINUTE, at(0));
        assert_eq!((cache.get("a", at(0)), cache.get("a", at(59)), cache.len()), (Some(1), Some(1), 1));
        assert_eq!((cache.get("a", at(60)), cache.len()), (None, 0));
        assert_eq!(cache.get("a", at(0)), None, "it is gone, should the clock go back");
    }

    #[test]
    fn a_new_value_takes_the_place_and_the_time_of_the_former() {
        let cache = Cache::new(8);
        cache.insert("a", 1, MINUTE, at(0));
        cache.insert("a", 2, MINUTE, at(30));
        assert_eq!((cache.len(), cache.get(&"a", at(89)), cache.get(&"a", at(90))), (1, Some(2), None));
    }

    #[test]
    fn the_least_recently_used_goes_first() {
        let cache = Cache::new(3);
        for key in ["a", "b", "c"] {
            cache.insert(key, (), MINUTE, at(0));
        }
        cache.get(&"a", at(0));
        cache.insert("b", (), MINUTE, at(0));
        // Now c was not used for the longest, then a, then b.
        for (new, gone) in [("d", "c"), ("e", "a"), ("f", "b"), ("g", "d")] {
            cache.insert(new, (), MINUTE, at(0));
            assert_eq!((cache.len(), cache.remove(&gone)), (3, None), "{gone} goes for {new}");
        }
        assert_eq!(["e", "f", "g"].map(|key| cache.get(&key, at(0)).is_some()), [true; 3]);
    }

    #[test]
    fn a_value_that_is_over_before_it_is_kept_is_not() {
        let cache = Cache::new(8);
        cache.insert("a", 1, MINUTE, at(0));
        cache.insert("a", 2, Duration::ZERO, at(0));
        assert_eq!((cache.get(&"a", at(0)), cache.len()), (None, 0));
        cache.insert("a", 3, Duration::MAX, at(0));
        assert_eq!(cache.get(&"a", at(1 << 40)), Some(3), "time ends before it is over");
    }

    #[test]
    fn a_cache_for_nothing_keeps_nothing() {
        let cache = Cache::new(0);
        cache.insert("a", 1, MINUTE, at(0));
        assert!(cache.is_empty());
    }

    #[test]
    fn values_are_removed_one_by_one_and_all() {
        let cache = Cache::new(8);
        for key in 0..5 {
            cache.insert(key, key * 10, MINUTE, at(0));
        }
        assert_eq!((cache.remove(&3), cache.remove(&3), cache.len()), (Some(30), None, 4));
        cache.clear();
        assert!(cache.is_empty());
        cache.insert(1, 1, MINUTE, at(0));
        assert_eq!(cache.get(&1, at(0)), Some(1));
    }

    /// Asks the cache that it is in, when it is cloned or dropped.
    struct Curious {
        cache: Rc<Cache<u8, Curious>>,
        found: Rc<Cell<Option<usize>>>,
    }

    impl Clone for Curious {
        fn clone(&self) -> Self {
            self.found.set(Some(self.cache.len()));
            self.cache.clear();
            Self { cache: Rc::clone(&self.cache), found: Rc::clone(&self.found) }
        }
    }

    impl Drop for Curious {
        fn drop(&mut self) {
            self.cache.remove(&200);
            self.found.set(Some(self.cache.len()));
        }
    }

    #[test]
    fn a_value_may_ask_the_cache_that_it_is_in() {
        let (cache, found) = (Rc::new(Cache::new(1)), Rc::new(Cell::new(None)));
        let curious = || Curious { cache: Rc::clone(&cache), found: Rc::clone(&found) };
        cache.insert(1, curious(), MINUTE, at(0));
        drop(cache.get(&1, at(0)));
        cache.insert(2, curious(), MINUTE, at(0));
        assert_eq!(found.take(), Some(1), "the first was dropped after the second had come");
        assert!(cache.get(&2, at(60)).is_none());
        assert_eq!(found.take(), Some(0));
    }

    #[test]
    fn it_does_what_a_list_does() {
        // Against a list that is searched: a few thousand steps, the same in each run.
        const MAX: usize = 6;
        let (cache, mut list) = (Cache::new(MAX), Vec::<(u32, u32, u64)>::new());
        let mut random = 1_u32;
        for step in 0..20_000_u32 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let (key, what, now) = (random >> 28, random >> 20 & 7, u64::from(step));
            let place = list.iter().position(|(other, ..)| *other == key);
            match what {
                0..=2 => {
                    cache.insert(key, step, Duration::from_secs(40), at(now));
                    place.map(|at| list.remove(at));
                    list.push((key, step, now + 40));
                    if list.len() > MAX {
                        list.remove(0);
                    }
                }
                3 => assert_eq!(cache.remove(&key), place.map(|at| list.remove(at).1)),
                _ => {
                    let entry = place.map(|at| list.remove(at)).filter(|(.., deadline)| *deadline > now);
                    list.extend(entry);
                    assert_eq!(cache.get(&key, at(now)), entry.map(|(_, value, _)| value), "step {step}");
                }
            }
            assert_eq!(cache.len(), list.len(), "step {step}");
        }
    }
}
