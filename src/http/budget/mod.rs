//! The request budget: how many requests an API lets one client send, kept by the client itself. A limit that is kept
//! costs a short wait; one that is run into costs a refused request, a longer wait and, with many workers, a storm.
//!
//! `request_budget` is the whole; `policy` is one rule of it, for the requests its `matcher`s describe; the rule's
//! limit is a `fixed_window` or a `moving_window`, behind `window`; `server_quota` is what the server's headers say
//! on top, as `quota_headers` reads them; `budget_wait` is how a wait is reported.

mod budget_wait;
mod fixed_window;
mod matcher;
mod moving_window;
mod policy;
mod quota_headers;
mod request_budget;
mod seconds;
mod server_quota;
mod window;

pub use budget_wait::BudgetWait;
pub use fixed_window::FixedWindow;
pub use matcher::RequestMatcher;
pub use moving_window::MovingWindow;
pub use policy::BudgetPolicy;
pub use quota_headers::QuotaHeaders;
pub(in crate::http) use quota_headers::ServerSays;
pub use request_budget::RequestBudget;
pub use window::Window;
