use super::{
    super::told::{Body, Peer},
    *,
};

fn names(patterns: &[&str]) -> Names {
    Names::try_new(&patterns.iter().map(|pattern| (*pattern).to_owned()).collect::<Vec<_>>()).unwrap()
}

fn service() -> Http {
    Http {
        path_prefix: String::new(),
        allowed_headers: names(&[]),
        disallowed_headers: names(&[]),
        headers_to_add: Vec::new(),
        allowed_upstream_headers: names(&[]),
        allowed_upstream_headers_to_append: names(&[]),
        allowed_client_headers: names(&[]),
        allowed_client_headers_on_success: names(&[]),
        failure: Failure::default(),
    }
}

fn headers(list: &[(&str, &str)]) -> Vec<(String, Vec<u8>)> {
    list.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect()
}

fn told(list: &[(&str, &str)], body: Option<Body>) -> Told {
    let all = [&[(":method", "PUT"), (":authority", "shop"), (":path", "/a?b=c")][..], list].concat();
    Told { headers: headers(&all), source: Peer::default(), destination: Peer::default(), protocol: String::new(), size: 0, time: None, body }
}

fn answer(status: u16, list: &[(&str, &str)]) -> Answer {
    Answer { status, headers: headers(&[&[(":status", "x"), ("date", "now"), ("content-length", "4")][..], list].concat()), body: b"said".to_vec() }
}

#[test]
fn the_service_sees_the_request_and_what_of_its_headers_it_may() {
    let sent =
        [("authorization", "Bearer t"), ("cookie", "c"), ("x-a", "1"), ("x-a", "2"), ("x-secret", "s"), ("te", "trailers"), ("content-length", "4")];
    let http = Http {
        path_prefix: "/check".into(),
        allowed_headers: names(&["x-*", "te", "content-length", ":path"]),
        disallowed_headers: names(&["x-secret"]),
        headers_to_add: headers(&[("x-from", "proxy")]),
        ..service()
    };
    let asked = http.question(&told(&[&sent[..], &[("x-from", "client")]].concat(), None));
    assert_eq!(
        (asked.method.as_slice(), asked.authority.as_slice(), asked.path.as_slice(), asked.body.as_slice()),
        (&b"PUT"[..], &b"shop"[..], &b"/check/a?b=c"[..], &b""[..])
    );
    assert_eq!(asked.headers, headers(&[("authorization", "Bearer t"), ("x-a", "1"), ("x-a", "2"), ("x-from", "proxy")]));
    assert_eq!(service().question(&told(&sent, None)).headers, headers(&[("authorization", "Bearer t")]));
    let nothing = Http { disallowed_headers: names(&["authorization"]), ..service() };
    assert!(nothing.question(&told(&sent, None)).headers.is_empty());
}

#[test]
fn the_service_is_told_whether_it_has_all_of_a_body() {
    for (is_partial, said) in [(false, "false"), (true, "true")] {
        let http = Http { allowed_headers: names(&["*"]), ..service() };
        let asked = http.question(&told(&[(PARTIAL_BODY, "a lie")], Some(Body { bytes: b"text".to_vec(), is_partial })));
        assert_eq!((asked.body.as_slice(), asked.headers), (&b"text"[..], headers(&[(PARTIAL_BODY, said)])));
    }
}

#[test]
fn only_200_is_a_yes_and_a_fault_of_the_service_is_no_answer() {
    for status in [201, 204, 302, 400, 401, 403, 429, 499] {
        let Ok(Verdict::Deny(denial)) = service().verdict(answer(status, &[])) else { panic!("{status} is a no") };
        assert_eq!(denial.http(), status);
    }
    assert_eq!(service().verdict(answer(200, &[])), Ok(Verdict::allow()));
    for status in [100, 500, 503, 599] {
        let undecided = service().verdict(answer(status, &[])).unwrap_err();
        assert_eq!((undecided.denial.http(), undecided.denial.direct.body.as_deref()), (403, Some(&b""[..])));
        assert_eq!(undecided.reason, format!("the service answered with status {status}"));
    }
}

#[test]
fn of_a_yes_upstream_and_client_get_what_they_may() {
    let http = Http {
        allowed_upstream_headers: names(&["x-user", "x-group", "connection", "host", ":status"]),
        allowed_upstream_headers_to_append: names(&["x-seen-by"]),
        allowed_client_headers_on_success: names(&["set-cookie"]),
        ..service()
    };
    let said = [
        ("x-user", "alice"),
        ("x-group", "a"),
        ("x-group", "b"),
        ("x-seen-by", "authz"),
        ("x-other", "o"),
        ("connection", "close"),
        ("set-cookie", "c=1"),
        ("set-cookie", "d=2"),
        (TO_REMOVE, "Authorization, x-key,:path, Host,"),
        ("host", "other"),
    ];
    let Ok(Verdict::Allow(edits)) = http.verdict(answer(200, &said)) else { panic!("a yes") };
    let (set, append) =
        (|name: &str, value: &str| Edit::Set(name.into(), value.into()), |name: &str, value: &str| Edit::Append(name.into(), value.into()));
    let removed = |name: &str| Edit::Remove(name.into());
    assert_eq!(
        edits.request,
        [
            set("x-user", "alice"),
            set("x-group", "a"),
            append("x-group", "b"),
            append("x-seen-by", "authz"),
            set(":authority", "other"),
            removed("authorization"),
            removed("x-key")
        ]
    );
    assert_eq!(edits.response, [append("set-cookie", "c=1"), append("set-cookie", "d=2")]);
}

#[test]
fn of_a_no_the_client_gets_all_or_what_it_may() {
    let said = [
        ("www-authenticate", "Basic"),
        ("location", "/login"),
        ("x-why", "because"),
        ("set-cookie", "c=1"),
        ("transfer-encoding", "chunked"),
        ("x-envoy-upstream-service-time", "3"),
    ];
    for (allowed, shown) in
        [(&[][..], &["www-authenticate", "location", "x-why", "set-cookie"][..]), (&["x-why"][..], &["www-authenticate", "location", "x-why"][..])]
    {
        let http = Http { allowed_client_headers: names(allowed), ..service() };
        let Ok(Verdict::Deny(denial)) = http.verdict(answer(401, &said)) else { panic!("a no") };
        assert_eq!(denial.direct.headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), shown);
        assert_eq!((denial.code, denial.http(), denial.direct.body.as_deref()), (Code::UNAUTHENTICATED, 401, Some(&b"said"[..])));
    }
}
