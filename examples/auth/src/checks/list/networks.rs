use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::value::mapped;

/// Networks of both families, in which an address is found by halving.
#[derive(Debug, Default)]
pub(crate) struct Networks {
    v4: Vec<Ipv4Net>,
    v6: Vec<Ipv6Net>,
}

// === impl Networks ===

impl Networks {
    /// Neighbours become one network, and one that lies in another goes.
    pub(super) fn new(networks: &[IpNet]) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for network in networks {
            match network {
                IpNet::V4(network) => v4.push(*network),
                IpNet::V6(network) => v6.push(*network),
            }
        }
        // In the order of their first addresses.
        Self { v4: Ipv4Net::aggregate(&v4), v6: Ipv6Net::aggregate(&v6) }
    }

    pub(super) fn contain(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(address) => {
                let after = self.v4.partition_point(|network| network.network() <= address);
                after.checked_sub(1).and_then(|place| self.v4.get(place)).is_some_and(|network| network.contains(&address))
            }
            IpAddr::V6(address) => {
                let after = self.v6.partition_point(|network| network.network() <= address);
                after.checked_sub(1).and_then(|place| self.v6.get(place)).is_some_and(|network| network.contains(&address))
            }
        }
    }
}

/// An address, or a network as `10.0.0.0/8`. (To Mixer an address was one with `/32`, also in IPv6, where that is a network of 2⁹⁶ addresses.)
pub(super) fn parse(text: &str) -> Option<IpNet> {
    let network = if text.contains('/') { text.parse().ok()? } else { IpNet::from(text.parse::<IpAddr>().ok()?) };
    Some(match network {
        IpNet::V6(v6) => mapped(v6.addr(), v6.prefix_len()).and_then(|(v4, prefix)| Ipv4Net::new(v4, prefix).ok()).map_or(network, IpNet::V4),
        IpNet::V4(_) => network,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn among(networks: &[&str], address: &str) -> bool {
        let networks: Vec<IpNet> = networks.iter().map(|text| parse(text).unwrap()).collect();
        Networks::new(&networks).contain(address.parse().unwrap())
    }

    #[test]
    fn an_address_is_found_in_the_network_that_has_it() {
        let networks = ["10.0.0.0/8", "10.1.0.0/16", "9.9.9.9/28", "192.0.2.7", "198.51.100.0/25", "198.51.100.128/25", "2001:db8::/32", "::1"];
        for (address, is_there) in [
            ("10.0.0.0", true),
            ("10.255.255.255", true),
            ("11.0.0.0", false),
            ("9.255.255.255", false),
            ("9.9.9.0", true),
            ("9.9.9.15", true),
            ("9.9.9.16", false),
            ("192.0.2.7", true),
            ("192.0.2.8", false),
            ("198.51.100.200", true),
            ("198.51.101.0", false),
            ("2001:db8:ffff::1", true),
            ("2001:db9::", false),
            ("::1", true),
            ("::2", false),
            ("0.0.0.1", false),
        ] {
            assert_eq!(among(&networks, address), is_there, "{address}");
        }
        assert!(!among(&[], "10.0.0.1"));
        assert!(among(&["0.0.0.0/0"], "255.255.255.255") && among(&["::/0"], "ffff::"));
    }

    /// In Mixer it was `/32` of IPv6: one entry was a network of 2⁹⁶ addresses.
    #[test]
    fn an_address_of_ipv6_is_one_address() {
        assert_eq!(parse("2001:db8::1").unwrap().to_string(), "2001:db8::1/128");
        assert!(!among(&["2001:db8::1"], "2001:db8::2"));
        assert!(!among(&["::1"], "::"));
    }

    #[test]
    fn ipv4_that_is_written_as_ipv6_is_ipv4() {
        assert_eq!(parse("::ffff:10.0.0.1").unwrap().to_string(), "10.0.0.1/32");
        assert_eq!(parse("::ffff:10.0.0.0/104").unwrap().to_string(), "10.0.0.0/8");
        assert_eq!(parse("::ffff:0:0/96").unwrap().to_string(), "0.0.0.0/0");
        assert!(!among(&["::/0"], "10.0.0.1"), "as in Mixer, all of IPv6 is nothing of IPv4");
    }

    #[test]
    fn what_is_no_network_is_none() {
        for text in [
            "",
            "X",
            "10.0.0",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/",
            "/8",
            "010.0.0.1",
            " 10.0.0.1",
            "10.0.0.1-10.0.0.9",
            "fe80::1%eth0",
            "10.0.0.1/255.0.0.0",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    /// Against one after the other.
    #[test]
    fn halving_finds_what_searching_finds() {
        let mut random = 7_u32;
        let mut next = || {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            random >> 8
        };
        for _ in 0..200 {
            let networks: Vec<IpNet> = (0..next() % 12)
                .map(|_| {
                    let bytes = [10, 0, (next() % 4) as u8, next() as u8];
                    IpNet::new(bytes.into(), 20 + (next() % 13) as u8).unwrap()
                })
                .collect();
            let halving = Networks::new(&networks);
            for _ in 0..50 {
                let address = IpAddr::from([10, 0, (next() % 5) as u8, next() as u8]);
                assert_eq!(halving.contain(address), networks.iter().any(|network| network.contains(&address)), "{address} in {networks:?}");
            }
        }
    }
}
