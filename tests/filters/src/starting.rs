//! Filters that ask others before they can serve, once for all.

use std::{rc::Rc, time::Duration};

use inproxy::{ConfigureAsync, call::CallError, prelude::*, task::SingleFlight};

/// Is made with what a service says.
#[filter(root_id = "prepared", async_configure)]
#[derive(Debug)]
pub struct Prepared {
    said: String,
}

/// Whom [`Prepared`] asks.
#[config]
pub struct Preparation {
    source: Cluster,
    /// Envoy keeps a plugin for as long as a listener that is going has it, and gives it to the next one with the same configuration: each test has its own.
    #[serde(default, rename = "test")]
    _test: String,
}

impl ConfigureAsync for Prepared {
    type Config = Preparation;

    const PATIENCE: Duration = Duration::from_millis(1500);

    async fn configure(config: Preparation, _: Plugin) -> Result<Self> {
        let answer = config.source.get("/").timeout(Duration::from_secs(10)).send().await?.require_success()?;
        Ok(Self { said: String::from_utf8(answer.into_body())? })
    }
}

impl HttpFilter for Prepared {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let mut response = next.run(request).await;
        response.headers_mut().insert("x-said", self.said.as_str())?;
        Ok(response)
    }
}

/// Asks a service once for all requests that want to know the same at the same time.
#[filter(root_id = "together")]
#[derive(Debug)]
pub struct Together {
    service: Cluster,
    flights: SingleFlight<Vec<u8>, Result<Rc<[u8]>, CallError>>,
}

/// Whom [`Together`] asks.
#[config]
pub struct Asked {
    service: Cluster,
}

impl Configure for Together {
    type Config = Asked;

    fn configure(config: Asked, _: &mut Plugin) -> Result<Self> {
        Ok(Self { service: config.service, flights: SingleFlight::new() })
    }
}

impl HttpFilter for Together {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let key = request.path().map(|path| path.as_bytes().to_vec()).unwrap_or_default();
        let service = self.service.clone();
        let path = String::from_utf8(key.clone())?;
        let ask = move || async move { Ok(service.get(&path).send().await?.require_success()?.into_body().into()) };
        let answer = self.flights.run(key, ask).await??;
        let mut response = next.run(request).await;
        response.headers_mut().insert("x-answer", &*answer)?;
        Ok(response)
    }
}
