//! The functions and variables, each with its meaning.

use super::Call::{Both, Global, Member};
use super::Kind::{Any, Bool, Duration, List, Number, Text, Timestamp};
use super::{Call, Function, Kind, Variable};

const fn ours(name: &'static str, arguments: (usize, usize), gives: Kind, about: [&'static str; 2]) -> Function {
    let [signature, meaning] = about;
    Function { name, signature, meaning, standard: false, call: Global, arguments, gives, walks: true }
}

const fn standard(
    name: &'static str,
    call: Call,
    arguments: (usize, usize),
    gives: Kind,
    about: [&'static str; 2],
) -> Function {
    let [signature, meaning] = about;
    Function { name, signature, meaning, standard: true, call, arguments, gives, walks: false }
}

/// Every function and macro that a condition may call: first those for documents, then those of CEL.
pub const FUNCTIONS: &[Function] = &[
    ours(
        "components",
        (1, 1),
        List,
        [
            "components(bom) -> list",
            "What a CycloneDX or SPDX document in JSON lists, nested components too, each with `group`, `name`, `version`, \
         `purl` (empty if not given) and `licenses` (the identifiers in it). A document that lists none at all is an \
         error.",
        ],
    ),
    ours(
        "componentNames",
        (1, 1),
        List,
        [
            "componentNames(bom) -> list",
            "The names of `components(bom)`, sorted and each once; of a component with a group also `group/name`.",
        ],
    ),
    ours(
        "hasComponent",
        (2, 3),
        Bool,
        [
            "hasComponent(bom, name) or hasComponent(bom, name, version) -> bool",
            "Whether a component has exactly this name (or `group/name`), and exactly this version.",
        ],
    ),
    ours(
        "licenses",
        (1, 1),
        List,
        [
            "licenses(bom) -> list",
            "Every licence that a component names, sorted and each once. Expressions are taken apart: of `MIT OR \
         GPL-2.0-only WITH x` the list has `GPL-2.0-only` and `MIT`. SPDX's concluded and declared licences both \
         count, NOASSERTION never.",
        ],
    ),
    ours(
        "vulnerabilities",
        (1, 1),
        List,
        [
            "vulnerabilities(report) -> list",
            "What a scanner found, each with `id`, `severity`, `package`, `version` and `fixed` (empty if there is no \
         fix). The report is a predicate of cosign's type `vuln` or in-toto's `vulns`, or a report of trivy, grype or \
         in SARIF itself. A report that is none of these, or does not show that packages were scanned, is an error.",
        ],
    ),
    ours(
        "severities",
        (1, 1),
        List,
        [
            "severities(report) -> list",
            "The severity of each finding: `CRITICAL`, `HIGH`, `MEDIUM`, `LOW`, `NEGLIGIBLE` or `UNKNOWN`.",
        ],
    ),
    ours(
        "vulnerabilityCount",
        (1, 2),
        Number,
        [
            "vulnerabilityCount(report) or vulnerabilityCount(report, severity) -> int",
            "How many findings there are, or how many of one severity.",
        ],
    ),
    ours(
        "worstSeverity",
        (1, 1),
        Text,
        [
            "worstSeverity(report) -> string",
            "The worst severity of all findings, `NONE` without any. `UNKNOWN` counts as less than `NEGLIGIBLE`: ask \
         `severities` where that matters.",
        ],
    ),
    ours(
        "builder",
        (1, 1),
        Text,
        [
            "builder(provenance) -> string",
            "Who built, by SLSA provenance 0.2 (`builder.id`) or 1 (`runDetails.builder.id`).",
        ],
    ),
    ours(
        "source",
        (1, 1),
        Text,
        [
            "source(provenance) -> string",
            "The URL of the repository that was built, without `git+`, `.git`, and a ref: from the configuration source of \
         SLSA provenance 0.2, or where GitHub, GitLab and BuildKit put it in provenance 1.",
        ],
    ),
    ours(
        "materials",
        (1, 1),
        List,
        [
            "materials(provenance) -> list",
            "What went into the build, each with `uri` and `digest` (an object by algorithm): the materials of SLSA \
         provenance 0.2, the resolved dependencies of 1.",
        ],
    ),
    Function {
        walks: false,
        ..ours(
            "glob",
            (2, 2),
            Bool,
            [
                "glob(text, pattern) -> bool",
                "Whether the pattern covers the whole text, as patterns do elsewhere in a policy: `*` stays between \
             slashes, `**` crosses them.",
            ],
        )
    },
    standard("has", Global, (1, 1), Bool, ["has(x.field) -> bool", "Whether there is such a field."]),
    standard(
        "all",
        Member,
        (2, 2),
        Bool,
        ["list.all(x, condition) -> bool", "Whether the condition holds for each item; it does for none."],
    ),
    standard(
        "exists",
        Member,
        (2, 2),
        Bool,
        ["list.exists(x, condition) -> bool", "Whether the condition holds for an item."],
    ),
    standard(
        "exists_one",
        Member,
        (2, 2),
        Bool,
        ["list.exists_one(x, condition) -> bool", "Whether the condition holds for exactly one item."],
    ),
    standard(
        "map",
        Member,
        (2, 3),
        List,
        [
            "list.map(x, value) or list.map(x, condition, value) -> list",
            "What the value is for each item, or for each that meets the condition.",
        ],
    ),
    standard(
        "filter",
        Member,
        (2, 2),
        List,
        ["list.filter(x, condition) -> list", "The items for which the condition holds."],
    ),
    standard("size", Both, (1, 1), Number, ["size(x) -> int", "How many items, members or characters."]),
    standard("contains", Member, (1, 1), Bool, ["text.contains(part) -> bool", "Whether the part is somewhere in it."]),
    standard("startsWith", Member, (1, 1), Bool, ["text.startsWith(part) -> bool", "Whether it begins so."]),
    standard("endsWith", Member, (1, 1), Bool, ["text.endsWith(part) -> bool", "Whether it ends so."]),
    standard(
        "matches",
        Both,
        (2, 2),
        Bool,
        [
            "text.matches(\"pattern\") -> bool",
            "Whether the regular expression, a literal, matches anywhere in it: `^` and `$` anchor it.",
        ],
    ),
    standard(
        "timestamp",
        Global,
        (1, 1),
        Timestamp,
        ["timestamp(text) -> timestamp", "The instant of RFC 3339, or of seconds since 1970."],
    ),
    standard(
        "duration",
        Global,
        (1, 1),
        Duration,
        ["duration(text) -> duration", "The duration, such as `24h`, `1h30m` or `7d` (d, h, m, s, ms, us, ns)."],
    ),
    standard(
        "int",
        Global,
        (1, 1),
        Number,
        ["int(x) -> int", "A number or text as a whole number; a timestamp in seconds."],
    ),
    standard("uint", Global, (1, 1), Number, ["uint(x) -> uint", "A number or text as a whole number from 0."]),
    standard(
        "double",
        Global,
        (1, 1),
        Number,
        ["double(x) -> double", "A number or text as a number with a fraction."],
    ),
    standard("string", Global, (1, 1), Text, ["string(x) -> string", "A number, bool or timestamp as text."]),
    standard("bool", Global, (1, 1), Bool, ["bool(x) -> bool", "The text `true` or `false` as a bool."]),
    standard(
        "type",
        Global,
        (1, 1),
        Any,
        ["type(x) -> type", "The type, to compare with `string`, `int`, `double`, `bool`, `list` or `map`."],
    ),
    standard("dyn", Global, (1, 1), Any, ["dyn(x) -> x", "The value itself."]),
];

/// Every variable, and the fields of those that are not documents.
pub const VARIABLES: &[Variable] = &[
    Variable { name: "predicate", meaning: "what the attestation says: the predicate of its statement" },
    Variable { name: "statement", meaning: "the whole in-toto statement, with `subject` and `predicateType`" },
    Variable { name: "signer.identity", meaning: "the certificate's identity; empty for a key" },
    Variable { name: "signer.issuer", meaning: "who vouched for the identity; empty for a key" },
    Variable { name: "signer.key", meaning: "the key's fingerprint; empty for an identity" },
    Variable {
        name: "signer.extensions",
        meaning: "what the certificate says of the build, by the names of the policy file: `sourceRepository`…",
    },
    Variable { name: "signer.time", meaning: "the verified time of signing; `null` if there is none" },
    Variable { name: "image.registry", meaning: "the image's registry" },
    Variable { name: "image.repository", meaning: "the image's repository" },
    Variable { name: "image.digest", meaning: "the manifest's digest" },
    Variable { name: "image.annotations", meaning: "the annotations in the manifest" },
    Variable { name: "now", meaning: "the present: a verdict that asked for it holds for a minute at most" },
];
