//! Clocks, and waiting for a time.
//!
//! Waiting costs a request nothing but its time: the worker goes on meanwhile. The proxy's timers count in milliseconds, and so does what waits here: it never ends too early, and up to a millisecond late.
//!
//! # Examples
//!
//! ```
//! use std::time::Duration;
//!
//! use inproxy::{prelude::*, time};
//!
//! async fn ask(authority: &Cluster) -> Result<StatusCode> {
//!     let asked = async { authority.get("/check").send().await };
//!     match time::timeout(Duration::from_millis(50), asked).await {
//!         Ok(answer) => Ok(answer?.status()),
//!         Err(_elapsed) => Ok(StatusCode::GATEWAY_TIMEOUT),
//!     }
//! }
//! ```

use std::{
    future::Future,
    ops::{Add, Sub},
    pin::{Pin, pin},
    task::{Context, Poll},
    time::{Duration, SystemTime},
};

use crate::{
    abi,
    error::HostError,
    runtime::{StreamId, timers::Timer},
};

/// The wall clock of the proxy. It may be set back or forward: to measure how long something takes there is [`Instant`].
///
/// # Errors
///
/// [`HostError`] if the proxy refuses; Envoy does not.
pub fn now() -> Result<SystemTime, HostError> {
    let nanoseconds = abi::wall_clock().map_err(|status| HostError::new("read the clock", status))?;
    Ok(SystemTime::UNIX_EPOCH + Duration::from_nanos(nanoseconds))
}

/// A time on a clock that only goes forward, and has nothing to do with the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(Duration);

/// Waits for a time; made by [`sleep`] and [`sleep_until`].
#[derive(Debug)]
#[must_use = "it waits when it is awaited"]
pub struct Sleep {
    until: Instant,
    timer: Option<(StreamId, Timer)>,
}

/// Comes again and again; made by [`interval`].
#[derive(Debug)]
pub struct Interval {
    period: Duration,
    next: Instant,
}

/// The time was over before what was waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it took longer than {} ms", .0.as_millis())]
pub struct Elapsed(Duration);

/// Waits so long.
pub fn sleep(duration: Duration) -> Sleep {
    sleep_until(Instant::now() + duration)
}

/// Waits until then.
pub const fn sleep_until(until: Instant) -> Sleep {
    Sleep { until, timer: None }
}

/// Waits for a future, but no longer than so long; then the future is dropped.
///
/// # Errors
///
/// [`Elapsed`] if it took longer.
pub async fn timeout<F: Future>(duration: Duration, future: F) -> Result<F::Output, Elapsed> {
    let mut sleep = sleep(duration);
    let mut future = pin!(future);
    std::future::poll_fn(|cx| {
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Poll::Ready(Ok(output));
        }
        Pin::new(&mut sleep).poll(cx).map(|()| Err(Elapsed(duration)))
    })
    .await
}

/// Comes at once, and then again after each period, which is at least a millisecond. What was missed is left out: it never comes twice at once.
pub fn interval(period: Duration) -> Interval {
    Interval { period: period.max(Duration::from_millis(1)), next: Instant::now() }
}

// === impl Instant ===

impl Instant {
    /// The time that it is now.
    pub fn now() -> Self {
        Self(Duration::from_nanos(abi::monotonic_clock()))
    }

    /// How long ago this was; nothing, if it is yet to come.
    pub fn elapsed(self) -> Duration {
        Self::now() - self
    }

    fn nanoseconds(self) -> u64 {
        u64::try_from(self.0.as_nanos()).unwrap_or(u64::MAX)
    }
}

/// Further than the clock can count is as far as it can.
impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration))
    }
}

/// Nothing, if the other is later.
impl Sub for Instant {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

// === impl Sleep ===

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if Instant::now() >= self.until {
            self.timer = None;
            return Poll::Ready(());
        }
        // Outside of a request and of a task there is no tick that would come.
        let Some(current) = StreamId::current() else { return Poll::Pending };
        match &self.timer {
            Some((owner, timer)) if *owner == current && timer.is_set() => timer.wakes(cx.waker()),
            _ => self.timer = Some((current, Timer::set(current.root(), self.until.nanoseconds(), cx.waker().clone()))),
        }
        Poll::Pending
    }
}

// === impl Interval ===

impl Interval {
    /// Waits until it comes next.
    pub async fn tick(&mut self) {
        sleep_until(self.next).await;
        self.next = Instant::now().max(self.next) + self.period;
    }
}
