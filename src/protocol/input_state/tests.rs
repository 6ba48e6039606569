use super::*;

fn parse(text: &str) -> Result<InputState, Failure> {
    InputState::parse(text.as_bytes(), "state.json")
}

fn state_of_a(text: &str) -> String {
    let state = parse(text).unwrap_or_else(|failure| panic!("{text}: {failure}"));
    serde_json::to_string(&state.of(&StreamDescriptor::named("a"))).unwrap()
}

#[test]
fn every_form_of_state_is_used() {
    for text in [
        r#"[{"type":"STREAM","stream":{"stream_descriptor":{"name":"a"},"stream_state":{"n":1}}}]"#,
        r#"[{"stream":{"stream_descriptor":{"name":"a"},"stream_state":{"n":1}}}]"#,
        r#"{"type":"STREAM","stream":{"stream_descriptor":{"name":"a"},"stream_state":{"n":1}}}"#,
        r#"[{"type":"GLOBAL","global":{"shared_state":{},"stream_states":[{"stream_descriptor":{"name":"a"},"stream_state":{"n":1}}]}}]"#,
        r#"{"global":{"stream_states":[{"stream_descriptor":{"name":"a"},"stream_state":{"n":1}}]}}"#,
        r#"[{"type":"LEGACY","data":{"a":{"n":1}}}]"#,
        r#"{"data":{"a":{"n":1}}}"#,
        r#"{"a":{"n":1}}"#,
        r#"[{"streamDescriptor":{"name":"a"},"streamState":{"n":1}}]"#,
        r#"{"streamDescriptor":{"name":"a","namespace":null},"streamState":{"n":1}}"#,
        r#"{"stream_descriptor":{"name":"a"},"stream_state":{"n":1}}"#,
        r#"[{"type":"STREAM","stream":{"streamDescriptor":{"name":"a"},"streamState":{"n":1}}}]"#,
        r#"[{"type":"stream","stream":{"stream_descriptor":{"name":"a"},"stream_state":{"n":1}}}]"#,
        r#"[{"type":"STREAM","stream_descriptor":{"name":"a"},"stream_state":{"n":1}}]"#,
        r#"{"stateType":"stream","connectionId":"c","streamState":[{"streamDescriptor":{"name":"a"},"streamState":{"n":1}}],"globalState":null}"#,
        r#"{"stateType":"global","connectionId":"c","globalState":{"sharedState":{},"streamStates":[{"streamDescriptor":{"name":"a"},"streamState":{"n":1}}]}}"#,
        r#"{"stateType":"legacy","connectionId":"c","state":{"a":{"n":1}}}"#,
        r#"{"connectionId":"c","connectionState":{"stateType":"stream","streamState":[{"streamDescriptor":{"name":"a"},"streamState":{"n":1}}]}}"#,
        r#"{"sharedState":null,"streamStates":[{"streamDescriptor":{"name":"a"},"streamState":{"n":1}}]}"#,
        r#"{"state":[{"type":"STREAM","stream":{"stream_descriptor":{"name":"a"},"stream_state":{"n":1}}}]}"#,
        r#"{"state":{"a":{"n":1}}}"#,
        r#"{"type":"STATE","state":{"data":{"a":{"n":1}},"sourceStats":{"recordCount":1.0}}}"#,
        r#"{"singer_state":{"stream_descriptor":{"name":"a"},"stream_state":{"n":1}}}"#,
        r#"{"completed":{"singer_state":{"a":{"n":0}}},"partial":{"singer_state":{"a":{"n":1}}}}"#,
        r#"{"completed":{"singer_state":{"a":{"n":1}}},"partial":{}}"#,
        r#"{"type":"SCHEMA","stream":"a","schema":{},"key_properties":[]}
           {"type":"RECORD","stream":"a","record":{"n":7}}
           {"type":"STATE","value":{"stream_descriptor":{"name":"a"},"stream_state":{"n":1}}}"#,
        r#"{"type":"RECORD","record":{"stream":"a","data":{"n":7},"emitted_at":1}}
           {"type":"STATE","state":{"type":"STREAM","stream":{"stream_descriptor":{"name":"a"},"stream_state":{"n":0}}}}
           {"type":"LOG","log":{"level":"INFO","message":"m"}}
           {"type":"STATE","state":{"type":"STREAM","stream":{"stream_descriptor":{"name":"a"},"stream_state":{"n":1}}}}"#,
    ] {
        assert_eq!(state_of_a(text), r#"{"n":1}"#, "{text}");
    }
}

#[test]
fn what_says_nothing_is_an_empty_state() {
    for text in [
        "",
        "[]",
        "{}",
        "null",
        r#"[{"type":"STREAM","stream":{"stream_descriptor":{"name":"a"},"stream_state":null}}]"#,
        r#"[{"type":"STREAM","stream":{"stream_descriptor":{"name":"a"}}}]"#,
        r#"{"a":{"__ab_no_cursor_state_message":true}}"#,
        r#"{"stateType":"not_set","connectionId":"c"}"#,
        r#"{"stateType":"stream","streamState":[]}"#,
        r#"{"completed":{},"partial":{}}"#,
    ] {
        assert_eq!(state_of_a(text), "{}", "{text}");
    }
}

#[test]
fn what_cannot_be_understood_is_refused_and_never_ignored() {
    for (text, why) in [
        ("{", "not valid JSON"),
        ("7", "neither a list nor an object"),
        ("[7]", "an item of the list is a number"),
        (r#"[{"type":"STREAM"}]"#, "has no `stream`"),
        (r#"[{"type":"STREAM","stream":{}}]"#, "no `stream.stream_descriptor.name`"),
        (r#"[{"type":"STREAM","stream":[]}]"#, "a `stream` is a list, not an object"),
        (r#"[{"type":"GLOBAL","global":{"stream_states":["a"]}}]"#, "a `stream` is a string, not an object"),
        (r#"[{"type":"WHAT"}]"#, "\"WHAT\" is not one of"),
        (r#"[{"type":"GLOBAL","global":{"shared_state":{"x":1}}}]"#, "shared_state"),
        (r#"[{"type":"GLOBAL","global":{}},{"type":"GLOBAL","global":{}}]"#, "only item"),
        (r#"{"a":5}"#, "the state of \"a\" is a number"),
        (r#"[{"type":"LEGACY","data":[1]}]"#, "data is a list"),
        (r#"{"stateType":"stream","streamState":{"a":{}}}"#, "has no `streamState` that is a list"),
        (r#"{"stateType":"global"}"#, "has no `globalState`"),
        (r#"{"stateType":"odd"}"#, "\"odd\" is not one of stream, global, legacy"),
        (r#"{"stateType":"global","globalState":{"sharedState":{"x":1}}}"#, "shared_state"),
        (r#"{"streamDescriptor":{},"streamState":{}}"#, "stream_descriptor.name"),
        (r#"{"streamDescriptor":{"name":"a"},"streamState":7}"#, "the state of \"a\" is a number"),
    ] {
        let failure = parse(text).expect_err(text);
        assert!(failure.message.contains(why), "{text}: {}", failure.message);
    }
}

#[test]
fn a_legacy_state_without_any_stream_of_the_source_is_refused_with_a_near_name() {
    let refused = |text: &str| {
        let state = parse(text).unwrap();
        state.refuse_strangers(&["customers", "charges"], "state.json").map_err(|failure| failure.message)
    };
    for (text, why) in [
        (r#"{"custmers":{"n":1}}"#, "\"custmers\", are not streams of this source; did you mean \"customers\"?"),
        (r#"{"bookmarks":{"customers":{"n":1}},"currently_syncing":null}"#, "the `bookmarks` of a Singer tap"),
        (r#"{"singer_state":{"bookmarks":{"customers":{"n":1}}}}"#, "the `bookmarks` of a Singer tap"),
    ] {
        let message = refused(text).expect_err(text);
        assert!(message.contains(why), "{text}: {message}");
    }
    for text in [
        "{}",
        r#"{"customers":{"n":1},"gone":{"n":1}}"#,
        r#"[{"type":"LEGACY","data":{"charges":{}}}]"#,
        // The content of a state file in an old form.
        r#"[{"type":"STREAM","stream":{"stream_descriptor":{"name":"charges"}}},{"type":"LEGACY","data":{"gone":{}}}]"#,
    ] {
        assert_eq!(refused(text), Ok(()), "{text}");
    }
}

#[test]
fn what_is_written_is_read_again_with_newer_states_in_the_place_of_older_ones() {
    let text = r#"{"type":"STREAM","stream":{"stream_descriptor":{"name":"a","namespace":"n"},"stream_state":{"n":1}}}
                  {"old":{"n":2},"b":{"n":3}}"#;
    let mut state = parse(text).unwrap();
    state.set(&StreamDescriptor::named("b"), Map::from_iter([("n".to_owned(), json!(4))]));
    let written = state.to_text();
    assert_eq!(
        written,
        r#"[
{"type":"STREAM","stream":{"stream_descriptor":{"name":"a","namespace":"n"},"stream_state":{"n":1}}},
{"type":"STREAM","stream":{"stream_descriptor":{"name":"b"},"stream_state":{"n":4}}},
{"type":"LEGACY","data":{"old":{"n":2}}}
]
"#
    );
    assert_eq!(parse(&written).unwrap(), state);
    assert_eq!(parse(&InputState::default().to_text()).unwrap(), InputState::default());
}

#[test]
fn a_state_with_a_namespace_belongs_to_that_namespace_alone() {
    let text =
        r#"[{"type":"STREAM","stream":{"stream_descriptor":{"name":"a","namespace":"n"},"stream_state":{"n":1}}}]"#;
    assert_eq!(state_of_a(text), "{}");
    let in_namespace = StreamDescriptor { name: "a".into(), namespace: Some("n".into()) };
    assert_eq!(parse(text).unwrap().of(&in_namespace)["n"], 1);
}
