use siphasher::sip128::{Hasher128, SipHasher24};

use super::Told;

/// Which requests a decision is for: those of the same method, host and path, with the same values of some headers.
#[derive(Debug)]
pub(crate) struct Decisions {
    /// In lower case.
    headers: Vec<String>,
    /// Of this VM only, and random: what a header's value was cannot be found out from a key, nor two values with one key.
    secret: [u8; 16],
}

/// What a decision is kept under: a hash, since the values are secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key(u128);

// === impl Decisions ===

impl Decisions {
    pub(crate) fn new(headers: &[String], secret: [u8; 16]) -> Self {
        Self { headers: headers.iter().map(|name| name.to_ascii_lowercase()).collect(), secret }
    }

    /// `None` for a request whose body the service is to see: the next one's is another.
    pub(crate) fn key(&self, told: &Told) -> Option<Key> {
        if told.body.is_some() {
            return None;
        }
        let mut hasher = SipHasher24::new_with_key(&self.secret);
        for name in [":method", ":authority", ":path"].into_iter().chain(self.headers.iter().map(String::as_str)) {
            let mut values = 0_u64;
            for (_, value) in told.headers.iter().filter(|(known, _)| known == name) {
                write(&mut hasher, value);
                values += 1;
            }
            // How many there were, behind them: of one header none may pass for one of the next.
            write(&mut hasher, &values.to_le_bytes());
        }
        write(&mut hasher, told.source.principal.as_bytes());
        Some(Key(hasher.finish128().as_u128()))
    }
}

/// With its length, so that the end of one is not the beginning of the next.
fn write(hasher: &mut SipHasher24, bytes: &[u8]) {
    use std::hash::Hasher;

    hasher.write(&(bytes.len() as u64).to_le_bytes());
    hasher.write(bytes);
}

#[cfg(test)]
mod tests {
    use super::{
        super::told::{Body, Peer},
        *,
    };

    fn told(headers: &[(&str, &str)]) -> Told {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
        Told { headers, source: Peer::default(), destination: Peer::default(), protocol: String::new(), size: 0, time: None, body: None }
    }

    #[test]
    fn a_decision_is_for_the_same_request_with_the_same_headers() {
        let decisions = Decisions::new(&["X-Key".to_owned(), "x-b".to_owned()], [7; 16]);
        let base = [(":method", "GET"), (":authority", "a"), (":path", "/")];
        let key = |more: &[(&str, &str)]| decisions.key(&told(&[&base[..], more].concat())).unwrap();
        let one = key(&[("x-key", "1")]);
        assert_eq!(one, key(&[("x-other", "z"), ("x-key", "1")]));
        let others = [
            key(&[]),
            key(&[("x-key", "2")]),
            key(&[("x-key", "")]),
            key(&[("x-key", "1"), ("x-key", "1")]),
            key(&[("x-b", "1")]),
            key(&[("x-key", "1"), ("x-b", "")]),
            decisions.key(&told(&[(":method", "POST"), (":authority", "a"), (":path", "/"), ("x-key", "1")])).unwrap(),
            decisions.key(&told(&[(":method", "GET"), (":authority", "a/"), (":path", ""), ("x-key", "1")])).unwrap(),
            Decisions::new(&["x-key".to_owned(), "x-b".to_owned()], [8; 16]).key(&told(&[&base[..], &[("x-key", "1")]].concat())).unwrap(),
        ];
        for (place, other) in others.iter().enumerate() {
            assert!(*other != one && !others[..place].contains(other), "{place}");
        }
    }

    #[test]
    fn one_with_a_body_is_not_kept_and_another_client_has_another() {
        let decisions = Decisions::new(&[], [7; 16]);
        let (mut with_body, mut alice) = (told(&[]), told(&[]));
        with_body.body = Some(Body { bytes: Vec::new(), is_partial: false });
        alice.source.principal = "spiffe://alice".to_owned();
        assert_eq!(decisions.key(&with_body), None);
        assert_ne!(decisions.key(&alice), decisions.key(&told(&[])));
    }
}
