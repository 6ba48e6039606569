//! What has to be so whatever bytes come from outside. It lies with the tests, which are packaged without this folder.

#[path = "../../integration_tests/hostile/decoders.rs"]
mod decoders;
#[path = "../../integration_tests/hostile/inputs.rs"]
mod inputs;

pub use decoders::*;
pub use inputs::*;
