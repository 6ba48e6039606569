//! Manifests as their users run them: the examples in `examples/manifests/`, whole, and what is refused for its size.
//! `integration_tests/golden_cases/` has what Airbyte's runtime makes of manifests, `fault_table/` what is said of mistakes.

mod decoders;
mod dynamic;
mod entry;
mod examples;
mod limits;
mod logins;
mod python;
