use std::rc::Rc;

use super::{
    HttpHooks, Kind, NetworkHooks, Tapped,
    contexts::Contexts,
    shim::{Holds, Plugged},
};
use crate::{Configure, Error, HostError, Plugin, Result, config, error::Quoted};

/// One plugin of the module, as `#[filter]` and its like submit it.
#[derive(Debug)]
pub struct Registration {
    /// What tools find in the module's data: the root id and the path of the type, as one text.
    #[expect(dead_code, reason = "it is there to be found")]
    stamp: &'static str,
    root_id: &'static str,
    name: &'static str,
    make: Make,
}

/// How a filter is found: by tools in the module's data, and by the proxy.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    /// The other two and the kind, each behind a unit separator (U+001F), all between record separators (U+001E): as one text, so that tools find it.
    pub text: &'static str,
    /// The root id.
    pub root_id: &'static str,
    /// The path of the type.
    pub name: &'static str,
}

pub(crate) type Make = fn(&[u8], Plugin) -> Result<Rc<dyn Contexts>>;

/// What `#[filter]` says of a struct, for tools that look for its module.
pub trait Registered {
    /// The name by which the proxy's configuration chooses it.
    const ROOT_ID: &'static str;
    /// The folder of its crate, where it was compiled.
    const MANIFEST_DIR: &'static str;
    /// What it is.
    const KIND: Kind = Kind::Http;
}

/// Which callbacks a struct with `#[filter(hooks)]` has, as the record that [`needs`](crate::abi) leaves.
pub trait Declared {
    /// The record.
    const NEEDS: &'static str;
}

inventory::collect!(Registration);

// === impl Registration ===

impl Registration {
    /// A filter that implements [`HttpHooks`].
    ///
    /// `HOLDS_REQUEST` and `HOLDS_RESPONSE` say whether it has callbacks for the bodies of these directions, without which it must not pause their headers.
    pub const fn hooks<H: HttpHooks + Declared + Configure, const HOLDS_REQUEST: bool, const HOLDS_RESPONSE: bool>(stamp: Stamp) -> Self {
        Self::new(stamp, |json, mut plugin| {
            let _ = std::hint::black_box(H::NEEDS);
            Ok(Rc::new(Plugged::new(configure::<H>(json, &mut plugin)?, Holds { request: HOLDS_REQUEST, response: HOLDS_RESPONSE })))
        })
    }

    /// A network filter that implements [`NetworkHooks`]; `stamp` as for [`hooks`](Self::hooks).
    pub const fn network_hooks<H: NetworkHooks + Declared + Configure>(stamp: Stamp) -> Self {
        Self::new(stamp, |json, mut plugin| {
            let _ = std::hint::black_box(H::NEEDS);
            Ok(Rc::new(Tapped(configure::<H>(json, &mut plugin)?)))
        })
    }

    pub(crate) const fn new(Stamp { text, root_id, name }: Stamp, make: Make) -> Self {
        Self { stamp: text, root_id, name, make }
    }

    /// Configures the filter that the proxy names by `root_id`.
    ///
    /// A module with one filter answers to every root id, also to one that cannot be read: with Istio it is the `pluginName`, which the operator chooses.
    pub(crate) fn configure(root_id: Result<Vec<u8>, HostError>, json: &[u8], context: u32) -> Result<Rc<dyn Contexts>> {
        let (root_id, unread) = root_id.map_or_else(|error| (Vec::new(), Some(error)), |root_id| (root_id, None));
        let root_id = String::from_utf8_lossy(&root_id).into_owned();
        let registered: Vec<&Self> = inventory::iter::<Self>().collect();
        let chosen = choose(&root_id, &registered).map_err(|error| match unread {
            Some(unread) => error.context(unread.to_string()),
            None => error,
        })?;
        (chosen.make)(json, Plugin::new(root_id, context))
            .map_err(|error| error.context(format!("the configuration of the filter {} was refused", chosen.name)))
    }
}

pub(crate) fn configure<F: Configure>(json: &[u8], plugin: &mut Plugin) -> Result<F> {
    F::configure(config::parse(json)?, plugin)
}

fn choose<'r>(root_id: &str, registered: &[&'r Registration]) -> Result<&'r Registration> {
    for (at, one) in registered.iter().enumerate() {
        if let Some(other) = registered.iter().skip(at + 1).find(|other| other.root_id == one.root_id) {
            return Err(Error::msg(format!(
                "two filters of this module have the root id {}: {} and {}; give one another with #[filter(root_id = \"…\")]",
                Quoted(one.root_id),
                one.name,
                other.name
            )));
        }
    }
    if let [only] = registered {
        return Ok(only);
    }
    registered.iter().copied().find(|one| one.root_id == root_id).ok_or_else(|| {
        let known: Vec<_> = registered.iter().map(|one| format!("{} ({})", Quoted(one.root_id), one.name)).collect();
        let known = if known.is_empty() { "none; is there a struct with #[filter]?".to_owned() } else { known.join(", ") };
        Error::msg(format!("no filter of this module has the root id {}; there is {known}", Quoted(root_id)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registration(root_id: &str, name: &str) -> Registration {
        let leak = |text: &str| -> &'static str { text.to_owned().leak() };
        Registration::new(Stamp { text: "", root_id: leak(root_id), name: leak(name) }, |_, _| Err(Error::msg("not made in this test")))
    }

    #[test]
    fn one_filter_answers_to_every_root_id() {
        let only = registration("auth", "Auth");
        assert_eq!(choose("", &[&only]).unwrap().name, "Auth");
        assert_eq!(choose("my-plugin", &[&only]).unwrap().name, "Auth");
    }

    #[test]
    fn several_are_told_apart_by_root_id() {
        let (one, other) = (registration("auth", "Auth"), registration("hello", "Hello"));
        assert_eq!(choose("hello", &[&one, &other]).unwrap().name, "Hello");
        assert_eq!(
            choose("x", &[&one, &other]).unwrap_err().to_string(),
            r#"no filter of this module has the root id "x"; there is "auth" (Auth), "hello" (Hello)"#
        );
        assert!(choose("x", &[]).unwrap_err().to_string().ends_with("there is none; is there a struct with #[filter]?"));
    }

    #[test]
    fn a_doubled_root_id_is_refused_with_both_names() {
        let (one, other, third) = (registration("auth", "a::Auth"), registration("x", "X"), registration("auth", "b::Auth"));
        let error = choose("x", &[&one, &other, &third]).unwrap_err().to_string();
        assert!(error.contains("a::Auth and b::Auth"), "{error}");
    }
}
