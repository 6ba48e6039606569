//! Requesters that request the properties of a record by name.

use super::part::Part;

/// The variable of a request's templates that holds the properties, and the extra field of its slice with the same
/// name.
pub(super) const VARIABLE: &str = "query_properties";

/// Whether a value of a mapping is such a component.
pub(super) fn is_query_properties(part: &Part<'_>) -> bool {
    part.kind() == "QueryProperties"
}

/// Whether a requester requests properties by name.
pub(super) fn has_some(requester: &Part<'_>) -> bool {
    let parameters = requester.field("request_parameters");
    requester.field(VARIABLE).is_some()
        || requester.field("fetch_properties_from_endpoint").is_some()
        || parameters.is_some_and(|list| list.entries().any(|(_, value)| is_query_properties(&value)))
}
