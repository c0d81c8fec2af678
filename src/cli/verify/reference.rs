//! The image that is asked about, as people and pod specifications write it.

use crate::oci::{Digest, Image, Reference, Registry};
use crate::route::{ManifestPull, Registries};

/// Parses `registry/repository`, with `:tag`, `@digest` or both after it; without either it is `:latest`, as clients
/// have it. `known` are the configured registries, whose aliases and names without dots count too.
///
/// # Errors
/// What is wrong with the text, and how it should read.
pub(in crate::cli) fn parse(text: &str, known: &Registries) -> Result<ManifestPull, String> {
    if let Some((scheme, rest)) = text.split_once("://") {
        return Err(format!("an image is named without `{scheme}://`: `{rest}`"));
    }
    let (name, digest) = match text.split_once('@') {
        Some((name, digest)) => (name, Some(digest.parse::<Digest>().map_err(|error| format!("`{digest}`: {error}"))?)),
        None => (text, None),
    };
    // A colon before the last slash is a port's.
    let (name, tag) = match name.rsplit_once(':') {
        Some((before, after)) if !after.contains('/') => (before, Some(after)),
        _ => (name, None),
    };
    let tag = tag.unwrap_or("latest").parse().map_err(|error| format!("`{}`: {error}", tag.unwrap_or_default()))?;
    let (registry, repository) = split(name, known)?;
    let image = Image::parse(registry, repository).map_err(|error| not_a_repository(repository, error))?;
    // As containerd does: a digest leaves nothing to the tag.
    let reference = digest.map_or(Reference::Tag(tag), Reference::Digest);
    Ok(ManifestPull { image, reference })
}

/// The registry in front, and the repository after it.
fn split<'a>(name: &'a str, known: &Registries) -> Result<(Registry, &'a str), String> {
    let (first, rest) = name.split_once('/').unwrap_or((name, ""));
    let configured = known.find(first);
    if configured.is_none() && !first.contains(['.', ':']) && first != "localhost" {
        let registry = known.only().map_or("registry.company.com".into(), |only| only.to_string());
        return Err(format!("`{name}` does not say which registry: write it as `{registry}/{name}`"));
    }
    let registry = match configured {
        Some(registry) => registry,
        None => first.parse::<Registry>().map_err(|error| format!("`{first}`: {error}"))?,
    };
    if rest.is_empty() {
        return Err(format!(
            "`{name}` is a registry and no image: a repository comes after it, as in `{first}/team/app`"
        ));
    }
    Ok((registry, rest))
}

fn not_a_repository(repository: &str, error: impl std::fmt::Display) -> String {
    let lower = repository.to_lowercase();
    let hint = if lower == repository { String::new() } else { format!("; repositories are lower-case: `{lower}`") };
    format!("`{repository}`: {error}{hint}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Registries {
        Registries::new([("registry.company.com".parse().expect("a name"), vec!["mirror".parse().expect("a name")])])
    }

    fn read(text: &str) -> String {
        let pull = parse(text, &known()).expect(text);
        format!("{} {}", pull.image, pull.reference)
    }

    #[test]
    fn names_are_read_as_clients_read_them() {
        let digest = Digest::of(b"x");
        for (text, expected) in [
            ("registry.company.com/team/app:1", "registry.company.com/team/app 1".to_string()),
            ("registry.company.com:443/app", "registry.company.com/app latest".to_string()),
            ("mirror/app:1", "registry.company.com/app 1".to_string()),
            ("localhost:5000/app:v1", "localhost:5000/app v1".to_string()),
            ("localhost/app:v1", "localhost/app v1".to_string()),
            ("docker.io/nginx:1", "docker.io/library/nginx 1".to_string()),
            (&format!("other.example/app@{digest}"), format!("other.example/app {digest}")),
            (&format!("other.example/app:1@{digest}"), format!("other.example/app {digest}")),
        ] {
            assert_eq!(read(text), expected);
        }
    }

    #[test]
    fn what_is_no_image_is_told_how_to_become_one() {
        for (text, part) in [
            ("https://registry.company.com/app:1", "without `https://`: `registry.company.com/app:1`"),
            ("team/app:1", "write it as `registry.company.com/team/app`"),
            ("app", "write it as `registry.company.com/app`"),
            ("registry.company.com", "a repository comes after it"),
            ("registry.company.com/", "a repository comes after it"),
            ("registry.company.com/Team/App:1", "lower-case: `team/app`"),
            ("registry.company.com/app:", "not a tag"),
            ("registry.company.com/app:a b", "not a tag"),
            ("registry.company.com/app@sha256:abc", "sha256:abc"),
            ("registry.company.com/../app", "not a repository"),
            ("-a.b/app", "not a registry"),
            ("", "does not say which registry"),
        ] {
            let error = parse(text, &known()).expect_err(text);
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
