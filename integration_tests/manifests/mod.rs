//! Manifests as their users run them: the examples in `examples/manifests/`, and refusals of too large ones.
//! `integration_tests/golden_cases/` compares manifests with Airbyte's runtime; `fault_table/` has the messages for
//! mistakes.

mod decoders;
mod dynamic;
mod entry;
mod examples;
mod limits;
mod logins;
mod python;
