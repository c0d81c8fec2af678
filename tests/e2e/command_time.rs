//! The whole command beside cosign's: same image, same registry, same run. It needs an optimised program, named by
//! `COUNTERSIGN_BIN`, and a machine of its own: `cargo test --test e2e command_time -- --ignored`.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use crate::keyless::{ours, proxy};
use crate::support::containerd::Version;
use crate::support::cosign::Cosign;
use crate::support::cosign::keyless::Form;
use crate::support::lab::Cell;
use crate::support::registry::Kind;
use crate::support::sigstore::GITLAB;

const RUNS: usize = 11;

#[test]
#[ignore = "needs an optimised program and a machine of its own"]
fn verify_takes_no_longer_than_cosign_verify() {
    for (registry, cosign) in [(Kind::Docker, Cosign::Legacy), (Kind::Referrers, Cosign::Bundle)] {
        compare(Cell { containerd: Version::V2, registry, cosign });
    }
}

fn compare(cell: Cell) {
    let image = cell.lab().push("keyless");
    let form = Form::from(cell.cosign);
    form.sign(&ours(), &image);
    let proxy = proxy(cell);
    let identity = ours().identity();
    let question = ["verify", "--certificate-identity", &identity, "--certificate-oidc-issuer", GITLAB];
    // In turns, so that what else the machine does slows both.
    let (mut ours, mut theirs): (Vec<_>, Vec<_>) = (0..RUNS)
        .map(|_| {
            let ours = timed(|| drop(proxy.explain(&image).succeeded()));
            let theirs = timed(|| drop(form.verify(&question, &image).succeeded()));
            (ours, theirs)
        })
        .unzip();
    let (ours, theirs) = (median(&mut ours), median(&mut theirs));
    let figures = format!("countersign verify {ours:.1?}, cosign verify {theirs:.1?}, medians of {RUNS}");
    let _ = writeln!(io::stderr(), "{figures}");
    assert!(ours <= theirs, "{figures}");
}

fn timed(work: impl FnOnce()) -> Duration {
    let began = Instant::now();
    work();
    began.elapsed()
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
