//! Who signs: the subject alternative name and the extensions that Fulcio writes for a pipeline or a person.

use super::certificate::Extension;
use super::der;

/// A subject alternative name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum San {
    /// An e-mail address.
    Email(String),
    /// A host name, which Fulcio never writes.
    Dns(String),
    /// A text under Fulcio's own type for user names, `1.3.6.1.4.1.57264.1.7`.
    Other(String),
    /// A `GeneralName` as it is, which need not be one.
    Raw(Vec<u8>),
    /// A URI.
    Uri(String),
}

impl San {
    /// As a `GeneralName`.
    pub(super) fn der(&self) -> Vec<u8> {
        match self {
            Self::Email(text) => der::tlv(0x81, text.as_bytes()),
            Self::Dns(text) => der::tlv(0x82, text.as_bytes()),
            Self::Other(text) => der::tagged(0, &[der::oid(&fulcio(7)), der::tagged(0, &der::utf8(text))].concat()),
            Self::Raw(der) => der.clone(),
            Self::Uri(text) => der::tlv(0x86, text.as_bytes()),
        }
    }
}

/// Whom a certificate is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Its names; Fulcio writes exactly one.
    pub names: Vec<San>,
    /// The OIDC issuer.
    pub issuer: String,
    /// The extensions from number 9 on: their last number and their text.
    pub claims: Vec<(u64, String)>,
}

impl Identity {
    /// A pipeline of `project` on GitLab, run by a push to `main`: what Fulcio's `gitlab-pipeline` issuer writes.
    pub fn gitlab(project: &str) -> Self {
        let file = format!("https://gitlab.com/{project}//.gitlab-ci.yml@refs/heads/main");
        Self::gitlab_including(project, &file)
    }

    /// A pipeline of `project` whose CI file is another's: it is the file that becomes the name.
    pub fn gitlab_including(project: &str, file: &str) -> Self {
        let owner = project.rsplit_once('/').map_or(project, |(owner, _)| owner);
        let claims = [
            (9, file.to_string()),
            (10, COMMIT.to_string()),
            (11, "gitlab-hosted".into()),
            (12, format!("https://gitlab.com/{project}")),
            (13, COMMIT.into()),
            (14, "refs/heads/main".into()),
            (15, "101".into()),
            (16, format!("https://gitlab.com/{owner}")),
            (17, "11".into()),
            (18, file.into()),
            (19, COMMIT.into()),
            (20, "push".into()),
            (21, format!("https://gitlab.com/{project}/-/jobs/2002")),
            (22, "private".into()),
            (24, format!("project_path:{project}:ref_type:branch:ref:main")),
        ];
        Self { names: vec![San::Uri(file.into())], issuer: "https://gitlab.com".into(), claims: claims.into() }
    }

    /// A workflow of `repository` on GitHub, run by a push to `main`.
    pub fn github(repository: &str) -> Self {
        let file = format!("https://github.com/{repository}/.github/workflows/release.yml@refs/heads/main");
        let owner = repository.split('/').next().unwrap_or_default();
        let claims = [
            (9, file.clone()),
            (10, COMMIT.to_string()),
            (11, "github-hosted".into()),
            (12, format!("https://github.com/{repository}")),
            (13, COMMIT.into()),
            (14, "refs/heads/main".into()),
            (15, "202".into()),
            (16, format!("https://github.com/{owner}")),
            (17, "22".into()),
            (18, file.clone()),
            (19, COMMIT.into()),
            (20, "push".into()),
            (21, format!("https://github.com/{repository}/actions/runs/3003/attempts/1")),
            (22, "public".into()),
            (24, format!("repo:{repository}:ref:refs/heads/main")),
        ];
        let issuer = "https://token.actions.githubusercontent.com".into();
        Self { names: vec![San::Uri(file)], issuer, claims: claims.into() }
    }

    /// A person with an e-mail address.
    pub fn email(address: &str, issuer: &str) -> Self {
        Self { names: vec![San::Email(address.into())], issuer: issuer.into(), claims: Vec::new() }
    }

    /// With another text under the extension `number`, which may be a new one.
    #[must_use]
    pub fn claiming(mut self, number: u64, text: &str) -> Self {
        self.claims.retain(|(known, _)| *known != number);
        self.claims.push((number, text.into()));
        self.claims.sort();
        self
    }

    /// With another OIDC issuer.
    #[must_use]
    pub fn issued_by(mut self, issuer: &str) -> Self {
        self.issuer = issuer.into();
        self
    }

    /// Its text under the extension `number`.
    pub fn claim(&self, number: u64) -> Option<&str> {
        self.claims.iter().find(|(known, _)| *known == number).map(|(_, text)| text.as_str())
    }

    /// The extensions: number 1, the issuer, as its bare text, and all others as `UTF8String`. For GitHub, numbers 2
    /// to 6 too, which are older names for the same and bare text as well.
    pub(super) fn extensions(&self) -> Vec<Extension> {
        let mut found = vec![Extension::new(&fulcio(1), self.issuer.clone().into_bytes())];
        if self.issuer == "https://token.actions.githubusercontent.com" {
            let repository = self.claim(12).and_then(|uri| uri.strip_prefix("https://github.com/"));
            let old =
                [(2, self.claim(20)), (3, self.claim(13)), (4, Some("release")), (5, repository), (6, self.claim(14))];
            found.extend(
                old.iter().filter_map(|(number, text)| Some(Extension::new(&fulcio(*number), (*text)?.into()))),
            );
        }
        found.push(Extension::new(&fulcio(8), der::utf8(&self.issuer)));
        found.extend(self.claims.iter().map(|(number, text)| Extension::new(&fulcio(*number), der::utf8(text))));
        found
    }
}

/// The object identifier of Fulcio's extension `number`.
pub fn fulcio(number: u64) -> [u64; 9] {
    [1, 3, 6, 1, 4, 1, 57264, 1, number]
}

const COMMIT: &str = "3f1b2a4c5d6e7f8091a2b3c4d5e6f70819203142";
