//! The table of list endpoints. A further endpoint is a row here and a function in `objects`.

use serde_json::Value;

use super::DAY;
use super::objects;
use super::seed::Seed;

/// One list endpoint and the objects behind it.
pub(super) struct Resource {
    /// What tests call it; the stream's name in the Stripe source.
    pub(super) name: &'static str,
    /// The path of the list. A segment `{field}` takes any value, and only the objects whose
    /// `field` has that value are listed. `{_parent}` is the hidden field of objects that do not
    /// say which parent they are of: the mock filters by it and leaves it out of what it sends.
    pub(super) path: &'static str,
    /// The `object` field of its objects.
    pub(super) object: &'static str,
    /// What an id is made of: this, and a number with leading zeros.
    pub(super) id_prefix: &'static str,
    pub(super) id_digits: usize,
    /// Whether `created` can be asked for.
    pub(super) created_filter: bool,
    /// The field that holds the time of creation. Objects without it are listed as they came.
    pub(super) created_field: &'static str,
    /// Query parameters that compare with the object's field of the same name.
    pub(super) filters: &'static [&'static str],
    /// The query parameter that compares with the hidden field `_parent`.
    pub(super) parent_filter: Option<&'static str>,
    /// The query parameter without which the list is refused.
    pub(super) required: Option<&'static str>,
    /// The only `object` that the list shows, of a resource with several.
    pub(super) shows_only: Option<&'static str>,
    /// Whether `type` and `types[]` can be asked for.
    pub(super) types: bool,
    /// Objects older than this many seconds are not listed.
    pub(super) retention: Option<i64>,
    /// The types of the events that say that an object came, changed or went, where Stripe has
    /// such.
    pub(super) event_created: Option<&'static str>,
    pub(super) event_updated: Option<&'static str>,
    pub(super) event_deleted: Option<&'static str>,
    /// Makes one object.
    pub(super) generate: fn(&mut Seed) -> Value,
}

/// What most rows have in common.
const LIST: Resource = Resource {
    name: "",
    path: "",
    object: "",
    id_prefix: "",
    id_digits: 24,
    created_filter: true,
    created_field: "created",
    filters: &[],
    parent_filter: None,
    required: None,
    shows_only: None,
    types: false,
    retention: None,
    event_created: None,
    event_updated: None,
    event_deleted: None,
    generate: |_| Value::Null,
};

pub(super) const RESOURCES: &[Resource] = &[
    Resource {
        name: "accounts",
        path: "/v1/accounts",
        object: "account",
        id_prefix: "acct_",
        id_digits: 16,
        event_updated: Some("account.updated"),
        generate: objects::account,
        ..LIST
    },
    Resource {
        name: "balance_transactions",
        path: "/v1/balance_transactions",
        object: "balance_transaction",
        id_prefix: "txn_",
        filters: &["currency", "source", "type"],
        generate: objects::balance_transaction,
        ..LIST
    },
    Resource {
        name: "charges",
        path: "/v1/charges",
        object: "charge",
        id_prefix: "ch_",
        filters: &["customer", "payment_intent", "transfer_group"],
        event_created: Some("charge.succeeded"),
        event_updated: Some("charge.updated"),
        generate: objects::charge,
        ..LIST
    },
    Resource {
        name: "customers",
        path: "/v1/customers",
        object: "customer",
        id_prefix: "cus_",
        id_digits: 14,
        filters: &["email"],
        event_created: Some("customer.created"),
        event_updated: Some("customer.updated"),
        event_deleted: Some("customer.deleted"),
        generate: objects::customer,
        ..LIST
    },
    Resource {
        name: "events",
        path: "/v1/events",
        object: "event",
        id_prefix: "evt_",
        types: true,
        retention: Some(30 * DAY),
        generate: objects::event,
        ..LIST
    },
    Resource {
        name: "invoices",
        path: "/v1/invoices",
        object: "invoice",
        id_prefix: "in_",
        filters: &["collection_method", "customer", "status", "subscription"],
        event_created: Some("invoice.created"),
        event_updated: Some("invoice.updated"),
        event_deleted: Some("invoice.deleted"),
        generate: objects::invoice,
        ..LIST
    },
    Resource {
        name: "products",
        path: "/v1/products",
        object: "product",
        id_prefix: "prod_",
        id_digits: 14,
        filters: &["active", "shippable", "url"],
        event_created: Some("product.created"),
        event_updated: Some("product.updated"),
        event_deleted: Some("product.deleted"),
        generate: objects::product,
        ..LIST
    },
    Resource {
        name: "refunds",
        path: "/v1/refunds",
        object: "refund",
        id_prefix: "re_",
        filters: &["charge", "payment_intent"],
        event_created: Some("refund.created"),
        event_updated: Some("refund.updated"),
        generate: objects::refund,
        ..LIST
    },
];

impl Resource {
    /// The place in the table of the resource of that name.
    ///
    /// # Panics
    /// If there is none.
    pub(super) fn place(name: &str) -> usize {
        RESOURCES.iter().position(|resource| resource.name == name).unwrap_or_else(|| {
            let names: Vec<&str> = RESOURCES.iter().map(|resource| resource.name).collect();
            panic!("no mock resource {name}, there are: {}", names.join(", "))
        })
    }

    /// The id of the object of that number, counted from 1.
    pub(super) fn id(&self, number: u64) -> String {
        format!("{}{number:0width$}", self.id_prefix, width = self.id_digits)
    }

    /// The values of the path's `{field}` segments, if the path is this resource's list.
    pub(super) fn path_fields(&self, path: &str) -> Option<Vec<(&'static str, String)>> {
        let mut fields = Vec::new();
        let mut given = path.split('/');
        for expected in self.path.split('/') {
            let segment = given.next()?;
            match placeholder(expected) {
                Some(field) if !segment.is_empty() => fields.push((field, segment.to_owned())),
                None if segment == expected => {}
                _ => return None,
            }
        }
        given.next().is_none().then_some(fields)
    }

    /// The fields that lists of this resource are filtered by.
    pub(super) fn filter_fields(&self) -> impl Iterator<Item = &'static str> {
        let of_path = self.path.split('/').filter_map(placeholder);
        self.filters.iter().copied().chain(of_path)
    }
}

fn placeholder(segment: &'static str) -> Option<&'static str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}
