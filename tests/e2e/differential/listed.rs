//! The differences that `docs/cosign-differences.md` lists: table rows of cases, what cosign says, what we say, why.

use std::fs;
use std::path::Path;

/// One row.
pub(super) struct Difference {
    /// The cases, by name; `*` stands for any words.
    pub(super) names: Vec<String>,
    pub(super) cosign_accepts: bool,
}

impl Difference {
    pub(super) fn covers(&self, case: &str) -> bool {
        self.names.iter().any(|name| match name.split_once('*') {
            None => name == case,
            Some((start, end)) => {
                case.len() >= start.len() + end.len() && case.starts_with(start) && case.ends_with(end)
            }
        })
    }
}

pub(super) fn read() -> Vec<Difference> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/cosign-differences.md");
    let text = fs::read_to_string(path).expect("the list is there");
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [cases, cosign, ours, why] = cells[..] else { panic!("a row has four cells: {row}") };
        assert!(!why.is_empty(), "no reason: {row}");
        let cosign_accepts = match (cosign, ours) {
            ("accepts", "refuses") => true,
            ("refuses", "accepts") => false,
            _ => panic!("no difference: {row}"),
        };
        let names = cases.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        Difference { names, cosign_accepts }
    })
    .collect()
}
