//! `countersign warm FILE`: verifies ahead what a cluster runs, so that no node waits for it.
//!
//! It pulls as the proxy does and decides nothing itself. What it comes to stands where nodes find it: in the configured
//! store, or in the memory of the running proxies that it asks.

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::time::Instant;

use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval_at};
use url::Url;

use super::colour::Paint;
use super::report::CONFIGURATION;
use super::serve::{block_on, complain};
use super::{Output, USAGE};
use crate::config::{self, Config};
use crate::route::Registries;

mod answer;

mod here;

mod list;

mod progress;

mod proxy;

mod report;

mod said;

mod walk;

use list::List;
use progress::Progress;
use proxy::Proxy;
use report::{Report, worst};
use walk::{Asker, Platforms};

/// What the command may be told.
#[derive(Debug, clap::Args)]
#[command(
    group = clap::ArgGroup::new("where").args(["config", "proxy"]).required(true),
    after_help = AFTER_HELP
)]
pub(super) struct Arguments {
    /// The images, separated by white space; `#` begins a comment. `-` reads standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The configuration of `serve`: what is verified stands in its store, for all proxies that share it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Ask the running proxy at this address, as a node would, so that it stands in its memory; may be given again.
    #[arg(long, value_name = "URL", value_parser = proxy::url)]
    proxy: Vec<Url>,
    /// With `--proxy`: believe HTTPS by the authorities in this PEM file.
    #[arg(long, value_name = "FILE", conflicts_with = "config")]
    ca: Option<PathBuf>,
    /// Of an index, ask for what it lists for this platform alone, such as `linux/amd64`; may be given again.
    #[arg(long, value_name = "OS/ARCH")]
    platform: Vec<String>,
    /// How many images are asked for at the same time.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: u16,
    /// How to print the result.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

const AFTER_HELP: &str = "\
What a cluster runs:
  kubectl get pods -A -o jsonpath=\"{.items[*].spec['initContainers','containers'][*].image}\" |
    countersign warm - --config countersign.yaml

Exit codes: 0 all are allowed; 1 some are denied; 2 of some it could not be told, it was interrupted, or the store did not
take what was learned; 64 some text in the
list names no image, whatever the rest came to, or the usage is wrong; 78 the configuration is wrong.";

/// Asks for everything on the list, and returns the exit code.
pub(super) fn run(arguments: &Arguments, out: &mut (impl io::Write + IsTerminal)) -> u8 {
    let read = List::read(&arguments.file);
    let (bytes, name) = match read {
        Ok(read) => read,
        Err(error) => return complain(&format!("cannot read `{}`: {error}", arguments.file.display()), USAGE),
    };
    match block_on(warm(arguments, &bytes, &name)) {
        Ok(Ok(report)) => {
            let written = match arguments.output {
                Output::Json => report.json(out),
                Output::Text => report.text(Paint::on(out), out),
            };
            match written {
                Ok(()) => report.code(),
                Err(error) => complain(&format!("cannot print the result: {error}"), UNKNOWN),
            }
        }
        Ok(Err(code)) => code,
        Err(error) => complain(&format!("cannot run: {error}"), UNKNOWN),
    }
}

/// Reads the list and asks; what prevents it has been said, and gives the exit code.
async fn warm(arguments: &Arguments, bytes: &[u8], name: &str) -> Result<Report, u8> {
    let began = Instant::now();
    let (askers, known) = askers(arguments).await?;
    let list = List::parse(bytes, name, &known);
    for wrong in &list.wrong {
        complain(wrong, USAGE);
    }
    if list.entries.is_empty() {
        return Err(complain(&format!("{name} names no image"), USAGE));
    }
    let platforms = Platforms(arguments.platform.clone());
    let mut progress = Progress::of(list.entries.len());
    let mut answers = vec![None; list.entries.len()];
    let asked = list.entries.iter().enumerate().map(async |(number, entry)| {
        let each = askers.iter().map(|asker| asker.answer(&entry.pull, &platforms));
        (number, join_all(each).await)
    });
    let mut asked = stream::iter(asked).buffer_unordered(arguments.jobs.into());
    let cannot = |error: io::Error| complain(&format!("cannot run: {error}"), UNKNOWN);
    let mut interrupt = signal(SignalKind::interrupt()).map_err(cannot)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(cannot)?;
    let mut shown = interval_at((began + progress.every()).into(), progress.every());
    shown.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let interrupted = loop {
        tokio::select! {
            next = asked.next() => match next {
                Some((number, all)) => {
                    progress.add(worst(&all));
                    answers[number] = Some(all);
                }
                None => break false,
            },
            _ = shown.tick() => progress.show(),
            _ = interrupt.recv() => break true,
            _ = terminate.recv() => break true,
        }
    };
    progress.end();
    drop(asked);
    let settled = join_all(askers.iter().map(Asker::settle)).await;
    let unsettled = settled.into_iter().find_map(Result::err);
    if let Some(why) = &unsettled {
        complain(&format!("{why}; mend it, and run this again, or proxies verify anew what it lacks"), UNKNOWN);
    }
    let stored = unsettled.is_none();
    Ok(Report { list, answers, interrupted, stored, took: began.elapsed() })
}

/// Who is asked, and the registries that have names of their own there.
async fn askers(arguments: &Arguments) -> Result<(Vec<Asker>, Registries), u8> {
    if let Some(path) = &arguments.config {
        let config = Config::load(path, config::environment());
        let config = config.map_err(|errors| complain(&errors.to_string(), CONFIGURATION))?;
        let (puller, known) = here::puller(&config).await?;
        return Ok((vec![Asker::Here(Box::new(puller))], known));
    }
    let proxies = Proxy::all(&arguments.proxy, arguments.ca.as_deref());
    let proxies = proxies.map_err(|why| complain(&why, CONFIGURATION))?;
    for proxy in &proxies {
        let name = proxy.name();
        proxy.ping().await.map_err(|why| complain(&format!("no proxy answers at {name}: {why}"), UNKNOWN))?;
    }
    Ok((proxies.into_iter().map(Asker::Proxy).collect(), Registries::default()))
}

const UNKNOWN: u8 = 2;
