//! stand-in until the record side is merged
use crate::protocol::ConnectorSpecification;
pub(super) fn generic() -> ConnectorSpecification {
    ConnectorSpecification::new(serde_json::json!({}))
}
