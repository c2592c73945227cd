use std::{
    cell::OnceCell,
    future::{Future, poll_fn},
    rc::Rc,
    task::Poll,
    time::Duration,
};

use serde::de::DeserializeOwned;

use super::{HttpFilter, Next, Request, outcome::finish};
use crate::{
    Error, Plugin, Result, config,
    runtime::{StreamId, Task, Wakers},
    task::Pauses,
    time,
};

/// Makes a filter from its configuration with an async function: one that asks other services before it can serve requests. The filter is registered with `#[filter(async_configure)]`.
///
/// The proxy takes a configuration, or refuses it, at once: one that cannot be read is refused, and what happens afterwards is too late for that. So requests that come before the filter is made wait for it, for up to
/// [`PATIENCE`](Self::PATIENCE); then they end as `on_error` says, with status 503 for `deny`. If it cannot be made, the error is logged, and it is tried again, after a second at first, and after half a minute at most.
///
/// # Examples
///
/// ```
/// use inproxy::{ConfigureAsync, prelude::*};
///
/// #[config]
/// struct Settings {
///     issuer: Cluster,
/// }
///
/// #[filter(async_configure)]
/// struct Jwt {
///     keys: Vec<u8>,
/// }
///
/// impl ConfigureAsync for Jwt {
///     type Config = Settings;
///
///     async fn configure(config: Settings, _: Plugin) -> Result<Self> {
///         Ok(Self { keys: config.issuer.get("/jwks").send().await?.require_success()?.into_body() })
///     }
/// }
///
/// impl HttpFilter for Jwt {
///     async fn handle(&self, request: Request, next: Next) -> Result<Response> {
///         // …
///         Ok(next.run(request).await)
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is registered with `#[filter(async_configure)]` but is not made by an async function",
    label = "does not implement `ConfigureAsync`",
    note = "write `impl ConfigureAsync for {Self} {{ type Config = …; async fn configure(config: Self::Config, plugin: Plugin) -> Result<Self> {{ … }} }}`, or leave `async_configure` out"
)]
pub trait ConfigureAsync: Sized + 'static {
    /// What the JSON is read into.
    type Config: DeserializeOwned + 'static;

    /// How long requests wait for the filter to be made.
    const PATIENCE: Duration = Duration::from_secs(5);

    /// Makes the filter. This runs in every VM that serves requests, and on the main thread.
    ///
    /// # Errors
    ///
    /// An error is logged, and it is tried again.
    fn configure(config: Self::Config, plugin: Plugin) -> impl Future<Output = Result<Self>>;
}

/// The filter was not made in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the filter is not ready")]
pub(crate) struct NotReady;

/// Where the filter of a stream comes from.
pub(crate) trait Source: 'static {
    /// What a stream runs.
    fn task(&self, stream: StreamId, has_body: bool) -> Task;
}

/// A filter that was made when it was configured.
pub(crate) struct Made<F>(pub(crate) Rc<F>);

/// A filter that is made while the proxy runs.
pub(crate) struct Starting<F>(Rc<Start<F>>);

struct Start<F> {
    made: OnceCell<Rc<F>>,
    waiting: Wakers,
}

impl<F: HttpFilter> Source for Made<F> {
    fn task(&self, stream: StreamId, has_body: bool) -> Task {
        let filter = Rc::clone(&self.0);
        Box::pin(async move {
            let result = filter.handle(Request::new(stream, has_body), Next::new(stream)).await;
            finish(stream, result);
        })
    }
}

impl<F: HttpFilter + ConfigureAsync> Source for Starting<F> {
    fn task(&self, stream: StreamId, has_body: bool) -> Task {
        let start = Rc::clone(&self.0);
        Box::pin(async move {
            let result = match start.made().await {
                Ok(filter) => filter.handle(Request::new(stream, has_body), Next::new(stream)).await,
                Err(error) => Err(error),
            };
            finish(stream, result);
        })
    }
}

// === impl Start ===

impl<F: ConfigureAsync> Start<F> {
    /// The filter, once it is made.
    async fn made(&self) -> Result<Rc<F>> {
        if let Some(made) = self.made.get() {
            return Ok(Rc::clone(made));
        }
        let made = poll_fn(|cx| match self.made.get() {
            Some(made) => Poll::Ready(Rc::clone(made)),
            None => {
                self.waiting.wait(cx.waker());
                Poll::Pending
            }
        });
        time::timeout(F::PATIENCE, made).await.map_err(|_| Error::new(NotReady))
    }
}

// === impl Starting ===

impl<F: ConfigureAsync> Starting<F> {
    /// Begins to make a filter of this configuration.
    pub(crate) fn begin(json: &[u8], mut plugin: Plugin) -> Result<Self> {
        let mut config = Some(config::parse::<F::Config>(json)?);
        let start = Rc::new(Start { made: OnceCell::new(), waiting: Wakers::default() });
        let (begun, json, own) = (Rc::clone(&start), json.to_vec(), plugin.again());
        plugin.spawn(async move {
            let mut pauses = Pauses::default();
            loop {
                let config = config.take().map_or_else(|| config::parse(&json), Ok);
                let made = match config {
                    Ok(config) => F::configure(config, own.again()).await,
                    Err(error) => Err(error),
                };
                match made {
                    Ok(made) => {
                        let _ = begun.made.set(Rc::new(made));
                        break;
                    }
                    Err(error) => {
                        let pause = pauses.next();
                        log::error!("the filter is not ready, and is made again in {pause:.1?}: {error:#}");
                        time::sleep(pause).await;
                    }
                }
            }
            begun.waiting.wake();
        });
        Ok(Self(start))
    }
}
