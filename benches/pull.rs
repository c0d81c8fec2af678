//! What a warm pull through the proxy costs beside the same request to the bare in-process registry, in one run.
//!
//! `cargo bench` measures; `cargo bench -- --smoke` only shows that it still runs. Rounds alternate between the two, so
//! that a noisy machine disturbs both alike; the ratio is the figure to look at.

use std::error::Error;
use std::io::Write;
use std::time::Duration;

use countersign::demo::client::Client;
use countersign::demo::images;
use countersign::demo::proxy::{self, Scratch};
use countersign::demo::registry::{Options, Registry};
use countersign::demo::signer::Signer;

fn main() -> Result<(), Box<dyn Error>> {
    let smoke = std::env::args().any(|argument| argument == "--smoke");
    tokio::runtime::Runtime::new()?.block_on(compare(if smoke { 20 } else { 5_000 }))
}

async fn compare(rounds: usize) -> Result<(), Box<dyn Error>> {
    let registry = Registry::new(Options::default());
    let signer = Signer::generate()?;
    let image = images::image(&registry, "team/app", Some("1"), "hello\n").manifest;
    signer.sign_bundle(&registry, &image)?;
    let serving = registry.serve().await?;
    let scratch = Scratch::new()?;
    let policy = proxy::policy(&registry.options().name, &signer.public_key_pem());
    let proxy = proxy::start_proxy(&scratch.write(&registry.options().name, serving.address(), &policy)?).await?;
    let client = Client::new()?;
    let path = format!("/v2/team/app/manifests/{}", image.digest);
    let (through, bare) = (format!("http://{}{path}", proxy.address), format!("http://{}{path}", serving.address()));
    let (mut through_took, mut bare_took) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        for (url, took) in [(&through, &mut through_took), (&bare, &mut bare_took)] {
            let answer = client.get(url).await?;
            if answer.status != 200 {
                return Err(format!("{url} was answered {}", answer.status).into());
            }
            took.push(answer.took);
        }
    }
    let (through, bare) = (median(through_took), median(bare_took));
    let ratio = through.as_secs_f64() / bare.as_secs_f64();
    writeln!(
        std::io::stdout(),
        "warm GET by digest, median of {rounds}: {through:?} through the proxy, {bare:?} bare, {ratio:.2}×"
    )?;
    proxy.shutdown().await;
    Ok(())
}

fn median(mut took: Vec<Duration>) -> Duration {
    took.sort_unstable();
    took[took.len() / 2]
}
