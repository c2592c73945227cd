use std::fmt;

/// A [status code of gRPC](https://grpc.github.io/grpc/core/md_doc_statuscodes.html): how Mixer's adapters say what they think of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Code(u32);

const NAMES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

// === impl Code ===

impl Code {
    pub(crate) const OK: Self = Self(0);
    pub(crate) const UNKNOWN: Self = Self(2);
    pub(crate) const INVALID_ARGUMENT: Self = Self(3);
    pub(crate) const PERMISSION_DENIED: Self = Self(7);
    pub(crate) const RESOURCE_EXHAUSTED: Self = Self(8);
    pub(crate) const FAILED_PRECONDITION: Self = Self(9);
    pub(crate) const INTERNAL: Self = Self(13);
    pub(crate) const UNAVAILABLE: Self = Self(14);
    pub(crate) const UNAUTHENTICATED: Self = Self(16);

    /// `None` for a number that is none of gRPC's.
    pub(crate) fn new(number: u32) -> Option<Self> {
        (number < 17).then_some(Self(number))
    }

    pub(crate) const fn number(self) -> u32 {
        self.0
    }

    /// What Envoy tells a client of gRPC in the place of an HTTP status: [gRPC's own table](https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md).
    pub(crate) const fn of_http(status: u16) -> Self {
        match status {
            400 => Self::INTERNAL,
            401 => Self::UNAUTHENTICATED,
            403 => Self::PERMISSION_DENIED,
            404 => Self(12),
            429 | 502..=504 => Self::UNAVAILABLE,
            _ => Self::UNKNOWN,
        }
    }

    /// The status that a client of Mixer's got for it.
    pub(crate) const fn http(self) -> u16 {
        match self.0 {
            0 => 200,
            1 => 499,
            3 | 9 | 11 => 400,
            4 => 504,
            5 => 404,
            6 | 10 => 409,
            7 => 403,
            8 => 429,
            12 => 501,
            14 => 503,
            16 => 401,
            _ => 500,
        }
    }

    /// The status of an answer that was written by hand, but without one: Mixer took it from another table, which differs in two of them.
    pub(crate) const fn http_of_a_direct_response(self) -> u16 {
        match self.0 {
            1 => 408,
            9 => 412,
            _ => self.http(),
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAMES.get(self.0 as usize).copied().unwrap_or("UNKNOWN"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mixer, §1.5.
    #[test]
    fn each_code_has_the_status_that_clients_of_mixer_saw() {
        for (name, http, direct) in [
            ("OK", 200, 200),
            ("CANCELLED", 499, 408),
            ("UNKNOWN", 500, 500),
            ("INTERNAL", 500, 500),
            ("DATA_LOSS", 500, 500),
            ("INVALID_ARGUMENT", 400, 400),
            ("OUT_OF_RANGE", 400, 400),
            ("FAILED_PRECONDITION", 400, 412),
            ("DEADLINE_EXCEEDED", 504, 504),
            ("NOT_FOUND", 404, 404),
            ("ALREADY_EXISTS", 409, 409),
            ("ABORTED", 409, 409),
            ("PERMISSION_DENIED", 403, 403),
            ("UNAUTHENTICATED", 401, 401),
            ("RESOURCE_EXHAUSTED", 429, 429),
            ("UNIMPLEMENTED", 501, 501),
            ("UNAVAILABLE", 503, 503),
        ] {
            let number = NAMES.iter().position(|known| *known == name).unwrap();
            let code = Code::new(number.try_into().unwrap()).unwrap();
            assert_eq!((code.to_string().as_str(), code.http(), code.http_of_a_direct_response()), (name, http, direct));
        }
        assert_eq!(Code::new(17), None);
    }
}
