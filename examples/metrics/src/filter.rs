//! The filters: between the proxy and what is counted.

mod facts;
mod http;
mod made;
mod own;
mod peers;
mod recorder;
mod source;
mod standard;
mod tcp;

pub use self::http::Metrics;
pub use self::tcp::TcpMetrics;
