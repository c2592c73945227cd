use std::time::Duration;

/// What a limit says of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) granted: bool,
    pub(crate) limit: u64,
    /// How much is left of it.
    pub(crate) left: u64,
    /// When there will be more; `None` if nobody knows.
    pub(crate) reset: Option<Duration>,
}

// === impl Decision ===

impl Decision {
    /// The one of which less is left: of several limits, clients are told of this.
    pub(crate) fn tighter(self, other: Option<Self>) -> Self {
        match other {
            Some(other) if (other.granted, other.left) <= (self.granted, self.left) => other,
            _ => self,
        }
    }

    /// The time until there is more, in whole seconds, as headers have it.
    pub(crate) fn reset_seconds(&self) -> Option<u64> {
        self.reset.map(|reset| reset.as_secs() + u64::from(reset.subsec_nanos() > 0))
    }
}
