//! What VMs share: data under keys, and queues. All filters of a test have one `vm_id`.

use std::collections::{BTreeMap, VecDeque};

use inproxy::abi::Status;

/// Values under keys, each with the number of its last change.
#[derive(Default)]
pub(crate) struct SharedData {
    values: BTreeMap<Vec<u8>, (Vec<u8>, u32)>,
    changes: u32,
}

#[derive(Default)]
pub(crate) struct Queues(Vec<Queue>);

struct Queue {
    name: Vec<u8>,
    messages: VecDeque<Vec<u8>>,
    /// Who registered it last, and hears of messages: the VM, and its root context.
    owner: (usize, u32),
}

// === impl SharedData ===

impl SharedData {
    pub(crate) fn get(&self, key: &[u8]) -> Result<(Vec<u8>, u32), Status> {
        self.values.get(key).cloned().ok_or(Status::NOT_FOUND)
    }

    /// Sets a value. A `cas` must be the number of its last change, if it has one.
    pub(crate) fn set(&mut self, key: &[u8], value: &[u8], cas: Option<u32>) -> Status {
        if let (Some(cas), Some((_, changed))) = (cas, self.values.get(key))
            && cas != *changed
        {
            return Status::CAS_MISMATCH;
        }
        self.changes += 1;
        self.values.insert(key.to_vec(), (value.to_vec(), self.changes));
        Status::OK
    }
}

// === impl Queues ===

impl Queues {
    pub(crate) fn register(&mut self, name: &[u8], owner: (usize, u32)) -> u32 {
        if let Some(at) = self.position(name) {
            self.0[at].owner = owner;
            return at as u32 + 1;
        }
        self.0.push(Queue { name: name.to_vec(), messages: VecDeque::new(), owner });
        self.0.len() as u32
    }

    pub(crate) fn resolve(&self, name: &[u8]) -> Result<u32, Status> {
        self.position(name).map(|at| at as u32 + 1).ok_or(Status::NOT_FOUND)
    }

    fn position(&self, name: &[u8]) -> Option<usize> {
        self.0.iter().position(|queue| queue.name == name)
    }

    fn get(&mut self, id: u32) -> Result<&mut Queue, Status> {
        self.0.get_mut((id as usize).wrapping_sub(1)).ok_or(Status::NOT_FOUND)
    }

    /// Adds a message; who hears of it.
    pub(crate) fn enqueue(&mut self, id: u32, message: &[u8]) -> Result<(usize, u32), Status> {
        let queue = self.get(id)?;
        queue.messages.push_back(message.to_vec());
        Ok(queue.owner)
    }

    pub(crate) fn dequeue(&mut self, id: u32) -> Result<Vec<u8>, Status> {
        self.get(id)?.messages.pop_front().ok_or(Status::EMPTY)
    }
}
