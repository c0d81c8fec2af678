//! Networks, and which addresses a redirect may lead to.
//!
//! A registry that somebody else controls could lead the proxy to whatever it alone can reach. So only addresses of the
//! public internet are dialled, and of private networks those that the configuration names.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A network, such as `10.1.0.0/16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// Whether it is larger than any private network, and so opens what nobody may have thought of.
    pub fn is_broad(&self) -> bool {
        self.prefix < if self.address.is_ipv4() { 8 } else { 7 }
    }

    /// The network that an address with this prefix is in.
    fn around(address: IpAddr, prefix: u8) -> Self {
        let of_host = |width: u32| width.saturating_sub(prefix.into());
        let address = match address {
            IpAddr::V4(v4) => {
                let mask = u32::MAX.checked_shl(of_host(32)).unwrap_or(0);
                Ipv4Addr::from_bits(v4.to_bits() & mask).into()
            }
            IpAddr::V6(v6) => {
                let mask = u128::MAX.checked_shl(of_host(128)).unwrap_or(0);
                Ipv6Addr::from_bits(v6.to_bits() & mask).into()
            }
        };
        Self { address, prefix }
    }

    /// Whether all of `other` is in it.
    fn covers(&self, other: &Self) -> bool {
        self.prefix <= other.prefix && self.contains(other.address)
    }

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
            Some((address, prefix))
        });
        let (address, prefix) = parsed.ok_or_else(|| format!("`{text}` is not a network such as `10.1.0.0/16`"))?;
        let network = Self::around(address, prefix);
        if network.address != address {
            return Err(format!("`{text}` is an address in a network; the network is `{network}`"));
        }
        if STAND_FOR_V4.iter().any(|standing| standing.covers(&network)) {
            return Err(format!("`{text}` stands for a network of IPv4: write that"));
        }
        if NEVER.iter().any(|never| never.covers(&network)) {
            return Err(format!("nothing opens `{text}`: its addresses are never dialled"));
        }
        Ok(network)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// Whether `address` may be dialled, where `private` networks are allowed as well as the public ones.
pub(super) fn may_dial(address: IpAddr, private: &[Network]) -> bool {
    let meant = meant(address);
    !never(meant) && (is_public(meant) || private.iter().any(|network| network.contains(meant)))
}

/// Whether no configuration lets `address` be dialled.
pub(super) fn never(address: IpAddr) -> bool {
    let address = meant(address);
    NEVER.iter().any(|network| network.contains(address))
}

/// The IPv4 address that an IPv6 address stands for (mapped, or translated by NAT64), or the address itself.
fn meant(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) if NAT64.contains(v6.into()) => {
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

const fn network(address: IpAddr, prefix: u8) -> Network {
    Network { address, prefix }
}

/// What nothing opens: metadata services of clouds are link-local, and no registry's blobs are at the others.
const NEVER: [Network; 7] = [
    network(v4(0, 0, 0), 8),
    network(v4(169, 254, 0), 16),
    network(v4(224, 0, 0), 4),
    network(IpAddr::V4(Ipv4Addr::BROADCAST), 32),
    network(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 128),
    network(v6(0xfe80, 0), 10),
    network(v6(0xff00, 0), 8),
];

const NAT64: Network = network(v6(0x64, 0xff9b), 96);

/// Networks of addresses that are judged as the IPv4 addresses they stand for.
const STAND_FOR_V4: [Network; 2] = [NAT64, network(IpAddr::V6(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0)), 96)];

#[cfg(test)]
mod tests;
