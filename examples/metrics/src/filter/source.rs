use std::{borrow::Cow, rc::Rc};

use inproxy::attributes::Attributes;

use super::{facts::Facts, made::Made};
use crate::{
    config::shown::Shown,
    istio::{Label, UNKNOWN},
};

/// Where the value of a label comes from.
#[derive(Debug)]
pub(crate) enum Source {
    Standard(Label),
    /// One of the attributes that are made of others.
    Made(usize),
    Shown(Rc<Shown>),
}

/// What labels are read from.
pub(crate) struct Stream<'a> {
    pub(crate) attributes: Attributes<'a>,
    /// By the place of the attribute.
    pub(crate) made: Vec<Option<&'a str>>,
    /// Without Istio's metrics there are none.
    pub(crate) facts: Option<Facts<'a>>,
}

// === impl Source ===

impl Source {
    /// A name of an attribute, or an expression.
    pub(crate) fn of(shown: Rc<Shown>, made: &Made) -> Self {
        match made.named(shown.text()) {
            Some(at) => Self::Made(at),
            None => Self::Shown(shown),
        }
    }

    pub(crate) fn value<'s>(&self, stream: &'s Stream<'_>) -> Cow<'s, str> {
        match self {
            Self::Standard(label) => stream.facts.as_ref().map_or(Cow::Borrowed(UNKNOWN), |facts| facts.value(*label)),
            Self::Made(at) => Cow::Borrowed(stream.made.get(*at).copied().flatten().unwrap_or(UNKNOWN)),
            Self::Shown(shown) => shown.evaluate(stream.attributes).map_or(Cow::Borrowed(UNKNOWN), Cow::Owned),
        }
    }
}
