//! Where keys and policies come from: files, folders, the text itself.

use std::fs;

use super::*;
use crate::policy::PublicKey;

#[test]
fn keys_come_from_files_folders_and_the_text_itself() {
    let inline = KEY_A.replace('\n', "\n        ");
    let text = format!(
        "authorities:\n  folder: {{ key: {{ directory: keys, insecureSkipTransparencyLog: true }} }}\n  text:\n    key:\n      \
         insecureSkipTransparencyLog: true\n      inline: |\n        {inline}\n"
    );
    let policies = parsed(&text).expect("keys");
    let keys = |name: &str| {
        let authority = policies.authority(&Name::new(name).expect("a name")).expect("an authority");
        authority.keys().iter().map(PublicKey::fingerprint).collect::<Vec<_>>()
    };
    let (a, b) = (PublicKey::from_pem(KEY_A).expect("a key"), PublicKey::from_pem(KEY_B).expect("a key"));
    assert_eq!(keys("folder"), [a.fingerprint(), b.fingerprint()]);
    assert_eq!(keys("text"), [a.fingerprint()]);
    let private = "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\nx\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n";
    let folder = folder(&[("private.pub", private), ("two.pub", &[KEY_A, KEY_B].concat()), ("none/x.txt", KEY_A)]);
    for (source, expected) in [
        ("file: private.pub", "key file `private.pub`: it is a private key; what verifies is the public one"),
        (
            "file: two.pub",
            "key file `two.pub`: it holds 2 PEM blocks; put each key into a file of its own, and name the directory",
        ),
        ("file: keys", "key file `keys`: it is not a file"),
        ("directory: none", "key directory `none` holds no `*.pub` or `*.pem`"),
        ("directory: gone", "key directory `gone`: it does not exist"),
        ("env: COUNTERSIGN_TEST_NO_SUCH_KEY", "the environment has no `COUNTERSIGN_TEST_NO_SUCH_KEY`"),
    ] {
        let text = format!("authorities:\n  x: {{ key: {{ {source}, insecureSkipTransparencyLog: true }} }}\n");
        let errors = parse(&text, "p.yaml", folder.path()).map(|_| ()).expect_err(&text);
        let (_, message) = errors.all()[0].message.split_once(": ").expect("a path and a message");
        assert_eq!(message, expected);
    }
}

#[test]
fn a_folder_of_policies_is_one_policy() {
    let authorities = AUTHORITIES.replace("file: ", "file: ../");
    let one = format!("{authorities}default: audit\n");
    let two = "policies:\n- name: p\n  match: [ r.io/** ]\n  require: { signature: { by: a } }\n";
    let folder = folder(&[("d/1.yaml", &one), ("d/2.yml", two), ("d/notes.txt", "x"), ("d/.hidden.yaml", "x")]);
    let policies = load(&folder.path().join("d")).expect("a policy");
    assert_eq!(policies.all().len(), 1);
    fs::write(folder.path().join("d/3.yaml"), format!("{two}default: deny\n")).expect("a file");
    let errors = load(&folder.path().join("d")).map(|_| ()).expect_err("a duplicate");
    let text = errors.to_string().replace(&folder.path().display().to_string(), "");
    let lines: Vec<_> = text.lines().filter(|line| line.starts_with('/')).collect();
    assert_eq!(
        lines,
        [
            "/d/3.yaml:2:9: policies[0].name: there is already a policy `p` at /d/2.yml:2:9",
            "/d/3.yaml:5:10: default: `default` is also given in /d/1.yaml",
        ]
    );
    assert!(
        load(&folder.path().join("none")).is_err_and(|errors| errors.to_string().ends_with("none: it does not exist"))
    );
}
