use super::*;

mod names;

mod pathological;

fn registries() -> Registries {
    let name = |name: &str| name.parse().expect(name);
    Registries::new([
        (name("r.io"), vec![name("mirror.io"), name("r.io:80")]),
        (name("other.io"), vec![]),
        (name("localhost:5000"), vec![]),
        (name("docker.io"), vec![]),
    ])
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
fn names_are_parsed_from_the_right() {
    for (name, last) in [
        ("manifests", "manifests"),
        ("a/manifests/b", "1"),
        ("x/manifests/y", "z"),
        ("blobs", "uploads"),
        ("tags/list", "tags"),
        ("referrers/blobs/tags/manifests", "list"),
        ("catalog/a", "1"),
    ] {
        assert_eq!(get(&format!("/v2/r.io/{name}/manifests/{last}")), Ok(manifest("r.io", name, tag(last))), "{name}");
    }
    let digest = Digest::of(b"x");
    for name in ["manifests", "a/blobs/b", "tags/list", "referrers"] {
        let (blob, referrers) =
            (format!("/v2/r.io/{name}/blobs/{digest}"), format!("/v2/r.io/{name}/referrers/{digest}"));
        let is = |image: &Image| image.repository.as_str() == name;
        assert!(matches!(get(&blob), Ok(Route::Blob(pull)) if is(&pull.image) && pull.digest == digest));
        assert!(matches!(get(&referrers), Ok(Route::Referrers(image, of, _)) if is(&image) && of == digest));
        assert!(matches!(get(&format!("/v2/r.io/{name}/tags/list")), Ok(Route::Tags(image, _)) if is(&image)));
    }
    let list = get("/v2/r.io/a/tags/list?n=5&next_page=x&ns=r.io");
    let ns = Some("r.io");
    assert!(matches!(list, Ok(Route::Tags(_, page)) if page.parameters.len() == 2 && page.ns.as_deref() == ns));
    assert!(matches!(get("/v2/_catalog?ns=r.io"), Ok(Route::Catalog(registry, _)) if registry.as_str() == "r.io"));
    assert_eq!(get("/v2/"), Ok(Route::Ping));
}

/// O57.
#[test]
fn what_is_not_understood_is_not_routed() {
    let digest = Digest::of(b"x");
    for (target, reason) in [
        ("/".to_string(), Reason::NotRouted),
        ("*".to_string(), Reason::NotRouted),
        ("/v1/x".to_string(), Reason::NotRouted),
        ("/v2//".to_string(), Reason::NotRouted),
        ("/v2/./".to_string(), Reason::NotRouted),
        ("//v2/r.io/a/manifests/1".to_string(), Reason::NotRouted),
        ("/V2/r.io/a/manifests/1".to_string(), Reason::NotRouted),
        ("/x/../v2/r.io/a/manifests/1".to_string(), Reason::NotRouted),
        ("/%762/r.io/a/manifests/1".to_string(), Reason::NotRouted),
        ("/v2/_catalog/".to_string(), Reason::NotRouted),
        ("/v2/r.io/_catalog".to_string(), Reason::NotRouted),
        ("/v2/manifests/1".to_string(), Reason::NotRouted),
        ("/v2/r.io/a/tags/other".to_string(), Reason::NotRouted),
        ("/v2/r.io/a/manifests/tags/list/".to_string(), Reason::NotRouted),
        ("/v2/r.io/a/Manifests/1".to_string(), Reason::NotRouted),
        (format!("/v2/r.io/a/blobs/{digest}/"), Reason::NotRouted),
        ("/v2/r.io/a/blobs/uploads/".to_string(), Reason::NotRouted),
        ("/v2/r.io/a/../b/manifests/1".to_string(), Reason::NameInvalid),
        ("/v2/r.io/./manifests/1".to_string(), Reason::NameInvalid),
        ("/v2/r.io/a/manifests/..".to_string(), Reason::NameInvalid),
        ("/v2/r.io/a/manifests/.".to_string(), Reason::NameInvalid),
        ("/v2/r.io/a//manifests/1".to_string(), Reason::NameInvalid),
        ("/v2/r.io//a/manifests/1".to_string(), Reason::NameInvalid),
        ("/v2/r.io/a%2fb/manifests/1".to_string(), Reason::NameInvalid),
        ("/v2/r.io/%2e%2e/manifests/1".to_string(), Reason::NameInvalid),
        ("/v2/r.io/a/manifests%2f1".to_string(), Reason::NameInvalid),
        ("/v2/r.io/a/manifests/1%00".to_string(), Reason::NameInvalid),
        ("/v2/r.io/a/manifests/1%3Fns=x".to_string(), Reason::NameInvalid),
        ("/v2/r.io/A/manifests/1".to_string(), Reason::NameInvalid),
        ("/v2/R.IO/a/manifests/1?ns=r.io".to_string(), Reason::NameInvalid),
        ("/v2/r.io/a\u{e4}/manifests/1".to_string(), Reason::NameInvalid),
        ("/v2/r.io/a;x/manifests/1".to_string(), Reason::NameInvalid),
        ("/v2/r.io/a/manifests/1;x".to_string(), Reason::NameInvalid),
        ("/v2/r.io/a/manifests/".to_string(), Reason::NameInvalid),
        ("/v2/r.io/a/manifests/sha256:abc".to_string(), Reason::DigestInvalid),
        (format!("/v2/r.io/a/manifests/1@{digest}"), Reason::DigestInvalid),
        (format!("/v2/r.io/a/manifests/{}", digest.to_string().to_uppercase()), Reason::DigestInvalid),
        (format!("/v2/r.io/a/manifests/sha512:{}", "0".repeat(128)), Reason::DigestInvalid),
        ("/v2/r.io/a/blobs/1".to_string(), Reason::DigestInvalid),
        ("/v2/r.io/a/blobs/".to_string(), Reason::DigestInvalid),
        ("/v2/r.io/a/tags/list?n=-1".to_string(), Reason::NameInvalid),
        ("http://r.io/v2/a/manifests/1".to_string(), Reason::NotRouted),
        ("r.io:443".to_string(), Reason::NotRouted),
    ] {
        assert_eq!(get(&target), Err(reason), "{target}");
    }
}

/// C20.
#[test]
fn every_method_but_two_is_unsupported_wherever_it_is_sent() {
    for method in
        ["PUT", "POST", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE", "get", "Get", "HEADS", "PRI", "QUERY"]
    {
        for target in ["/v2/r.io/a/manifests/1", "/v2/", "/nowhere", "*", "r.io:443"] {
            let answer = parse_with(&registries(), method, target, "p");
            assert_eq!(answer, Err(Reason::MethodUnsupported), "{method} {target}");
        }
    }
}

/// O59, C19: who can set headers can change nothing.
#[test]
fn no_other_header_is_read() {
    let asked = |headers: &[(&str, &str)]| {
        let mut request = http::Request::builder().uri("/v2/a/manifests/1?ns=r.io").header("host", "p");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        parse(&request.body(()).expect("a request").into_parts().0, &registries()).map_err(|error| error.reason)
    };
    let plain = asked(&[]);
    assert_eq!(plain, Ok(manifest("r.io", "a", tag("1"))));
    for (name, value) in [
        ("x-forwarded-host", "other.io"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-prefix", "/v2/other.io"),
        ("forwarded", "for=127.0.0.1;host=other.io;proto=https"),
        ("x-host", "other.io"),
        ("x-original-host", "other.io"),
        ("x-original-url", "/v2/other.io/b/manifests/2"),
        ("x-rewrite-url", "/v2/other.io/b/manifests/2"),
        ("x-http-method-override", "DELETE"),
        ("x-http-method", "PUT"),
        ("x-method-override", "PUT"),
        ("oci-namespace", "other.io"),
        ("referer", "http://other.io/v2/b/manifests/2"),
        ("origin", "http://other.io"),
    ] {
        assert_eq!(asked(&[(name, value)]), plain, "{name}");
    }
    assert_eq!(asked(&[("host", "p")]), Err(Reason::RoutesDisagree));
}
