//! `countersign warm`: asks for a list of images as nodes would, tells what came of each, and leaves it warm.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};

use countersign::demo::registry::Options;
use http::Method;
use serde_json::Value;

use crate::support::expect::{header, served};
use crate::support::lab::Lab;
use crate::support::registry_double::{Fault, Gate, Kind};
use crate::support::scene::{blob, manifest};

mod proxies;
mod stores;

pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", self.stdout, self.stderr))
    }

    /// The last line for people.
    fn summary(&self) -> &str {
        self.stdout.lines().last().unwrap_or_default()
    }
}

/// The command, to be run by [`finished`].
pub(crate) fn warm(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    command.arg("warm").args(arguments).env_remove("NO_COLOR");
    piped(command)
}

fn piped(mut command: Command) -> Command {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs it with `list` on its standard input; not on the thread that the lab's servers run on.
pub(crate) async fn run(arguments: &[&str], list: &str) -> Ran {
    fed(warm(arguments), list).await
}

async fn fed(mut command: Command, list: &str) -> Ran {
    let mut child = command.spawn().expect("it runs");
    let list = list.to_string();
    let fed = tokio::task::spawn_blocking(move || {
        // Whoever is told that the usage is wrong has read nothing.
        let _ = child.stdin.take().expect("piped").write_all(list.as_bytes());
        finished(child)
    });
    fed.await.expect("no panic")
}

fn finished(child: Child) -> Ran {
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Ran { code: output.status.code().expect("it exits"), stdout: text(output.stdout), stderr: text(output.stderr) }
}

pub(crate) fn address(lab: &Lab) -> String {
    format!("http://{}", lab.proxy.address)
}

#[tokio::test]
async fn what_is_allowed_is_warm_afterwards() {
    let lab = Lab::start(Options::default()).await;
    let app = lab.signed("team/app");
    let other = lab.signed("team/other");
    let list = format!("# two\nregistry.demo/team/app:1\n\nregistry.demo/team/other@{}\n", other.manifest.digest);
    let ran = run(&["-", "--proxy", &address(&lab)], &list).await;
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    assert!(ran.stdout.starts_with("2 references: 2 allowed, 0 denied, 0 could not be told, "), "{}", ran.stdout);
    lab.double.forget();
    let verifications = lab.metric("verifications_total", &[]).await;
    assert_eq!(verifications, Some(2));
    served(&lab.get(&manifest("team/app", "1")).await, app.manifest.digest, "signed");
    served(&lab.get(&blob("team/other", other.layer)).await, other.layer, "member");
    assert_eq!(lab.metric("verifications_total", &[]).await, verifications);
    // The tag may have moved, and the layer is nobody's to keep.
    assert_eq!((lab.double.count(Kind::Resolve), lab.double.count(Kind::Blob)), (1, 1));
    assert_eq!(lab.double.seen().len(), 2);
}

#[tokio::test]
async fn what_is_not_allowed_is_told_in_order_in_the_proxys_words() {
    let lab = Lab::start(Options::default()).await;
    lab.signed("team/app");
    lab.unsigned("team/unsigned");
    let foreign = lab.unsigned("team/foreign").manifest;
    lab.foreign.sign_bundle(lab.registry(), &foreign).expect("signs");
    let names = ["foreign:1", "nothing:1", "app:1", "unsigned:1"].map(|name| format!("registry.demo/team/{name}"));
    let list = names.join(" ");
    let ran = run(&["-", "--proxy", &address(&lab)], &list).await;
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert!(ran.summary().starts_with("4 references: 1 allowed, 2 denied, 1 could not be told, "), "{}", ran.stdout);
    let marked: Vec<_> = ran.stdout.lines().filter(|line| line.starts_with(['✘', '?'])).collect();
    assert_eq!(marked, [format!("✘ {}", names[0]), format!("? {}", names[1]), format!("✘ {}", names[3])]);
    let json = run(&["-", "--proxy", &address(&lab), "--output", "json"], &list).await.json();
    let references = json["references"].as_array().expect("a list");
    assert_eq!(references.iter().map(|one| one["reference"].as_str().expect("a text")).collect::<Vec<_>>(), names);
    assert_eq!((&json["allowed"], &json["denied"], &json["unknown"]), (&1.into(), &2.into(), &1.into()));
    for (one, name) in references.iter().zip(["foreign", "nothing", "app", "unsigned"]) {
        let answer = lab.get(&manifest(&format!("team/{name}"), 1)).await;
        let [told] = one["answers"].as_array().expect("a list").as_slice() else { panic!("{one:#}") };
        assert_eq!(told["reason"], header(&answer, "countersign-reason"));
        assert_eq!(told["cause"].as_str().map(String::from), answer.given().cause);
        if answer.status != 200 {
            let detail = told["detail"].as_str().expect("a text");
            assert!(answer.message().contains(detail) && ran.stdout.contains(detail), "{detail}");
            assert!(!detail.is_empty() && !detail.contains("next:") && !detail.contains("registry.demo"), "{detail}");
        }
    }
    assert_eq!((&references[0]["outcome"], &references[0]["answers"][0]["policy"]), (&"denied".into(), &"demo".into()));
    assert_eq!(references[1]["outcome"], "unknown");
}

#[tokio::test]
async fn what_could_not_be_read_could_not_be_told() {
    let lab = Lab::start(Options::default()).await;
    lab.signed("team/app");
    lab.signed("team/other");
    lab.double.fault(Method::GET, "/v2/team/app/referrers/", Fault::Status(500));
    let ran = run(&["-", "--proxy", &address(&lab)], "registry.demo/team/app:1 registry.demo/team/other:1").await;
    assert_eq!(ran.code, 2, "{}", ran.stdout);
    assert!(
        ran.stdout.contains("? registry.demo/team/app:1\n  evidence_unreadable (upstream_unavailable): "),
        "{}",
        ran.stdout
    );
    assert!(ran.summary().contains("1 allowed, 0 denied, 1 could not be told"), "{}", ran.stdout);
}

#[tokio::test]
async fn what_an_index_lists_is_asked_for_too() {
    let lab = Lab::start(Options::default()).await;
    let (index, [amd64, arm64]) = lab.signed_index("team/app");
    let ran = run(&["-", "--proxy", &address(&lab)], "registry.demo/team/app:1").await;
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    for child in [&amd64, &arm64] {
        let path = manifest("team/app", child.manifest.digest);
        assert_eq!(lab.double.count_of(&Method::GET, &path), 1);
    }
    lab.double.forget();
    served(&lab.get(&manifest("team/app", index.digest)).await, index.digest, "signed");
    served(&lab.get(&manifest("team/app", arm64.manifest.digest)).await, arm64.manifest.digest, "member");
    assert_eq!(lab.double.seen().len(), 0, "all of it is warm");
}

#[tokio::test]
async fn one_platform_is_asked_for_where_it_is_named() {
    let lab = Lab::start(Options::default()).await;
    let (_, [amd64, arm64]) = lab.signed_index("team/app");
    let platform = ["--platform", "linux/arm64"];
    let ran = run(&[&["-", "--proxy", &address(&lab)], &platform[..]].concat(), "registry.demo/team/app:1").await;
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    let asked = |digest| lab.double.count_of(&Method::GET, &manifest("team/app", digest));
    assert_eq!((asked(amd64.manifest.digest), asked(arm64.manifest.digest)), (0, 1));
}

/// An index that was copied without one of its platforms serves the others; whoever names that platform wants it.
#[tokio::test]
async fn what_an_index_lists_and_the_registry_lacks_counts_where_it_is_named() {
    let lab = Lab::start(Options::default()).await;
    let (_, [_, arm64]) = lab.signed_index("team/app");
    let gone = arm64.manifest.digest;
    lab.double.fault(Method::GET, &manifest("team/app", gone), Fault::Status(404));
    let address = address(&lab);
    let ran = run(&["-", "--proxy", &address], "registry.demo/team/app:1").await;
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    let ran = run(&["-", "--proxy", &address, "--platform", "linux/arm64"], "registry.demo/team/app:1").await;
    assert_eq!(ran.code, 2, "{}", ran.stdout);
    let line = format!("  linux/arm64 ({gone}): upstream_not_found: ");
    assert!(ran.stdout.contains(&line), "{}", ran.stdout);
}

#[tokio::test]
async fn lines_that_name_no_image_are_shown_with_their_place_and_the_rest_goes_on() {
    let lab = Lab::start(Options::default()).await;
    lab.signed("team/app");
    let path = lab.config.with_file_name("images.txt");
    std::fs::write(&path, "registry.demo/team/app:1\nnginx\nregistry.demo/team/app:1 https://x.io/a\n")
        .expect("a file");
    let path = path.to_str().expect("text");
    let ran = run(&[path, "--proxy", &address(&lab)], "").await;
    assert_eq!(ran.code, 64, "{}", ran.stdout);
    assert!(ran.stderr.contains(&format!("{path}:2: `nginx` does not say which registry")), "{}", ran.stderr);
    assert!(ran.stderr.contains(&format!("{path}:3: an image is named without `https://`")), "{}", ran.stderr);
    assert!(ran.summary().starts_with("1 reference: 1 allowed, 0 denied, 0 could not be told, 2 more that are none"));
    assert_eq!(lab.metric("verifications_total", &[]).await, Some(1));
    let json = run(&[path, "--proxy", &address(&lab), "--output", "json"], "").await.json();
    assert_eq!((json["wrong"].as_array().expect("a list").len(), &json["allowed"]), (2, &1.into()));
}

#[tokio::test]
async fn wrong_usage_and_empty_lists_exit_with_64() {
    let lab = Lab::start(Options::default()).await;
    let (proxy, config) = (address(&lab), lab.config.to_str().expect("text").to_string());
    for (arguments, list, part) in [
        (&["-"][..], "", "--proxy"),
        (&["-", "--proxy", &proxy], "# nothing\n\n", "standard input names no image"),
        (&["-", "--proxy", "ftp://x"], "", "http:// or https://"),
        (&["-", "--proxy", "http://user:secret@x"], "", "http:// or https://"),
        (&["-", "--proxy", &proxy, "--config", &config], "", "cannot be used with"),
        (&["-", "--proxy", &proxy, "--jobs", "0"], "", "--jobs"),
        (&["no-such-file", "--proxy", &proxy], "", "cannot read `no-such-file`"),
    ] {
        let ran = run(arguments, list).await;
        assert_eq!((ran.code, ran.stdout.as_str()), (64, ""), "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(part), "{arguments:?}: {}", ran.stderr);
    }
    assert_eq!(lab.double.seen().len(), 0);
}

#[tokio::test]
async fn an_interruption_tells_what_was_done_so_far() {
    let lab = Lab::start(Options::default()).await;
    lab.signed("team/app");
    lab.signed("team/slow");
    let gate = Gate::closed();
    lab.double.fault(Method::HEAD, "/v2/team/slow/manifests/1", Fault::Gate(gate.clone()));
    let list = "registry.demo/team/app:1 registry.demo/team/slow:1 registry.demo/team/never:1";
    let mut child = warm(&["-", "--proxy", &address(&lab), "--jobs", "1"]).spawn().expect("it runs");
    child.stdin.take().expect("piped").write_all(list.as_bytes()).expect("it reads");
    // Of the first image and of the second; with `--jobs 1` the third waits.
    lab.double.arrived(Kind::Resolve, 2).await;
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("it runs");
    assert!(killed.success());
    let ran = tokio::task::spawn_blocking(move || finished(child)).await.expect("no panic");
    gate.open();
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    let summary = "interrupted: 3 references: 1 allowed, 0 denied, 0 could not be told, 2 not asked for, ";
    assert!(ran.stdout.starts_with(summary), "{}", ran.stdout);
}

#[tokio::test]
async fn a_reader_that_goes_away_is_no_panic() {
    let lab = Lab::start(Options::default()).await;
    lab.unsigned("team/unsigned");
    let mut child = warm(&["-", "--proxy", &address(&lab)]).spawn().expect("it runs");
    child.stdin.take().expect("piped").write_all(b"registry.demo/team/unsigned:1").expect("it reads");
    drop(child.stdout.take());
    let (status, said) = tokio::task::spawn_blocking(move || {
        let mut said = String::new();
        child.stderr.take().expect("piped").read_to_string(&mut said).expect("text");
        (child.wait().expect("it ends"), said)
    })
    .await
    .expect("no panic");
    assert_eq!(status.code(), Some(2), "{said}");
    assert!(said.starts_with("countersign: cannot print the result: "), "{said}");
}
