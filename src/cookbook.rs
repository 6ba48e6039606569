//! Runs the cookbook: each block of its pages is a test. They are here, and not beside the code they show, because a
//! page is about a feature and a feature has many parts.

#[doc = include_str!("../docs/cookbook/authentication.md")]
struct Authentication;

#[doc = include_str!("../docs/cookbook/checks.md")]
struct Checks;

#[doc = include_str!("../docs/cookbook/date-slices.md")]
struct DateSlices;

#[doc = include_str!("../docs/cookbook/errors.md")]
struct Errors;

#[doc = include_str!("../docs/cookbook/first-stream.md")]
struct FirstStream;

#[doc = include_str!("../docs/cookbook/incremental-parents.md")]
struct IncrementalParents;

#[doc = include_str!("../docs/cookbook/incremental.md")]
struct Incremental;

#[doc = include_str!("../docs/cookbook/network.md")]
struct Network;

#[doc = include_str!("../docs/cookbook/pagination.md")]
struct Pagination;

#[doc = include_str!("../docs/cookbook/records.md")]
struct Records;

#[doc = include_str!("../docs/cookbook/request-bodies.md")]
struct RequestBodies;

#[doc = include_str!("../docs/cookbook/request-budgets.md")]
struct RequestBudgets;

#[doc = include_str!("../docs/cookbook/retries.md")]
struct Retries;

#[doc = include_str!("../docs/cookbook/schemas.md")]
struct Schemas;

#[doc = include_str!("../docs/cookbook/several-sources.md")]
struct SeveralSources;

#[doc = include_str!("../docs/cookbook/sub-streams.md")]
struct SubStreams;

#[doc = include_str!("../docs/cookbook/testing.md")]
struct Testing;

#[doc = include_str!("../docs/cookbook/workers.md")]
struct Workers;
