use super::*;

fn registries() -> Registries {
    let name = |name: &str| name.parse().expect(name);
    Registries::new([(name("r.io"), vec![name("mirror.io")]), (name("other.io"), vec![])])
}

fn parse_with(registries: &Registries, method: &str, target: &str, host: &str) -> Result<Route, Reason> {
    let request = http::Request::builder().method(method).uri(target).header("host", host).body(()).expect(target);
    parse(&request.into_parts().0, registries).map_err(|error| error.reason)
}

fn get(target: &str) -> Result<Route, Reason> {
    parse_with(&registries(), "GET", target, "proxy.local:5000")
}

fn manifest(registry: &str, repository: &str, reference: Reference) -> Route {
    let image =
        Image { registry: registry.parse().expect("a registry"), repository: repository.parse().expect("a name") };
    Route::Manifest(ManifestPull { image, reference })
}

fn tag(text: &str) -> Reference {
    Reference::Tag(text.parse().expect("a tag"))
}

#[test]
fn every_way_of_naming_a_registry_leads_to_the_same_image() {
    let expected = Ok(manifest("r.io", "team/app", tag("1")));
    for target in [
        "/v2/team/app/manifests/1?ns=r.io",
        "/v2/team/app/manifests/1?ns=R.io%3A443",
        "/v2/r.io/team/app/manifests/1",
        "/v2/mirror.io/team/app/manifests/1",
        "/v2/r.io/team/app/manifests/1?ns=mirror.io&unknown=x",
    ] {
        assert_eq!(get(target), expected, "{target}");
    }
    assert_eq!(parse_with(&registries(), "HEAD", "/v2/team/app/manifests/1", "r.io:443"), expected);
    let only = Registries::new([("r.io".parse().expect("a registry"), vec![])]);
    assert_eq!(parse_with(&only, "GET", "/v2/team/app/manifests/1", "10.0.0.1:5000"), expected);
}

#[test]
fn what_disagrees_or_is_unknown_is_refused() {
    for (target, host, reason) in [
        ("/v2/a/manifests/1?ns=evil.io", "p", Reason::RegistryUnknown),
        ("/v2/a/manifests/1?ns=127.0.0.1:22", "p", Reason::RegistryUnknown),
        ("/v2/a/manifests/1?ns=", "p", Reason::RegistryUnknown),
        ("/v2/a/manifests/1", "p", Reason::RegistryUnknown),
        ("/v2/a/manifests/1?ns=r.io&ns=r.io", "p", Reason::RoutesDisagree),
        ("/v2/a/manifests/1?ns=r.io", "other.io", Reason::RoutesDisagree),
        ("/v2/other.io/a/manifests/1?ns=r.io", "p", Reason::RoutesDisagree),
    ] {
        assert_eq!(parse_with(&registries(), "GET", target, host), Err(reason), "{target} {host}");
    }
}

#[test]
fn names_are_parsed_from_the_right() {
    assert_eq!(get("/v2/r.io/manifests/manifests/manifests"), Ok(manifest("r.io", "manifests", tag("manifests"))));
    let digest = Digest::of(b"x");
    assert!(matches!(get(&format!("/v2/r.io/a/blobs/{digest}")), Ok(Route::Blob(_))));
    assert!(matches!(get(&format!("/v2/r.io/a/referrers/{digest}")), Ok(Route::Referrers(..))));
    let list = get("/v2/r.io/a/tags/list?n=5&next_page=x&ns=r.io");
    let ns = Some("r.io");
    assert!(matches!(list, Ok(Route::Tags(_, page)) if page.parameters.len() == 2 && page.ns.as_deref() == ns));
    assert_eq!(get("/v2/"), Ok(Route::Ping));
}

#[test]
fn what_is_not_understood_is_not_routed() {
    let digest = Digest::of(b"x");
    for (target, reason) in [
        ("/".to_string(), Reason::NotRouted),
        ("/v1/x".to_string(), Reason::NotRouted),
        ("/v2/_catalog".to_string(), Reason::NotRouted),
        ("/v2/manifests/1".to_string(), Reason::NotRouted),
        ("/v2/r.io/a/tags/other".to_string(), Reason::NotRouted),
        (format!("/v2/r.io/a/blobs/{digest}/"), Reason::NotRouted),
        ("/v2/r.io/a/blobs/uploads/".to_string(), Reason::NotRouted),
        ("/v2/r.io/a/../b/manifests/1".to_string(), Reason::NameInvalid),
        ("/v2/r.io/a//manifests/1".to_string(), Reason::NameInvalid),
        ("/v2/r.io/a%2fb/manifests/1".to_string(), Reason::NameInvalid),
        ("/v2/r.io/A/manifests/1".to_string(), Reason::NameInvalid),
        ("/v2/r.io/a/manifests/1;x".to_string(), Reason::NameInvalid),
        ("/v2/r.io/a/manifests/".to_string(), Reason::NameInvalid),
        ("/v2/r.io/a/manifests/sha256:abc".to_string(), Reason::DigestInvalid),
        (format!("/v2/r.io/a/manifests/{}", digest.to_string().to_uppercase()), Reason::DigestInvalid),
        ("/v2/r.io/a/blobs/1".to_string(), Reason::DigestInvalid),
        ("/v2/r.io/a/tags/list?n=2147483647".to_string(), Reason::NameInvalid),
        ("http://r.io/v2/a/manifests/1".to_string(), Reason::NotRouted),
    ] {
        assert_eq!(get(&target), Err(reason), "{target}");
    }
    for method in ["PUT", "POST", "PATCH", "DELETE", "OPTIONS", "get"] {
        let answer = parse_with(&registries(), method, "/v2/r.io/a/manifests/1", "p");
        assert_eq!(answer, Err(Reason::MethodUnsupported), "{method}");
    }
}
