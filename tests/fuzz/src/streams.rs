//! Streams, calls and timers in every order that a proxy may have, on a host whose answers are the fuzzer's: no panic, nothing that Envoy does not survive, nothing that waits for ever.

mod filter;
mod host;

use std::rc::Rc;

use inproxy::abi::{Host, enter, vm as proxy};

use self::{
    filter::Wild,
    host::{Call, WildHost},
};
use crate::vm;

const REQUEST: usize = 0;
const RESPONSE: usize = 1;

/// Longer than anything that the filter waits for, in milliseconds; the clock of ten million inputs must not overflow.
const LONG: u64 = 1_000;

/// Where a direction stands on its way through the filter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Nothing,
    Headers,
    Ended,
}

/// A stream, as the proxy has it.
struct Stream {
    context: u32,
    stages: [Stage; 2],
}

thread_local! {
    static VM: (Rc<WildHost>, u32) = {
        let host = Rc::new(WildHost::default());
        let root = vm::root::<Wild>(&host, 0);
        (host, root)
    };
}

/// The proxy, which goes by a script.
struct Driver<'a> {
    host: &'a WildHost,
    root: u32,
    streams: Vec<Stream>,
}

/// The script: whatever the proxy, its host functions and the filter choose is its next byte; when it is at its end, all is as it should be.
pub(crate) fn fuzz(data: &[u8]) {
    VM.with(|(host, root)| {
        host.begin(data);
        enter(Rc::clone(host) as Rc<dyn Host>, || {
            let mut driver = Driver { host, root: *root, streams: Vec::new() };
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
        match self.host.script.choose(8) {
            0 if self.streams.len() < 3 => self.open(),
            1 | 2 => self.move_on(REQUEST),
            3 | 4 => self.move_on(RESPONSE),
            5 => {
                let at = self.host.script.choose(self.host.calls().len() as u8);
                self.answer(at.into());
            }
            6 => self.tick(u64::from(self.host.script.choose(255)) * 10),
            _ if self.host.script.choose(4) == 1 => {
                let at = usize::from(self.host.script.choose(self.streams.len() as u8));
                if at < self.streams.len() {
                    let stream = self.streams.remove(at);
                    self.close(&stream);
                }
            }
            _ => {}
        }
    }

    fn open(&mut self) {
        let context = vm::new_context();
        self.callback(self.root, None, || proxy::on_context_create(context, self.root));
        self.host.opened(context);
        self.streams.push(Stream { context, stages: [Stage::Nothing; 2] });
    }

    /// What comes next of a direction, for a stream that the script chooses.
    fn move_on(&mut self, direction: usize) {
        let at = usize::from(self.host.script.choose(self.streams.len() as u8));
        if at < self.streams.len() {
            let (ends, kind) = (self.host.script.choose(3) == 1, self.host.script.choose(5));
            self.deliver(at, direction, ends, kind);
        }
    }

    fn deliver(&mut self, at: usize, direction: usize, ends: bool, kind: u8) {
        let Stream { context, stages } = self.streams[at];
        // An answered or reset stream is shown nothing more; there is no response before there was a request.
        if self.host.is_over(context) || (direction == RESPONSE && stages[REQUEST] == Stage::Nothing) {
            return;
        }
        if self.host.waits(context, direction) {
            return;
        }
        let size = usize::from(self.host.script.choose(40));
        let (on_headers, on_body, on_trailers) = if direction == REQUEST {
            (proxy::on_request_headers as fn(_, _, _) -> _, proxy::on_request_body as fn(_, _, _) -> _, proxy::on_request_trailers as fn(_, _) -> _)
        } else {
            (
                proxy::on_response_headers as fn(_, _, _) -> _,
                proxy::on_response_body as fn(_, _, _) -> _,
                proxy::on_response_trailers as fn(_, _) -> _,
            )
        };
        let at_headers = stages[direction] == Stage::Nothing;
        let (action, next) = match stages[direction] {
            Stage::Nothing => {
                (self.callback(context, Some(direction), || on_headers(context, size, ends)), if ends { Stage::Ended } else { Stage::Headers })
            }
            Stage::Headers if kind == 1 => (self.callback(context, Some(direction), || on_trailers(context, size)), Stage::Ended),
            Stage::Headers => {
                (self.callback(context, Some(direction), || on_body(context, size, ends)), if ends { Stage::Ended } else { Stage::Headers })
            }
            Stage::Ended => return,
        };
        self.host.returned(context, direction, at_headers, action);
        self.streams[at].stages[direction] = next;
    }

    fn answer(&mut self, at: usize) {
        let Some(call) = self.host.calls().get(at).copied() else { return };
        let (event, size) = (self.host.script.choose(6), self.host.script.choose(40));
        let (root, number) = (self.root, usize::from(size));
        let over = match call {
            Call::Http(token) => {
                let (headers, trailers) = (usize::from(event != 1), usize::from(event == 2));
                self.answers(|| proxy::on_http_call_response(root, token, headers, number, trailers));
                true
            }
            Call::Grpc(token) if event == 1 => {
                self.answers(|| proxy::on_grpc_close(root, token, size.into()));
                true
            }
            Call::Grpc(token) => {
                self.answers(|| proxy::on_grpc_receive(root, token, number));
                true
            }
            Call::GrpcStream(token) => {
                match event {
                    1 => self.answers(|| proxy::on_grpc_receive_initial_metadata(root, token, size.into())),
                    2 => self.answers(|| proxy::on_grpc_receive(root, token, number)),
                    3 => self.answers(|| proxy::on_grpc_receive_trailing_metadata(root, token, size.into())),
                    _ => self.answers(|| proxy::on_grpc_close(root, token, size.into())),
                }
                !matches!(event, 1..=3)
            }
        };
        if over {
            self.host.answered(call);
        }
    }

    /// All calls that there are; not those that are made meanwhile.
    fn answer_all(&mut self) {
        for _ in 0..self.host.calls().len() {
            self.answer(0);
        }
    }

    /// The dispatcher makes the stream of a call the effective context first.
    fn answers(&self, run: impl FnOnce()) {
        self.host.obey_once();
        self.callback(self.root, None, run);
    }

    fn tick(&self, milliseconds: u64) {
        if self.host.pass(milliseconds) {
            self.callback(self.root, None, || proxy::on_tick(self.root));
        }
    }

    fn close(&self, stream: &Stream) {
        let context = stream.context;
        self.host.closing(context);
        self.callback(context, None, || proxy::on_log(context));
        self.callback(context, None, || proxy::on_done(context));
        self.host.closed(context);
        self.callback(self.root, None, || proxy::on_delete(context));
    }

    fn callback<T>(&self, context: u32, direction: Option<usize>, run: impl FnOnce() -> T) -> T {
        self.host.enters(context, direction);
        let result = run();
        self.host.leaves();
        result
    }

    /// Nothing is refused any more, and all that the filter waits for comes: then it must not wait any longer.
    fn settle(&mut self) {
        for direction in [REQUEST, RESPONSE] {
            for _ in 0..40 {
                for at in 0..self.streams.len() {
                    let context = self.streams[at].context;
                    if direction == REQUEST || self.host.is_let_go(context, REQUEST) {
                        self.deliver(at, direction, true, 0);
                    }
                }
                self.answer_all();
                self.tick(LONG);
            }
            for stream in &self.streams {
                let came = |direction: usize| stream.stages[direction] != Stage::Nothing;
                // A response that nobody has waited for ends the stream, whatever is held of its request.
                if came(direction) && !(direction == REQUEST && came(RESPONSE)) {
                    self.host.must_not_wait(stream.context, direction);
                }
            }
        }
        for stream in std::mem::take(&mut self.streams) {
            self.close(&stream);
        }
        // What is left of calls and timers finds nobody.
        self.answer_all();
        self.tick(LONG);
    }
}
