//! The request budget: how many requests an API allows one client, enforced by the client itself. Staying below a limit
//! costs a short wait; exceeding it costs a refused request, a longer wait and, with many workers, a storm.
//!
//! `request_budget` is the whole; `policy` is one rule of it, for the requests that its `matcher`s describe; its limit
//! is a `fixed_window` or a `moving_window`, behind `window`; `server_quota` adds the limits in the server's headers,
//! which `quota_headers` reads; `budget_wait` reports a wait.

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
