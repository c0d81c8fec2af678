//! Names made to be slow, and any bytes at all.

use super::*;

/// B35: every one of these ends at once, as nothing looks back; something quadratic would take minutes here.
#[test]
fn b35_long_names_take_no_longer_than_they_are() {
    let long = |piece: &str| piece.repeat(60_000 / piece.len());
    for piece in ["a", "-", "_", ".", "a-", "a--", "a_", "a.", "a/", "/", "a-/", "ab.", "manifests/", "%", "~"] {
        for target in [
            format!("/v2/{}a/manifests/1", long(piece)),
            format!("/v2/r.io/a{}/manifests/1", long(piece)),
            format!("/v2/r.io/a/manifests/{}", long(piece)),
            format!("/v2/r.io/a/manifests/sha256:{}", long(piece)),
            format!("/v2/r.io/a/blobs/{}", long(piece)),
            format!("/v2/r.io/a/tags/list?{}", long(piece)),
            format!("/v2/r.io/a/manifests/1?ns={}", long(piece)),
            format!("/v2/r.io/a/tags/list?{}", long(&format!("{}&", piece.replace('%', "x")))),
        ] {
            let answer = get(&target);
            assert!(answer.is_err(), "{piece} in {}", &target[..40]);
        }
    }
    let at_most = |length: usize| get(&format!("/v2/r.io/{}/manifests/1", "a".repeat(length)));
    assert!(at_most(255).is_ok() && at_most(256) == Err(Reason::NameInvalid));
}

/// No bytes lead anywhere but into the grammar: what `cargo fuzz run route` looks for, from seeds that route.
#[test]
fn no_bytes_route_outside_the_grammar() {
    let digest = Digest::of(b"x");
    let seeds = [
        "GET\n/v2/r.io/team/app/manifests/1?ns=r.io\nr.io".to_string(),
        format!("HEAD\n/v2/docker.io/nginx/blobs/{digest}\nproxy"),
        format!("GET\n/v2/app/referrers/{digest}?ns=mirror.io&artifactType=a%2Fb&n=5\np"),
        "GET\n/v2/localhost:5000/a/b/tags/list?last=x&n=99999\n".to_string(),
        "GET\n/v2/_catalog?ns=docker.io%3A443\n".to_string(),
    ];
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut below = |most: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % most as u64).expect("it is small")
    };
    for round in 0..20_000 {
        let mut bytes = seeds[round % seeds.len()].clone().into_bytes();
        for _ in 0..=below(4) {
            let (from, piece) = (below(bytes.len()), PIECES[below(PIECES.len())]);
            let to = (from + below(8)).min(bytes.len());
            bytes.splice(from..to, piece.iter().copied());
        }
        crate::fuzz::route(&bytes);
    }
}

/// What seeds are spoilt with.
const PIECES: [&[u8]; 24] = [
    b"/",
    b"..",
    b"%2f",
    b"%",
    b"?",
    b"&ns=",
    b"r.io",
    b"manifests",
    b"/blobs/",
    b"sha256:",
    b"_",
    b"-",
    b".",
    b";",
    b"\n",
    b"\0",
    b"#",
    b"@",
    b":443",
    b"A",
    b"\xc3\xa4",
    b"tags/list",
    b"library/",
    b" ",
];
