//! Queues of messages between VMs: of workers, of filters, and of modules.
//!
//! A queue belongs to the VM that registered it, by the VM's `vm_id` and a name. Whoever knows both can put messages into it and take them out; each message is taken once. Queues live as long as the proxy's
//! process, and have no bound: what nobody takes out stays in the proxy's memory.
//!
//! # Examples
//!
//! Filters of all workers hand in what one of them sends on:
//!
//! ```no_run
//! # use inproxy::log;
//! use inproxy::{prelude::*, queue::Queue};
//!
//! # fn example() -> Result<()> {
//! // When the filter is configured, in every VM; all get the same queue.
//! let reports = Queue::register("report/pending")?;
//! // With each request.
//! reports.enqueue(b"GET /")?;
//! // Now and then.
//! while let Some(report) = reports.dequeue()? {
//!     log::info!("{}", report.escape_ascii());
//! }
//! # Ok(())
//! # }
//! ```

use std::{future::poll_fn, task::Poll};

use crate::{
    abi::{self, Status},
    error::HostError,
    runtime::queues,
};

/// A queue of the proxy, by its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Queue {
    id: u32,
}

// === impl Queue ===

impl Queue {
    /// The queue of this name, of VMs with this `vm_id`; it is made if there is none. Filters with the same `vm_id` share all names: begin with the filter's.
    ///
    /// Of all that register a queue, the last is the one whom the proxy tells of messages. All can put them in and take them out.
    ///
    /// # Errors
    ///
    /// [`HostError`] if the proxy refuses.
    pub fn register(name: &str) -> Result<Self, HostError> {
        let id = abi::register_queue(name.as_bytes()).map_err(|status| HostError::new("register a queue", status))?;
        Ok(Self { id })
    }

    /// The queue that a VM with this `vm_id` has registered, of this filter or another; `None` if none has (yet). An empty `vm_id` is the filter's own.
    ///
    /// # Errors
    ///
    /// [`HostError`] if the proxy refuses.
    pub fn resolve(vm_id: &str, name: &str) -> Result<Option<Self>, HostError> {
        match abi::resolve_queue(vm_id.as_bytes(), name.as_bytes()) {
            Ok(id) => Ok(Some(Self { id })),
            Err(Status::NOT_FOUND) => Ok(None),
            Err(status) => Err(HostError::new("resolve a queue", status)),
        }
    }

    /// Puts a message behind those that are in the queue.
    ///
    /// # Errors
    ///
    /// [`HostError`] if the proxy refuses.
    pub fn enqueue(&self, message: &[u8]) -> Result<(), HostError> {
        abi::enqueue(self.id, message).map_err(|status| HostError::new("put a message into a queue", status))
    }

    /// Waits for a message, and takes it out.
    ///
    /// Of all VMs that have registered the queue, the proxy tells only the last one of messages: what waits in another one, or for a queue that was only [resolved](Self::resolve), is not woken. One that must
    /// not depend on this waits with [`time::timeout`](crate::time::timeout), and looks again.
    ///
    /// # Errors
    ///
    /// [`HostError`] if the proxy refuses.
    ///
    /// # Examples
    ///
    /// ```
    /// use inproxy::{prelude::*, queue::Queue};
    ///
    /// async fn report(queue: Queue, collector: Cluster) -> Result<()> {
    ///     loop {
    ///         let report = queue.receive().await?;
    ///         collector.post("/reports").body(report).send().await?;
    ///     }
    /// }
    /// ```
    pub async fn receive(&self) -> Result<Vec<u8>, HostError> {
        poll_fn(|cx| match self.dequeue() {
            Ok(Some(message)) => Poll::Ready(Ok(message)),
            Ok(None) => {
                queues::wait(self.id, cx.waker());
                Poll::Pending
            }
            Err(error) => Poll::Ready(Err(error)),
        })
        .await
    }

    /// Takes the oldest message out; `None` if there is none.
    ///
    /// # Errors
    ///
    /// [`HostError`] if the proxy refuses.
    pub fn dequeue(&self) -> Result<Option<Vec<u8>>, HostError> {
        match abi::dequeue(self.id) {
            Ok(message) => Ok(Some(message)),
            Err(Status::EMPTY) => Ok(None),
            Err(status) => Err(HostError::new("take a message out of a queue", status)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, collections::VecDeque, rc::Rc};

    use super::*;
    use crate::abi::Host;

    /// One queue, "q" with the id 7, which refuses with the status that a message or name has in it.
    #[derive(Default)]
    struct One(RefCell<VecDeque<Vec<u8>>>);

    impl Host for One {
        fn register_queue(&self, name: &[u8]) -> Result<u32, Status> {
            if name == b"q" { Ok(7) } else { Err(Status::INTERNAL_FAILURE) }
        }

        fn resolve_queue(&self, vm_id: &[u8], name: &[u8]) -> Result<u32, Status> {
            match (vm_id, name) {
                (b"" | b"vm", b"q") => Ok(7),
                (b"strange", _) => Err(Status::from_raw(77)),
                _ => Err(Status::NOT_FOUND),
            }
        }

        fn enqueue(&self, queue: u32, value: &[u8]) -> Status {
            if queue != 7 {
                return Status::NOT_FOUND;
            }
            self.0.borrow_mut().push_back(value.to_vec());
            Status::OK
        }

        fn dequeue(&self, queue: u32) -> Result<Vec<u8>, Status> {
            if queue != 7 {
                return Err(Status::NOT_FOUND);
            }
            self.0.borrow_mut().pop_front().ok_or(Status::EMPTY)
        }
    }

    #[test]
    fn messages_come_out_as_they_went_in() {
        abi::enter(Rc::new(One::default()), || {
            let queue = Queue::register("q").unwrap();
            assert_eq!(queue.dequeue().unwrap(), None);
            for message in [&b"one"[..], b"", b"\xff"] {
                queue.enqueue(message).unwrap();
            }
            let out: Vec<_> = std::iter::from_fn(|| queue.dequeue().unwrap()).collect();
            assert_eq!(out, [&b"one"[..], b"", b"\xff"], "an empty message is one");
        });
    }

    #[test]
    fn only_a_queue_that_was_registered_is_found() {
        abi::enter(Rc::new(One::default()), || {
            assert_eq!(Queue::resolve("", "q").unwrap(), Some(Queue { id: 7 }));
            assert_eq!(Queue::resolve("vm", "q").unwrap(), Some(Queue { id: 7 }));
            assert_eq!(Queue::resolve("vm", "other").unwrap(), None);
            let error = Queue::resolve("strange", "q").unwrap_err();
            assert_eq!(error.to_string(), "resolve a queue: the proxy answered unknown status (77)");
        });
    }

    #[test]
    fn what_the_proxy_refuses_is_an_error() {
        abi::enter(Rc::new(One::default()), || {
            let gone = Queue { id: 8 };
            assert_eq!(gone.enqueue(b"x").unwrap_err().to_string(), "put a message into a queue: the proxy answered not found (1)");
            assert_eq!(gone.dequeue().unwrap_err().to_string(), "take a message out of a queue: the proxy answered not found (1)");
            assert_eq!(Queue::register("x").unwrap_err().status, Status::INTERNAL_FAILURE);
        });
    }
}
