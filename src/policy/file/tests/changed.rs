//! What tells that a policy would be read otherwise than before.

use std::fs;

use super::*;

const TEXT: &str = "\
trustRoots:
  f: { file: root.json }
  t: { tuf: { mirror: 'https://t.io', root: tuf.json } }
authorities:
  a: { key: { file: a.pub, insecureSkipTransparencyLog: true } }
  b: { key: { directory: keys, insecureSkipTransparencyLog: true } }
revoked: { keys: [ gone.pub ] }
default: deny
";

#[test]
fn every_file_that_a_policy_is_read_from_tells_by_its_content() {
    let files = [("d/1.yaml", TEXT), ("d/2.yaml", "default: deny\n"), ("d/a.pub", KEY_A), ("d/keys/1.pub", KEY_A)];
    let files = [&files[..], &[("d/gone.pub", KEY_B)]].concat();
    let folder = folder(&[&files[..], &[("d/tuf.json", "{}"), ("d/root.json", "{}")]].concat());
    let path = |name: &str| folder.path().join(name);
    let look = |before: &Sources| Sources::look(&path("d"), Some(before));
    let mut last = Sources::look(&path("d"), None);
    for (name, policy) in [
        ("d/1.yaml", true),
        ("d/2.yaml", true),
        ("d/3.yml", true),
        ("d/a.pub", true),
        ("d/keys/1.pub", true),
        ("d/keys/2.pem", true),
        ("d/tuf.json", true),
        ("d/gone.pub", true),
        ("d/root.json", false),
    ] {
        let old = fs::read(path(name)).ok();
        for new in [Some("another text"), None, old.as_ref().map(|_| "and another")] {
            match new {
                Some(new) => fs::write(path(name), new).expect("a file"),
                None if path(name).exists() => fs::remove_file(path(name)).expect("it was there"),
                None => continue,
            }
            let now = look(&last);
            assert_eq!(now.same_policy(&last), !policy, "{name}: {new:?}");
            // With the text that names them, trusted roots go and come.
            assert!(now.same_trust_roots(&last) == policy || name == "d/1.yaml", "{name}: {new:?}");
            last = now;
        }
        if let Some(old) = old {
            fs::write(path(name), old).expect("a file");
            last = look(&last);
        }
    }
    for (name, text) in [("d/notes.txt", "x"), ("d/.hidden.yaml", "x"), ("d/keys/notes.txt", "x"), ("d/a.pub", KEY_A)] {
        fs::write(path(name), text).expect("a file");
        let now = look(&last);
        assert!(now.same_policy(&last) && now.same_trust_roots(&last), "{name}");
    }
}

#[test]
fn a_text_that_is_wrong_and_one_that_is_not_there_tell_when_they_are_mended() {
    let folder = folder(&[]);
    let path = folder.path().join("policy.yaml");
    let mut last = Sources::look(&path, None);
    for text in ["policies: [", TEXT, "\u{0}", TEXT] {
        assert!(Sources::look(&path, Some(&last)).same_policy(&last), "nothing has changed before {text:?}");
        fs::write(&path, text).expect("a file");
        let now = Sources::look(&path, Some(&last));
        assert!(!now.same_policy(&last), "{text:?}");
        last = now;
    }
    fs::remove_file(folder.path().join("a.pub")).expect("it was there");
    let without = Sources::look(&path, Some(&last));
    fs::write(folder.path().join("a.pub"), KEY_B).expect("a file");
    let with = Sources::look(&path, Some(&without));
    assert!(!without.same_policy(&last) && !with.same_policy(&without) && !with.same_policy(&last));
}
