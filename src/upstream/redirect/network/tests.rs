//! Which addresses are dialled, and which networks can be named.

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
        ("::ffff:169.254.169.254", "::/0"),
        ("fe80::1", "fe00::/8"),
        ("ff02::1", "::/0"),
        ("255.255.255.255", "240.0.0.0/4"),
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

#[test]
fn an_address_in_a_network_is_not_taken_for_it() {
    for (text, meant) in [
        ("10.1.0.1/16", "10.1.0.0/16"),
        ("10.1.2.3/0", "0.0.0.0/0"),
        ("10.1.2.3/31", "10.1.2.2/31"),
        ("fd00:1::1/8", "fd00::/8"),
        ("fd00::1/127", "fd00::/127"),
        ("::1/0", "::/0"),
    ] {
        let why = text.parse::<Network>().expect_err(text);
        assert!(why.ends_with(&format!("the network is `{meant}`")), "{why}");
        assert_eq!(meant.parse::<Network>().expect(meant).to_string(), meant);
    }
    for text in ["10.1.2.3/32", "::1/128"] {
        assert!(text.parse::<Network>().is_ok(), "{text}");
    }
}

#[test]
fn what_would_open_nothing_is_refused() {
    for text in [
        "0.0.0.0/8",
        "0.0.0.0/32",
        "169.254.0.0/16",
        "169.254.169.254/32",
        "224.0.0.0/4",
        "239.0.0.0/8",
        "255.255.255.255/32",
        "::/128",
        "fe80::/10",
        "fe80::1/128",
        "ff00::/8",
    ] {
        let why = text.parse::<Network>().expect_err(text);
        assert!(why.starts_with("nothing opens"), "{why}");
    }
    for text in ["::ffff:10.0.0.0/104", "64:ff9b::a01:0/112"] {
        assert!(text.parse::<Network>().is_err_and(|why| why.contains("IPv4")), "{text}");
    }
    for (text, broad) in [
        ("0.0.0.0/0", true),
        ("10.0.0.0/7", true),
        ("10.0.0.0/8", false),
        ("::/0", true),
        ("fc00::/6", true),
        ("fc00::/7", false),
    ] {
        assert_eq!(text.parse::<Network>().expect(text).is_broad(), broad, "{text}");
    }
}
