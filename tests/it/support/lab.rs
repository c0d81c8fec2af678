//! A laboratory: a registry double, keys, and the proxy before it under a policy that trusts one of the keys.

use std::path::PathBuf;

use countersign::demo::client::{Answer, Client};
use countersign::demo::images::{self, Image};
use countersign::demo::proxy::{self, Proxy, Scratch};
use countersign::demo::registry::{Options, Registry};
use countersign::demo::signer::Signer;
use http::{HeaderMap, Method};

use super::expect::header;
use super::registry_double::Double;

/// Everything around one proxy.
pub(crate) struct Lab {
    pub(crate) double: Double,
    /// Whose signatures the policy wants.
    pub(crate) signer: Signer,
    /// Whose it does not.
    pub(crate) foreign: Signer,
    pub(crate) proxy: Proxy,
    pub(crate) client: Client,
    /// The proxy's configuration; the policy, `policy.yaml`, is beside it.
    pub(crate) config: PathBuf,
    _scratch: Scratch,
}

impl Lab {
    /// Starts one whose policy demands a signature on everything.
    pub(crate) async fn start(options: Options) -> Self {
        Self::with_policy(options, proxy::policy).await
    }

    /// Starts one under the policy that `write` makes for a registry's name and a public key.
    pub(crate) async fn with_policy(options: Options, write: impl FnOnce(&str, &str) -> String) -> Self {
        Self::new(options, write, |config| config).await
    }

    /// Starts one whose configuration `edit` changes.
    pub(crate) async fn edited(options: Options, edit: impl FnOnce(String) -> String) -> Self {
        Self::new(options, proxy::policy, edit).await
    }

    async fn new(
        options: Options,
        write: impl FnOnce(&str, &str) -> String,
        edit: impl FnOnce(String) -> String,
    ) -> Self {
        let name = options.name.clone();
        let double = Double::start(options).await;
        let signer = Signer::generate().expect("a key");
        let foreign = Signer::generate().expect("a key");
        let scratch = Scratch::new().expect("a directory");
        let policy = write(&name, &signer.public_key_pem());
        let config = scratch.write(&name, double.address(), &policy).expect("files");
        let text = std::fs::read_to_string(&config).expect("a file");
        std::fs::write(&config, edit(text)).expect("a file");
        let client = Client::new().expect("a client");
        let proxy = proxy::start_proxy(&config).await.expect("the proxy starts");
        Self { double, signer, foreign, proxy, client, config, _scratch: scratch }
    }

    pub(crate) fn registry(&self) -> &Registry {
        self.double.registry()
    }

    /// Pushes an image, tagged `1`, that nobody signed.
    pub(crate) fn unsigned(&self, repository: &str) -> Image {
        images::image(self.registry(), repository, Some("1"), &format!("hello from {repository}\n"))
    }

    /// Pushes an image, tagged `1`, with a bundle by the key that the policy names.
    pub(crate) fn signed(&self, repository: &str) -> Image {
        let image = self.unsigned(repository);
        self.signer.sign_bundle(self.registry(), &image.manifest).expect("signs");
        image
    }

    /// Asks the proxy for a path, which begins with `/v2/`.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(&Method::GET, path, HeaderMap::new()).await
    }

    /// Asks the proxy for a path until the answer has this reason: evidence that could not be read a moment ago rests.
    pub(crate) async fn get_after_rest(&self, path: &str, reason: &str) -> Answer {
        let mut answer = self.get(path).await;
        let began = std::time::Instant::now();
        while header(&answer, "countersign-reason") != reason && began.elapsed().as_secs() < 10 {
            answer = self.get(path).await;
        }
        answer
    }

    /// Asks the proxy for the headers of a path.
    pub(crate) async fn head(&self, path: &str) -> Answer {
        self.ask(&Method::HEAD, path, HeaderMap::new()).await
    }

    pub(crate) async fn ask(&self, method: &Method, path: &str, headers: HeaderMap) -> Answer {
        let url = format!("http://{}{path}", self.proxy.address);
        self.client.send(method, &url, headers).await.expect("an answer of the proxy")
    }
}
