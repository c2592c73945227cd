//! API keys: known ones from the configuration, others by asking an authority. Only requests whose consumer is known go on, with its name in a header.
//!
//! | the request | the client gets | the upstream gets |
//! |---|---|---|
//! | has no key | 401, with `www-authenticate` | nothing |
//! | has a key that nobody knows | 403 | nothing |
//! | has a known key | the upstream's answer | the consumer's name in place of the key |
//! | cannot be decided: the authority is down, slow or confused | 503 | nothing |

mod authority;
mod config;
mod keys;

use inproxy::{metrics::Counter, prelude::*};

use self::{authority::Verdict, config::Settings, keys::Keys};

/// Lets a request pass when its key belongs to a consumer.
#[filter(root_id = "api_key")]
#[derive(Debug)]
pub struct ApiKey {
    settings: Settings,
    keys: Keys,
    challenge: HeaderValue,
    allowed: Counter,
    denied: Counter,
    failed: Counter,
}

// ANCHOR: configure
impl Configure for ApiKey {
    type Config = Settings;

    fn configure(settings: Settings, plugin: &mut Plugin) -> Result<Self> {
        let keys = Keys::try_new(settings.consumers.iter().map(|consumer| (&*consumer.key, &*consumer.name)))?;
        Ok(Self {
            keys,
            challenge: format!("ApiKey realm=\"{}\"", settings.realm).try_into()?,
            allowed: plugin.counter("api_key.allowed")?,
            denied: plugin.counter("api_key.denied")?,
            failed: plugin.counter("api_key.failed")?,
            settings,
        })
    }
}
// ANCHOR_END: configure

impl HttpFilter for ApiKey {
    async fn handle(&self, mut request: Request, next: Next) -> Result<Response> {
        let Some(key) = request.headers().get(&self.settings.header) else {
            self.denied.increment();
            return Ok(Response::new(StatusCode::UNAUTHORIZED).with_header(&WWW_AUTHENTICATE, &self.challenge).with_body("a key is missing\n"));
        };
        let consumer = match self.decide(&key).await {
            Ok(Verdict::Known(consumer)) => consumer,
            Ok(Verdict::Unknown) => {
                self.denied.increment();
                return Ok(Response::new(StatusCode::FORBIDDEN).with_body("this key is not known\n"));
            }
            Err(error) => {
                self.failed.increment();
                log::error!("no decision: {error:#}");
                return Ok(Response::new(StatusCode::SERVICE_UNAVAILABLE).with_body("the key cannot be checked now\n"));
            }
        };
        self.allowed.increment();
        // The key is a secret between client and proxy; and whatever name the client gave itself, it is not the one that counts.
        request.headers_mut().remove(&self.settings.header);
        request.headers_mut().insert(&self.settings.consumer_header, &consumer);
        Ok(next.run(request).await)
    }
}

impl ApiKey {
    async fn decide(&self, key: &HeaderValue) -> Result<Verdict> {
        match (self.keys.consumer(key.as_bytes()), &self.settings.authority) {
            (Some(consumer), _) => Ok(Verdict::Known(consumer.try_into()?)),
            (None, Some(authority)) => authority.decide(key).await,
            (None, None) => Ok(Verdict::Unknown),
        }
    }
}

const WWW_AUTHENTICATE: HeaderName = HeaderName::from_static("www-authenticate");
