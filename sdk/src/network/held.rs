use super::tunnel::{append, get as get_of};
use crate::{Result, abi, error::HostError, hooks::Way, http::MapChunk};

/// What is held of the client's direction: which bytes lie where, and in which order they go on.
///
/// They go on in this order: `ready`, the piece, `ahead`, and what the proxy holds and the filter has not read. A piece lies where it came, in the proxy's buffer, as long as it is all that there is; so that what is only read
/// is not written.
///
/// What the proxy refuses changes nothing: all is still there, and can be let go later.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// What was read, and is to go on.
    ready: Vec<u8>,
    /// What was read last.
    piece: Piece,
    /// What goes on in its place.
    replacement: Option<Vec<u8>>,
    /// What was taken from the proxy, and was not read.
    ahead: Vec<u8>,
    /// How many bytes the proxy holds that were not read.
    unread: usize,
}

/// What was read last.
#[derive(Debug)]
enum Piece {
    /// It is the first so many bytes of what the proxy holds, and nothing goes before it.
    InPlace(usize),
    Taken(Vec<u8>),
}

// === impl Held ===

impl Held {
    /// What the proxy holds now is so many bytes: all that it held before and is not taken, and what has come since.
    pub(super) fn arrived(&mut self, size: usize) {
        self.unread = size.saturating_sub(self.in_place());
    }

    const fn in_place(&self) -> usize {
        match self.piece {
            Piece::InPlace(size) => size,
            Piece::Taken(_) => 0,
        }
    }

    /// Whether there is something that was not read.
    pub(super) const fn has_unread(&self) -> bool {
        self.unread > 0 || !self.ahead.is_empty()
    }

    /// How many bytes there are that were not read.
    pub(super) const fn unread(&self) -> usize {
        self.unread + self.ahead.len()
    }

    /// Reads all that was not read; it is the piece from here on. The piece before it has to be settled.
    pub(super) fn read(&mut self) -> Result<Vec<u8>, HostError> {
        if self.ready.is_empty() && self.ahead.is_empty() && self.in_place() == 0 {
            let bytes = get(self.unread)?;
            self.piece = Piece::InPlace(std::mem::take(&mut self.unread));
            return Ok(bytes);
        }
        self.take_in()?;
        let bytes = std::mem::take(&mut self.ahead);
        self.piece = Piece::Taken(bytes.clone());
        Ok(bytes)
    }

    /// The piece was not read after all, but is taken from the proxy, so that that reads on.
    pub(super) fn unread_piece(&mut self) -> Result<(), HostError> {
        let mut bytes = match self.take_piece(true) {
            Ok(bytes) => bytes,
            Err(error) => {
                // It is where it was.
                self.unread += self.in_place();
                self.piece = Piece::default();
                return Err(error);
            }
        };
        bytes.append(&mut self.ahead);
        self.ahead = bytes;
        Ok(())
    }

    /// Whether some of it is with the filter, and not with the proxy.
    pub(super) fn has_taken(&self) -> bool {
        (self.in_place() == 0 && self.has_piece()) || !self.ready.is_empty() || !self.ahead.is_empty()
    }

    /// Has other bytes go on in the place of the piece.
    pub(super) fn replace(&mut self, bytes: Vec<u8>) {
        self.replacement = Some(bytes);
    }

    /// The piece is to go on.
    pub(super) fn settle(&mut self) -> Result<(), HostError> {
        let as_it_is = self.replacement.is_none();
        if as_it_is && self.in_place() > 0 && self.unread == 0 {
            return Ok(());
        }
        let piece = self.take_piece(as_it_is)?;
        self.ready.extend(self.replacement.take().unwrap_or(piece));
        Ok(())
    }

    /// Takes the piece out of where it lies; its bytes, if they are `wanted`.
    fn take_piece(&mut self, wanted: bool) -> Result<Vec<u8>, HostError> {
        let size = self.in_place();
        let bytes = if size > 0 && wanted { get(size)? } else { Vec::new() };
        if size > 0 {
            drain(size)?;
        }
        match std::mem::take(&mut self.piece) {
            Piece::Taken(bytes) => Ok(bytes),
            Piece::InPlace(_) => Ok(bytes),
        }
    }

    /// Takes what the proxy holds behind the piece, which must not lie there.
    pub(super) fn take_in(&mut self) -> Result<(), HostError> {
        if self.unread > 0 {
            let bytes = get(self.unread)?;
            drain(self.unread)?;
            self.unread = 0;
            self.ahead.extend(bytes);
        }
        Ok(())
    }

    /// Puts what is to go on, and nothing else, into the proxy's buffer, after the piece was settled; whether that is anything.
    pub(super) fn put_ready(&mut self) -> Result<bool, HostError> {
        if std::mem::take(&mut self.piece).is_in_place() {
            return Ok(true);
        }
        if self.ready.is_empty() {
            return Ok(false);
        }
        self.take_in()?;
        put(&self.ready)?;
        self.ready.clear();
        Ok(true)
    }

    /// Puts all of it into the proxy's buffer, after the piece was settled.
    pub(super) fn put_all(&mut self) -> Result<(), HostError> {
        if !self.ready.is_empty() || !self.ahead.is_empty() {
            self.take_in()?;
            self.ready.append(&mut self.ahead);
            // Behind the piece, if that lies there.
            put(&self.ready)?;
            self.ready.clear();
        }
        self.piece = Piece::default();
        self.unread = 0;
        Ok(())
    }

    /// Changes all that was not read, after the piece was settled.
    pub(super) fn map(&mut self, map: &mut dyn MapChunk, ended: bool) -> Result<()> {
        self.take_in()?;
        if !self.ahead.is_empty() {
            let mapped = map.chunk(self.ahead.clone())?;
            self.ahead.clear();
            self.ready.extend(mapped);
        }
        if ended {
            self.ready.extend(map.end()?);
        }
        Ok(())
    }

    /// Whether there is a piece that can be replaced.
    pub(super) fn has_piece(&self) -> bool {
        match &self.piece {
            Piece::InPlace(size) => *size > 0,
            Piece::Taken(bytes) => !bytes.is_empty(),
        }
    }

    /// Forgets all of it.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

// === impl Piece ===

impl Piece {
    const fn is_in_place(&self) -> bool {
        matches!(self, Self::InPlace(1..))
    }
}

impl Default for Piece {
    fn default() -> Self {
        Self::InPlace(0)
    }
}

fn get(size: usize) -> Result<Vec<u8>, HostError> {
    get_of(Way::Downstream, size)
}

fn drain(size: usize) -> Result<(), HostError> {
    abi::replace_buffer(Way::Downstream.buffer(), 0, size, &[]).map_err(|status| HostError::new("take what the client has sent", status))
}

/// Behind what was put there since the running callback began, and is still there.
fn put(bytes: &[u8]) -> Result<(), HostError> {
    append(Way::Downstream, bytes)
}
