//! A stream that this program does not run: it has a name, and says why.

use crate::protocol::Failure;
use crate::streams::{HttpStream, Refusal, RequestContext};

/// A stream of a manifest that cannot be read.
pub(super) struct RefusedStream {
    name: String,
    primary_key: Vec<Vec<String>>,
    refusal: Refusal,
}

impl RefusedStream {
    /// A stream that needs what this program does not run. It is not listed.
    pub(super) fn not_run(name: &str, reasons: &[String]) -> Self {
        let failure = Failure::config(format!(
            "The stream {name:?} needs what this program does not run yet: {}. The other streams can be read.",
            reasons.join("; ")
        ));
        Self { name: name.to_owned(), primary_key: Vec::new(), refusal: Refusal { failure, is_listed: false } }
    }

    /// A stream that has something wrong with it. It is listed, because it can be corrected.
    pub(super) fn faulty(name: &str, primary_key: Vec<Vec<String>>, faults: &[String]) -> Self {
        let failure = Failure::config(format!("The manifest's stream {name:?} cannot be read:\n{}", faults.join("\n")));
        Self { name: name.to_owned(), primary_key, refusal: Refusal { failure, is_listed: true } }
    }
}

impl HttpStream for RefusedStream {
    fn name(&self) -> &str {
        &self.name
    }

    fn url_base(&self) -> &str {
        ""
    }

    fn path(&self, _: &RequestContext<'_>) -> String {
        String::new()
    }

    fn primary_key(&self) -> Vec<Vec<String>> {
        self.primary_key.clone()
    }

    fn is_resumable(&self) -> bool {
        false
    }

    fn refusal(&self) -> Option<&Refusal> {
        Some(&self.refusal)
    }
}
