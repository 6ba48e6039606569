//! One of Stripe's events, and the object that it is about. <https://docs.stripe.com/api/events/object>

use crate::streams::Record;

/// The member of a record with the moment of its last change, in seconds since the epoch.
pub(super) const UPDATED: &str = "updated";
/// The member of a record that is true if its object was deleted.
pub(super) const IS_DELETED: &str = "is_deleted";

/// An event, and its object after the change or as it is now.
pub(super) struct Event<'e> {
    pub(super) id: String,
    /// Seconds since the epoch.
    pub(super) created: i64,
    /// Whether the object was deleted.
    pub(super) is_deleted: bool,
    /// The API version of its object.
    pub(super) api_version: Option<String>,
    pub(super) object: Record<'e>,
    kind: String,
    /// Whether it is final: the next read need not check again.
    pub(super) is_settled: bool,
}

impl<'e> Event<'e> {
    /// `None` if it has no object.
    pub(super) fn of(record: &'e Record<'_>) -> Option<Self> {
        let kind = record.get::<String>("type").unwrap_or_default();
        Some(Self {
            id: record.get("id").unwrap_or_default(),
            created: record.get("created").unwrap_or_default(),
            is_deleted: kind.ends_with(".deleted") || kind.ends_with(".detached"),
            api_version: record.get("api_version"),
            object: Record::from_text(record.field_at(&["data", "object"])?),
            kind,
            is_settled: true,
        })
    }

    /// Whether its object has that name. Old API versions had other names: a payout was a `transfer`. Then the type of
    /// the event decides.
    pub(super) fn is_about(&self, name: &str) -> bool {
        let verb = self.kind.strip_prefix(name).and_then(|rest| rest.strip_prefix('.'));
        self.object.get::<String>("object").as_deref() == Some(name) || verb.is_some_and(|verb| !verb.contains('.'))
    }

    /// The name of the object's version, unless the next read must check again.
    pub(super) fn version(&self) -> Option<&str> {
        Some(self.id.as_str()).filter(|_| self.is_settled)
    }

    /// The object with the moment of its change, and with a flag if it was deleted.
    pub(super) fn record(&self) -> Record<'static> {
        let mut record = self.object.clone().into_owned();
        record.set(UPDATED, self.created);
        if self.is_deleted {
            record.set(IS_DELETED, true);
        }
        if let Some(version) = self.version() {
            record.set_version(version);
        }
        record
    }
}

/// The moment of a listed object's last change: its own, otherwise its creation time, or `otherwise`; but no moment
/// before `floor`, from which the destination may have an older version.
pub(super) fn updated(object: &Record<'_>, otherwise: i64, floor: Option<i64>) -> i64 {
    let own = object.get::<i64>(UPDATED).or_else(|| object.get("created"));
    own.unwrap_or(otherwise).max(floor.unwrap_or(i64::MIN))
}

/// Sets that moment, unless the object has it.
pub(super) fn set_updated(record: &mut Record<'_>, otherwise: i64, floor: Option<i64>) {
    let updated = updated(record, otherwise, floor);
    if record.get::<i64>(UPDATED) != Some(updated) {
        record.set(UPDATED, updated);
    }
}
