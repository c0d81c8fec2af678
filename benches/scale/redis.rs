//! A real Redis, filled with what the simulated store holds: what it takes there.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use countersign::store::shared::{Servers, Settings, SharedStore};
use countersign::store::{Listing, Store};
use countersign::telemetry::Metrics;

use super::simulation::store::Held;

/// By how many bytes the memory that the Redis at `address` uses grows when it holds all of `held`.
pub(crate) fn memory(address: &str, held: &Held) -> Result<u64, Box<dyn Error>> {
    let before = used(address)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(fill(address, held))?;
    Ok(used(address)?.saturating_sub(before))
}

async fn fill(address: &str, held: &Held) -> Result<(), Box<dyn Error>> {
    let settings = Settings {
        servers: Servers::parse(&format!("redis://{address}"), false)?,
        sentinel: None,
        username: None,
        password_file: None,
        ca: None,
        timeout: Duration::from_secs(5),
        evidence: KEEP,
    };
    let store = SharedStore::start(&settings, Metrics::new().store().clone());
    for (place, value) in &held.values {
        store.put(place, value.clone(), KEEP).await?;
    }
    for (place, items) in &held.lists {
        for item in items.iter().rev() {
            let listing = Listing { place: place.clone(), item: *item };
            store.add(&[listing], items.len(), KEEP).await?;
        }
    }
    Ok(())
}

/// What it says that it has allocated.
fn used(address: &str) -> Result<u64, Box<dyn Error>> {
    let mut connection = TcpStream::connect(address)?;
    connection.write_all(b"INFO memory\r\n")?;
    for line in BufReader::new(connection).lines() {
        if let Some(bytes) = line?.strip_prefix("used_memory:") {
            return Ok(bytes.trim().parse()?);
        }
    }
    Err("Redis does not say what memory it uses".into())
}

const KEEP: Duration = Duration::from_hours(24);
