use std::{
    cell::RefCell,
    collections::BTreeMap,
    fmt,
    future::{Future, poll_fn},
    rc::Rc,
    task::Poll,
};

use crate::runtime::{StreamId, Wakers};

/// Does a thing once for all that ask for it at the same time: the first one has it done, the others wait for the same outcome.
///
/// It is done in a task of the plugin, so that it goes on though the request that asked first is gone. Once it is done it is forgotten: who asks then has it done anew. What shall be kept is put into a
/// [`Cache`](crate::cache::Cache).
///
/// # Examples
///
/// ```
/// use std::rc::Rc;
///
/// use inproxy::{call::CallError, prelude::*, task::SingleFlight};
///
/// struct Keys {
///     issuer: Cluster,
///     fetches: SingleFlight<(), Result<Rc<[u8]>, CallError>>,
/// }
///
/// impl Keys {
///     async fn fetch(&self) -> Result<Rc<[u8]>> {
///         let issuer = self.issuer.clone();
///         let fetch = move || async move { Ok(issuer.get("/jwks").send().await?.require_success()?.into_body().into()) };
///         Ok(self.fetches.run((), fetch).await??)
///     }
/// }
/// ```
pub struct SingleFlight<K, T> {
    flights: Flights<K, T>,
}

type Flights<K, T> = Rc<RefCell<BTreeMap<K, Rc<Flight<T>>>>>;

/// What was asked for will not come: the plugin's configuration was dropped meanwhile, or it was asked for outside of a request and of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what was asked for will not come: the plugin's configuration is gone, or it was asked for outside of a request and of a task")]
pub struct Abandoned;

/// One thing that is being done.
struct Flight<T> {
    outcome: RefCell<Option<Result<T, Abandoned>>>,
    waiting: Wakers,
}

/// Ends a flight, whatever becomes of the task.
struct Landing<K: Ord, T> {
    key: K,
    flight: Rc<Flight<T>>,
    flights: Flights<K, T>,
}

// === impl SingleFlight ===

impl<K: Ord + Clone + 'static, T: Clone + 'static> SingleFlight<K, T> {
    /// One that does nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The outcome of what is being done under this key; `start` begins it if nothing is.
    ///
    /// # Errors
    ///
    /// [`Abandoned`] if there will be none.
    pub async fn run<F: Future<Output = T> + 'static>(&self, key: K, start: impl FnOnce() -> F) -> Result<T, Abandoned> {
        if StreamId::current().is_none() {
            return Err(Abandoned);
        }
        let under_way = self.flights.borrow().get(&key).map(Rc::clone);
        let flight = under_way.unwrap_or_else(|| self.begin(key, start()));
        poll_fn(|cx| {
            let outcome = flight.outcome.borrow().clone();
            match outcome {
                Some(outcome) => Poll::Ready(outcome),
                None => {
                    flight.waiting.wait(cx.waker());
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// Whether this is being done.
    pub fn is_under_way(&self, key: &K) -> bool {
        self.flights.borrow().contains_key(key)
    }

    fn begin(&self, key: K, future: impl Future<Output = T> + 'static) -> Rc<Flight<T>> {
        let flight = Rc::new(Flight { outcome: RefCell::new(None), waiting: Wakers::default() });
        self.flights.borrow_mut().insert(key.clone(), Rc::clone(&flight));
        let landing = Landing { key, flight: Rc::clone(&flight), flights: Rc::clone(&self.flights) };
        super::spawn(async move {
            let outcome = future.await;
            landing.flight.outcome.replace(Some(Ok(outcome)));
            drop(landing);
        });
        flight
    }
}

impl<K, T> Default for SingleFlight<K, T> {
    fn default() -> Self {
        Self { flights: Rc::default() }
    }
}

impl<K: fmt::Debug, T> fmt::Debug for SingleFlight<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SingleFlight").field(&self.flights.borrow().keys().collect::<Vec<_>>()).finish()
    }
}

// === impl Landing ===

impl<K: Ord, T> Drop for Landing<K, T> {
    fn drop(&mut self) {
        // Nobody finds it from here on; whoever asks next begins anew.
        self.flights.borrow_mut().remove(&self.key);
        self.flight.outcome.borrow_mut().get_or_insert(Err(Abandoned));
        self.flight.waiting.wake();
    }
}
