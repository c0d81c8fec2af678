//! Which resources a rule is about. A pull comes from a node and has none: only rules about all pods have the same meaning.

use super::element::{Element, Fields};

/// Translates `match` and `exclude`.
pub(super) fn translate(fields: &Fields<'_>) {
    match fields.take("match") {
        Some(matched) => {
            blocks(&matched);
        }
        None => fields.whole().refuse::<()>("`match` is missing").unwrap_or_default(),
    }
    if let Some(excluded) = fields.take("exclude")
        && excluded.fields().is_none_or(|fields| fields.all().next().is_some())
    {
        excluded.refuse::<()>("a pull has no resource that could be excluded: images can, with `skipImageReferences`");
    }
}

/// `any`, `all`, or the older form without either.
fn blocks(matched: &Element<'_>) -> Option<()> {
    let fields = matched.fields()?;
    let (any, all, resources) = (fields.take("any"), fields.take("all"), fields.take("resources"));
    fields.refused(&SUBJECTS);
    fields.finish();
    for list in [any, all].into_iter().flatten() {
        for block in list.items()? {
            let fields = block.fields()?;
            let resources = fields.take("resources");
            fields.refused(&SUBJECTS);
            fields.finish();
            if let Some(resources) = resources {
                kinds(&resources)?;
            }
        }
    }
    resources.map_or(Some(()), |resources| kinds(&resources))
}

fn kinds(resources: &Element<'_>) -> Option<()> {
    let fields = resources.fields()?;
    let kinds = fields.take("kinds");
    if let Some(operations) = fields.take("operations") {
        operations.stricter("every pull is judged, whatever operation it belongs to");
    }
    for key in ["name", "names", "namespaces", "namespaceSelector", "selector", "annotations"] {
        if let Some(element) = fields.take(key) {
            element.refuse::<()>("a pull has no resource by whose name, namespace or labels it could be chosen");
        }
    }
    fields.finish();
    let Some(kinds) = kinds else { return resources.refuse("it has no `kinds`") };
    let names: Vec<_> = kinds.items()?.iter().map(|kind| Some((kind.clone(), kind.text()?))).collect();
    let names: Vec<_> = names.into_iter().collect::<Option<_>>()?;
    let parts = |name: &str| name.split('/').map(str::to_string).collect::<Vec<_>>();
    let mut foreign = false;
    for (kind, name) in &names {
        if !parts(name).iter().any(|part| WORKLOADS.contains(&part.as_str())) {
            foreign = true;
            kind.refuse::<()>(format!("`{name}` is no kind that runs images of its own"));
        }
    }
    if foreign {
        return None;
    }
    if names.iter().any(|(_, name)| parts(name).iter().any(|part| part == "Pod")) {
        kinds.exact("every pull is judged, and so is that of every pod");
    } else {
        kinds.stricter("every pull is judged, not only those for these kinds");
    }
    Some(())
}

const SUBJECTS: [(&str, &str); 4] = [
    ("clusterRoles", "a pull has no user of the cluster"),
    ("roles", "a pull has no user of the cluster"),
    ("subjects", "a pull has no user of the cluster"),
    ("userInfo", "a pull has no user of the cluster"),
];

const WORKLOADS: [&str; 8] =
    ["CronJob", "DaemonSet", "Deployment", "Job", "Pod", "ReplicaSet", "ReplicationController", "StatefulSet"];
