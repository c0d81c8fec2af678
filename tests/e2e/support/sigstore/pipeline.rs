//! GitLab pipelines, as the claims of their ID tokens tell about them.

use serde_json::{Value, json};

/// The issuer that GitLab's own tokens name.
pub(crate) const GITLAB: &str = "https://gitlab.com";
/// Another one that Fulcio takes GitLab pipelines of. Its identities look like those of `gitlab.com`.
pub(crate) const FOREIGN_ISSUER: &str = "https://gitlab.foreign.test";

/// A job of a pipeline.
#[derive(Clone)]
pub(crate) struct Pipeline {
    issuer: &'static str,
    /// The project that runs it.
    project: String,
    /// The project that the CI file is in.
    ci_project: String,
}

impl Pipeline {
    /// A pipeline of this project on `gitlab.com`, by its own CI file.
    pub(crate) fn of(project: &str) -> Self {
        Self { issuer: GITLAB, project: project.into(), ci_project: project.into() }
    }

    /// The same, by the CI file of another project.
    pub(crate) fn including(self, ci_project: &str) -> Self {
        Self { ci_project: ci_project.into(), ..self }
    }

    /// The same at another issuer.
    pub(crate) fn issued_by(self, issuer: &'static str) -> Self {
        Self { issuer, ..self }
    }

    /// What the certificate will call the signer: the CI file.
    pub(crate) fn identity(&self) -> String {
        format!("https://{}", self.ci_file())
    }

    pub(crate) fn issuer(&self) -> &'static str {
        self.issuer
    }

    fn ci_file(&self) -> String {
        format!("gitlab.com/{}//.gitlab-ci.yml@refs/heads/main", self.ci_project)
    }

    pub(super) fn claims(&self) -> Value {
        let project = &self.project;
        let (namespace, _) = project.rsplit_once('/').expect("a project is in a namespace");
        json!({
            "iss": self.issuer,
            "aud": "sigstore",
            "sub": format!("project_path:{project}:ref_type:branch:ref:main"),
            "project_path": project,
            "project_id": "1001",
            "project_visibility": "private",
            "namespace_path": namespace,
            "namespace_id": "101",
            "pipeline_id": "3003",
            "pipeline_source": "push",
            "job_id": "2002",
            "ref": "main",
            "ref_type": "branch",
            "ref_path": "refs/heads/main",
            "sha": "9f1d7a0c5c3bb0f1d1d2b1c6a5e3f0c4d7e8a9b0",
            "ci_config_ref_uri": self.ci_file(),
            "ci_config_sha": "9f1d7a0c5c3bb0f1d1d2b1c6a5e3f0c4d7e8a9b0",
            "runner_id": 4,
            "runner_environment": "gitlab-hosted",
        })
    }
}
