//! A host that is just large enough for one request through a chain of filters.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, VecDeque},
    rc::Rc,
};

use inproxy::abi::{Host, LocalReply, Pairs, Status, encode_pairs, enter, vm};

pub(crate) type Headers = Vec<(String, Vec<u8>)>;

#[derive(Default)]
pub(crate) struct TestHost {
    root_ids: RefCell<BTreeMap<u32, String>>,
    configuration: RefCell<Vec<u8>>,
    maps: RefCell<BTreeMap<u32, Headers>>,
    effective: Cell<u32>,
    /// Call-outs that were sent, and the tokens under which they are answered.
    pub(crate) calls: RefCell<VecDeque<(u32, Headers)>>,
    pub(crate) replies: RefCell<Vec<u32>>,
    pub(crate) resumed: RefCell<Vec<(u32, u32)>>,
    pub(crate) log: RefCell<Vec<String>>,
    pub(crate) panics: RefCell<Vec<String>>,
    /// What a host function answers, by its name.
    pub(crate) refuses: RefCell<BTreeMap<&'static str, Status>>,
}

/// The ABI's numbers of header maps.
pub(crate) const REQUEST: u32 = 0;
pub(crate) const RESPONSE: u32 = 2;
const CALL_RESPONSE: u32 = 6;

impl TestHost {
    pub(crate) fn start() -> Rc<Self> {
        let host = Rc::<Self>::default();
        host.inside(vm::initialize);
        host
    }

    /// Runs a callback with this host.
    pub(crate) fn inside<T>(self: &Rc<Self>, run: impl FnOnce() -> T) -> T {
        enter(Rc::clone(self) as Rc<dyn Host>, run)
    }

    pub(crate) fn configure(self: &Rc<Self>, root: u32, root_id: &str, configuration: &str) -> bool {
        self.root_ids.borrow_mut().insert(root, root_id.to_owned());
        *self.configuration.borrow_mut() = configuration.as_bytes().to_vec();
        self.effective.set(root);
        self.inside(|| {
            vm::on_context_create(root, 0);
            vm::on_vm_start(root, 0) && vm::on_configure(root, configuration.len())
        })
    }

    pub(crate) fn put(&self, map: u32, headers: &[(&str, &str)]) {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
        self.maps.borrow_mut().insert(map, headers);
    }

    pub(crate) fn header_text(&self, map: u32, name: &str) -> Option<String> {
        self.maps.borrow()[&map].iter().find(|(other, _)| other == name).map(|(_, value)| String::from_utf8_lossy(value).into_owned())
    }

    /// The request's headers reach a filter; whether it lets them pass.
    pub(crate) fn request_headers(self: &Rc<Self>, context: u32, root: u32) -> bool {
        self.effective.set(context);
        self.inside(|| {
            vm::on_context_create(context, root);
            vm::on_request_headers(context, 0, true) == 0
        })
    }

    pub(crate) fn response_headers(self: &Rc<Self>, context: u32) -> bool {
        self.effective.set(context);
        self.inside(|| vm::on_response_headers(context, 0, true) == 0)
    }

    /// Answers the call-out that was sent first.
    pub(crate) fn answer_call(self: &Rc<Self>, root: u32, headers: &[(&str, &str)]) {
        let (token, _) = self.calls.borrow_mut().pop_front().expect("a call-out");
        self.put(CALL_RESPONSE, headers);
        self.effective.set(root);
        self.inside(|| vm::on_http_call_response(root, token, headers.len(), 0, 0));
    }

    pub(crate) fn end(self: &Rc<Self>, context: u32) {
        self.inside(|| {
            vm::on_log(context);
            vm::on_done(context);
            vm::on_delete(context);
        });
    }

    fn refusal(&self, call: &'static str) -> Result<(), Status> {
        self.refuses.borrow().get(call).map_or(Ok(()), |status| Err(*status))
    }

    fn edit(&self, map: u32, call: &'static str, edit: impl FnOnce(&mut Headers)) -> Status {
        match self.refusal(call) {
            Ok(()) => {
                edit(self.maps.borrow_mut().entry(map).or_default());
                Status::OK
            }
            Err(status) => status,
        }
    }
}

impl Host for TestHost {
    fn log(&self, _: u32, message: &[u8]) -> Status {
        self.log.borrow_mut().push(String::from_utf8_lossy(message).into_owned());
        Status::OK
    }

    fn panicked(&self, message: &str) {
        self.panics.borrow_mut().push(message.to_owned());
    }

    fn set_tick_period(&self, _: u32) -> Status {
        Status::OK
    }

    fn buffer(&self, buffer: u32, _: usize, _: usize) -> Result<Vec<u8>, Status> {
        assert_eq!(buffer, 7, "only the configuration has a buffer here");
        Ok(self.configuration.borrow().clone())
    }

    fn header_pairs(&self, map: u32) -> Result<Vec<u8>, Status> {
        self.refusal("header_pairs")?;
        Ok(encode_pairs(self.maps.borrow()[&map].iter().map(|(name, value)| (name.as_bytes(), value.as_slice()))))
    }

    fn header(&self, map: u32, name: &[u8]) -> Result<Vec<u8>, Status> {
        self.refusal("header")?;
        let maps = self.maps.borrow();
        maps[&map].iter().find(|(other, _)| other.as_bytes() == name).map(|(_, value)| value.clone()).ok_or(Status::NOT_FOUND)
    }

    fn add_header(&self, map: u32, name: &[u8], value: &[u8]) -> Status {
        let name = String::from_utf8_lossy(name).into_owned();
        self.edit(map, "add_header", |headers| headers.push((name, value.to_vec())))
    }

    fn replace_header(&self, map: u32, name: &[u8], value: &[u8]) -> Status {
        let name = String::from_utf8_lossy(name).into_owned();
        self.edit(map, "replace_header", |headers| {
            headers.retain(|(other, _)| *other != name);
            headers.push((name, value.to_vec()));
        })
    }

    fn remove_header(&self, map: u32, name: &[u8]) -> Status {
        self.edit(map, "remove_header", |headers| headers.retain(|(other, _)| other.as_bytes() != name))
    }

    fn property(&self, path: &[u8]) -> Result<Vec<u8>, Status> {
        assert_eq!(path, b"plugin_root_id");
        Ok(self.root_ids.borrow()[&self.effective.get()].clone().into_bytes())
    }

    fn continue_stream(&self, stream: u32) -> Status {
        self.resumed.borrow_mut().push((self.effective.get(), stream));
        Status::OK
    }

    fn send_local_response(&self, reply: LocalReply<'_>) -> Status {
        if let Err(status) = self.refusal("send_local_response") {
            return status;
        }
        self.replies.borrow_mut().push(reply.status);
        Status::OK
    }

    fn http_call(&self, _: &[u8], headers: &[u8], _: &[u8], _: &[u8], _: u32) -> Result<u32, Status> {
        let mut calls = self.calls.borrow_mut();
        let token = 100 + calls.len() as u32;
        let headers = Pairs::new(headers).map(|(name, value)| (String::from_utf8_lossy(name).into_owned(), value.to_vec()));
        calls.push_back((token, headers.collect()));
        Ok(token)
    }

    fn set_effective_context(&self, context: u32) -> Status {
        self.effective.set(context);
        Status::OK
    }

    fn define_metric(&self, _: u32, _: &[u8]) -> Result<u32, Status> {
        Ok(4)
    }

    fn increment_metric(&self, _: u32, _: i64) -> Status {
        Status::OK
    }
}
