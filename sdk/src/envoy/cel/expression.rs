use std::{
    fmt,
    rc::Rc,
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Deserializer, de};

use super::CelError;
use crate::{
    abi::Status,
    attributes::{Attributes, Value, decode},
    envoy::{ForeignError, foreign},
    error::Quoted,
    hooks,
    runtime::StreamId,
};

/// An expression that the proxy has compiled; [what it is for, and when it can be evaluated](crate::envoy::cel).
///
/// In a configuration it is a text. When it is dropped where it could have been compiled, the proxy forgets it; else the proxy keeps it as long as the plugin.
///
/// # Examples
///
/// ```
/// use inproxy::{envoy::cel::{CelError, Expression}, prelude::*};
///
/// /// What a request counts for: `request.path.startsWith('/search') ? 10 : 1`.
/// fn weight(expression: &Expression, request: &Request) -> Result<i64, CelError> {
///     expression.evaluate_int(request)
/// }
/// ```
pub struct Expression {
    text: Rc<str>,
    token: [u8; 4],
    root: u32,
}

const CREATE: &str = "expr_create";
const EVALUATE: &str = "expr_evaluate";
const DELETE: &str = "expr_delete";

// === impl Expression ===

impl Expression {
    /// Has the proxy compile an expression: where a plugin is configured, or in one of its [tasks](crate::task).
    ///
    /// # Errors
    ///
    /// [`CelError::Invalid`] if it is no CEL: the proxy's log says why.
    ///
    /// # Examples
    ///
    /// ```
    /// use inproxy::{envoy::cel::Expression, prelude::*};
    ///
    /// #[config]
    /// struct Settings { path: String }
    ///
    /// struct Limits { applies: Expression }
    ///
    /// impl Configure for Limits {
    ///     type Config = Settings;
    ///
    ///     fn configure(settings: Settings, _: &mut Plugin) -> Result<Self> {
    ///         Ok(Self { applies: Expression::compile(&format!("request.path == {:?}", settings.path))? })
    ///     }
    /// }
    /// ```
    pub fn compile(text: &str) -> Result<Self, CelError> {
        let expression: Rc<str> = text.into();
        // The proxy keeps it with the root context of the callback that runs.
        let Some(root) = running_root() else { return Err(CelError::NotInPlugin { expression }) };
        let token = match foreign(CREATE, text.as_bytes()) {
            Ok(token) => token,
            Err(Status::BAD_ARGUMENT) => return Err(CelError::Invalid { expression }),
            Err(status) => return Err(ForeignError::new(CREATE, status).into()),
        };
        let token = token.try_into().map_err(|_| ForeignError::malformed(CREATE))?;
        Ok(Self { text: expression, token, root })
    }

    /// The text that it was compiled from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its value for a stream. One call to the proxy, and nothing is copied but the value.
    ///
    /// The stream is given as its request or response, or as what a callback of [`HttpHooks`](crate::hooks::HttpHooks) is given.
    ///
    /// # Errors
    ///
    /// [`CelError`].
    pub fn evaluate<'a>(&self, stream: impl Into<Attributes<'a>>) -> Result<Value, CelError> {
        self.bytes(stream.into()).map(Value::from)
    }

    // Not generic: one is enough for a module.
    fn bytes(&self, stream: Attributes<'_>) -> Result<Vec<u8>, CelError> {
        let expression = || Rc::clone(&self.text);
        match stream.own_callback() {
            Ok(Some(root)) if root == self.root => {}
            Ok(Some(_)) => return Err(CelError::OfAnotherPlugin { expression: expression() }),
            Ok(None) => return Err(CelError::NotInOwnCallback { expression: expression() }),
            Err(_) => return Err(CelError::NotHere),
        }
        foreign(EVALUATE, &self.token).map_err(|status| match status {
            Status::INTERNAL_FAILURE => CelError::Failed { expression: expression() },
            Status::SERIALIZATION_FAILURE => CelError::NoValue { expression: expression() },
            status => ForeignError::new(EVALUATE, status).into(),
        })
    }

    fn decoded<T>(&self, stream: Attributes<'_>, expected: &'static str, decode: fn(Vec<u8>) -> Option<T>) -> Result<T, CelError> {
        decode(self.bytes(stream)?).ok_or_else(|| CelError::OtherType { expression: Rc::clone(&self.text), expected })
    }
}

/// The value, as one of a type. The proxy does not say of which type a value is: [`CelError::OtherType`] is for bytes that cannot be of that type.
///
/// # Errors
///
/// [`CelError`].
impl Expression {
    /// A truth value.
    pub fn evaluate_bool<'a>(&self, stream: impl Into<Attributes<'a>>) -> Result<bool, CelError> {
        self.decoded(stream.into(), "bool", decode::boolean)
    }

    /// A text.
    pub fn evaluate_text<'a>(&self, stream: impl Into<Attributes<'a>>) -> Result<String, CelError> {
        self.decoded(stream.into(), "string", decode::text)
    }

    /// Bytes.
    pub fn evaluate_bytes<'a>(&self, stream: impl Into<Attributes<'a>>) -> Result<Vec<u8>, CelError> {
        self.bytes(stream.into())
    }

    /// A whole number.
    pub fn evaluate_int<'a>(&self, stream: impl Into<Attributes<'a>>) -> Result<i64, CelError> {
        self.decoded(stream.into(), "int", decode::int)
    }

    /// A whole number without sign.
    pub fn evaluate_uint<'a>(&self, stream: impl Into<Attributes<'a>>) -> Result<u64, CelError> {
        self.decoded(stream.into(), "uint", decode::uint)
    }

    /// A number with a fraction.
    pub fn evaluate_double<'a>(&self, stream: impl Into<Attributes<'a>>) -> Result<f64, CelError> {
        self.decoded(stream.into(), "double", decode::double)
    }

    /// A time span that is not negative.
    pub fn evaluate_duration<'a>(&self, stream: impl Into<Attributes<'a>>) -> Result<Duration, CelError> {
        self.decoded(stream.into(), "duration that is not negative", decode::duration)
    }

    /// A time.
    pub fn evaluate_time<'a>(&self, stream: impl Into<Attributes<'a>>) -> Result<SystemTime, CelError> {
        self.decoded(stream.into(), "timestamp", decode::time)
    }
}

/// The root context whose callback runs, where that is certain: from within a stream's turn the proxy may have called another plugin of this VM.
fn running_root() -> Option<u32> {
    hooks::configuring().or_else(|| StreamId::current().filter(|id| id.is_background()).map(StreamId::root))
}

impl Drop for Expression {
    fn drop(&mut self) {
        // In another plugin's callback the proxy would delete one of that.
        if running_root() == Some(self.root)
            && let Err(status) = foreign(DELETE, &self.token)
        {
            log::warn!("an expression was not deleted: the proxy answered {status}");
        }
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expression({})", Quoted(&self.text))
    }
}

impl<'de> Deserialize<'de> for Expression {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::compile(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}
