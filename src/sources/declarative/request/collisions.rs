//! Two components that set the same parameter, header or field of a request: it is said when the manifest is loaded, with the
//! places of both.

use super::super::options::{By, RequestOption};
use super::super::part::{Builder, Part};
use super::Requester;

/// Reports options that want the same place as another, or as the requester itself. Partition routers and the cursor
/// may: the first router counts, and the cursor before a router.
pub(in crate::sources::declarative) fn tell_collisions(
    builder: &Builder<'_>,
    part: &Part<'_>,
    requester: &Requester,
    options: &[&RequestOption],
) {
    let mut options = options.to_vec();
    options.extend(requester.auth.option.as_ref());
    for (at, one) in options.iter().enumerate() {
        for other in options[..at].iter().filter(|other| one.clashes(other)) {
            let name = one.path.join(".");
            let both = format!("{} and {} both set the {} `{name}`", other.from, one.from, one.place.field());
            let sliced = |option: &RequestOption| matches!(option.by, By::Router | By::Cursor);
            match sliced(one) && sliced(other) {
                true => builder.warn(part, format!("{both}: only one of their values is sent")),
                false => builder.error(part, format!("{both}. Keep one of them")),
            }
        }
        if let Some(own) = requester.fixed.iter().find(|own| own.0 == one.place && own.1 == one.path[0]) {
            let what = one.place.field();
            let both = format!("{} and {} both set the {what} `{}`", own.2, one.from, one.path[0]);
            builder.error(part, format!("{both}. Keep one of them"));
        }
    }
}
