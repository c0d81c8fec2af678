//! Pulls over HTTPS by real clients: curl with either version of HTTP, and nodes that trust the proxy's authority by the
//! `ca` of their `hosts.toml`.

use std::fs;
use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use crate::support::guarded::Lent;
use crate::support::lab::Cell;
use crate::support::matrix::on_both_nodes;
use crate::support::process::{command, run};
use crate::support::proxy::Proxy;

/// A proxy with a certificate, and the folder with the authority, `ca.crt`, that issued it.
struct Secure {
    proxy: Proxy,
    folder: tempfile::TempDir,
}

impl Secure {
    fn start(cell: Cell) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "the company's authority");
        let key = KeyPair::generate().expect("a key");
        let authority = CertifiedIssuer::self_signed(params, key).expect("an authority");
        let key = KeyPair::generate().expect("a key");
        let own = CertificateParams::new(vec!["127.0.0.1".to_string()]).expect("an address");
        let certificate = own.signed_by(&key, &authority).expect("a certificate");
        for (name, text) in
            [("ca.crt", authority.pem()), ("tls.crt", certificate.pem()), ("tls.key", key.serialize_pem())]
        {
            fs::write(folder.path().join(name), text).expect("the folder is writable");
        }
        let tls =
            format!("tls: {{ certificate: {0}/tls.crt, key: {0}/tls.key, http2: true }}, ", folder.path().display());
        let lent = Lent { listen: tls, ..Lent::default() };
        let lab = cell.lab();
        Self { proxy: lab.lending_proxy(&lab.registry, &lent), folder }
    }

    /// A `certs.d` that leads images of `host` to the proxy, over HTTPS, and nowhere else.
    fn hosts(&self, host: &str) -> &Path {
        let folder = self.folder.path();
        let of_host = folder.join(host);
        fs::create_dir_all(&of_host).expect("the folder is writable");
        let url = format!("https://{}", self.proxy.address);
        let text = format!(
            "server = \"{url}\"\nca = \"{0}/ca.crt\"\n[host.\"{url}\"]\n  capabilities = [\"pull\", \"resolve\"]\n  \
             ca = \"{0}/ca.crt\"\n",
            folder.display()
        );
        fs::write(of_host.join("hosts.toml"), text).expect("the folder is writable");
        folder
    }

    /// What curl says of this path: the lines of the head, and the body.
    fn curl(&self, arguments: &[&str], path: &str) -> String {
        let ca = self.folder.path().join("ca.crt");
        let ca = ca.to_str().expect("the path is UTF-8");
        let url = format!("https://{}{path}", self.proxy.address);
        let accept = "Accept: application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, */*";
        let all = [&["--silent", "--show-error", "--cacert", ca, "--header", accept][..], arguments, &[url.as_str()]]
            .concat();
        run(&command("curl", all)).succeeded().to_lowercase()
    }
}

fn an_image_runs_that_came_over_https_and_no_unsigned_one(cell: Cell) {
    let (lab, node) = (cell.lab(), cell.node());
    let secure = Secure::start(cell);
    let signed = lab.push_signed("over-https", cell.cosign);
    let unsigned = lab.push("over-https-unsigned");
    let hosts = secure.hosts(&lab.host().to_string());
    node.pull(hosts, &signed.tagged(lab.host())).succeeded();
    assert_eq!(node.run(&signed.tagged(lab.host())), signed.token);
    let said = node.pull(hosts, &unsigned.tagged(lab.host())).refused();
    assert!(said.contains("403"), "{said}");

    for (version, line) in [("--http1.1", "http/1.1 200"), ("--http2", "http/2 200")] {
        for reference in ["v1", signed.digest.as_str()] {
            let path = format!("/v2/{}/manifests/{reference}", signed.repository);
            let get = secure.curl(&[version, "--include"], &path);
            // curl ends with an error where the answer to a HEAD has a body.
            let head = secure.curl(&[version, "--head"], &path);
            let length = |text: &str| {
                let line = text.lines().find_map(|line| line.strip_prefix("content-length: "));
                line.expect("a length").trim().to_owned()
            };
            assert!(get.starts_with(line) && head.starts_with(line), "{head}");
            assert_eq!(length(&get), length(&head), "{get}\n{head}");
            assert!(head.contains(&format!("docker-content-digest: {}", signed.digest)), "{head}");
        }
        let path = format!("/v2/{}/manifests/v1", unsigned.repository);
        let get = secure.curl(&[version, "--include"], &path);
        let head = secure.curl(&[version, "--head"], &path);
        assert!(get.contains("unsigned: ") && head.contains("countersign-reason: unsigned"), "{get}\n{head}");
        assert_eq!(
            head.lines().next().is_some_and(|line| line.contains("unsigned: ")),
            version == "--http1.1",
            "{head}"
        );
    }
    for image in [&signed, &unsigned] {
        lab.nobody_went_past(image);
    }
}

on_both_nodes! {
    an_image_runs_that_came_over_https_and_no_unsigned_one
}
