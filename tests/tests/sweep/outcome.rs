//! What comes of a refused call, and what may.

use crate::case::{Case, Fault, Run, Served};

/// What a filter says of its own failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    Deny,
    Allow,
}

/// What has come of a refused call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// The client and the upstream got what they get without a fault.
    Unaffected,
    /// The configuration was refused, with an error that names the call's answer.
    Refused,
    /// The client got an error or a reset, the upstream nothing.
    Denied,
    /// The client got an error or a reset, when the upstream had got what it gets without a fault.
    Failed,
    /// The client got an answer, and it or what the upstream got is not what it is without a fault.
    Otherwise,
    /// Envoy's own timeout has ended the request; the upstream got nothing, or what it gets without a fault.
    TimedOut,
    /// The client got an error or a reset, and the upstream something that it does not get without a fault.
    Leaked,
    /// The VM has ended, and a new one has served the next request.
    Trapped,
    /// Nothing has ended the request, or the next one was not served.
    Hung,
}

/// What a filter tells, counts or lets go of besides: no request is another for it.
const ASIDE: [&str; 4] = ["proxy_log", "proxy_get_log_level", "proxy_increment_metric", "proxy_record_metric"];

/// A header that cannot be read is not there.
const ABSENT: [&str; 2] = ["proxy_get_header_map_value", "proxy_get_header_map_pairs"];

/// Statuses that are answers, and no failures: not there, and changed by another meanwhile.
const ANSWERS: [(&str, u32); 4] =
    [("proxy_get_property", 1), ("proxy_get_shared_data", 1), ("proxy_resolve_shared_queue", 1), ("proxy_set_shared_data", 8)];

/// What lets a request go on or end, or gives its stream a turn: where that is refused, only Envoy's timeout is left.
const GO_ON: [&str; 5] =
    ["proxy_continue_stream", "proxy_close_stream", "proxy_send_local_response", "proxy_set_tick_period_milliseconds", "proxy_set_effective_context"];

// === impl Outcome ===

impl Outcome {
    pub fn of(run: &Run, baseline: &Served) -> Self {
        let served = match run {
            Run::Refused(_) => return Self::Refused,
            Run::Hung(_) => return Self::Hung,
            Run::Served(served) => served,
        };
        if served.log.contains("the filter panicked in") {
            return if served.next == baseline.next { Self::Trapped } else { Self::Hung };
        }
        if served.next != baseline.next {
            return Self::Hung;
        }
        let same_upstream = served.upstream == baseline.upstream;
        let failed = !(200..400).contains(&served.status);
        match () {
            () if same_upstream && served.answer == baseline.answer => Self::Unaffected,
            () if matches!(served.status, 408 | 504) && (same_upstream || !served.reached) => Self::TimedOut,
            () if failed && !served.reached => Self::Denied,
            () if failed && same_upstream => Self::Failed,
            () if failed => Self::Leaked,
            () => Self::Otherwise,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Unaffected => "unaffected",
            Self::Refused => "configuration refused",
            Self::Denied => "denied",
            Self::Failed => "failed behind the upstream",
            Self::Otherwise => "goes on otherwise",
            Self::TimedOut => "timed out",
            Self::Leaked => "broken off",
            Self::Trapped => "trapped",
            Self::Hung => "hung",
        }
    }
}

/// What else an error says where a status has a meaning.
const MEANINGS: [&str; 5] = [
    "the proxy has no function",
    "was declared before by this plugin",
    "the proxy cannot use the key",
    "the proxy cannot compile the expression",
    "there is no attribute",
];

/// Whether a refused configuration says what the proxy has answered, or what that means.
pub fn is_named(log: &str, status: u32) -> bool {
    log.contains(&format!("({status})")) || MEANINGS.iter().any(|meaning| log.contains(meaning))
}

/// Whether this may come of that fault.
pub fn is_declared(case: &Case, fault: &Fault, outcome: Outcome) -> bool {
    if case.excuses.iter().any(|excuse| excuse.call == fault.call && excuse.outcome == outcome) {
        return true;
    }
    match outcome {
        Outcome::Unaffected => true,
        _ if ASIDE.contains(&fault.call) => false,
        Outcome::Refused | Outcome::Denied | Outcome::Failed => case.policy == Policy::Deny || outcome == Outcome::Refused,
        Outcome::TimedOut => GO_ON.contains(&fault.call),
        Outcome::Otherwise => {
            case.policy == Policy::Allow || case.tells_errors || ABSENT.contains(&fault.call) || ANSWERS.contains(&(fault.call, fault.status))
        }
        Outcome::Leaked | Outcome::Trapped | Outcome::Hung => false,
    }
}
