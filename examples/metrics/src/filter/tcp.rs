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
    config::Settings,
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
    /// Where it is counted, once it has said something.
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
        let bytes = data.buffer().len() as u64;
        self.count(connection, data.attributes(), |value| (value == Value::ReceivedBytes).then_some(bytes));
        Action::Continue
    }

    fn on_upstream_data(&self, connection: &mut Connection, mut data: UpstreamData<'_>) {
        let bytes = data.buffer().len() as u64;
        self.count(connection, data.attributes(), |value| (value == Value::SentBytes).then_some(bytes));
    }

    fn on_log(&self, connection: &mut Connection, finished: Finished<'_>) {
        let Some(standard) = &self.standard else { return };
        // One that has never said anything was opened all the same.
        self.count(connection, finished.attributes(), |_| None);
        // What went wrong is known only now.
        let series = standard.series(Applies::Connection, &stream(standard, finished.attributes()));
        standard.record(Applies::Connection, &series, |value| (value == Value::Closed).then_some(1));
    }
}

impl TcpMetrics {
    fn count(&self, connection: &mut Connection, attributes: Attributes<'_>, amount: impl Fn(Value) -> Option<u64>) {
        let Some(standard) = &self.standard else { return };
        let is_new = connection.series.is_none();
        let series = connection.series.get_or_insert_with(|| standard.series(Applies::Connection, &stream(standard, attributes)));
        standard.record(Applies::Connection, series, |value| if value == Value::Opened && is_new { Some(1) } else { amount(value) });
    }
}

fn stream<'a>(standard: &'a Standard, attributes: Attributes<'a>) -> Stream<'a> {
    Stream { attributes, made: Vec::new(), facts: Some(Facts::new(&standard.here, attributes, Protocol::Tcp)) }
}
