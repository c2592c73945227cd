//! Host calls that a test has refused.

use inproxy::abi::Status;

/// What a test has refused.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    pub(crate) refusals: Vec<Refused>,
    /// A seed, and how many calls there are for each that is refused.
    pub(crate) chance: Option<(u64, u32)>,
}

/// A host function that the test has refused.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    pub(crate) call: String,
    /// Its n-th call since the start, or each.
    pub(crate) nth: Option<u64>,
    pub(crate) status: Status,
}

/// The faults, and where chance stands.
#[derive(Debug, Default)]
pub(crate) struct Refusing {
    faults: Faults,
    random: u64,
}

/// The statuses of the ABI that are not "ok".
const FAILURES: u64 = 12;

/// A status that a call may be refused with. What `proxy-wasm` itself calls, its `dispatcher` above all, it panics at, but for the few statuses that Envoy has.
fn failure(call: &str, dispatcher: bool, drawn: u64) -> Option<Status> {
    let of_envoy = |statuses: [Status; 2]| if drawn.is_multiple_of(2) { statuses[0] } else { statuses[1] };
    match call {
        "proxy_set_effective_context" if dispatcher => None,
        "proxy_http_call" => Some(of_envoy([Status::BAD_ARGUMENT, Status::INTERNAL_FAILURE])),
        "proxy_grpc_call" | "proxy_grpc_stream" => Some(of_envoy([Status::PARSE_FAILURE, Status::INTERNAL_FAILURE])),
        _ => Some(Status::from_raw((drawn % FAILURES) as u32 + 1)),
    }
}

// === impl Refusing ===

impl Refusing {
    pub(crate) fn new(faults: Faults) -> Self {
        let random = faults.chance.map_or(0, |(seed, _)| seed);
        Self { faults, random }
    }

    /// The status with which a call is refused, if it is. Only those of workers have a number; some are the dispatcher's.
    pub(crate) fn status(&mut self, call: &str, number: Option<u64>, dispatcher: bool) -> Option<Status> {
        let refused = self.faults.refusals.iter().find(|refused| refused.call == call && (refused.nth.is_none() || refused.nth == number));
        if let Some(refused) = refused {
            return Some(refused.status);
        }
        let (_, one_in) = self.faults.chance.filter(|_| number.is_some())?;
        let drawn = self.draw();
        drawn.is_multiple_of(one_in.into()).then(|| self.draw()).and_then(|drawn| failure(call, dispatcher, drawn))
    }

    /// [SplitMix64](https://prng.di.unimi.it/splitmix64.c).
    fn draw(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut drawn = self.random;
        drawn = (drawn ^ (drawn >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        drawn = (drawn ^ (drawn >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        drawn ^ (drawn >> 31)
    }
}
