//! What is known of a connection: where each direction stands, and what user code owns of it.

use std::cell::{Cell, RefCell};

use super::{ConnectionError, held::Held};
use crate::{
    Error, Result,
    abi::{self, StreamType},
    error::HostError,
    hooks::{Action, Way},
    http::{MapChunk, OnError},
    runtime::{StreamId, Verdict, Waiting},
};

/// One connection at the filter.
pub(super) struct Tunnel {
    stream: StreamId,
    on_error: OnError,
    /// The callback that runs, if it is one that shows data, or the connection.
    entered: Cell<Option<Entered>>,
    /// The proxy waits with the connection to the upstream.
    opening: Cell<bool>,
    pub(super) client: Client,
    pub(super) server: Server,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Entered {
    New,
    Data(Way),
}

/// What the client sends.
#[derive(Default)]
pub(super) struct Client {
    pub(super) held: RefCell<Held>,
    pub(super) ended: Cell<bool>,
    pub(super) reader: Waiting,
    pub(super) mapper: RefCell<Option<Box<dyn MapChunk>>>,
    /// User code has nothing of it any more.
    pub(super) passed: Cell<bool>,
    /// The proxy was told to pause when it showed something last, and so takes what is written now.
    paused: Cell<bool>,
    /// What is in the proxy's buffer may go by when the running callback returns.
    flowing: Cell<bool>,
}

/// What the server sends.
#[derive(Default)]
pub(super) struct Server {
    /// How many bytes the running callback shows that were not read.
    pub(super) unread: Cell<usize>,
    pub(super) replacement: Cell<Option<Vec<u8>>>,
    pub(super) ended: Cell<bool>,
    pub(super) reader: Waiting,
    pub(super) mapper: RefCell<Option<Box<dyn MapChunk>>>,
}

// === impl Tunnel ===

impl Tunnel {
    /// A connection that the proxy just shows, in its callback.
    pub(super) fn new(stream: StreamId, on_error: OnError) -> Self {
        Self {
            stream,
            on_error,
            entered: Cell::new(Some(Entered::New)),
            opening: Cell::new(true),
            client: Client::default(),
            server: Server::default(),
        }
    }

    pub(super) const fn stream(&self) -> StreamId {
        self.stream
    }

    /// Whether it is its turn, and it is open.
    pub(super) fn check(&self) -> Result<(), ConnectionError> {
        if self.stream.is_current() && !self.is_closed() { Ok(()) } else { Err(ConnectionError::Gone) }
    }

    fn is_closed(&self) -> bool {
        self.stream.exchange().is_none_or(|exchange| exchange.verdict.get() == Verdict::Reset)
    }

    /// Whether the running callback shows what the server has sent.
    pub(super) fn shows_server(&self) -> bool {
        self.entered.get() == Some(Entered::Data(Way::Upstream))
    }

    /// Closes it, once.
    pub(super) fn close(&self) {
        if !self.is_closed() {
            close(self.stream);
            self.client.held.borrow_mut().clear();
        }
    }

    /// Has the proxy go on with it. A connection that cannot go on is closed: nothing else would end it.
    fn resume(&self) {
        if self.is_closed() {
            return;
        }
        if let Err(status) = abi::continue_stream(StreamType::Downstream) {
            log::error!("a connection cannot go on, and is closed: the proxy answered {status}");
            self.close();
        }
    }

    /// Data is waited for: from here on there is a server, and the proxy reads from the client.
    pub(super) fn connect(&self) {
        if self.opening.replace(false) && self.entered.get() != Some(Entered::New) {
            self.resume();
        }
    }

    /// What is in the proxy's buffer may go by; but not with the client's end, as long as the filter has something that goes before that.
    fn flow(&self) {
        let client = &self.client;
        if client.ended.get() {
            if client.held.borrow().has_taken() {
                return;
            }
            client.passed.set(true);
        }
        if self.entered.get() == Some(Entered::Data(Way::Downstream)) {
            client.flowing.set(true);
        } else if client.paused.get() {
            self.resume();
        }
    }

    /// What the client has sent, and was read, goes on.
    pub(super) fn forward(&self) -> Result<(), HostError> {
        let mut held = self.client.held.borrow_mut();
        held.settle()?;
        // The end would overtake what was not read.
        if self.client.ended.get() && held.has_unread() {
            return Ok(());
        }
        let something = held.put_ready()?;
        drop(held);
        if something {
            self.flow();
        }
        Ok(())
    }

    /// What the client sends passes from here on.
    pub(super) fn pass(&self) -> Result<()> {
        let client = &self.client;
        if client.passed.get() {
            return Ok(());
        }
        let mut held = client.held.borrow_mut();
        held.settle()?;
        // What fails is not tried again, nor is the end shown twice.
        if let Some(mut map) = client.mapper.take() {
            held.map(map.as_mut(), client.ended.get())?;
            if !client.ended.get() {
                client.mapper.replace(Some(map));
            }
        }
        held.put_all()?;
        drop(held);
        client.passed.set(true);
        if self.entered.get() != Some(Entered::Data(Way::Downstream)) && client.paused.replace(false) {
            self.resume();
        }
        Ok(())
    }

    /// `handle` has ended.
    pub(super) fn finish(&self, result: Result<()>) {
        if self.check().is_err() {
            if let Err(error) = result {
                log::debug!("the filter ended after its connection: {error:#}");
            }
            return;
        }
        if let Err(error) = result {
            if self.on_error == OnError::Deny {
                self.fail(&error);
                return;
            }
            log::warn!("the filter failed, the connection goes on: {error:#}");
        }
        if let Err(error) = self.pass() {
            self.fail(&error);
        }
        self.connect();
    }

    /// Closes it for an error.
    fn fail(&self, error: &Error) {
        log::error!("the filter failed, and its connection is closed: {error:#}");
        self.close();
    }

    /// A map has failed.
    fn map_failed(&self, mapper: &RefCell<Option<Box<dyn MapChunk>>>, error: &Error) {
        mapper.take();
        if self.on_error == OnError::Allow {
            log::warn!("the filter failed, the connection goes on: {error:#}");
        } else {
            self.fail(error);
        }
    }
}

// === the proxy's callbacks ===

impl Tunnel {
    /// What the callback returns that has shown the connection.
    pub(super) fn leave_new(&self) -> Action {
        self.entered.set(None);
        action(self.is_closed() || self.opening.get())
    }

    /// The client has sent something: in all, the proxy holds so many bytes.
    pub(super) fn client_sent(&self, size: usize, end_of_stream: bool) -> Action {
        let client = &self.client;
        // Though the proxy has refused to close it.
        if self.is_closed() {
            return Action::Pause;
        }
        if client.passed.get() {
            if client.mapper.borrow().is_some() {
                self.map_by(Way::Downstream, size, end_of_stream);
            }
            return action(self.is_closed());
        }
        client.ended.set(end_of_stream);
        client.flowing.set(false);
        client.held.borrow_mut().arrived(size);
        // What is written while the callback runs is written to what it shows.
        client.paused.set(true);
        self.entered.set(Some(Entered::Data(Way::Downstream)));
        self.stream.wake_and_run(&client.reader);
        self.entered.set(None);
        let pause = self.is_closed() || !(client.passed.get() || client.flowing.get());
        if !pause && !client.passed.get() && client.held.borrow().has_taken() {
            // When this returns "continue", the proxy forgets where its buffer is: what the filter has could not be put there later.
            self.resume();
            return Action::Pause;
        }
        client.paused.set(pause);
        action(pause)
    }

    /// The server has sent so many bytes; whether the connection is closed, so that they go nowhere.
    pub(super) fn server_sent(&self, size: usize, end_of_stream: bool) -> bool {
        let server = &self.server;
        if self.is_closed() {
            return true;
        }
        server.ended.set(end_of_stream);
        if server.mapper.borrow().is_some() {
            self.map_by(Way::Upstream, size, end_of_stream);
        } else {
            server.unread.set(size);
            self.entered.set(Some(Entered::Data(Way::Upstream)));
            self.stream.wake_and_run(&server.reader);
            self.entered.set(None);
            if let Some(bytes) = server.replacement.take()
                && let Err(error) = replace(Way::Upstream, size, &bytes)
            {
                self.fail(&error.into());
            }
            let unread = server.unread.take();
            if server.mapper.borrow().is_some() {
                self.map_by(Way::Upstream, unread, end_of_stream);
            }
        }
        self.is_closed()
    }

    /// Changes what goes by.
    fn map_by(&self, way: Way, size: usize, end_of_stream: bool) {
        let mapper = match way {
            Way::Downstream => &self.client.mapper,
            Way::Upstream => &self.server.mapper,
        };
        // Absent while it runs, which is user code.
        let Some(mut map) = mapper.take() else { return };
        match map_by(map.as_mut(), way, size, end_of_stream) {
            Ok(()) => {
                mapper.replace(Some(map));
            }
            Err(error) => self.map_failed(mapper, &error),
        }
    }
}

fn map_by(map: &mut dyn MapChunk, way: Way, size: usize, end_of_stream: bool) -> Result<()> {
    let mut changed = if size == 0 { Vec::new() } else { map.chunk(get(way, size)?)? };
    if end_of_stream {
        changed.extend(map.end()?);
    }
    if size > 0 {
        replace(way, size, &changed)?;
    } else if !changed.is_empty() {
        append(way, &changed)?;
    }
    Ok(())
}

pub(super) fn get(way: Way, size: usize) -> Result<Vec<u8>, HostError> {
    abi::whole_buffer(way.buffer(), size).map_err(|status| HostError::new("read what a connection has brought", status))
}

fn replace(way: Way, size: usize, bytes: &[u8]) -> Result<(), HostError> {
    abi::replace_buffer(way.buffer(), 0, size, bytes).map_err(|status| HostError::new("change what a connection has brought", status))
}

/// Puts bytes behind whatever there is.
pub(super) fn append(way: Way, bytes: &[u8]) -> Result<(), HostError> {
    const END: usize = u32::MAX as usize;
    abi::replace_buffer(way.buffer(), END, 0, bytes).map_err(|status| HostError::new("add to what a connection brings", status))
}

const fn action(pause: bool) -> Action {
    if pause { Action::Pause } else { Action::Continue }
}

/// Closes a connection.
pub(super) fn close(stream: StreamId) {
    if let Some(exchange) = stream.exchange() {
        exchange.verdict.set(Verdict::Reset);
    }
    if let Err(status) = abi::close_stream(StreamType::Downstream) {
        log::error!("a connection cannot be closed: the proxy answered {status}");
    }
}
