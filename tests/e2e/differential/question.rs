//! What is asked, in cosign's words and in the policy's.

use crate::support::image::Image;
use crate::support::process::{Ran, command, run, tool};
use crate::support::proxy::REGISTRY;
use crate::support::sigstore::{GITLAB, sigstore};

use super::material::{KEY, Material};

/// Who must have signed what. Each has images of its own, by the name of their repositories.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    /// A signature by a pipeline of `myorg`.
    Keyless,
    /// The same, and the project that ran it is pinned, too, which cosign cannot.
    Pinned,
    /// A software bill of materials, attested by a pipeline of `myorg`.
    KeylessSbom,
    /// A signature by the key; no log is asked for.
    Key,
    /// A signature by the key, in the log.
    KeyInLog,
    /// A software bill of materials, attested by the key; no log is asked for.
    KeySbom,
}

const ALL: [Question; 6] =
    [Question::Keyless, Question::Pinned, Question::KeylessSbom, Question::Key, Question::KeyInLog, Question::KeySbom];

impl Question {
    /// How repositories begin whose images it is asked about.
    pub(super) fn repository(self) -> &'static str {
        match self {
            Self::Keyless => "differ-keyless",
            Self::Pinned => "differ-pinned",
            Self::KeylessSbom => "differ-attested",
            Self::Key => "differ-key",
            Self::KeyInLog => "differ-logged",
            Self::KeySbom => "differ-keysbom",
        }
    }

    /// `cosign verify`, or `verify-attestation`, of the image.
    pub(super) fn ask_cosign(self, material: &Material, image: &Image) -> Ran {
        let key = material.folder.path().join(format!("{KEY}.pub"));
        let key = key.to_str().expect("the path is UTF-8");
        let keyless =
            ["--certificate-identity-regexp", "^https://gitlab\\.com/myorg/.*$", "--certificate-oidc-issuer", GITLAB];
        let mut arguments = match self {
            Self::Keyless | Self::Pinned | Self::Key | Self::KeyInLog => vec!["verify"],
            Self::KeylessSbom | Self::KeySbom => vec!["verify-attestation", "--type", "cyclonedx"],
        };
        match self {
            Self::Keyless | Self::Pinned | Self::KeylessSbom => arguments.extend(keyless),
            Self::Key | Self::KeySbom => arguments.extend(["--key", key, "--insecure-ignore-tlog=true"]),
            Self::KeyInLog => arguments.extend(["--key", key]),
        }
        let mut cosign = command(tool("bin/cosign3"), arguments);
        cosign.arg("--trusted-root").arg(sigstore().trusted_root()).arg(image.direct());
        run(cosign.env("HOME", material.folder.path()))
    }

    fn requirement(self) -> &'static str {
        match self {
            Self::Keyless => "signature: { by: pipeline }",
            Self::Pinned => "signature: { by: pinned-pipeline }",
            Self::KeylessSbom => "attestation: { by: pipeline, type: cyclonedx }",
            Self::Key => "signature: { by: key }",
            Self::KeyInLog => "signature: { by: logged-key }",
            Self::KeySbom => "attestation: { by: key, type: cyclonedx }",
        }
    }
}

/// The policy that asks all of it.
pub(super) fn policy() -> String {
    let identity = format!("trustRoot: lab, issuer: {GITLAB}, identity: \"https://gitlab.com/myorg/**\"");
    let pin = "sourceRepository: \"https://gitlab.com/myorg/**\"";
    let mut policy = format!(
        "trustRoots: {{ lab: {{ file: trusted_root.json }} }}\n\
         authorities:\n  \
           pipeline: {{ keyless: {{ {identity} }} }}\n  \
           pinned-pipeline: {{ keyless: {{ {identity}, {pin} }} }}\n  \
           key: {{ key: {{ file: {KEY}.pub, insecureSkipTransparencyLog: true }} }}\n  \
           logged-key: {{ key: {{ file: {KEY}.pub, trustRoot: lab }} }}\n\
         default: deny\n\
         policies:\n"
    );
    for question in ALL {
        let (name, requirement) = (question.repository(), question.requirement());
        let scope = format!("match: [ \"{REGISTRY}/lab/{name}-*\" ]");
        policy.extend(["  - { name: ", name, ", ", &scope, ", require: { ", requirement, " } }\n"]);
    }
    policy
}
