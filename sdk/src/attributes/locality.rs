use super::{AttributeError, Attributes, decode};

/// Where something runs, as the control plane says: [`Locality`](https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/config/core/v3/base.proto#config-core-v3-locality).
///
/// Each part is empty text if nobody has set it.
///
/// # Examples
///
/// ```
/// use inproxy::{attributes::AttributeError, prelude::*};
///
/// /// Whether the answer came from another zone than the proxy's.
/// fn has_crossed_zones(response: &Response) -> Result<bool, AttributeError> {
///     Ok(response.upstream().locality().zone()? != response.attributes().xds().node().locality().zone()?)
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Locality<'a> {
    attributes: Attributes<'a>,
    paths: &'static [&'static str; 3],
}

pub(super) const OF_THE_UPSTREAM: &[&str; 3] = &["upstream\0locality\0region", "upstream\0locality\0zone", "upstream\0locality\0sub_zone"];
pub(super) const OF_THE_NODE: &[&str; 3] = &["xds\0node\0locality\0region", "xds\0node\0locality\0zone", "xds\0node\0locality\0sub_zone"];

// === impl Locality ===

impl<'a> Locality<'a> {
    pub(super) const fn new(attributes: Attributes<'a>, paths: &'static [&'static str; 3]) -> Self {
        Self { attributes, paths }
    }
}

/// # Errors
///
/// All answer [`AttributeError`].
impl Locality<'_> {
    /// The region.
    pub fn region(&self) -> Result<String, AttributeError> {
        let [region, _, _] = *self.paths;
        self.attributes.decoded(region, decode::text)
    }

    /// The zone within the region.
    pub fn zone(&self) -> Result<String, AttributeError> {
        let [_, zone, _] = *self.paths;
        self.attributes.decoded(zone, decode::text)
    }

    /// The part of the zone.
    pub fn sub_zone(&self) -> Result<String, AttributeError> {
        let [_, _, sub_zone] = *self.paths;
        self.attributes.decoded(sub_zone, decode::text)
    }
}
