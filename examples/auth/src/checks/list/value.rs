use std::{
    borrow::Cow,
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// What is looked up in a list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Value {
    Text(String),
    Address(IpAddr),
    /// Something else, as it is shown.
    Neither(String),
}

/// A value that cannot be on a list of this kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotValid {
    #[error("{0} is not a valid string or IP address")]
    Value(String),
    #[error("{0} is not a valid IP address")]
    Address(String),
}

// === impl Value ===

impl Value {
    /// A text, unless it is not UTF-8.
    pub(crate) fn text(bytes: &[u8]) -> Self {
        match String::from_utf8_lossy(bytes) {
            Cow::Borrowed(text) => Self::Text(text.to_owned()),
            Cow::Owned(shown) => Self::Neither(shown),
        }
    }

    /// The only one of several texts; nothing, if there is none. (Which of two would the upstream take?)
    pub(crate) fn only(values: impl Iterator<Item: AsRef<[u8]>>) -> Self {
        let values: Vec<_> = values.collect();
        match values.as_slice() {
            [] => Self::Text(String::new()),
            [value] => Self::text(value.as_ref()),
            several => Self::Neither(several.iter().map(|value| String::from_utf8_lossy(value.as_ref())).collect::<Vec<_>>().join(", ")),
        }
    }

    /// The 4 or 16 bytes of an address, as Mixer's attributes of type `IP_ADDRESS` have them.
    pub(crate) fn address(bytes: &[u8]) -> Self {
        let address = <[u8; 4]>::try_from(bytes).map(IpAddr::from).or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from));
        // Go writes bytes that are no address in this way.
        address.map_or_else(|_| Self::Neither(bytes.iter().fold("?".to_owned(), |text, byte| text + &format!("{byte:02x}"))), Self::from)
    }

    /// How long its text is; an address has none.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Address(_) => 0,
            Self::Text(text) | Self::Neither(text) => text.len(),
        }
    }

    /// The address that it is, or that it reads as.
    pub(super) fn as_address(&self) -> Result<IpAddr, NotValid> {
        match self {
            Self::Address(address) => Ok(*address),
            Self::Text(text) => text.parse().map(canonical).map_err(|_| NotValid::Address(text.clone())),
            Self::Neither(shown) => Err(NotValid::Value(shown.clone())),
        }
    }

    /// The text that it is, or that it is written as.
    pub(super) fn with_text<T>(&self, look: impl FnOnce(&str) -> T) -> Result<T, NotValid> {
        match self {
            Self::Address(address) => Ok(look(&address.to_string())),
            Self::Text(text) => Ok(look(text)),
            Self::Neither(shown) => Err(NotValid::Value(shown.clone())),
        }
    }
}

impl From<IpAddr> for Value {
    fn from(address: IpAddr) -> Self {
        Self::Address(canonical(address))
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Text(text) | Self::Neither(text) => f.write_str(text),
        }
    }
}

/// An IPv4 address that is written as one of IPv6 is one of IPv4.
fn canonical(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

/// The IPv4 address in one of IPv6, with how long a prefix of it that of the other is.
pub(super) fn mapped(address: Ipv6Addr, prefix: u8) -> Option<(Ipv4Addr, u8)> {
    Some((address.to_ipv4_mapped()?, prefix.checked_sub(96)?))
}
