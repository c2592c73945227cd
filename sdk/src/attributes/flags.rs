use std::fmt;

/// What went wrong on the way of a request: Envoy's [response flags](https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/observability/access_log/usage#response-flags), as a set.
///
/// It is shown as access logs show it: short names with commas between them, `-` if there are none.
///
/// # Examples
///
/// ```
/// use inproxy::attributes::ResponseFlags;
///
/// let flags = ResponseFlags::from_bits(0x8020);
/// assert!(flags.contains(ResponseFlags::UPSTREAM_CONNECTION_FAILURE));
/// assert_eq!(flags.to_string(), "UF,URX");
/// assert_eq!(ResponseFlags::default().to_string(), "-");
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct ResponseFlags(u64);

macro_rules! flags {
    ($($(#[$doc:meta])+ $name:ident = $bit:literal, $short:literal;)+) => {
        impl ResponseFlags {
            $($(#[$doc])+ pub const $name: Self = Self(1 << $bit);)+
        }

        /// By bit.
        const SHORT: &[&str] = &[$($short),+];
    };
}

flags! {
    /// `LH`: the upstream's own health check failed.
    FAILED_LOCAL_HEALTH_CHECK = 0, "LH";
    /// `UH`: the cluster has no healthy endpoint.
    NO_HEALTHY_UPSTREAM = 1, "UH";
    /// `UT`: the upstream did not answer in time.
    UPSTREAM_REQUEST_TIMEOUT = 2, "UT";
    /// `LR`: the proxy reset the stream.
    LOCAL_RESET = 3, "LR";
    /// `UR`: the upstream reset the stream.
    UPSTREAM_REMOTE_RESET = 4, "UR";
    /// `UF`: no connection to the upstream.
    UPSTREAM_CONNECTION_FAILURE = 5, "UF";
    /// `UC`: the upstream closed the connection.
    UPSTREAM_CONNECTION_TERMINATION = 6, "UC";
    /// `UO`: a circuit breaker is open.
    UPSTREAM_OVERFLOW = 7, "UO";
    /// `NR`: no route matches.
    NO_ROUTE_FOUND = 8, "NR";
    /// `DI`: the fault filter delayed it.
    DELAY_INJECTED = 9, "DI";
    /// `FI`: the fault filter aborted it.
    FAULT_INJECTED = 10, "FI";
    /// `RL`: refused by a rate limit.
    RATE_LIMITED = 11, "RL";
    /// `UAEX`: refused by the external authorization service.
    UNAUTHORIZED_EXTERNAL_SERVICE = 12, "UAEX";
    /// `RLSE`: the rate limit service failed.
    RATE_LIMIT_SERVICE_ERROR = 13, "RLSE";
    /// `DC`: the client closed the connection.
    DOWNSTREAM_CONNECTION_TERMINATION = 14, "DC";
    /// `URX`: the upstream failed as often as it was tried.
    UPSTREAM_RETRY_LIMIT_EXCEEDED = 15, "URX";
    /// `SI`: nothing happened for too long.
    STREAM_IDLE_TIMEOUT = 16, "SI";
    /// `IH`: one of Envoy's own headers has a bad value.
    INVALID_ENVOY_REQUEST_HEADERS = 17, "IH";
    /// `DPE`: the client broke the protocol.
    DOWNSTREAM_PROTOCOL_ERROR = 18, "DPE";
    /// `UMSDR`: the upstream's stream lasted too long.
    UPSTREAM_MAX_STREAM_DURATION_REACHED = 19, "UMSDR";
    /// `RFCF`: the answer is from the cache filter.
    RESPONSE_FROM_CACHE_FILTER = 20, "RFCF";
    /// `NFCF`: a filter's configuration did not come in time.
    NO_FILTER_CONFIG_FOUND = 21, "NFCF";
    /// `DT`: the connection lasted too long.
    DURATION_TIMEOUT = 22, "DT";
    /// `UPE`: the upstream broke the protocol.
    UPSTREAM_PROTOCOL_ERROR = 23, "UPE";
    /// `NC`: the route's cluster does not exist.
    NO_CLUSTER_FOUND = 24, "NC";
    /// `OM`: ended by the overload manager.
    OVERLOAD_MANAGER = 25, "OM";
    /// `DF`: the upstream's name could not be resolved.
    DNS_RESOLUTION_FAILED = 26, "DF";
    /// `DO`: dropped as the cluster's `drop_overloads` says.
    DROP_OVERLOAD = 27, "DO";
    /// `DR`: the client reset the stream.
    DOWNSTREAM_REMOTE_RESET = 28, "DR";
    /// `UDO`: dropped since the cluster drops everything.
    UNCONDITIONAL_DROP_OVERLOAD = 29, "UDO";
}

// === impl ResponseFlags ===

impl ResponseFlags {
    /// The set of these bits.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// Its bits, as the proxy has them.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Whether all of the others are among them.
    pub const fn contains(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }

    /// Whether nothing went wrong.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for ResponseFlags {
    /// Bits without a name here are shown together, as a hexadecimal number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("-");
        }
        let mut separator = "";
        for (bit, name) in SHORT.iter().enumerate() {
            if self.0 >> bit & 1 == 1 {
                write!(f, "{separator}{name}")?;
                separator = ",";
            }
        }
        match self.0 >> SHORT.len() {
            0 => Ok(()),
            unknown => write!(f, "{separator}{:#x}", unknown << SHORT.len()),
        }
    }
}

crate::error::debug_as_display!(ResponseFlags);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_are_at_their_bits() {
        for (flags, expected) in [
            (ResponseFlags::FAILED_LOCAL_HEALTH_CHECK, "LH"),
            (ResponseFlags::NO_ROUTE_FOUND, "NR"),
            (ResponseFlags::DOWNSTREAM_CONNECTION_TERMINATION, "DC"),
            (ResponseFlags::NO_CLUSTER_FOUND, "NC"),
            (ResponseFlags::UNCONDITIONAL_DROP_OVERLOAD, "UDO"),
            (ResponseFlags::from_bits(0x8020), "UF,URX"),
            (ResponseFlags::from_bits(1 << 30 | 1), "LH,0x40000000"),
            (ResponseFlags::from_bits(1 << 63), "0x8000000000000000"),
            (ResponseFlags::default(), "-"),
        ] {
            assert_eq!(flags.to_string(), expected);
        }
    }
}
