//! A partition that was made and whose turn has not come. All of them are made before the first is read, so each is kept
//! as a text, which takes a tenth of the memory.

use serde_json::{Map, Value};

use super::known::partition_of;
use crate::protocol::has_float;
use crate::streams::Slice;

/// A partition of a read.
pub(super) enum Made {
    /// The members of its partition, in their order, and what goes along in its slices.
    Text(String, Option<Box<Map<String, Value>>>),
    /// One that would not come out of a text as it was.
    Whole(Box<Slice>),
}

impl Made {
    pub(super) fn new(slice: Slice) -> Self {
        if !slice.span().is_empty() || slice.partition().values().any(has_float) {
            return Self::Whole(Box::new(slice));
        }
        let extra = (!slice.extra().is_empty()).then(|| Box::new(slice.extra().clone()));
        match serde_json::to_string(slice.partition()) {
            Ok(partition) => Self::Text(partition, extra),
            Err(_) => Self::Whole(Box::new(slice)),
        }
    }

    /// The partition as it was made.
    pub(super) fn slice(self) -> Slice {
        match self {
            Self::Text(partition, extra) => {
                Slice::of_partition(partition_of(&partition)).with_extra(extra.map(|extra| *extra).unwrap_or_default())
            }
            Self::Whole(slice) => *slice,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_partition_comes_out_as_it_was_made() {
        let large = u64::MAX;
        for value in
            [json!("b"), json!(1), json!(large), json!(0.1), json!(null), json!({"z": [1.5, "ä\n\""], "a": {}})]
        {
            let slice = Slice::of_partition([("b", value), ("a", json!({}))]).with_extra([("name", 7)]);
            let same = Made::new(slice.clone()).slice();
            assert_eq!(same, slice);
            assert_eq!(format!("{:?}", same.partition()), format!("{:?}", slice.partition()), "in their order");
        }
        assert!(matches!(Made::new(Slice::of_partition([("a", 1)])), Made::Text(_, None)));
        assert!(matches!(Made::new(Slice::of_partition([("a", 0.5)])), Made::Whole(_)));
    }
}
