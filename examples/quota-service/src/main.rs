//! `quota-service CONFIG.json ADDRESS`: serves the quotas of a configuration, until it is stopped.

#![allow(clippy::disallowed_methods, clippy::disallowed_macros, reason = "this runs on the host, not in the proxy")]

use std::{env, error::Error, fs, net::SocketAddr};

use quota_service::{Config, Quotas, RateLimitServer};
use tonic::transport::Server;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [config, address] = &arguments[..] else { return Err("usage: quota-service CONFIG.json 127.0.0.1:8081".into()) };
    let address: SocketAddr = address.parse().map_err(|error| format!("{address}: {error}"))?;
    let config = Config::parse(&fs::read(config).map_err(|error| format!("{config}: {error}"))?)?;
    let quotas = Quotas::connect(&config).await?;
    println!("quotas are counted for those who ask {address}");
    Server::builder().add_service(RateLimitServer::new(quotas)).serve(address).await?;
    Ok(())
}
