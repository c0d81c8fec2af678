//! A registry that keeps its blobs elsewhere, as most do that are large.

use bytes::Bytes;
use countersign::demo::images::Image;
use countersign::demo::registry::Options;
use http::{HeaderMap, Method};
use http_body_util::BodyExt;

use super::lab::Lab;
use super::registry_double::{Double, Fault};
use super::scene::{blob, manifest};

/// A lab whose registry keeps the layer of its only image in another double.
pub(crate) struct Elsewhere {
    pub(crate) lab: Lab,
    pub(crate) storage: Double,
    pub(crate) image: Image,
}

impl Elsewhere {
    /// One whose configuration names the storage, and has these further settings.
    pub(crate) async fn allowed(more: &str) -> Self {
        Self::new(|storage| format!("redirectHosts: [ \"http://{}\" ]\n    {LOOPBACK}\n    {more}", storage.address()))
            .await
    }

    pub(crate) async fn new(settings: impl FnOnce(&Double) -> String) -> Self {
        let storage = Double::start(Options::default()).await;
        let settings = settings(&storage);
        let lab = Lab::edited(Options::default(), |config| {
            let tls = "tls: { insecurePlainHttp: true }";
            let config = config.replace(tls, &format!("{tls}\n    {settings}"));
            // The proxy's own credentials, which it shows from the first request on.
            let credentials = format!("{tls}\n    credentials: {{ bearer: {{ token: secret }} }}");
            config.replace(tls, &credentials).replace("anonymous: true", "anonymous: true\n    insecureAnonymous: true")
        })
        .await;
        let image = lab.signed("team/app");
        let elsewhere = Self { lab, storage, image };
        let layer = stored(&elsewhere.lab, &elsewhere.path()).await;
        elsewhere.storage.registry().put_blob("bucket", layer);
        assert_eq!(elsewhere.lab.get(&manifest("team/app", "1")).await.status, 200);
        elsewhere.redirect(&elsewhere.target());
        elsewhere.lab.double.forget();
        elsewhere
    }

    pub(crate) fn path(&self) -> String {
        blob("team/app", self.image.layer)
    }

    /// Where the layer really is.
    pub(crate) fn target(&self) -> String {
        format!("http://{}{}?X-Signature=secret", self.storage.address(), blob("bucket", self.image.layer))
    }

    /// Lets the registry redirect to `target` whoever asks for the layer.
    pub(crate) fn redirect(&self, target: &str) {
        self.lab.double.heal();
        for method in [Method::GET, Method::HEAD] {
            redirect(&self.lab.double, method, &self.path(), target);
        }
    }
}

/// What the lab's registry has at `path`, past all faults.
pub(crate) async fn stored(lab: &Lab, path: &str) -> Bytes {
    let answer = lab.registry().handle(&Method::GET, &path.parse().expect("a path"), &HeaderMap::new());
    answer.into_body().collect().await.expect("a body").to_bytes()
}

/// Lets every `method` request whose path begins with `path` be redirected to `target`.
pub(crate) fn redirect(double: &Double, method: Method, path: &str, target: &str) {
    double.fault(method.clone(), path, Fault::Status(307));
    double.fault(method, path, Fault::Header("location", target.into()));
}

/// The setting that opens this machine's own networks.
pub(crate) const LOOPBACK: &str = "redirectPrivate: [ 127.0.0.0/8, \"::1/128\" ]";
