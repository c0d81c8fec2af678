//! The same pulls for every client: signed or not, by tag and by digest. What is signed arrives; what is not is
//! refused, nothing of it is kept, and the client says why in the proxy's own words.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use super::containerd::Version;
use super::cosign::Cosign;
use super::image::Image;
use super::lab::{Cell, Lab, RELEASE};
use super::process::Ran;
use super::registry::Kind;

/// What a client is to pull.
pub(crate) struct Wanted {
    pub(crate) lab: &'static Lab,
    image: &'static Image,
    by_digest: bool,
}

impl Wanted {
    /// The name by which it is asked for, at the proxy.
    pub(crate) fn at_proxy(&self) -> String {
        self.at(self.lab.proxy.address)
    }

    /// The name that it has for a node whose configuration leads it to the proxy.
    pub(crate) fn at_home(&self) -> String {
        self.at(self.lab.host())
    }

    fn at(&self, host: std::net::SocketAddr) -> String {
        if self.by_digest { self.image.by_digest(host) } else { self.image.tagged(host) }
    }

    fn path(&self) -> String {
        if self.by_digest { self.image.manifest_path() } else { self.image.tag_path() }
    }
}

/// How a pull ended.
pub(crate) struct Pulled {
    pub(crate) ran: Ran,
    /// What the client keeps, in any words that name its parts.
    pub(crate) kept: String,
}

/// Something to pull.
pub(crate) struct Goods {
    pub(crate) image: Image,
    /// The name of a part that those have who pulled it: for an image the hex digits of its config's digest.
    pub(crate) part: String,
}

/// The same kind of goods, signed and not.
pub(crate) struct Shelf {
    pub(crate) signed: Goods,
    pub(crate) unsigned: Goods,
}

/// Images for one platform.
pub(crate) static IMAGES: LazyLock<Shelf> = LazyLock::new(|| {
    let goods = |name: &str| {
        let image = lab().push(name);
        Goods { part: config_of(&image), image }
    };
    signed_first(goods("for-clients"), goods("not-for-clients"))
});

/// Indexes of two platforms, this machine's and another.
pub(crate) static INDEXES: LazyLock<Shelf> = LazyLock::new(|| {
    let goods = |name: &str| {
        let child = lab().push(name);
        Goods { part: config_of(&child), image: child.index().0 }
    };
    signed_first(goods("index-for-clients"), goods("index-not-for-clients"))
});

/// A shelf of these goods, of which the first is signed now.
pub(crate) fn signed_first(signed: Goods, unsigned: Goods) -> Shelf {
    lab().sign(Cosign::Bundle, RELEASE, &signed.image);
    Shelf { signed, unsigned }
}

/// Where the clients pull: neither the registry nor the kind of signature makes a difference to them.
pub(crate) fn lab() -> &'static Lab {
    Cell { containerd: Version::V2, registry: Kind::Docker, cosign: Cosign::Bundle }.lab()
}

#[track_caller]
pub(crate) fn comes(shelf: &'static Shelf, by_digest: bool, pull: impl FnOnce(&Wanted) -> Pulled) {
    let Goods { image, part } = &shelf.signed;
    let Pulled { ran, kept } = pull(&Wanted { lab: lab(), image, by_digest });
    ran.succeeded();
    assert!(kept.contains(part), "{part} did not arrive: {kept}");
    lab().nobody_went_past(image);
}

#[track_caller]
pub(crate) fn is_refused(shelf: &'static Shelf, by_digest: bool, pull: impl FnOnce(&Wanted) -> Pulled) {
    let Goods { image, part } = &shelf.unsigned;
    let wanted = Wanted { lab: lab(), image, by_digest };
    let Pulled { ran, kept } = pull(&wanted);
    says_why(&wanted, ran);
    assert!(!kept.contains(part), "the client keeps {part}: {kept}");
    lab().nobody_went_past(image);
}

/// It was refused, and says so in the words of the reason phrase or of the error's message.
#[track_caller]
pub(crate) fn says_why(wanted: &Wanted, ran: Ran) {
    // skopeo quotes what it says.
    let said = ran.refused().replace("\\\"", "\"");
    let answer = wanted.lab.proxy.ask("GET", &wanted.path());
    let phrase = answer.reason.strip_prefix("Forbidden: ").expect("the phrase has the reason");
    let body = answer.json();
    let message = body["errors"][0]["message"].as_str().expect("the error has a message");
    for words in [phrase, message] {
        assert!(words.contains("unsigned: policy \"lab\""), "{words}");
    }
    assert!(said.contains(phrase) || said.contains(message), "the client does not say `{message}`, it says:\n{said}");
}

/// The names of all files below this folder.
pub(crate) fn files(folder: &Path) -> String {
    let mut names = String::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            names += &files(&path);
        } else {
            writeln!(names, "{}", path.display()).expect("a string takes everything");
        }
    }
    names
}

fn config_of(image: &Image) -> String {
    let manifest = image.get_json(&image.manifest_path());
    let digest = manifest["config"]["digest"].as_str().expect("an image has a config");
    digest.trim_start_matches("sha256:").to_owned()
}

/// The four pulls of one shelf by a client, each a test.
macro_rules! pulls {
    ($kind:ident: $shelf:path, $pull:path) => {
        mod $kind {
            #[test]
            fn a_signed_one_comes_by_tag() {
                $crate::support::pulls::comes(&$shelf, false, $pull);
            }

            #[test]
            fn a_signed_one_comes_by_digest() {
                $crate::support::pulls::comes(&$shelf, true, $pull);
            }

            #[test]
            fn an_unsigned_one_is_refused_by_tag() {
                $crate::support::pulls::is_refused(&$shelf, false, $pull);
            }

            #[test]
            fn an_unsigned_one_is_refused_by_digest() {
                $crate::support::pulls::is_refused(&$shelf, true, $pull);
            }
        }
    };
    ($pull:path) => {
        $crate::support::pulls::pulls! { image: $crate::support::pulls::IMAGES, $pull }
        $crate::support::pulls::pulls! { index: $crate::support::pulls::INDEXES, $pull }
    };
}

pub(crate) use pulls;
