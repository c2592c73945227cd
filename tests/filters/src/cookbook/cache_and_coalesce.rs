//! A filter that fetches something once, for all who ask.

use std::{rc::Rc, time::Duration};

use inproxy::{cache::Cache, call::CallError, prelude::*, task::SingleFlight, time};

// ANCHOR: keys
/// Needs the keys of the issuer that a request names: fetched when first asked for, kept for ten minutes.
#[filter(root_id = "cookbook_keys")]
pub struct Keys {
    issuers: Cluster,
    known: Rc<Cache<String, Rc<[u8]>>>,
    fetches: SingleFlight<String, Result<Rc<[u8]>, CallError>>,
}

/// Who has the keys.
#[config]
pub struct Issuers {
    issuers: Cluster,
}

const TEN_MINUTES: Duration = Duration::from_secs(600);

impl Configure for Keys {
    type Config = Issuers;

    fn configure(config: Issuers, _: &mut Plugin) -> Result<Self> {
        Ok(Self { issuers: config.issuers, known: Rc::new(Cache::new(100)), fetches: SingleFlight::new() })
    }
}

impl Keys {
    async fn of(&self, issuer: &str) -> Result<Rc<[u8]>> {
        if let Some(keys) = self.known.get(issuer, time::now()?) {
            return Ok(keys);
        }
        let (service, known, name) = (self.issuers.clone(), Rc::clone(&self.known), issuer.to_owned());
        // A task: it owns what it uses, and goes on though the request that began it is gone.
        let fetch = move || async move {
            let answer = service.get(&format!("/{name}/jwks")).timeout(Duration::from_secs(1)).send().await?.require_success()?;
            let keys: Rc<[u8]> = answer.into_body().into();
            if let Ok(now) = time::now() {
                known.insert(name, Rc::clone(&keys), TEN_MINUTES, now);
            }
            Ok(keys)
        };
        // One error for "nobody will fetch it", and one of the fetch itself.
        Ok(self.fetches.run(issuer.to_owned(), fetch).await??)
    }
}

impl HttpFilter for Keys {
    async fn handle(&self, mut request: Request, next: Next) -> Result<Response> {
        let issuer = match request.headers().get("x-issuer").as_ref().and_then(HeaderValue::to_str) {
            Some(issuer @ ("acme" | "globex")) => issuer.to_owned(),
            _ => return Ok(Response::new(StatusCode::UNAUTHORIZED)),
        };
        let keys = self.of(&issuer).await?;
        // Here a signature would be checked.
        request.headers_mut().insert("x-keys", &*keys)?;
        Ok(next.run(request).await)
    }
}
// ANCHOR_END: keys
