//! Knows which lists several streams read, so that no page is cached that nobody requests again.

use std::collections::{HashMap, HashSet};
use std::iter;

use super::HttpStream;

/// How many of the chosen streams read each list. A stream reads its own list, and a sub-stream those of its parents,
/// all the way up. Lists are identified by the names of their streams.
#[derive(Debug, Default)]
pub struct Sharing {
    readers: HashMap<String, usize>,
    /// Streams that are a parent or have one: the other readers of such a list are known.
    related: HashSet<String>,
}

impl Sharing {
    /// The sharing of a source's chosen streams. `all` are the streams of the source.
    #[must_use]
    pub fn new<'s>(
        chosen: impl IntoIterator<Item = &'s dyn HttpStream>,
        all: impl IntoIterator<Item = &'s dyn HttpStream>,
    ) -> Self {
        let mut sharing = Self::default();
        for list in chosen.into_iter().flat_map(lists) {
            *sharing.readers.entry(list.name().to_owned()).or_default() += 1;
        }
        let children = all.into_iter().filter(|stream| !stream.parents().is_empty());
        sharing.related = children.flat_map(lists).map(|list| list.name().to_owned()).collect();
        sharing
    }

    /// Whether a stream's pages are worth caching: it says so, and its own list or one above it has two readers. A
    /// stream without relations may share its URL with another one, which cannot be checked, so its word counts.
    pub(super) fn wants(&self, stream: &(impl HttpStream + ?Sized)) -> bool {
        let is_shared = |name: &str| self.readers.get(name).is_some_and(|readers| *readers > 1);
        let above = || stream.parents().iter().flat_map(|parent| lists(parent.stream()));
        stream.use_cache()
            && (!self.related.contains(stream.name())
                || is_shared(stream.name())
                || above().any(|list| is_shared(list.name())))
    }
}

/// The list of a stream, and those of its parents.
fn lists(stream: &dyn HttpStream) -> Box<dyn Iterator<Item = &dyn HttpStream> + '_> {
    let above = stream.parents().iter().flat_map(|parent| lists(parent.stream()));
    Box::new(iter::once(stream).chain(above))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{ParentStream, RequestContext};
    use super::*;

    struct List(&'static str, Option<ParentStream>);

    impl HttpStream for List {
        fn name(&self) -> &str {
            self.0
        }
        fn url_base(&self) -> &'static str {
            "http://a.com"
        }
        fn path(&self, _: &RequestContext<'_>) -> String {
            String::new()
        }
        fn parents(&self) -> &[ParentStream] {
            self.1.as_slice()
        }
        fn use_cache(&self) -> bool {
            self.0 != "uncached"
        }
    }

    /// A stream below others, the nearest first.
    fn below(name: &'static str, parents: &[&'static str]) -> List {
        let parent =
            parents.split_first().map(|(nearest, others)| ParentStream::new(Arc::new(below(nearest, others)), ["id"]));
        List(name, parent)
    }

    /// The streams whose pages are cached if these are chosen.
    fn kept(chosen: &[&str]) -> Vec<String> {
        let all = [
            below("top", &[]),
            below("middle", &["top"]),
            below("leaf", &["middle", "top"]),
            below("other", &["top"]),
            below("uncached", &["top"]),
            below("alone", &[]),
        ];
        let all = || all.iter().map(|stream| stream as &dyn HttpStream);
        let sharing = Sharing::new(all().filter(|stream| chosen.contains(&stream.name())), all());
        all().filter(|stream| sharing.wants(*stream)).map(|stream| stream.name().to_owned()).collect()
    }

    #[test]
    fn a_list_is_kept_if_two_chosen_streams_read_it_or_one_above_it() {
        assert_eq!(kept(&["top"]), ["alone"]);
        assert_eq!(kept(&["leaf"]), ["alone"], "one reader of three lists");
        assert_eq!(kept(&["top", "other"]), ["top", "middle", "leaf", "other", "alone"]);
        assert_eq!(kept(&["middle", "leaf"]), ["top", "middle", "leaf", "other", "alone"]);
        assert_eq!(kept(&["other", "uncached"]), ["top", "middle", "leaf", "other", "alone"]);
    }

    #[test]
    fn the_word_of_a_stream_without_relations_counts() {
        assert_eq!(kept(&["alone"]), ["alone"]);
    }
}
