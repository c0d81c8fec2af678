//! Which registry, and which of its repositories.

use super::*;

#[test]
fn every_way_of_naming_a_registry_leads_to_the_same_image() {
    let expected = Ok(manifest("r.io", "team/app", tag("1")));
    for target in [
        "/v2/team/app/manifests/1?ns=r.io",
        "/v2/team/app/manifests/1?ns=R.io%3A443",
        "/v2/team/app/manifests/1?ns=r.io:443",
        "/v2/team/app/manifests/1?ns=r.io%3A80",
        "/v2/team/app/manifests/1?n%73=r.io",
        "/v2/r.io/team/app/manifests/1",
        "/v2/mirror.io/team/app/manifests/1",
        "/v2/r.io/team/app/manifests/1?ns=mirror.io&unknown=x",
        "/v2/r.io/team/app/manifests/1#fragment",
    ] {
        assert_eq!(get(target), expected, "{target}");
    }
    for host in ["r.io:443", "R.IO", "mirror.io", "r.io:80"] {
        assert_eq!(parse_with(&registries(), "HEAD", "/v2/team/app/manifests/1", host), expected, "{host}");
    }
    let only = Registries::new([("r.io".parse().expect("a registry"), vec![])]);
    for host in ["10.0.0.1:5000", "[::1]:5000", "proxy.", "p%72oxy", "", "a@r.io", "r.io/", "x, r.io"] {
        assert_eq!(parse_with(&only, "GET", "/v2/team/app/manifests/1", host), expected, "{host}");
    }
    assert_eq!(get("/v2/a/manifests/1?ns=localhost%3A5000"), Ok(manifest("localhost:5000", "a", tag("1"))));
    assert_eq!(get("/v2/localhost:5000/a/manifests/1"), Ok(manifest("localhost:5000", "a", tag("1"))));
}

/// C04: Docker Hub by each of its names, with and without the `library/` that clients put before its own images.
#[test]
fn docker_hub_has_one_name() {
    for target in [
        "/v2/library/nginx/manifests/1?ns=docker.io",
        "/v2/nginx/manifests/1?ns=docker.io",
        "/v2/nginx/manifests/1?ns=index.docker.io",
        "/v2/nginx/manifests/1?ns=registry-1.docker.io",
        "/v2/nginx/manifests/1?ns=Registry-1.Docker.io%3A443",
        "/v2/docker.io/nginx/manifests/1",
        "/v2/docker.io/library/nginx/manifests/1",
    ] {
        assert_eq!(get(target), Ok(manifest("docker.io", "library/nginx", tag("1"))), "{target}");
    }
    assert_eq!(get("/v2/a/b/manifests/1?ns=docker.io"), Ok(manifest("docker.io", "a/b", tag("1"))));
    assert_eq!(get("/v2/nginx/manifests/1?ns=r.io"), Ok(manifest("r.io", "nginx", tag("1"))));
}

/// O58, C05: what is unknown is refused, whatever else the request says.
#[test]
fn an_unknown_registry_is_refused() {
    for ns in [
        "evil.io",
        "127.0.0.1:22",
        "169.254.169.254",
        "",
        "r.io.",
        ".r.io",
        "r.io:0443",
        "r.io:",
        "r.io:81",
        "r.io%2F",
        "r.io/team",
        "http%3A%2F%2Fr.io",
        "user@r.io",
        "evil.io%23r.io",
        "r.io%00",
        "r.io%0d%0aHost%3A+other.io",
        "r%2eio%2eevil.io",
        "%5B::1%5D:5000",
        "[::1]",
        "b%C3%BCcher.example",
        "xn--bcher-kva.example",
        "r%EF%BC%8Eio",
        "%FF",
        "r.io,other.io",
        "r.io;other.io",
        "*",
        "null",
    ] {
        for host in ["p", "r.io"] {
            let target = format!("/v2/a/manifests/1?ns={ns}");
            assert_eq!(parse_with(&registries(), "GET", &target, host), Err(Reason::RegistryUnknown), "{ns} at {host}");
        }
    }
    for target in ["/v2/a/manifests/1", "/v2/evil.io/a/manifests/1", "/v2/_catalog", "/v2/a/tags/list?x=1;ns=r.io"] {
        assert_eq!(get(target), Err(Reason::RegistryUnknown), "{target}");
    }
}

#[test]
fn what_disagrees_is_refused() {
    for (target, host) in [
        ("/v2/a/manifests/1?ns=r.io&ns=r.io", "p"),
        ("/v2/a/manifests/1?ns=r.io&n%73=other.io", "p"),
        ("/v2/a/manifests/1?ns=r.io&ns=", "p"),
        ("/v2/a/manifests/1?ns=r.io", "other.io"),
        ("/v2/other.io/a/manifests/1?ns=r.io", "p"),
        ("/v2/other.io/a/manifests/1", "mirror.io"),
        ("/v2/_catalog?ns=r.io", "other.io"),
    ] {
        assert_eq!(parse_with(&registries(), "GET", target, host), Err(Reason::RoutesDisagree), "{target} {host}");
    }
}

/// A prefix is a registry only as it is written: anything else is a repository.
#[test]
fn a_prefix_is_exactly_a_configured_name() {
    let only = Registries::new([("r.io".parse().expect("a registry"), vec![])]);
    for name in ["evil.io/app", "r.io.evil/app", "library/app"] {
        let target = format!("/v2/{name}/manifests/1");
        assert_eq!(parse_with(&only, "GET", &target, "p"), Ok(manifest("r.io", name, tag("1"))), "{name}");
    }
    for name in ["r.io:443/app", "R.io/app", "index.docker.io:443/app"] {
        let target = format!("/v2/{name}/manifests/1");
        assert_eq!(parse_with(&only, "GET", &target, "p"), Err(Reason::NameInvalid), "{name}");
    }
}
