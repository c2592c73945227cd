//! What the compiler says to those who make a mistake: each case is a file, and beside it the message.
//!
//! After a deliberate change of a message: `TRYBUILD=overwrite cargo test -p inproxy-tests --test messages`, and read what changed as a newcomer would.

#[test]
fn mistakes_are_named_with_their_mend() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/messages/filter/*.rs");
    cases.compile_fail("tests/messages/access_logger/*.rs");
    cases.compile_fail("tests/messages/service/*.rs");
    cases.compile_fail("tests/messages/config/*.rs");
    cases.compile_fail("tests/messages/phases/*.rs");
}
