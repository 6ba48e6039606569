//! The description of a list endpoint, and finding one in the table.

use serde_json::Value;

use super::seed::Seed;
pub(super) use super::table::RESOURCES;

/// One list endpoint and the objects behind it.
pub(super) struct Resource {
    /// Its name in tests: the stream's name in the Stripe source.
    pub(super) name: &'static str,
    /// The path of the list. A segment `{field}` matches any value, and only the objects whose `field` has that value
    /// are listed. `{_parent}` is the hidden field of objects without their parent's id: the mock filters by it and
    /// does not send it.
    pub(super) path: &'static str,
    /// The `object` field of its objects.
    pub(super) object: &'static str,
    /// The parts of an id: this, and a number with leading zeros.
    pub(super) id_prefix: &'static str,
    pub(super) id_digits: usize,
    /// The path of its objects, if it is not below the list.
    pub(super) objects_at: Option<&'static str>,
    /// Whether `created` can be filtered by.
    pub(super) created_filter: bool,
    /// The field with the creation time. Objects without it are listed in order of insertion.
    pub(super) created_field: &'static str,
    /// Query parameters that compare with the object's field of the same name. Stripe's others, which search a hash or
    /// an array, are refused here.
    pub(super) filters: &'static [&'static str],
    /// The query parameter that compares with the hidden field `_parent`.
    pub(super) parent_filter: Option<&'static str>,
    /// The query parameter without which the list is refused.
    pub(super) required: Option<&'static str>,
    /// The only `object` that the list shows, of a resource with several.
    pub(super) shows_only: Option<&'static str>,
    /// Whether `type` and `types[]` can be filtered by.
    pub(super) types: bool,
    /// Objects older than this many seconds are not listed.
    pub(super) retention: Option<i64>,
    /// The types of the events for created, changed and deleted objects, where Stripe has them.
    pub(super) event_created: Option<&'static str>,
    pub(super) event_updated: Option<&'static str>,
    pub(super) event_deleted: Option<&'static str>,
    /// Makes one object.
    pub(super) generate: fn(&mut Seed) -> Value,
}

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
