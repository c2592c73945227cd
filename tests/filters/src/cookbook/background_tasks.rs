//! Filters with a task beside their requests.

use std::{cell::RefCell, collections::BTreeSet, rc::Rc, time::Duration};

use inproxy::{
    call::CallError,
    prelude::*,
    shared::{Lease, Shared},
    time,
};

// ANCHOR: background
/// Refuses clients that are on a list, which it fetches again every minute.
#[filter(root_id = "cookbook_background")]
pub struct Denylist {
    denied: Rc<RefCell<BTreeSet<Vec<u8>>>>,
}

/// Where the list is.
#[config]
pub struct List {
    pub(super) source: Cluster,
    #[serde(default = "minute")]
    pub(super) seconds: u64,
}

impl Configure for Denylist {
    type Config = List;

    fn configure(config: List, plugin: &mut Plugin) -> Result<Self> {
        let denied = Rc::new(RefCell::new(BTreeSet::new()));
        let fetched = Rc::clone(&denied);
        plugin.spawn(async move {
            let mut interval = time::interval(Duration::from_secs(config.seconds));
            loop {
                interval.tick().await;
                match fetch(&config.source).await {
                    Ok(list) => *fetched.borrow_mut() = list,
                    Err(error) => log::warn!("the list stays as it is: {error}"),
                }
            }
        });
        Ok(Self { denied })
    }
}

/// One client in each line.
pub(super) async fn fetch(source: &Cluster) -> Result<BTreeSet<Vec<u8>>, CallError> {
    let answer = source.get("/denied").send().await?.require_success()?;
    Ok(answer.body().split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect())
}

impl HttpFilter for Denylist {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let client = request.headers().get("x-client");
        // Not borrowed any more when something is awaited.
        let denied = client.is_some_and(|client| self.denied.borrow().contains(client.as_bytes()));
        if denied { Ok(Response::new(StatusCode::FORBIDDEN)) } else { Ok(next.run(request).await) }
    }
}
// ANCHOR_END: background

fn minute() -> u64 {
    60
}

// ANCHOR: lease
/// Puts a text that one of all workers fetches, once in a while, into each response.
#[filter(root_id = "cookbook_lease")]
pub struct Banner {
    text: Shared<String>,
}

impl Configure for Banner {
    type Config = List;

    fn configure(config: List, plugin: &mut Plugin) -> Result<Self> {
        let text = Shared::new("cookbook_lease/text");
        let fetched = text.clone();
        let period = Duration::from_secs(config.seconds);
        // Whoever has it keeps it for as long as it renews it in time.
        let lease = Lease::new("cookbook_lease/lease", period * 3);
        plugin.spawn(async move {
            let mut interval = time::interval(period);
            loop {
                interval.tick().await;
                if let Err(error) = fetch_for_all(&config.source, &fetched, &lease).await {
                    log::warn!("the text stays as it is: {error:#}");
                }
            }
        });
        Ok(Self { text })
    }
}

async fn fetch_for_all(source: &Cluster, text: &Shared<String>, lease: &Lease) -> Result<()> {
    if !lease.take(time::now()?)? {
        return Ok(());
    }
    let answer = source.get("/text").send().await?.require_success()?;
    Ok(text.set(&String::from_utf8(answer.into_body())?)?)
}
// ANCHOR_END: lease

impl HttpFilter for Banner {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let text = self.text.get()?;
        let mut response = next.run(request).await;
        response.headers_mut().insert("x-banner", text.unwrap_or_default())?;
        Ok(response)
    }
}
