use std::cell::{Cell, RefCell};

/// What a connection brings, and what is to become of it by what its filter has decided.
#[derive(Default)]
pub(super) struct Record {
    /// What the client has sent.
    pub(super) sent: RefCell<Vec<u8>>,
    /// How much of that the filter has read.
    read: Cell<usize>,
    /// What was read last, as it is to go on.
    piece: RefCell<Vec<u8>>,
    /// What was let go, as it is to come to the server.
    let_go: RefCell<Vec<u8>>,
    /// What was not read is let go as well.
    passes: Cell<bool>,
    /// What the running callback shows of the server, and what is to go on in its place.
    shown: RefCell<Option<(Vec<u8>, Vec<u8>)>>,
    /// The filter has ended, and how.
    pub(super) ended: Cell<Option<bool>>,
}

// === impl Record ===

impl Record {
    /// The filter has read this of the client: it is what comes next, and what was read before goes on.
    pub(super) fn read(&self, bytes: Vec<u8>) {
        let from = self.read.replace(self.read.get() + bytes.len());
        let sent = self.sent.borrow();
        assert_eq!(sent.get(from..self.read.get()), Some(&*bytes), "what is read at {from} is not what the client has sent: {sent:?}");
        assert!(!bytes.is_empty(), "nothing was read, and that is something");
        self.piece.replace(bytes);
    }

    /// What was read last goes on as this.
    pub(super) fn replaced(&self, bytes: &[u8]) {
        self.piece.replace(bytes.to_vec());
    }

    /// What was read is about to be let go.
    pub(super) fn forward(&self) {
        self.let_go.borrow_mut().append(&mut self.piece.borrow_mut());
    }

    /// All is about to be let go, whatever comes.
    pub(super) fn pass(&self) {
        self.forward();
        self.passes.set(true);
    }

    /// A map has been given this of the client, and has made that of it.
    pub(super) fn mapped(&self, bytes: Vec<u8>, to: &[u8]) {
        self.read(bytes);
        self.replaced(to);
        self.forward();
    }

    /// What may have come to the server by now.
    pub(super) fn may_be_there(&self) -> Vec<u8> {
        let mut may = self.let_go.borrow().clone();
        if self.passes.get() {
            may.extend(&self.sent.borrow()[self.read.get()..]);
        }
        may
    }

    /// A callback shows this of the server.
    pub(super) fn show(&self, bytes: &[u8]) {
        self.shown.replace(Some((bytes.to_vec(), bytes.to_vec())));
    }

    /// The callback is over: what is to come to the client.
    pub(super) fn seen(&self) -> Vec<u8> {
        self.shown.take().map(|(_, to)| to).unwrap_or_default()
    }

    /// The filter, or its map, has read this of the server.
    pub(super) fn read_of_server(&self, bytes: &[u8]) {
        let shown = self.shown.borrow();
        assert_eq!(shown.as_ref().map(|(shown, _)| &**shown), Some(bytes), "what is read of the server is not what it has sent");
    }

    /// This goes on in the place of what was read of the server, or `more` behind it.
    pub(super) fn replaced_of_server(&self, bytes: &[u8], more: bool) {
        if let Some((_, to)) = &mut *self.shown.borrow_mut() {
            if !more {
                to.clear();
            }
            to.extend(bytes);
        }
    }
}
