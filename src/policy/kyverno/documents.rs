//! Documents by their kind: only a `ClusterPolicy` can be translated.

use super::cluster_policy::Gathered;
use super::element::{Element, Notes};
use super::node::Node;

/// Translates one document of `file`, or every item of a list of them.
pub(super) fn translate(node: &Node, file: &str, notes: &Notes, gathered: &mut Gathered) {
    notes.about(file, "document");
    let document = Element::root(node, notes);
    one(&document, file, gathered);
}

fn one(document: &Element<'_>, file: &str, gathered: &mut Gathered) {
    let Some(fields) = document.fields() else {
        gathered.left_out.push("document".into());
        return;
    };
    let text = |key| fields.take(key).and_then(|element| element.text()).unwrap_or_default();
    let (version, kind) = (text("apiVersion"), text("kind"));
    if matches!(kind, "List" | "ClusterPolicyList") {
        if let Some(items) = fields.take("items").and_then(|items| items.items()) {
            for item in &items {
                one(item, file, gathered);
            }
        }
        return;
    }
    let metadata = fields.take("metadata").and_then(|metadata| metadata.fields());
    let name = metadata.and_then(|metadata| metadata.take("name")).and_then(|name| name.text()).unwrap_or("unnamed");
    let _ = fields.take("status");
    document.notes().about(file, &format!("{} {name}", if kind.is_empty() { "document" } else { kind }));
    let known = matches!(version, "kyverno.io/v1" | "kyverno.io/v2beta1");
    let why = match (kind, known) {
        ("ClusterPolicy", true) => {
            gathered.policy(document, name, &fields);
            fields.finish();
            return;
        }
        ("ClusterPolicy", false) => format!("`{version}` is not one of `kyverno.io/v1`, `kyverno.io/v2beta1`"),
        ("Policy", _) => "it is about one namespace, and a pull has none: a `ClusterPolicy` is about all".into(),
        ("PolicyException" | "ImageValidatingPolicy" | "NamespacedImageValidatingPolicy", _) => {
            let instead = if kind == "PolicyException" { "; `countersign policy exempt` spares images" } else { "" };
            format!("a {kind} cannot be translated{instead}")
        }
        ("", _) => "it has no `kind`: it is no object of Kubernetes".into(),
        _ => format!("a {kind} is no policy of Kyverno's"),
    };
    document.refuse::<()>(why);
    gathered.left_out.push(format!("{} {name}", if kind.is_empty() { "document" } else { kind }));
}
