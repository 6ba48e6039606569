//! Which addresses are public. In Airbyte's cloud, the author of a config must not reach the platform's own network: a
//! base URL, a redirect or a name that leads there is refused.
//!
//! Not public are the addresses that the registries of RFC 6890 list as not globally reachable, and those of clouds'
//! metadata services.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::no_proxy::shares_bits;

/// Networks that are not public: first address, bits, and description.
const IPV4: [(Ipv4Addr, u32, &str); 16] = [
    (Ipv4Addr::UNSPECIFIED, 8, "this machine"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "a private network"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "a network behind a carrier's NAT"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "this machine"),
    // Amazon, Google, Azure and others serve their machines' credentials at 169.254.169.254.
    (Ipv4Addr::new(169, 254, 0, 0), 16, "the local link, where clouds keep their metadata"),
    // Azure's agent; the rest of its network is public.
    (Ipv4Addr::new(168, 63, 129, 16), 32, "a cloud's metadata"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "a private network"),
    // Oracle has its metadata here, too.
    (Ipv4Addr::new(192, 0, 0, 0), 24, "reserved for protocols"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "for documentation"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "reserved"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "a private network"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "for benchmarks"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "for documentation"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "for documentation"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "multicast"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "reserved"),
];

/// The same for IPv6, of which only `2000::/3` is in use for hosts.
const IPV6: [(Ipv6Addr, u32, &str); 8] = [
    (Ipv6Addr::UNSPECIFIED, 128, "this machine"),
    (Ipv6Addr::LOCALHOST, 128, "this machine"),
    // Amazon's metadata is at fd00:ec2::254.
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, "a private network"),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10, "the local link"),
    (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8, "multicast"),
    // They include tunnels with unknown ends.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, "reserved for protocols"),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, "for documentation"),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, "for documentation"),
];

/// IPv6 addresses that contain an IPv4 address at this bit from the right: mapped (RFC 4291), compatible (the same),
/// translated by NAT64 (RFC 6052) and tunnelled by 6to4 (RFC 3056).
const EMBEDDED: [(Ipv6Addr, u32, u32); 4] = [
    (Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96, 0),
    (Ipv6Addr::UNSPECIFIED, 96, 0),
    (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96, 0),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, 80),
];

/// The description of a non-public address; `None` for a public one.
pub(super) fn not_public(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => {
            let is_in = |first: &Ipv4Addr, bits| shares_bits((*first).into(), address.into(), bits);
            IPV4.iter().find(|(first, bits, _)| is_in(first, *bits)).map(|(.., what)| *what)
        }
        IpAddr::V6(address) => {
            let is_in = |first: &Ipv6Addr, bits| shares_bits((*first).into(), address.into(), bits);
            if let Some((.., what)) = IPV6.iter().find(|(first, bits, _)| is_in(first, *bits)) {
                return Some(what);
            }
            if let Some((.., at)) = EMBEDDED.iter().find(|(first, bits, _)| is_in(first, *bits)) {
                #[expect(clippy::cast_possible_truncation, reason = "only the last 32 bits are needed")]
                let embedded = Ipv4Addr::from_bits((address.to_bits() >> at) as u32);
                return not_public(embedded.into());
            }
            let is_global = is_in(&Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
            (!is_global).then_some("reserved")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_and_the_last_address_of_each_network_are_not_public_and_their_neighbours_are() {
        for (network, outside) in [
            ("0.0.0.0-0.255.255.255", "1.0.0.0"),
            ("10.0.0.0-10.255.255.255", "9.255.255.255 11.0.0.0"),
            ("100.64.0.0-100.127.255.255", "100.63.255.255 100.128.0.0"),
            ("127.0.0.0-127.255.255.255", "126.255.255.255 128.0.0.0"),
            ("169.254.0.0-169.254.255.255", "169.253.255.255 169.255.0.0"),
            ("168.63.129.16-168.63.129.16", "168.63.129.15 168.63.129.17"),
            ("172.16.0.0-172.31.255.255", "172.15.255.255 172.32.0.0"),
            ("192.0.0.0-192.0.0.255", "191.255.255.255 192.0.1.0"),
            ("192.168.0.0-192.168.255.255", "192.167.255.255 192.169.0.0"),
            ("198.18.0.0-198.19.255.255", "198.17.255.255 198.20.0.0"),
            ("224.0.0.0-255.255.255.255", "223.255.255.255"),
            ("::-::1", ""),
            ("fc00::-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""),
            ("fe80::-febf:ffff::", ""),
            ("2001:db8::-2001:db8:ffff::", "2001:db7:: 2001:db9::"),
            ("2001::-2001:1ff:ffff::", "2000:ffff:: 2001:200::"),
            ("64:ff9b:1::-64:ff9b:1::", ""),
            ("4000::-5fff::", "3ffe::"),
        ] {
            let (first, last) = network.split_once('-').unwrap();
            for address in [first, last] {
                assert!(not_public(address.parse().unwrap()).is_some(), "{address}");
            }
            for address in outside.split_whitespace() {
                assert_eq!(not_public(address.parse().unwrap()), None, "{address}");
            }
        }
    }

    #[test]
    fn an_ipv4_address_within_an_ipv6_address_counts() {
        for address in ["::ffff:127.0.0.1", "::10.0.0.1", "64:ff9b::a9fe:a9fe", "2002:c0a8:0101::1"] {
            assert!(not_public(address.parse().unwrap()).is_some(), "{address}");
        }
        for address in ["::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1", "2606:4700::1111"] {
            assert_eq!(not_public(address.parse().unwrap()), None, "{address}");
        }
    }

    #[test]
    fn metadata_services_of_clouds_are_not_public() {
        for address in ["169.254.169.254", "169.254.170.2", "100.100.100.200", "192.0.0.192", "fd00:ec2::254"] {
            assert!(not_public(address.parse().unwrap()).is_some(), "{address}");
        }
    }
}
