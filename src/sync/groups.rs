//! Streams that cannot be read at the same time, because they share something at the API. A stream of a group waits
//! until the one before it is done; streams of other groups overtake it.

use std::collections::{HashSet, VecDeque};
use std::sync::{Condvar, Mutex, PoisonError};

use crate::locks;

/// The groups with a stream that is being read.
#[derive(Debug, Default)]
pub(super) struct Groups<'g> {
    busy: Mutex<HashSet<&'g str>>,
    freed: Condvar,
}

/// The right to read a stream of a group. Dropping it frees the group.
#[derive(Debug)]
pub(super) struct Held<'h, 'g> {
    groups: &'h Groups<'g>,
    group: Option<&'g str>,
}

impl<'g> Groups<'g> {
    /// Takes the first entry of a queue whose group is free, and marks that group as busy. [`Groups::held`] frees it
    /// again.
    pub(super) fn next<T>(&self, queue: &mut VecDeque<(Option<&'g str>, T)>) -> Option<(Option<&'g str>, T)> {
        let mut busy = locks::lock(&self.busy);
        let at = queue.iter().position(|(group, _)| group.is_none_or(|group| !busy.contains(group)))?;
        let next = queue.remove(at)?;
        busy.extend(next.0);
        Some(next)
    }

    /// Waits until the group of an entry in the queue is free.
    pub(super) fn wait<T>(&self, queue: &VecDeque<(Option<&'g str>, T)>) {
        let is_stuck =
            |busy: &mut HashSet<&str>| queue.iter().all(|(group, _)| group.is_some_and(|group| busy.contains(group)));
        let busy = self.freed.wait_while(locks::lock(&self.busy), is_stuck);
        drop(busy.unwrap_or_else(PoisonError::into_inner));
    }

    /// Frees a group that [`Groups::next`] marked as busy, when it is dropped.
    pub(super) fn held(&self, group: Option<&'g str>) -> Held<'_, 'g> {
        Held { groups: self, group }
    }
}

impl Drop for Held<'_, '_> {
    fn drop(&mut self) {
        if let Some(group) = self.group {
            locks::lock(&self.groups.busy).remove(group);
            self.groups.freed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_of_a_busy_group_waits_and_others_overtake_it() {
        let groups = Groups::default();
        let mut queue = VecDeque::from([(Some("g"), 1), (Some("g"), 2), (None, 3), (Some("h"), 4)]);
        let first = groups.next(&mut queue).unwrap();
        assert_eq!(first, (Some("g"), 1));
        assert_eq!(groups.next(&mut queue), Some((None, 3)));
        assert_eq!(groups.next(&mut queue), Some((Some("h"), 4)));
        assert_eq!(groups.next(&mut queue), None);
        std::thread::scope(|scope| {
            scope.spawn(|| drop(groups.held(first.0)));
            groups.wait(&queue);
        });
        assert_eq!(groups.next(&mut queue), Some((Some("g"), 2)));
    }
}
