use super::*;

#[test]
fn accepts_ordinary_documents() {
    assert!(unambiguous(br#" {"a":[1,-2,3.5,"x",null,true,{"b":{}}],"c":{"a":1}} "#).is_ok());
}

#[test]
fn a_structure_stands_as_an_object_only() {
    #[derive(Deserialize)]
    struct One {
        a: u8,
    }
    let parsed = |json: &str| parse::<Object<One>>(json.as_bytes()).map(|Object(one)| one.a).ok();
    assert_eq!((parsed(r#"{"a":1}"#), parsed("[1]"), parsed("1"), parsed("{}")), (Some(1), None, None, None));
}

#[test]
fn refuses_what_readers_could_read_differently() {
    for bad in [
        r#"{"a":1,"a":2}"#,
        r#"[{"x":{"a":1,"\u0061":2}}]"#,
        r#"{"a":1} {"a":1}"#,
        r#"{"a":1}garbage"#,
        "\u{feff}{}",
        r#"{"a":NaN}"#,
        "",
    ] {
        assert!(unambiguous(bad.as_bytes()).is_err(), "{bad}");
    }
    assert!(unambiguous("[".repeat(200).as_bytes()).is_err());
    // A duplicate of any name, at any distance, among few and among many; and none where there is none.
    for count in [2, FEW, FEW + 1, 3 * FEW] {
        let members = |names: &[usize]| names.iter().map(|n| format!(r#""\u0061{n}":1"#)).collect::<Vec<_>>().join(",");
        let all: Vec<_> = (0..count).collect();
        assert!(unambiguous(format!("{{{}}}", members(&all)).as_bytes()).is_ok());
        for twice in 0..count {
            let again = format!(r#"{{{},"a{twice}":1}}"#, members(&all));
            assert!(unambiguous(again.as_bytes()).is_err(), "{again}");
        }
    }
    for other in ["layer\u{17f}", "LAYERS", "\\u017fLAYERS"] {
        let twice = format!(r#"{{"layers":[],"slayers":[],"{other}":[]}}"#);
        assert!(unambiguous(twice.as_bytes()).is_ok() && unambiguous_to_all(twice.as_bytes()).is_err(), "{twice}");
    }
    assert!(unambiguous_to_all("{\"\u{212a}\":1,\"k\":2}".as_bytes()).is_err());
    let cased = br#"{"layers":[],"Layers":[]}"#;
    assert!(unambiguous(cased).is_ok() && unambiguous_to_all(cased).is_err());
    assert!(unambiguous(b"[]").is_ok() && unambiguous_to_all(b"[]").is_err());
    let long = unambiguous(format!(r#"{{"{0}":1,"{0}":2}}"#, "a".repeat(1 << 20)).as_bytes());
    assert!(long.expect_err("a duplicate").to_string().len() < 200);
}

#[test]
fn no_name_stands_for_another_that_is_looked_for() {
    static NAMES: Vocabulary = Vocabulary { members: &["urls", "tokens", "annotations"], maps: &["annotations"] };
    let passes = |document: &str| unambiguous_with(document.as_bytes(), &NAMES).is_ok();
    for good in [
        r#"{"urls":[],"tokens":1,"other":{"urls":1}}"#,
        r#"{"annotations":{"URLs":"a","urls":"b","Urls":"c","\u212a":"d","k":"e"}}"#,
        r#"{"\u0075rls":[]}"#,
    ] {
        assert!(passes(good), "{good}");
    }
    for bad in [
        r#"{"URLs":[]}"#,
        r#"{"x":[{"url\u017f":[]}]}"#,
        "{\"url\u{17f}\":[]}",
        "{\"to\u{212a}ens\":1}",
        r#"{"Annotations":{}}"#,
        r#"{"annotations":{"a":"1","a":"2"}}"#,
        r#"{"other":1,"Other":2}"#,
        "[]",
    ] {
        assert!(!passes(bad), "{bad}");
    }
}
