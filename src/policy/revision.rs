//! The identity of a whole policy: what an operator compares between replicas, and waits for after an edit.

use aws_lc_rs::digest::{Context, SHA256};

use super::{Mode, Policies};
use crate::oci::Digest;

impl Policies {
    /// Twelve hex digits that change whenever the policies, the keys they resolve to, exemptions, revocations, `default`
    /// or audit mode do. Where the files stand and how they are laid out makes no difference.
    pub fn fingerprint(&self) -> String {
        let mut hash = Context::new(&SHA256);
        for policy in &self.all {
            hash.update(policy.content.as_bytes());
        }
        hash.update(b"exemptions");
        for exemption in &self.exemptions {
            hash.update(exemption.content.as_bytes());
        }
        hash.update(self.revoked_content.as_bytes());
        hash.update(&[u8::from(self.default == Mode::Audit), u8::from(self.audit)]);
        let mut bytes = [0; 32];
        bytes.copy_from_slice(hash.finish().as_ref());
        Digest::from_bytes(bytes).hex()[..LENGTH].to_string()
    }
}

/// Enough to tell any two policies apart that somebody wrote.
const LENGTH: usize = 12;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::policy::Policies;
    use crate::policy::file;

    const EXEMPTION: &str = "exemptions:\n- match: [ r.io/x ]\n  reason: INC-1\n";

    fn parsed(text: &str) -> Policies {
        file::parse(text, "policy.yaml", Path::new(".")).expect("a good policy")
    }

    #[test]
    fn it_tells_apart_what_decides_differently_and_nothing_else() {
        let rule = "authorities:\n  ci: { keyless: { trustRoot: r, issuer: i, identity: x } }\ntrustRoots: { r: { file: x } }\n\
                    policies:\n- name: p\n  match: [ r.io/** ]\n  require: { signature: { by: ci } }\n";
        let revoked =
            "revoked: { digests: [ \"sha256:0000000000000000000000000000000000000000000000000000000000000000\" ] }\n";
        let of = |text: &str| parsed(text).fingerprint();
        let all = [
            of(rule),
            of(&rule.replace("identity: x", "identity: y")),
            of(&format!("{rule}{EXEMPTION}")),
            of(&format!("{rule}{EXEMPTION}").replace("INC-1", "INC-2")),
            of(&format!("{rule}{revoked}")),
            of(&format!("{rule}default: audit\n")),
            parsed(rule).audited(true).fingerprint(),
        ];
        for (at, one) in all.iter().enumerate() {
            assert!(one.len() == 12 && one.bytes().all(|byte| byte.is_ascii_hexdigit()), "{one}");
            assert!(!all[at + 1..].contains(one), "{all:?}");
        }
        assert_eq!(of(&format!("# said otherwise\n{rule}\ndefault: deny\n")), all[0]);
    }
}
