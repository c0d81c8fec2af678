//! Where things are kept.

use std::path::Path;

use super::{LEAST, mistakes, parsed};
use crate::config::Kind;

#[test]
fn without_a_word_it_is_a_file_and_paths_are_relative_to_the_configuration() {
    let store = parsed(LEAST, &[]).expect("it is right").store;
    let Kind::Embedded { path, most } = store.kind else { panic!("{:?}", store.kind) };
    assert_eq!((path.as_path(), most), (Path::new("/var/lib/countersign/store.redb"), 2 << 30));
    assert!(store.keys.is_empty());

    let text = format!("{LEAST}store: {{ embedded: {{ path: s.redb, maxSize: 64MiB }} }}\n");
    let store = parsed(&text, &[]).expect("it is right").store;
    let Kind::Embedded { path, most } = store.kind else { panic!("{:?}", store.kind) };
    assert_eq!(path, Path::new("/etc/countersign/s.redb"));
    assert_eq!(most, 64 << 20);

    let text = format!("{LEAST}store: {{ kind: memory }}\n");
    assert!(matches!(parsed(&text, &[]).expect("it is right").store.kind, Kind::Memory));
}

#[test]
fn what_does_not_fit_together_is_told_at_its_place() {
    for (text, expected) in [
        ("store: { embedded: { maxSize: 63MiB } }", "store.embedded.maxSize: it must be at least `64MiB`"),
        ("store: { embedded: { maxSize: 1 } }", "store.embedded.maxSize: `1` is not a size"),
        ("store: { kind: memory, embedded: { path: p } }", "store.embedded: it is for `kind: embedded`"),
        ("store: { kind: memory, redis: { url: 'redis://a' } }", "store.redis: it is for `kind: redis`"),
        ("store: { keys: [ gone ] }", "store.keys[0]: the store's key `/etc/countersign/gone` cannot be read"),
    ] {
        let found = mistakes(&format!("{LEAST}{text}\n"), &[]);
        let [one] = &found[..] else { panic!("{text}\n{found:?}") };
        assert!(one.starts_with("c.yaml:3:") && one.contains(expected), "{one}");
    }
}
