//! Networks, and which addresses a redirect may lead to.
//!
//! A registry that somebody else controls could lead the proxy to whatever it alone can reach. So only addresses of the
//! public internet are dialled, and of private networks those that the configuration names.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A network, such as `10.1.0.0/16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => same(own.to_bits().into(), other.to_bits().into(), 32, self.prefix),
            (IpAddr::V6(own), IpAddr::V6(other)) => same(own.to_bits(), other.to_bits(), 128, self.prefix),
            _ => false,
        }
    }
}

/// Whether the first `prefix` of the `width` lowest bits agree.
fn same(one: u128, other: u128, width: u32, prefix: u8) -> bool {
    (one ^ other).checked_shr(width.saturating_sub(prefix.into())).unwrap_or(0) == 0
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.split_once('/').and_then(|(address, prefix)| {
            let address: IpAddr = address.parse().ok()?;
            let longest = if address.is_ipv4() { 32 } else { 128 };
            let prefix = prefix.parse::<u8>().ok().filter(|prefix| *prefix <= longest)?;
            Some(Self { address, prefix })
        });
        parsed.ok_or_else(|| format!("`{text}` is not a network such as `10.1.0.0/16`"))
    }
}

/// Whether `address` may be dialled, where `private` networks are allowed as well as the public ones.
pub(super) fn may_dial(address: IpAddr, private: &[Network]) -> bool {
    let address = meant(address);
    // Metadata services of clouds are link-local: nothing opens those.
    let never = match address {
        IpAddr::V4(v4) => v4.is_link_local() || v4.is_multicast() || v4.is_broadcast() || v4.octets()[0] == 0,
        IpAddr::V6(v6) => v6.is_unicast_link_local() || v6.is_multicast() || v6.is_unspecified(),
    };
    !never && (is_public(address) || private.iter().any(|network| network.contains(address)))
}

/// The IPv4 address that an IPv6 address stands for (mapped, or translated by NAT64), or the address itself.
fn meant(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) if same(v6.to_bits(), NAT64.to_bits(), 128, 96) => {
            let [.., a, b, c, d] = v6.octets();
            IpAddr::V4(Ipv4Addr::new(a, b, c, d))
        }
        canonical => canonical,
    }
}

fn is_public(address: IpAddr) -> bool {
    let within = |networks: &[(IpAddr, u8)]| {
        networks.iter().any(|&(address_of, prefix)| Network { address: address_of, prefix }.contains(address))
    };
    match address {
        IpAddr::V4(_) => !within(&RESERVED_V4),
        IpAddr::V6(_) => within(&[(GLOBAL_V6, 3)]) && !within(&RESERVED_V6),
    }
}

const fn v4(a: u8, b: u8, c: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(a, b, c, 0))
}

const fn v6(a: u16, b: u16) -> IpAddr {
    IpAddr::V6(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0))
}

/// What IANA's registry of special-purpose addresses does not call globally reachable, and multicast and above.
const RESERVED_V4: [(IpAddr, u8); 14] = [
    (v4(0, 0, 0), 8),
    (v4(10, 0, 0), 8),
    (v4(100, 64, 0), 10),
    (v4(127, 0, 0), 8),
    (v4(169, 254, 0), 16),
    (v4(172, 16, 0), 12),
    (v4(192, 0, 0), 24),
    (v4(192, 0, 2), 24),
    (v4(192, 88, 99), 24),
    (v4(192, 168, 0), 16),
    (v4(198, 18, 0), 15),
    (v4(198, 51, 100), 24),
    (v4(203, 0, 113), 24),
    (v4(224, 0, 0), 3),
];

/// The only part of IPv6 that is given out.
const GLOBAL_V6: IpAddr = v6(0x2000, 0);

/// Within it: protocols (Teredo among them), documentation, and 6to4, which hides an IPv4 address.
const RESERVED_V6: [(IpAddr, u8); 4] =
    [(v6(0x2001, 0), 23), (v6(0x2001, 0xdb8), 32), (v6(0x2002, 0), 16), (v6(0x3fff, 0), 20)];

const NAT64: Ipv6Addr = Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0);

#[cfg(test)]
mod tests {
    use super::*;

    fn dial(address: &str, private: &[&str]) -> bool {
        let private: Vec<Network> = private.iter().map(|text| text.parse().expect(text)).collect();
        may_dial(address.parse().expect(address), &private)
    }

    #[test]
    fn only_public_addresses_are_dialled_unasked() {
        for public in ["8.8.8.8", "52.216.1.1", "2600:1f18::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "172.32.0.1"] {
            assert!(dial(public, &[]), "{public}");
        }
        for private in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "5f00::1",
            "4000::1",
        ] {
            assert!(!dial(private, &[]), "{private}");
        }
    }

    #[test]
    fn a_named_network_opens_itself_and_nothing_else() {
        for (address, network) in [
            ("10.1.2.3", "10.1.0.0/16"),
            ("10.1.2.3", "10.1.2.3/32"),
            ("10.200.0.1", "10.0.0.0/8"),
            ("127.0.0.1", "127.0.0.0/8"),
            ("::ffff:10.1.2.3", "10.1.0.0/16"),
            ("fd00::1", "fd00::/8"),
            ("192.168.0.1", "0.0.0.0/0"),
        ] {
            assert!(dial(address, &["192.0.2.0/24", network]), "{address} {network}");
        }
        for (address, network) in [
            ("10.2.0.1", "10.1.0.0/16"),
            ("10.1.2.4", "10.1.2.3/32"),
            ("fd00::1", "10.0.0.0/8"),
            ("10.0.0.1", "::/0"),
            ("::1", "0.0.0.0/0"),
            // Nothing opens these.
            ("169.254.169.254", "0.0.0.0/0"),
            ("169.254.169.254", "169.254.169.254/32"),
            ("::ffff:169.254.169.254", "::/0"),
            ("fe80::1", "fe80::/10"),
            ("224.0.0.1", "0.0.0.0/0"),
            ("0.0.0.0", "0.0.0.0/0"),
        ] {
            assert!(!dial(address, &[network]), "{address} {network}");
        }
    }

    #[test]
    fn what_is_no_network_is_said_so() {
        for text in ["10.0.0.0", "10.0.0.0/33", "::/129", "10.0.0/8", "host/8", "10.0.0.0/-1", "/8", ""] {
            assert!(text.parse::<Network>().is_err_and(|why| why.contains("is not a network")), "{text}");
        }
    }
}
