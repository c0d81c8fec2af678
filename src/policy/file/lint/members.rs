//! The fields that predicates of known types have.
//!
//! A type's fields are listed as `name`, or `name{field …}` where those within are known too. Within `name~{…}`, others
//! may stand beside them: there, only what looks like a slip of the pen is told.

/// What is known of a field's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Member {
    /// Nothing is known of its type, or of fields so deep.
    Unknown,
    /// There is such a field.
    Known,
    /// There is none; these stand there.
    Missing {
        /// How many names of the path are right.
        depth: usize,
        /// What stands at that place.
        siblings: Vec<&'static str>,
        /// Whether others may stand there.
        open: bool,
    },
}

/// Looks for the field `path` in the predicates of type `predicate_type`.
pub(super) fn member(predicate_type: &str, path: &[&str]) -> Member {
    let Some((_, fields)) = find(predicate_type) else { return Member::Unknown };
    within(fields, false, path, 0)
}

/// The known type that `predicate_type` is, or is a version of.
pub(super) fn known(predicate_type: &str) -> Option<&'static str> {
    find(predicate_type).map(|(known, _)| *known)
}

fn find(predicate_type: &str) -> Option<&'static (&'static str, &'static str)> {
    let versioned = |known: &str| predicate_type.strip_prefix(known).is_some_and(|rest| rest.starts_with("/v"));
    PREDICATES.iter().find(|(known, _)| predicate_type == *known || versioned(known))
}

/// Looks for the field `path` in statements with predicates of type `predicate_type`.
pub(super) fn of_statement(predicate_type: &str, path: &[&str]) -> Member {
    match path.split_first() {
        Some((&"predicate", rest)) => match member(predicate_type, rest) {
            Member::Missing { depth, siblings, open } => Member::Missing { depth: depth + 1, siblings, open },
            other => other,
        },
        _ => within(STATEMENT, false, path, 0),
    }
}

fn within(fields: &'static str, open: bool, path: &[&str], depth: usize) -> Member {
    let Some((name, rest)) = path.split_first() else { return Member::Known };
    match split(fields).into_iter().find(|field| field.name == *name) {
        Some(field) => field.inner.map_or(Member::Known, |inner| within(inner, field.open, rest, depth + 1)),
        None => Member::Missing { depth, siblings: split(fields).iter().map(|field| field.name).collect(), open },
    }
}

struct Field {
    name: &'static str,
    inner: Option<&'static str>,
    open: bool,
}

/// The fields of one level.
fn split(fields: &'static str) -> Vec<Field> {
    let (mut all, mut rest) = (Vec::new(), fields.trim_start());
    while !rest.is_empty() {
        let end = rest.find([' ', '{']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let close = if after.starts_with('{') { closing(after) } else { 0 };
        let inner = (close > 0).then(|| &after[1..close]);
        all.push(Field { name: name.trim_end_matches('~'), inner, open: name.ends_with('~') });
        rest = after[close..].trim_start_matches([' ', '}']);
    }
    all
}

/// Where the brace that `text` begins with is closed.
fn closing(text: &str) -> usize {
    let mut open = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => open += 1,
            b'}' if open == 1 => return at,
            b'}' => open -= 1,
            _ => {}
        }
    }
    text.len()
}

/// What every statement has.
const STATEMENT: &str =
    "_type subject{name digest uri downloadLocation mediaType annotations content} predicateType predicate";

const VULN: &str = "invocation{parameters uri event_id builder~{id}} scanner{uri version db{uri version lastUpdate} result} \
                    metadata{scanStartedOn scanFinishedOn}";

/// By predicate type; the versions of one, such as `https://cyclonedx.org/bom/v1.6`, have the same fields.
const PREDICATES: [(&str, &str); 12] = [
    (
        "https://cyclonedx.org/bom",
        "$schema bomFormat specVersion serialNumber version metadata~{timestamp lifecycles tools authors component \
         manufacture manufacturer supplier licenses properties distributionConstraints} components services \
         externalReferences dependencies compositions vulnerabilities annotations formulation declarations definitions \
         citations properties signature Data Timestamp",
    ),
    (
        "https://spdx.dev/Document",
        "spdxVersion dataLicense SPDXID name documentNamespace comment creationInfo{created creators licenseListVersion \
         comment} externalDocumentRefs hasExtractedLicensingInfos documentDescribes packages files snippets \
         relationships annotations revieweds @context @graph Data Timestamp",
    ),
    ("https://cosign.sigstore.dev/attestation/vuln", VULN),
    ("https://in-toto.io/attestation/vulns", VULN),
    (
        "https://slsa.dev/provenance/v0.2",
        "builder~{id} buildType invocation~{configSource{uri digest entryPoint} parameters environment} buildConfig \
         metadata~{buildInvocationId buildInvocationID buildStartedOn buildFinishedOn completeness~{parameters \
         environment materials} reproducible} materials",
    ),
    (
        "https://slsa.dev/provenance/v1",
        "buildDefinition~{buildType externalParameters internalParameters resolvedDependencies} \
         runDetails~{builder~{id version builderDependencies} metadata~{invocationId invocationID startedOn finishedOn} \
         byproducts}",
    ),
    (
        "https://slsa.dev/verification_summary/v1",
        "verifier{id version} timeVerified resourceUri policy inputAttestations verificationResult verifiedLevels \
         dependencyLevels slsaVersion",
    ),
    ("https://in-toto.io/Link", "_type name command materials products byproducts environment"),
    ("https://in-toto.io/attestation/link", "name command materials byproducts environment"),
    ("https://in-toto.io/attestation/test-result", "result configuration url passedTests warnedTests failedTests"),
    ("https://openvex.dev/ns", "@context @id author role timestamp last_updated version tooling supplier statements"),
    ("https://cosign.sigstore.dev/attestation/v1", "Data Timestamp"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_known_as_deep_as_the_table_goes() {
        let vuln = "https://cosign.sigstore.dev/attestation/vuln/v1";
        for (kind, path, expected) in [
            (vuln, "metadata.scanFinishedOn", Some(Member::Known)),
            (vuln, "scanner.result.Results", Some(Member::Known)),
            (vuln, "metadata.scanFinishedAt", None),
            (vuln, "scanFinishedOn", None),
            ("https://cyclonedx.org/bom/v1.6", "metadata.timestamp", Some(Member::Known)),
            ("https://cyclonedx.org/bomb", "x", Some(Member::Unknown)),
            ("https://slsa.dev/provenance/v0.1", "x", Some(Member::Unknown)),
            ("https://slsa.dev/provenance/v1", "runDetails.metadata.finishedOn", Some(Member::Known)),
            ("https://slsa.dev/provenance/v1", "metadata", None),
            ("https://company.test/review/v1", "x", Some(Member::Unknown)),
        ] {
            let path: Vec<&str> = path.split('.').collect();
            let found = member(kind, &path);
            match expected {
                Some(expected) => assert_eq!(found, expected, "{kind} {path:?}"),
                None => assert!(matches!(found, Member::Missing { .. }), "{kind} {path:?}: {found:?}"),
            }
        }
        let siblings = vec!["scanStartedOn", "scanFinishedOn"];
        assert_eq!(member(vuln, &["metadata", "x"]), Member::Missing { depth: 1, siblings, open: false });
    }

    #[test]
    fn every_list_of_fields_is_well_formed() {
        fn names(fields: &'static str) -> usize {
            let all = split(fields);
            let plain = |name: &str| !name.is_empty() && !name.contains(['{', '}', '~', ' ']);
            assert!(all.iter().all(|field| plain(field.name)), "{fields}");
            all.len() + all.iter().filter_map(|field| field.inner).map(names).sum::<usize>()
        }
        for (kind, fields) in PREDICATES.iter().chain(&[("statement", STATEMENT)]) {
            let words = fields.split([' ', '{', '}', '~']).filter(|word| !word.is_empty()).count();
            assert_eq!(names(fields), words, "{kind}");
        }
    }
}
