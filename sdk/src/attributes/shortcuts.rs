//! What requests and responses have methods for, beside `attributes()`.

/// The groups that a request or response has methods for.
macro_rules! groups {
    () => {
        /// The client's end of its connection.
        pub fn source(&self) -> crate::attributes::Peer<'_> {
            self.attributes().source()
        }

        /// The proxy's end of the client's connection.
        pub fn destination(&self) -> crate::attributes::Peer<'_> {
            self.attributes().destination()
        }

        /// The client's connection: its id, its TLS.
        pub fn connection(&self) -> crate::attributes::Connection<'_> {
            self.attributes().connection()
        }

        /// What a filter has written under its namespace into the dynamic metadata of the stream.
        pub fn metadata<'a>(&'a self, namespace: &'a str) -> crate::attributes::Metadata<'a> {
            self.attributes().metadata(namespace)
        }

        /// The name of the route that the proxy has chosen; empty if the route has none.
        ///
        /// # Errors
        ///
        /// [`Missing`](crate::attributes::AttributeError::Missing) if no route matches.
        pub fn route_name(&self) -> Result<String, crate::attributes::AttributeError> {
            self.attributes().xds().route_name()
        }
    };
}

/// What a request has methods for.
macro_rules! of_a_request {
    () => {
        crate::attributes::groups!();

        /// When the proxy began to receive it.
        ///
        /// # Errors
        ///
        /// [`AttributeError`](crate::attributes::AttributeError), as all attributes.
        pub fn time(&self) -> Result<std::time::SystemTime, crate::attributes::AttributeError> {
            self.attributes().request().time()
        }
    };
}

/// What a response has methods for.
macro_rules! of_a_response {
    () => {
        crate::attributes::groups!();

        /// The upstream that sent it, and the proxy's connection to that.
        pub fn upstream(&self) -> crate::attributes::Upstream<'_> {
            self.attributes().upstream()
        }
    };
}

/// Types with a method `attributes`, given for their attributes.
macro_rules! as_attributes {
    ($($of:ty),+) => {
        $(impl<'a> From<&'a $of> for $crate::attributes::Attributes<'a> {
            fn from(of: &'a $of) -> Self {
                of.attributes()
            }
        })+
    };
}

pub(crate) use {as_attributes, groups, of_a_request, of_a_response};
