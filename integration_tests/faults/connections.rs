//! The connection is refused, reset or closed, before and between requests, plain and with TLS.

use source_http_testkit::Fault;

use super::matrix::{Outcome, Row, run};
use crate::support::Misbehaviour;

#[test]
fn every_fault_of_a_connection_is_survived_or_named() {
    run(rows());
}

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::connection(
            "refused",
            Misbehaviour::Refuse,
            Outcome::Passing(&[
                "REQUEST got no response from HOST: no connection could be opened: connection refused. Check the host and port in the URL, and that they can be reached from here.",
            ]),
        ),
        Row::connection(
            "reset when it is taken",
            Misbehaviour::Reset,
            Outcome::Passing(&[
                "NO HEAD: the connection was reset",
                "NO HEAD: the server closed the connection",
                "REQUEST got no response from HOST: the request could not be sent in full: the server closed the connection.",
            ]),
        ),
        Row::connection(
            "reset after the request",
            Misbehaviour::ResetAfterHello,
            Outcome::Passing(&["NO HEAD: the connection was reset"]),
        ),
        Row::connection(
            "closed after the request",
            Misbehaviour::Say(b""),
            Outcome::Passing(&["NO HEAD: the connection was closed early"]),
        ),
        Row::reply(
            "closed before the head",
            |good, _| good.fault(Fault::RefuseHead),
            Outcome::Passing(&["NO HEAD: the connection was closed early"]),
        ),
        Row::reply(
            "reset before the head",
            |good, _| good.fault(Fault::ResetBeforeHead),
            Outcome::Passing(&["NO HEAD: the connection was reset"]),
        ),
        Row::reply(
            "reset in the head",
            |good, _| good.fault(Fault::RawThenReset(b"HTTP/1.1 200 OK\r\nContent-Le".to_vec())),
            Outcome::Passing(&["NO HEAD: the connection was reset"]),
        ),
        Row::reply(
            "reset after the head",
            |good, _| good.fault(Fault::ResetInBody(0)),
            Outcome::Passing(&["NO BODY: the connection was closed early", "NO BODY: the connection was reset"]),
        ),
        Row::reply(
            "reset in the body",
            |good, _| good.fault(Fault::ResetInBody(20)),
            Outcome::Passing(&["NO BODY: the connection was closed early", "NO BODY: the connection was reset"]),
        ),
        Row::reply(
            "reset at the last byte",
            |good, _| {
                let last = good.body().len() - 1;
                good.fault(Fault::ResetInBody(last))
            },
            Outcome::Passing(&["NO BODY: the connection was closed early", "NO BODY: the connection was reset"]),
        ),
        Row::reply("closed when idle", |good, _| good.fault(Fault::CloseAfter), Outcome::Harmless).timed(|_| ()),
        Row::reply("reset when idle", |good, _| good.fault(Fault::ResetAfter), Outcome::Harmless).timed(|_| ()),
        Row::tls(
            "refused with TLS",
            Misbehaviour::Refuse,
            Outcome::Passing(&[
                "REQUEST got no response from HOST: no connection could be opened: connection refused. Check the host and port in the URL, and that they can be reached from here.",
            ]),
        ),
        Row::tls(
            "reset in the handshake",
            Misbehaviour::ResetAfterHello,
            Outcome::Passing(&["NO HEAD: the connection was reset"]),
        ),
        Row::tls(
            "closed in the handshake",
            Misbehaviour::Say(b""),
            Outcome::Passing(&["NO HEAD: the connection was closed early"]),
        ),
        Row::tls(
            "a handshake answered in plain text",
            Misbehaviour::Say(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
            Outcome::Final(
                "config_error",
                &[
                    "REQUEST got no response from HOST: the TLS handshake failed: what came back is not TLS. If the port speaks plain HTTP, the URL has to begin with http://.",
                ],
            ),
        ),
    ]
}
