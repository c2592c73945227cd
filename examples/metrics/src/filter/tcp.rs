use inproxy::{
    attributes::Attributes,
    hooks::{Action, DownstreamData, Finished, NetworkHooks, UpstreamData},
    metrics::GroupSeries,
    prelude::*,
};

use super::{
    facts::{Facts, Protocol},
    made::Made,
    source::Stream,
    standard::Standard,
};
use crate::{
    config::{Settings, istio::Reporter},
    istio::{Applies, Value},
};

/// Counts TCP connections and their bytes, by Istio's standard metrics.
#[filter(network, hooks(downstream_data, upstream_data, log), root_id = "metrics_tcp")]
#[derive(Debug)]
pub struct TcpMetrics {
    standard: Option<Standard>,
}

/// What is remembered of a connection.
#[derive(Debug, Default)]
pub struct Connection {
    /// What is not counted yet: since it is not known whose it is.
    received: u64,
    sent: u64,
    /// Where it is counted, once that is known.
    series: Option<Vec<GroupSeries>>,
}

// === impl TcpMetrics ===

impl Configure for TcpMetrics {
    type Config = Settings;

    fn configure(settings: Settings, plugin: &mut Plugin) -> Result<Self> {
        let made = Made::try_new(settings.attributes)?;
        Ok(Self {
            standard: settings.istio.map(|istio| Standard::try_new(&[Applies::Connection], istio, &made, settings.label_sets, plugin)).transpose()?,
        })
    }
}

impl NetworkHooks for TcpMetrics {
    type Connection = Connection;

    fn on_downstream_data(&self, connection: &mut Connection, mut data: DownstreamData<'_>) -> Action {
        connection.received += data.buffer().len() as u64;
        if let Some(standard) = &self.standard {
            // At the client's side the server's workload is known once that has spoken.
            let is_known = connection.series.is_some() || standard.here.reporter(data.attributes()) == Reporter::Destination;
            if is_known {
                count(standard, connection, data.attributes());
            }
        }
        Action::Continue
    }

    fn on_upstream_data(&self, connection: &mut Connection, mut data: UpstreamData<'_>) {
        connection.sent += data.buffer().len() as u64;
        if let Some(standard) = &self.standard {
            count(standard, connection, data.attributes());
        }
    }

    fn on_log(&self, connection: &mut Connection, finished: Finished<'_>) {
        let Some(standard) = &self.standard else { return };
        // One that has never said anything was opened all the same.
        count(standard, connection, finished.attributes());
        // What went wrong is known only now.
        let series = standard.series(Applies::Connection, &stream(standard, finished.attributes()));
        standard.record(Applies::Connection, &series, |value| (value == Value::Closed).then_some(1));
    }
}

/// Counts what is not counted yet; the first time also that it was opened.
fn count(standard: &Standard, connection: &mut Connection, attributes: Attributes<'_>) {
    let is_new = connection.series.is_none();
    let series = connection.series.get_or_insert_with(|| standard.series(Applies::Connection, &stream(standard, attributes)));
    let (received, sent) = (std::mem::take(&mut connection.received), std::mem::take(&mut connection.sent));
    standard.record(Applies::Connection, series, |value| match value {
        Value::ReceivedBytes => Some(received),
        Value::SentBytes => Some(sent),
        Value::Opened => is_new.then_some(1),
        _ => None,
    });
}

fn stream<'a>(standard: &'a Standard, attributes: Attributes<'a>) -> Stream<'a> {
    Stream { attributes, made: Vec::new(), facts: Some(Facts::new(&standard.here, attributes, Protocol::Tcp)) }
}
