//! Credentials as the configuration gives them.

use super::*;

#[test]
fn secrets_are_not_shown() {
    let secret = || Secret::from("hunter2".to_string());
    let basic = Credentials::Basic { username: "robot".to_string(), password: SecretSource::Inline(secret()) };
    for credentials in [basic, Credentials::Bearer(SecretSource::Inline(secret()))] {
        assert!(!format!("{credentials:?}").contains("hunter2"));
    }
}

#[test]
fn a_secret_of_a_file_ends_before_its_line_break() {
    for (content, secret) in
        [("s3cret", "s3cret"), ("s3cret\n", "s3cret"), ("s3cret\r\n\n", "s3cret"), (" s \n", " s ")]
    {
        assert_eq!(Secret::of_file(content.into()), Ok(Secret::from(secret.to_string())), "{content:?}");
    }
    assert_eq!(Secret::of_file(b"\r\n".to_vec()), Err("it is empty"));
    assert_eq!(Secret::of_file(vec![0xff]), Err("it is not UTF-8"));
}

#[test]
fn a_helper_that_is_missing_is_named() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let text = r#"{"credHelpers":{"reg.io":"countersign-test-nobody"},"credsStore":"countersign-test-nobody"}"#;
    std::fs::write(file.path(), text).expect("a file");
    let names = ["reg.io".parse().expect("a name")];
    assert_eq!(missing_helpers(file.path(), &names), ["docker-credential-countersign-test-nobody"]);
    assert!(examine(text.as_bytes(), &names).is_ok(), "it may come later");
}
