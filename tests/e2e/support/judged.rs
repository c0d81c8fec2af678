//! What the right answer to a request is, and what an answer that came is.

use std::iter;
use std::net::SocketAddr;

use super::content::{INDEX, MANIFEST};
use super::dice::Dice;
use super::image::Image;
use super::strict::{Answer, ask};

/// Something to ask for, and the answer to it, if it may be given at all.
pub(crate) struct Target {
    pub(crate) path: String,
    pub(crate) right: Option<Vec<u8>>,
    pub(crate) manifest: bool,
}

/// What came of a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The right bytes, and nothing but them.
    Right,
    /// 403.
    Refused,
    /// 502, 503 or 504, and why.
    Unavailable(u16, String),
    /// It began as the right answer does, and broke off for everyone to see.
    BrokenOff,
    /// Not even a status.
    Nothing(String),
    /// What nobody may be told, and its story.
    Wrong(String),
}

/// The manifest of an image by tag and by digest, and then its blobs.
pub(crate) fn of_image(image: &Image, allowed: bool) -> Vec<Target> {
    let target = |path: String, manifest| Target { right: allowed.then(|| image.get(&path)), path, manifest };
    let document = image.get_json(&image.manifest_path());
    let blobs = iter::once(&document["config"]).chain(document["layers"].as_array().into_iter().flatten());
    let blobs = blobs.filter_map(|blob| Some(image.blob_path(blob["digest"].as_str()?)));
    let blobs: Vec<_> = blobs.map(|path| target(path, false)).collect();
    let mut all = vec![target(image.tag_path(), true), target(image.manifest_path(), true)];
    all.extend(blobs);
    all
}

impl Target {
    /// Whether `outcome` is how what nobody may have is kept back. Of a blob that no manifest is known to list, a replica
    /// that began lately, or whose store was away, cannot tell, and neither can one that lost its own store's last writes of
    /// an image that is asked for by digest; and nothing is denied for good while the store is too slow to say who lists it.
    pub(crate) fn is_kept_back(&self, outcome: &Outcome) -> bool {
        let unsure = |reason: &str| match reason {
            "membership_incomplete" => !self.manifest || self.path.contains("sha256:"),
            other => other == "store_unavailable",
        };
        matches!(outcome, Outcome::Refused) || matches!(outcome, Outcome::Unavailable(503, reason) if unsure(reason))
    }

    /// Asks for it in one of the ways that a client may: the whole, the head, or a part of a blob.
    pub(crate) fn ask_somehow(&self, proxy: SocketAddr, dice: &mut Dice) -> Outcome {
        let length = self.right.as_ref().map_or(100, Vec::len).max(1);
        let (method, range) = match dice.below(10) {
            0..3 => ("HEAD", None),
            3..6 if !self.manifest => {
                let first = dice.below(length);
                ("GET", Some((first, first + dice.below(length - first))))
            }
            _ => ("GET", None),
        };
        self.ask(proxy, method, range)
    }

    /// Asks for it or, from the first byte to the last, for a part of it.
    pub(crate) fn ask(&self, proxy: SocketAddr, method: &str, range: Option<(usize, usize)>) -> Outcome {
        let more = range.map_or_else(String::new, |(first, last)| format!("Range: bytes={first}-{last}\r\n"));
        let answer = match ask(proxy, method, &self.path, &more) {
            Ok(answer) => answer,
            Err(error) => return Outcome::Nothing(format!("{method} {}: {error}", self.path)),
        };
        let part = |right: &Vec<u8>| match (answer.status, range) {
            (206, Some((first, last))) => right[first..=last].to_vec(),
            _ => right.clone(),
        };
        let expected = self.right.as_ref().map(part);
        let length = expected.as_ref().map(|expected| expected.len().to_string());
        match (answer.status, &answer.body, expected) {
            (403, Some(_), _) => Outcome::Refused,
            (502..=504, Some(_), _) => Outcome::Unavailable(answer.status, answer.header("countersign-reason").into()),
            (200 | 206, None, Some(_)) if method == "GET" => Outcome::BrokenOff,
            (200, Some(_), Some(_))
                if method == "HEAD" && length.as_deref() == Some(answer.header("content-length")) =>
            {
                Outcome::Right
            }
            (200, Some(body), Some(expected)) if method == "GET" && *body == expected => self.typed(&answer),
            (206, Some(body), Some(expected)) if method == "GET" && range.is_some() && *body == expected => {
                Outcome::Right
            }
            (status, body, _) => {
                let (came, reason) = (body.as_ref().map(Vec::len), answer.header("countersign-reason"));
                Outcome::Wrong(format!("{method} {} {more:?}: {status}, {came:?} bytes: {reason}", self.path))
            }
        }
    }

    /// The right bytes may be called nothing but what they are.
    fn typed(&self, answer: &Answer) -> Outcome {
        let found = answer.header("content-type");
        let expected: &[&str] =
            if self.manifest { &[MANIFEST, INDEX, DOCKER_INDEX] } else { &["application/octet-stream"] };
        if expected.contains(&found) {
            Outcome::Right
        } else {
            Outcome::Wrong(format!("{}: it is called `{found}`", self.path))
        }
    }
}

const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
