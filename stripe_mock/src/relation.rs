//! The parents of objects: children are listed under their parent, and the first of them may also be inside it.

use super::resource::{RESOURCES, Resource};

/// The hidden field with an object's parent, where Stripe's object does not have one. It is never sent.
pub(super) const PARENT: &str = "_parent";

/// The children of one resource in another one.
pub(super) struct Relation {
    pub(super) parent: &'static str,
    pub(super) child: &'static str,
    /// The child's field that holds the parent's id.
    pub(super) key: &'static str,
    /// The list inside the parent.
    pub(super) nested: Option<Nested>,
}

/// A list inside an object.
pub(super) struct Nested {
    /// The parent's field.
    pub(super) field: &'static str,
    /// Whether it is always there, or only on request by `expand[]`.
    pub(super) always: bool,
    /// The path of its further objects; `{}` is the parent's id.
    pub(super) url: &'static str,
}

/// Parents, children, and the children's field that names the parent.
const RELATIONS: &[Relation] = &[
    inside(
        "accounts",
        "external_accounts",
        "account",
        always("external_accounts", "/v1/accounts/{}/external_accounts"),
    ),
    beside("accounts", "persons", "account"),
    inside("application_fees", "application_fees_refunds", "fee", always("refunds", "/v1/application_fees/{}/refunds")),
    inside("charges", "refunds", "charge", on_request("refunds", "/v1/charges/{}/refunds")),
    inside(
        "checkout_sessions",
        "checkout_sessions_line_items",
        PARENT,
        on_request("line_items", "/v1/checkout/sessions/{}/line_items"),
    ),
    inside("customers", "bank_accounts", "customer", on_request("sources", "/v1/customers/{}/sources")),
    beside("customers", "customer_balance_transactions", "customer"),
    beside("customers", "payment_methods", "customer"),
    inside("files", "file_links", "file", always("links", "/v1/file_links?file={}")),
    inside("invoices", "invoice_line_items", PARENT, always("lines", "/v1/invoices/{}/lines")),
    beside("payouts", "balance_transactions", PARENT),
    beside("setup_intents", "setup_attempts", "setup_intent"),
    beside("subscription_items", "usage_records", "subscription_item"),
    inside(
        "subscriptions",
        "subscription_items",
        "subscription",
        always("items", "/v1/subscription_items?subscription={}"),
    ),
    inside("transfers", "transfer_reversals", "transfer", always("reversals", "/v1/transfers/{}/reversals")),
];

/// Children that are also inside their parent.
const fn inside(parent: &'static str, child: &'static str, key: &'static str, nested: Nested) -> Relation {
    Relation { parent, child, key, nested: Some(nested) }
}

/// Children that only have a list of their own.
const fn beside(parent: &'static str, child: &'static str, key: &'static str) -> Relation {
    Relation { parent, child, key, nested: None }
}

/// A list that its object always contains.
const fn always(field: &'static str, url: &'static str) -> Nested {
    Nested { field, always: true, url }
}

/// A list that its object contains on request by `expand[]`.
const fn on_request(field: &'static str, url: &'static str) -> Nested {
    Nested { field, always: false, url }
}

impl Relation {
    /// The parents of that resource's objects.
    pub(super) fn of_child(resource: &Resource) -> Option<&'static Self> {
        RELATIONS.iter().find(|relation| relation.child == resource.name)
    }

    /// The lists inside that resource's objects.
    pub(super) fn inside(resource: &Resource) -> impl Iterator<Item = (&'static Self, &'static Nested)> {
        let name = resource.name;
        let of_parent = RELATIONS.iter().filter(move |relation| relation.parent == name);
        of_parent.filter_map(|relation| Some((relation, relation.nested.as_ref()?)))
    }

    /// The list at a path that occurs only in an object's inner list, and the id of that object.
    pub(super) fn at(path: &str) -> Option<(&'static Self, &str)> {
        RELATIONS.iter().find_map(|relation| {
            let (start, end) = relation.nested.as_ref()?.url.split_once("{}")?;
            let id = path.strip_prefix(start)?.strip_suffix(end)?;
            (!id.is_empty() && !id.contains('/')).then_some((relation, id))
        })
    }

    /// How many generations are above the objects of that resource.
    pub(super) fn depth(resource: &Resource) -> usize {
        Self::of_child(resource).map_or(0, |relation| 1 + Self::depth(relation.parent_resource()))
    }

    pub(super) fn parent_place(&self) -> usize {
        Resource::place(self.parent)
    }

    pub(super) fn child_place(&self) -> usize {
        Resource::place(self.child)
    }

    pub(super) fn parent_resource(&self) -> &'static Resource {
        &RESOURCES[self.parent_place()]
    }
}
