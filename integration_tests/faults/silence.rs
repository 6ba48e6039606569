//! Nothing comes: no connection, no handshake, no head, no body. A timeout ends each wait.

use source_http_testkit::Fault;

use super::matrix::{LONG, Outcome, Row, SHORT, run};
use crate::support::Misbehaviour;

#[test]
fn every_silence_is_ended_survived_or_named() {
    run(rows());
}

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::connection("no connection is taken", Misbehaviour::Ignore, Outcome::Passing(&["REQUEST got no response from HOST: no connection could be opened: timed out: not ready within 200ms (connect_timeout)."]))
            .timed(|options| options.connect_timeout = SHORT),
        Row::connection("silence on a new connection", Misbehaviour::Silence, Outcome::Passing(&["NO HEAD: timed out: not complete within 200ms (response_timeout)"]))
            .timed(|options| options.response_timeout = SHORT),
        Row::tls("silence in the handshake", Misbehaviour::Silence, Outcome::Passing(&["REQUEST got no response from HOST: no connection could be opened: timed out: not ready within 200ms (connect_timeout)."]))
            .timed(|options| options.connect_timeout = SHORT),
        Row::reply("silence before the head", |good, _| good.fault(Fault::SilenceBeforeHead(LONG)), Outcome::Passing(&["NO HEAD: timed out: not complete within 200ms (response_timeout)"]))
            .timed(|options| options.response_timeout = SHORT),
        Row::reply(
            "silence in the head",
            |good, _| good.fault(Fault::RawThenSilence(b"HTTP/1.1 200 OK\r\nContent-Le".to_vec(), LONG)),
            Outcome::Passing(&["NO HEAD: timed out: no byte was received within 200ms (read_timeout)"]),
        )
        .timed(|options| options.read_timeout = SHORT),
        Row::reply(
            "silence after the head",
            |good, _| good.fault(Fault::SilenceInBody { after: 0, lasting: LONG }),
            Outcome::Passing(&["NO BODY: timed out: no byte was received within 200ms (read_timeout)"]),
        )
        .timed(|options| options.read_timeout = SHORT),
        Row::reply(
            "silence in the body",
            |good, _| good.fault(Fault::SilenceInBody { after: 20, lasting: LONG }),
            Outcome::Passing(&["NO BODY: timed out: no byte was received within 200ms (read_timeout)"]),
        )
        .timed(|options| options.read_timeout = SHORT),
        Row::reply(
            "silence in a chunk",
            |good, _| good.chunked(7).fault(Fault::SilenceInBody { after: 20, lasting: LONG }),
            Outcome::Passing(&["NO BODY: timed out: not complete within 200ms (total_timeout)"]),
        )
        .timed(|options| options.total_timeout = Some(SHORT)),
        Row::reply(
            "silence in gzip",
            |good, _| good.gzip().fault(Fault::SilenceInBody { after: 20, lasting: LONG }),
            Outcome::Passing(&["NO BODY: timed out: no byte was received within 200ms (read_timeout)"]),
        )
        .timed(|options| options.read_timeout = SHORT),
        Row::reply(
            "silence where a length was promised",
            |good, _| {
                let length = good.body().len() + 5;
                good.header("Content-Length", length.to_string())
            },
            Outcome::Passing(&["NO BODY: timed out: no byte was received within 200ms (read_timeout)"]),
        )
        .timed(|options| options.read_timeout = SHORT),
    ]
}
