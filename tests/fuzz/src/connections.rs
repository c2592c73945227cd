//! TCP connections whose bytes come in any pieces from both sides, with closes, calls, timers and refusals in between, on a host that has Envoy's buffers: no panic; nothing is lost, doubled, or comes in another order; nothing
//! comes to the server that the filter has not let go; and of a connection that is over nothing more is asked.

mod filter;
mod host;
mod record;

use std::{collections::VecDeque, rc::Rc};

use inproxy::abi::{Host, enter, vm as proxy};

use self::{
    filter::Tap,
    host::{Deferred, TapHost},
    record::Record,
};
use crate::vm;

/// The ABI's word for who has closed: the proxy, the other side, or nobody knows.
const UNKNOWN: u32 = 0;
const LOCAL: u32 = 1;
const REMOTE: u32 = 2;

/// Longer than anything that the filter waits for, in milliseconds; the clock of ten million inputs must not overflow.
const LONG: u64 = 1_000;

/// From so many bytes in its buffer on, the proxy does not read from the client.
const LIMIT: usize = 100;

/// A connection, as its ends have it.
struct Connection {
    context: u32,
    record: Rc<Record>,
    /// The server is there.
    open: bool,
    /// What the client has sent, and was not read by the proxy.
    unread: VecDeque<u8>,
    /// The client ends behind that; this was shown; it has come to the server.
    finished: bool,
    end_shown: bool,
    end_came: bool,
    /// What has come to the server.
    there: Vec<u8>,
    /// What the server says next.
    said: u8,
    server_ended: bool,
}

thread_local! {
    static VM: (Rc<TapHost>, u32) = {
        let host = Rc::new(TapHost::default());
        let root = vm::root::<Tap>(&host, 0);
        (host, root)
    };
}

/// The proxy, which goes by a script.
struct Driver<'a> {
    host: &'a TapHost,
    root: u32,
    connections: Vec<Connection>,
}

/// The script, as that of `streams`.
pub(crate) fn fuzz(data: &[u8]) {
    VM.with(|(host, root)| {
        host.script.begin(data);
        enter(Rc::clone(host) as Rc<dyn Host>, || {
            let mut driver = Driver { host, root: *root, connections: Vec::new() };
            while !host.script.is_at_end() {
                driver.step();
            }
            driver.settle();
        });
        host.end();
    });
}

// === impl Driver ===

impl Driver<'_> {
    fn step(&mut self) {
        match self.host.script.choose(9) {
            0 if self.connections.len() < 3 => self.open(),
            1..=3 => self.client_sends(),
            4 | 5 => self.server_sends(),
            6 => {
                let at = self.host.script.choose(self.host.calls.borrow().len() as u8);
                self.answer(at.into());
            }
            7 => self.tick(u64::from(self.host.script.choose(255)) * 10),
            _ if self.host.script.choose(4) == 1 => {
                if let Some(at) = self.any() {
                    self.close(self.connections[at].context, REMOTE);
                }
            }
            _ => {}
        }
    }

    /// A connection that the script chooses, if there is one.
    fn any(&self) -> Option<usize> {
        let at = usize::from(self.host.script.choose(self.connections.len() as u8));
        (at < self.connections.len()).then_some(at)
    }

    fn place_of(&self, context: u32) -> Option<usize> {
        self.connections.iter().position(|one| one.context == context)
    }

    fn open(&mut self) {
        let (context, record) = (vm::new_context(), Rc::new(Record::default()));
        self.host.opened(context, Rc::clone(&record));
        self.connections.push(Connection {
            context,
            record,
            open: false,
            unread: VecDeque::new(),
            finished: false,
            end_shown: false,
            end_came: false,
            there: Vec::new(),
            said: 0,
            server_ended: false,
        });
        let root = self.root;
        self.callback(root, || proxy::on_context_create(context, root));
        if self.callback(context, || proxy::on_new_connection(context)) == 0 {
            self.connect(context);
            self.read(context);
        }
    }

    /// The proxy connects to the server.
    fn connect(&mut self, context: u32) {
        if let Some(at) = self.place_of(context) {
            self.connections[at].open = true;
        }
    }

    fn client_sends(&mut self) {
        let Some(at) = self.any().filter(|at| !self.connections[*at].finished) else { return };
        let one = &mut self.connections[at];
        let mut sent = one.record.sent.borrow_mut();
        for _ in 0..self.host.script.choose(40) {
            let byte = (sent.len() % 127) as u8;
            sent.push(byte);
            one.unread.push_back(byte);
        }
        drop(sent);
        let context = one.context;
        one.finished = self.host.script.choose(6) == 1;
        self.read(context);
    }

    /// The proxy reads from the client, as long as it has room.
    fn read(&mut self, context: u32) {
        while let Some(at) = self.place_of(context) {
            let one = &mut self.connections[at];
            let has_room = self.host.with(context, |tcp| tcp.buffers[0].len() < LIMIT);
            if !one.open || one.end_shown || !has_room || (one.unread.is_empty() && !one.finished) {
                return;
            }
            let size = one.unread.len().min(usize::from(self.host.script.choose(30)) + 20);
            let bytes: Vec<u8> = one.unread.drain(..size).collect();
            one.end_shown = one.finished && one.unread.is_empty();
            let ends = one.end_shown;
            let total = self.host.with(context, |tcp| {
                tcp.buffers[0].extend(bytes);
                tcp.reach[0] = true;
                tcp.buffers[0].len()
            });
            self.callback_then(
                context,
                || proxy::on_downstream_data(context, total, ends),
                |driver, action| {
                    assert!(action < 2, "a callback has returned {action}");
                    if action == 0 {
                        driver.host.with(context, |tcp| tcp.reach[0] = false);
                        driver.comes_to_server(context);
                    }
                },
            );
        }
    }

    /// What is in the client's buffer comes to the server.
    fn comes_to_server(&mut self, context: u32) {
        let Some(at) = self.place_of(context) else { return };
        let one = &mut self.connections[at];
        one.there.extend(self.host.with(context, |tcp| std::mem::take(&mut tcp.buffers[0])));
        one.end_came |= one.end_shown;
        let may = one.record.may_be_there();
        let same = may.iter().zip(&one.there).take_while(|(one, other)| one == other).count();
        let (may, there) = (&may[same..], &one.there[same..]);
        assert!(there.is_empty(), "behind {same} bytes the server got {there:?}, where {may:?} was let go");
    }

    fn server_sends(&mut self) {
        let Some(at) = self.any().filter(|at| self.connections[*at].open && !self.connections[*at].server_ended) else { return };
        let one = &mut self.connections[at];
        let context = one.context;
        let bytes: Vec<u8> = (0..self.host.script.choose(30)).map(|more| (one.said + more) % 127).collect();
        one.said = (one.said + bytes.len() as u8) % 127;
        if !bytes.is_empty() {
            self.show(context, &bytes, false);
        }
        if self.host.script.choose(6) == 1 {
            self.server_ends(context);
        }
    }

    fn server_ends(&mut self, context: u32) {
        let Some(at) = self.place_of(context) else { return };
        if !std::mem::replace(&mut self.connections[at].server_ended, true) {
            self.show(context, &[], true);
            if self.place_of(context).is_some() {
                self.callback(context, || proxy::on_upstream_connection_close(context, UNKNOWN));
            }
        }
    }

    /// Shows what the server has sent, which goes on if the filter does not close the connection.
    fn show(&mut self, context: u32, bytes: &[u8], ends: bool) {
        let Some(at) = self.place_of(context) else { return };
        let record = Rc::clone(&self.connections[at].record);
        record.show(bytes);
        self.host.with(context, |tcp| {
            tcp.buffers[1].extend(bytes);
            tcp.reach[1] = true;
        });
        let size = self.host.with(context, |tcp| tcp.buffers[1].len());
        self.callback_then(
            context,
            || proxy::on_upstream_data(context, size, ends),
            |driver, action| {
                if action == 0 {
                    let shown = driver.host.with(context, |tcp| {
                        tcp.reach[1] = false;
                        std::mem::take(&mut tcp.buffers[1])
                    });
                    assert_eq!(shown, record.seen(), "what the client gets of the server is not what the filter has made of it");
                } else {
                    // It could not be resumed.
                    let over = driver.host.has_closed(context);
                    assert!(over || driver.host.script.has_refused(), "what the server has sent is held, which nothing lets go");
                }
            },
        );
    }

    fn answer(&mut self, at: usize) {
        let Some(token) = self.host.calls.borrow().get(at).copied() else { return };
        self.host.calls.borrow_mut().retain(|other| *other != token);
        let (headers, root) = (usize::from(self.host.script.choose(3) != 1), self.root);
        // The dispatcher makes the stream of the call the effective context first.
        self.host.obey_once();
        self.callback(root, || proxy::on_http_call_response(root, token, headers, 0, 0));
    }

    /// All calls that there are; not those that are made meanwhile.
    fn answer_all(&mut self) {
        let waiting = self.host.calls.borrow().len();
        for _ in 0..waiting {
            self.answer(0);
        }
    }

    fn tick(&mut self, milliseconds: u64) {
        if self.host.pass(milliseconds) {
            let root = self.root;
            self.callback(root, || proxy::on_tick(root));
        }
    }

    /// The end of a connection: nothing of it can be steered any more.
    fn close(&mut self, context: u32, peer: u32) {
        let Some(at) = self.place_of(context) else { return };
        self.connections.remove(at);
        self.host.with(context, |tcp| {
            tcp.closing = true;
            tcp.reach = [false; 2];
        });
        self.callback(context, || proxy::on_downstream_connection_close(context, peer));
        self.callback(context, || proxy::on_done(context));
        self.callback(context, || proxy::on_log(context));
        self.callback(self.root, || proxy::on_delete(context));
        self.host.closed(context);
    }

    fn callback<T: Copy>(&mut self, context: u32, run: impl FnOnce() -> T) -> T {
        self.callback_then(context, run, |_, _| {})
    }

    /// Runs a callback, then does what it says by what it returns, and then what it has asked for.
    fn callback_then<T: Copy>(&mut self, context: u32, run: impl FnOnce() -> T, then: impl FnOnce(&mut Self, T)) -> T {
        self.host.enters(context);
        let result = run();
        let deferred = self.host.leaves();
        then(self, result);
        for deferred in &deferred {
            match *deferred {
                Deferred::Close(context) => self.close(context, LOCAL),
                Deferred::Resume(context) => match self.place_of(context) {
                    Some(at) if self.connections[at].open => self.comes_to_server(context),
                    _ => self.connect(context),
                },
            }
        }
        // Only then: what is read now is not let by with what was there.
        for deferred in deferred {
            if let Deferred::Resume(context) = deferred {
                self.read(context);
            }
        }
        result
    }

    /// Nothing is refused any more, and all that the filter waits for comes: then it has ended, and all that it has let go is there.
    fn settle(&mut self) {
        let contexts: Vec<_> = self.connections.iter().map(|one| one.context).collect();
        for _ in 0..20 {
            self.answer_all();
            for context in &contexts {
                self.tick(LONG);
                if let Some(at) = self.place_of(*context) {
                    self.connections[at].finished = true;
                    self.read(*context);
                }
            }
        }
        for context in &contexts {
            if self.place_of(*context).is_some_and(|at| self.connections[at].open) {
                self.server_ends(*context);
            }
        }
        for _ in 0..20 {
            self.answer_all();
            self.tick(LONG);
        }
        for context in contexts {
            if let Some(at) = self.place_of(context) {
                self.connections[at].must_be_through(self.host.script.has_refused());
                self.close(context, LOCAL);
            }
        }
        // What is left of calls and timers finds nobody.
        self.answer_all();
        self.tick(LONG);
    }
}

// === impl Connection ===

impl Connection {
    fn must_be_through(&self, refused: bool) {
        if refused {
            return;
        }
        assert_eq!(self.record.ended.get(), Some(true), "the filter waits for ever, or its error closes nothing");
        let (came, may) = (self.there.len(), self.record.may_be_there());
        assert!(came == may.len(), "of what was let go, this has not come to the server: {:?}", &may[came..]);
        assert!(self.end_came, "the client's end has not come to the server");
    }
}
