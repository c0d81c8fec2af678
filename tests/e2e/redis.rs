//! The shared store on a real Redis.

mod failover;
mod forgery;
mod outage;
mod secured;
mod values;

use std::sync::Arc;
use std::time::Duration;

use countersign::store::shared::{Servers, Settings, SharedStore};
use countersign::store::{Item, Listing, Place, Shelf, StoreDown};
use countersign::telemetry::{Metrics, StoreMetrics};

/// The settings that lead to a server without secrets.
fn settings(port: u16) -> Settings {
    Settings {
        servers: Servers::parse(&format!("redis://127.0.0.1:{port}"), false).expect("a URL"),
        sentinel: None,
        username: None,
        password_file: None,
        ca: None,
        timeout: PATIENT,
        evidence: Duration::from_mins(1),
    }
}

/// Where machines are slow, nothing here is to depend on it.
const PATIENT: Duration = Duration::from_secs(5);

/// A store with these settings. Its first operation waits for the first connection.
fn store(settings: &Settings) -> (SharedStore, Arc<StoreMetrics>) {
    let metrics = Metrics::new().store().clone();
    let store = SharedStore::start(settings, metrics.clone());
    (store, metrics)
}

fn place(shelf: Shelf, name: &str) -> Place {
    Place::new(shelf, name)
}

fn item(says: u8, seal: u8) -> Item {
    let mut item = [seal; 65];
    item[..33].fill(says);
    Item(item)
}

fn listing(name: &str, item: Item) -> Listing {
    Listing { place: place(Shelf::Members, name), item }
}

/// Waits until what is asked comes to be; what it was last, if it never does. A sentinel that the machine held up for two
/// seconds does nothing for thirty.
async fn becomes<T, F: Future<Output = Result<T, StoreDown>>>(ask: impl Fn() -> F) -> Result<T, StoreDown> {
    let began = std::time::Instant::now();
    loop {
        match ask().await {
            Err(_) if began.elapsed() < Duration::from_secs(90) => tokio::time::sleep(Duration::from_millis(20)).await,
            answer => return answer,
        }
    }
}
