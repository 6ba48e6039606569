//! The streams, one row each, to be read beside Stripe's API reference.

/// A list of objects that never change: what is new since the last read is asked for by creation time.
#[derive(Debug)]
pub(super) struct Created {
    /// The stream's name, and that of its schema.
    pub(super) name: &'static str,
    /// The list's path.
    pub(super) path: &'static str,
}

/// A list of objects that change: read whole the first time, and from the events about them after that.
#[derive(Debug)]
pub(super) struct Updated {
    /// The stream's name, and that of its schema.
    pub(super) name: &'static str,
    /// The list's path.
    pub(super) path: &'static str,
    /// The objects' `object` member. Events of the types below carry other objects, too.
    pub(super) object: &'static str,
    /// Whether the list can be filtered by `created`.
    pub(super) windows: bool,
    /// Further query parameters of the list.
    pub(super) params: &'static [(&'static str, &'static str)],
    /// The events that carry such an object, newly changed.
    pub(super) events: &'static [&'static str],
}

pub(super) const CREATED: &[Created] = &[
    Created { name: "events", path: "events" },
    Created { name: "balance_transactions", path: "balance_transactions" },
];

pub(super) const UPDATED: &[Updated] = &[
    Updated {
        name: "charges",
        path: "charges",
        object: "charge",
        windows: true,
        params: &[("expand[]", "data.refunds")],
        events: &[
            "charge.captured",
            "charge.expired",
            "charge.failed",
            "charge.pending",
            "charge.refunded",
            "charge.refund.updated",
            "charge.succeeded",
            "charge.updated",
        ],
    },
    Updated {
        name: "customers",
        path: "customers",
        object: "customer",
        windows: true,
        params: &[],
        events: &["customer.created", "customer.updated", "customer.deleted"],
    },
    Updated {
        name: "invoices",
        path: "invoices",
        object: "invoice",
        windows: true,
        params: &[("expand[]", "data.discounts"), ("expand[]", "data.total_tax_amounts.tax_rate")],
        events: &[
            "invoice.created",
            "invoice.deleted",
            "invoice.finalization_failed",
            "invoice.finalized",
            "invoice.marked_uncollectible",
            "invoice.overdue",
            "invoice.paid",
            "invoice.payment_action_required",
            "invoice.payment_failed",
            "invoice.payment_succeeded",
            "invoice.sent",
            "invoice.updated",
            "invoice.voided",
            "invoice.will_be_due",
        ],
    },
    Updated {
        name: "products",
        path: "products",
        object: "product",
        windows: true,
        params: &[],
        events: &["product.created", "product.updated", "product.deleted"],
    },
    Updated {
        name: "refunds",
        path: "refunds",
        object: "refund",
        windows: true,
        params: &[],
        events: &["refund.created", "refund.updated", "charge.refund.updated"],
    },
    Updated {
        name: "accounts",
        path: "accounts",
        object: "account",
        windows: false,
        params: &[],
        events: &[
            "account.updated",
            "account.external_account.created",
            "account.external_account.updated",
            "account.external_account.deleted",
        ],
    },
];

#[cfg(test)]
pub(super) fn names() -> Vec<&'static str> {
    CREATED.iter().map(|row| row.name).chain(UPDATED.iter().map(|row| row.name)).collect()
}
