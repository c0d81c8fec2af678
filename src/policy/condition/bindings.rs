//! The facts as the variables of an expression.

use super::facts::{Facts, ImageFacts, SignerFacts};
use super::json::{Json, Object};
use super::time::Instant;

/// Every variable that has a value: a statement need not have a predicate.
pub(super) fn bindings(facts: &Facts<'_>) -> Vec<(&'static str, Json)> {
    let predicate = facts.statement.predicate().cloned().map(|predicate| ("predicate", predicate));
    let others = [
        ("statement", facts.statement.statement().clone()),
        ("signer", signer(facts.signer)),
        ("image", image(facts.image)),
        ("now", Json::Time(Instant::of(facts.now))),
    ];
    predicate.into_iter().chain(others).collect()
}

fn signer(signer: &SignerFacts) -> Json {
    let extensions = signer.extensions.iter().map(|(name, value)| ((*name).to_string(), Json::text(value))).collect();
    Json::Object(Object::of([
        ("identity", Json::text(&signer.identity)),
        ("issuer", Json::text(&signer.issuer)),
        ("key", Json::text(&signer.key)),
        ("extensions", Json::Object(extensions)),
        ("time", signer.time.map_or(Json::Null, |time| Json::Time(Instant::of(time)))),
    ]))
}

fn image(image: &ImageFacts) -> Json {
    let annotations = image.annotations.iter().map(|(name, value)| (name.clone(), Json::text(value))).collect();
    Json::Object(Object::of([
        ("registry", Json::text(&image.registry)),
        ("repository", Json::text(&image.repository)),
        ("digest", Json::text(image.digest.to_string())),
        ("annotations", Json::Object(annotations)),
    ]))
}
