//! Logs what is over.

use inproxy::{hooks::Finished, prelude::*};

/// The logger.
#[access_logger]
#[config]
pub struct Tell;

impl AccessLogger for Tell {
    fn log(&self, stream: Finished<'_>) {
        log::info!("over: {:?}", stream.response_headers().get(":status"));
    }
}
