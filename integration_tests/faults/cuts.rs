//! A page cut at every byte, with every framing of a body.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use source_http_testkit::{Fault, Reply};

use super::matrix::{Outcome, PAGES, Row, all, complete};
use super::stage::Stage;

/// Makes a page end after this many bytes behind the head.
type Cut = fn(Reply, usize) -> Reply;

/// Cuts the page at each byte, and returns the number of cuts. `length` gives the bytes behind the head, for a valid
/// reply, up to its last record.
fn cut_at_every_byte(frame: &str, place: usize, cut: Cut, length: fn(&Reply) -> usize) -> usize {
    for at in 0.. {
        let whole = Arc::new(AtomicUsize::new(0));
        let noted = whole.clone();
        let row = Row::reply(
            "cut",
            move |good, _| {
                noted.store(length(&good), Ordering::SeqCst);
                cut(good, at)
            },
            Outcome::Harmless,
        );
        let done = Stage::new(&row, place).read(true, None);
        if let Err(problem) = complete(&done, &all()) {
            panic!("{frame}, page {place}, cut at {at}: {problem}");
        }
        let whole = whole.load(Ordering::SeqCst);
        if at >= whole {
            return at;
        }
        assert_eq!(done.sleeps.len(), 1, "{frame}, page {place}, cut at {at} of {whole}");
    }
    0
}

/// The bytes of the body.
fn plain(good: &Reply) -> usize {
    good.body().len()
}

#[test]
fn a_page_cut_at_any_byte_is_requested_again() {
    let length: Cut = |good, at| good.fault(Fault::TruncateBody(at));
    for place in [1, 3, PAGES] {
        assert!(cut_at_every_byte("length", place, length, plain) > 40);
    }
}

#[test]
fn a_page_cut_at_any_byte_of_any_frame_is_requested_again() {
    let chunks: Cut = |good, at| good.chunked(16).fault(Fault::TruncateBody(at));
    // Each chunk has a line of its length, and a line end behind it.
    let of_chunks = |good: &Reply| good.body().len() + good.body().len().div_ceil(16) * 5;
    assert!(cut_at_every_byte("chunks", 3, chunks, of_chunks) > 40);
    let reset: Cut = |good, at| good.fault(Fault::ResetInBody(at));
    assert!(cut_at_every_byte("reset", 3, reset, plain) > 40);
    let gzip: Cut = |good, at| good.gzip().fault(Fault::TruncateBody(at));
    assert!(cut_at_every_byte("gzip", 3, gzip, |good| good.clone().gzip().body().len()) > 40);
    let no_frame: Cut = |good, at| {
        let bytes = [b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", &good.body()[..at]].concat();
        Reply::empty(200).fault(Fault::RawBytes(bytes))
    };
    assert!(cut_at_every_byte("no frame", 3, no_frame, plain) > 40);
}
