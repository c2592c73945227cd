use super::{AttributeError, Attributes, Keys, Value, path};

/// [Metadata](https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/advanced/well_known_dynamic_metadata) under one namespace: what a filter has written for a stream, or what the configuration says of a route, a cluster, a listener.
///
/// Values are found by one key, or by several on a way into maps and lists. The proxy has no bytes for a `null`: it, and each list and map that has one anywhere, is [`AttributeError::Host`] with "serialization failure".
///
/// # Examples
///
/// ```
/// use inproxy::{attributes::{AttributeError, Optional}, prelude::*};
///
/// /// A limit that the configuration of the route sets: `metadata: { filter_metadata: { limits: { per_second: 10 } } }`.
/// fn limit(request: &Request) -> Result<Option<f64>, AttributeError> {
///     request.attributes().xds().route_metadata("limits").number("per_second").optional()
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Metadata<'a> {
    attributes: Attributes<'a>,
    root: &'static str,
    namespace: Option<&'a str>,
}

// === impl Metadata ===

impl<'a> Metadata<'a> {
    pub(super) const fn new(attributes: Attributes<'a>, root: &'static str, namespace: Option<&'a str>) -> Self {
        Self { attributes, root, namespace }
    }

    fn path(&self, keys: &dyn Keys) -> Result<String, AttributeError> {
        match self.namespace {
            None => path::add(self.root, keys),
            Some(namespace) => path::add(self.root, &Under(namespace, keys)),
        }
    }

    fn decoded<T>(&self, keys: &dyn Keys, decode: fn(&Value) -> Option<T>) -> Result<T, AttributeError> {
        let (bytes, path) = self.attributes.read(self.path(keys)?.into())?;
        decode(&Value::from(bytes)).ok_or(AttributeError::Malformed { path })
    }
}

/// # Errors
///
/// All answer [`AttributeError`]: [`Missing`](AttributeError::Missing) if nobody has written the value, [`Malformed`](AttributeError::Malformed) if it is of another type.
impl Metadata<'_> {
    /// A text.
    pub fn text(&self, keys: impl Keys) -> Result<String, AttributeError> {
        self.decoded(&keys, |value| value.text().map(str::to_owned))
    }

    /// A number.
    pub fn number(&self, keys: impl Keys) -> Result<f64, AttributeError> {
        self.decoded(&keys, Value::number)
    }

    /// A truth value.
    pub fn boolean(&self, keys: impl Keys) -> Result<bool, AttributeError> {
        self.decoded(&keys, Value::boolean)
    }

    /// A list.
    pub fn list(&self, keys: impl Keys) -> Result<Vec<Value>, AttributeError> {
        self.decoded(&keys, Value::list)
    }

    /// A map, in no order.
    pub fn map(&self, keys: impl Keys) -> Result<Vec<(String, Value)>, AttributeError> {
        self.decoded(&keys, Value::map)
    }

    /// A value of any type.
    pub fn get(&self, keys: impl Keys) -> Result<Value, AttributeError> {
        self.attributes.bytes(self.path(&keys)?).map(Value::from)
    }

    /// All that is under the namespace, in no order.
    pub fn entries(&self) -> Result<Vec<(String, Value)>, AttributeError> {
        self.decoded(&[], Value::map)
    }
}

/// Keys under a namespace.
struct Under<'a>(&'a str, &'a dyn Keys);

impl Keys for Under<'_> {
    fn each(&self, visit: &mut dyn FnMut(&str)) {
        visit(self.0);
        self.1.each(visit);
    }
}

impl path::sealed::Sealed for Under<'_> {}
