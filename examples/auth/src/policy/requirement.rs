use std::{fmt, future::Future, pin::Pin};

use serde::{Deserialize, Deserializer, de};

use super::{Denial, Edits, Outcome, Verdict};

/// Which checks a request needs: in the configuration `"tokens"`, `["offices", "tokens"]` for all of several, `{ "any": ["tokens", "keys"] }` for one of several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Requirement<C> {
    Check(C),
    /// All of them, in this order; the first that denies is the answer.
    All(Vec<Self>),
    /// The first that allows; if none does, the last that denies is the answer, with the challenges of all.
    Any(Vec<Self>),
}

/// A check that a rule needs is not there.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("no check is called {name:?}; there is {known}")]
pub(crate) struct UnknownCheck {
    name: String,
    known: String,
}

// === impl Requirement ===

impl Requirement<usize> {
    /// Asks the checks, one after the other.
    pub(crate) async fn ask(&self, ask: &impl AsyncFn(usize) -> Outcome) -> Outcome {
        match self {
            Self::Check(check) => ask(*check).await,
            Self::All(all) => {
                let mut edits = Edits::default();
                for one in all {
                    match one.ask_boxed(ask).await? {
                        Verdict::Allow(more) => edits.extend(more),
                        denied @ Verdict::Deny(_) => return Ok(denied),
                    }
                }
                Ok(Verdict::Allow(edits))
            }
            Self::Any(any) => {
                let (mut denied, mut undecided) = (None::<Denial>, None);
                for one in any {
                    match one.ask_boxed(ask).await {
                        Ok(allowed @ Verdict::Allow(_)) => return Ok(allowed),
                        Ok(Verdict::Deny(denial)) => denied = Some(denial.behind(denied.as_ref())),
                        Err(reason) => undecided = Some(reason),
                    }
                }
                // One that could not be asked might have allowed it.
                match (undecided, denied) {
                    (Some(undecided), _) => Err(undecided),
                    (None, Some(denied)) => Ok(Verdict::Deny(denied)),
                    (None, None) => Ok(Verdict::allow()),
                }
            }
        }
    }

    fn ask_boxed<'a>(&'a self, ask: &'a impl AsyncFn(usize) -> Outcome) -> Pin<Box<dyn Future<Output = Outcome> + 'a>> {
        Box::pin(self.ask(ask))
    }
}

impl<C> Requirement<C> {
    /// All checks in it.
    pub(crate) fn checks(&self) -> Vec<&C> {
        match self {
            Self::Check(check) => vec![check],
            Self::All(some) | Self::Any(some) => some.iter().flat_map(Self::checks).collect(),
        }
    }
}

impl Requirement<String> {
    /// With the place of each check in the place of its name.
    pub(crate) fn resolve(&self, names: &[String]) -> Result<Requirement<usize>, UnknownCheck> {
        let all = |some: &[Self]| some.iter().map(|one| one.resolve(names)).collect::<Result<Vec<_>, _>>();
        Ok(match self {
            Self::Check(name) => {
                let place = names.iter().position(|known| known == name);
                Requirement::Check(
                    place.ok_or_else(|| UnknownCheck {
                        name: name.clone(),
                        known: if names.is_empty() { "none".to_owned() } else { names.join(", ") },
                    })?,
                )
            }
            Self::All(some) => Requirement::All(all(some)?),
            Self::Any(some) => Requirement::Any(all(some)?),
        })
    }
}

impl<'de> Deserialize<'de> for Requirement<String> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Form)
    }
}

struct Form;

impl<'de> de::Visitor<'de> for Form {
    type Value = Requirement<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a check, a list of which all are needed, or {\"any\": […]}")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Requirement::Check(name.to_owned()))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut all = Vec::new();
        while let Some(one) = list.next_element()? {
            all.push(one);
        }
        Ok(Requirement::All(all))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let Some(key) = map.next_key::<String>()? else {
            return Err(de::Error::custom("an empty object: write {\"any\": […]} or {\"all\": […]}"));
        };
        let some = match key.as_str() {
            "any" => Requirement::Any(map.next_value()?),
            "all" => Requirement::All(map.next_value()?),
            _ => return Err(de::Error::unknown_field(&key, &["any", "all"])),
        };
        if let Requirement::Any(any) = &some
            && any.is_empty()
        {
            return Err(de::Error::custom("one of none is never met: leave it out, or name a check"));
        }
        match map.next_key::<String>()? {
            Some(key) => {
                Err(de::Error::custom(format!("{key:?} beside another one: nest them, as in {{\"all\": [\"a\", {{\"any\": [\"b\", \"c\"]}}]}}")))
            }
            None => Ok(some),
        }
    }
}
