//! What the compiler says to those who ask for a schema without the feature for it. Here, since the workspace's other tests have the feature.

#[test]
fn a_schema_without_the_feature_names_the_feature() {
    trybuild::TestCases::new().compile_fail("tests/without_schema/*.rs");
}
