"""Small manifests and the records of their APIs, one for each row of the table. Each is read two or three times. One of the
reads has an error or odd data; by the last read, the API has returned or can return every record."""

import datetime

SINCE, UNTIL, OF, PAGE = "since", "until", "of", "page"


def option(name):
    return {"type": "RequestOption", "inject_into": "request_parameter", "field_name": name}


def stream(path, **more):
    retriever = {
        "type": "SimpleRetriever",
        "requester": {"type": "HttpRequester", "url_base": "{{ config['url'] }}", "path": path},
        "record_selector": {"type": "RecordSelector", "extractor": {"type": "DpathExtractor", "field_path": ["data"]}},
    }
    if more.pop("paged", False):
        strategy = {"type": "PageIncrement", "start_from_page": 1, "page_size": 2}
        paginator = {"type": "DefaultPaginator", "page_token_option": option(PAGE), "pagination_strategy": strategy}
        retriever["paginator"] = paginator
    if "router" in more:
        retriever["partition_router"] = more.pop("router")
    loader = {"type": "InlineSchemaLoader", "schema": {"type": "object", "properties": {}}}
    name = more.pop("name", "items")
    return {"type": "DeclarativeStream", "name": name, "retriever": retriever, "schema_loader": loader, **more}


def cursor(**more):
    return {
        "type": "DatetimeBasedCursor",
        "cursor_field": "at",
        "datetime_format": "%Y-%m-%d",
        "start_datetime": "2024-01-01",
        "end_datetime": "{{ config['end'] }}",
        "start_time_option": option(SINCE),
        "end_time_option": option(UNTIL),
        **more,
    }


def listed():
    values = "{{ config['sites'] }}"
    return {"type": "ListPartitionRouter", "values": values, "cursor_field": "site", "request_option": option(OF)}


def parents(parent, **more):
    config = {"type": "ParentStreamConfig", "stream": parent, "parent_key": "id", "partition_field": "parent"}
    return {"type": "SubstreamPartitionRouter", "parent_stream_configs": [{**config, "request_option": option(OF), **more}]}


def days(*each, **more):
    """Records of these days of January. The id is the day; `(id, day)` gives another one."""
    pairs = [one if isinstance(one, tuple) else (one, one) for one in each]
    return [{"id": id, "at": f"2024-01-{day:02}" if isinstance(day, int) else day, **more} for id, day in pairs]


def found(records, query):
    """The records that a request asks for. Values of the cursor are compared as texts."""
    since, until = query.get(SINCE, ""), query.get(UNTIL, "9")
    records = [r for r in records if since <= r["at"] <= until and r.get("of", query.get(OF)) == query.get(OF)]
    if PAGE in query:
        first = 2 * (int(query[PAGE]) - 1)
        records = records[first : first + 2]
    return records


class Scenario:
    """A row. `answer(read, path, query)` returns records, or a status; `wanted` are the ids of the records to read."""

    def __init__(self, row, what, streams, reads, answer, wanted, state=None, repeats=False, warning=None, stays=False):
        self.row, self.what, self.streams, self.answer = row, what, streams, answer
        self.wanted, self.state, self.repeats = set(wanted), state, repeats
        # The records are lost here, too, but a warning contains this text. The next row may have a setting that reads them.
        self.warning = warning
        # The records are lost here, too, without a warning. The page says why, or the next row has a setting that reads them.
        self.stays = stays
        # The config of each read.
        self.reads = [{"end": "2024-01-31", **config} for config in reads]


def scenarios():
    yield from of_partitions()
    yield from of_values()
    yield from of_feeds_and_parents()
    yield from of_states()


def of_partitions():
    children = [
        {"id": 11, "at": "2024-01-20", "of": "1"},
        {"id": 21, "at": "2024-01-20", "of": "2"},
        {"id": 51, "at": "2024-01-05", "of": "5"},
        {"id": 61, "at": "2024-01-06", "of": "6"},
    ]

    def page_fails(read, path, query):
        if path == "/parents":
            page = int(query.get(PAGE, 1))
            return 400 if read == 0 and page == 3 else [{"id": id} for id in range(2 * page - 1, 2 * page + 1) if id < 7]
        return found(children, query)

    child = stream("items", router=parents(stream("parents", name="parents", paged=True)), incremental_sync=cursor())
    yield Scenario(1, "a page of the parents fails", [child], [{}, {}], page_fails, [11, 21, 51, 61])

    sites = [{"id": 1, "at": "2024-01-20", "of": "a"}, *days(2, 3, of="b")]
    by_site = stream("items", router=listed(), incremental_sync=cursor())
    config = [{"sites": ["a"]}, {"sites": ["a", "b"]}]
    what = "a partition is new"
    warning = "__new_partitions_from_start"
    yield Scenario(4, what, [by_site], config, lambda _, __, query: found(sites, query), [1, 2, 3], warning=warning)
    config = [{**one, "__new_partitions_from_start": True} for one in config]
    what += ", with `__new_partitions_from_start`"
    yield Scenario(4, what, [by_site], config, lambda _, __, query: found(sites, query), [1, 2, 3])

    # 10,001 partitions, all but one of them up to date, and another one, `late`, which the first read does not have.
    many = [str(n) for n in range(10_001)]
    day = {"at": "2024-01-20"}
    entries = [{"partition": {"site": site}, "cursor": day} for site in many[1:]]
    entries.append({"partition": {"site": "late"}, "cursor": {"at": "2024-01-02"}})
    state = {"use_global_cursor": False, "states": entries, "state": day, "lookback_window": 1}
    late = [{"id": 1, "at": "2024-01-19", "of": "0"}, *days(5, 6, of="late")]
    config = [{"sites": many, "end": "2024-01-20"}, {"sites": ["0", "late"], "end": "2024-01-20"}]
    what = "a partition is gone while there are more than 10,000"
    yield Scenario(11, what, [by_site], config, lambda _, __, query: found(late, query), [5, 6], state)

    # The first of two partitions fails in the read after which one value would replace their states.
    def first_fails(read, _, query):
        if read == 0 and query[OF] == "a":
            return 400
        return found(days(5, 6, of="a") + days(7, 9, 18, of="b"), query)

    # The last record of a partition is read again anyway (row 14).
    entries = [{"partition": {"site": site}, "cursor": day} for site in many]
    entries += [{"partition": {"site": site}, "cursor": {"at": "2024-01-02"}} for site in "ab"]
    state = {"use_global_cursor": False, "states": entries, "state": {"at": "2024-01-02"}, "lookback_window": 1}
    config = [{"sites": [*many, "a", "b"], "end": "2024-01-20"}, {"sites": ["a", "b"], "end": "2024-01-20"}]
    what = "one of more than 10,000 partitions fails: records of another one that are read again"
    yield Scenario(15, what, [by_site], config, first_fails, [7, 9], state, repeats=True)

    one_value = stream("items", router=listed(), incremental_sync=cursor(global_substream_cursor=True))
    config = [{"sites": ["a", "b"]}] * 2
    what = "the first read with `global_substream_cursor` fails: records of another partition that are read again"
    yield Scenario(15, what, [one_value], config, first_fails, [7, 9], repeats=True, stays=True)


def of_values():
    zoned = stream(
        "items",
        incremental_sync=cursor(
            datetime_format="%Y-%m-%dT%H:%M:%SZ",
            cursor_datetime_formats=["%Y-%m-%dT%H:%M:%S%z"],
            start_datetime="2024-01-01T00:00:00Z",
            end_datetime="2024-01-31T00:00:00Z",
        ),
    )

    def offsets(read, _, query):
        # In UTC: 06:30, and later 08:00.
        known = [("2024-01-10T06:30:00Z", 1, "2024-01-10T12:00:00+05:30")]
        if read:
            known.append(("2024-01-10T08:00:00Z", 2, "2024-01-10T13:30:00+05:30"))
        return [{"id": id, "at": text} for at, id, text in known if at >= query[SINCE]]

    yield Scenario(3, "values have an offset, states end in `Z`", [zoned], [{}, {}], offsets, [1, 2])

    steps = stream("items", incremental_sync=cursor(step="P5D", cursor_granularity="P1D"))

    def beyond(read, _, query):
        if read == 0 and query[SINCE] == "2024-01-06":
            return 400
        pinned = days(14) if query[SINCE] == "2024-01-01" else []
        return found(days(2, 7, 14), query) + pinned

    what = "a value is beyond its slice, and a later slice fails"
    yield Scenario(5, what, [steps], [{"end": "2024-01-15"}] * 2, beyond, [2, 7, 14])

    now = datetime.datetime.now(datetime.timezone.utc).date()
    today, tomorrow = now.isoformat(), (now + datetime.timedelta(days=1)).isoformat()
    plain = stream("items", incremental_sync=cursor())

    def future(read, _, query):
        new = days((3, today), (4, today)) if read else []
        return found(days(1, (2, "2090-01-01")) + new, {**query, UNTIL: "9"})

    yield Scenario(6, "a record is dated in the future", [plain], [{"end": today}, {"end": tomorrow}], future, [1, 2, 3, 4])

    def pinned(_, __, query):
        return found(days(1, 15, 20), query) + days((2, "9999-12-31"))

    what = "a record is dated in the future, and the first read ends before today"
    yield Scenario(6, what, [plain], [{"end": "2024-01-10"}, {}], pinned, [1, 2, 15, 20])

    again = stream("items", incremental_sync=cursor(step="P5D", cursor_granularity="P1D", lookback_window="P10D"))

    def late(read, _, query):
        if read == 1 and query[SINCE] == "2024-01-05":
            return 400
        known = days(1, 15) if read == 0 else days(1, 6, 15, 29)
        return found(known, query)

    what = "a slice of the time that is read again fails"
    config = [{"end": "2024-01-15"}, {"end": "2024-01-30"}, {"end": "2024-01-30"}]
    yield Scenario(7, what, [again], config, late, [1, 6, 15, 29])

    months = cursor(step="P1M", cursor_granularity="P1D", start_datetime="2024-01-15", end_datetime="2024-04-10")
    clamped = stream("items", incremental_sync={**months, "clamping": {"type": "Clamping", "target": "MONTH"}})
    records = days(20, 25, (3, "2024-02-05"))
    what = "windows are clamped, and the start is within one"
    yield Scenario(9, what, [clamped], [{}, {}], lambda _, __, query: found(records, query), [20, 25, 3])

    fine = stream("items", incremental_sync=cursor(
        step="P5D",
        cursor_granularity="P1D",
        cursor_datetime_formats=["%Y-%m-%dT%H:%M:%S"],
    ))

    def exact(_, __, query):
        return [r for r in [{"id": 5, "at": "2024-01-05T23:00:00"}, {"id": 6, "at": "2024-01-06T00:00:00"}]
                if query[SINCE] <= r["at"] <= query[UNTIL]]

    what = "`cursor_granularity` is coarser than the data, and the API cuts to the exact time"
    yield Scenario(12, what, [fine], [{"end": "2024-01-15"}] * 2, exact, [5, 6], warning="cursor_granularity")


def of_feeds_and_parents():
    feed = cursor(is_data_feed=True)
    feed.pop("start_time_option"), feed.pop("end_time_option")
    pages = stream("items", paged=True, incremental_sync=feed)

    def skewed(read, _, query):
        return found(days(20, (9, "2090-01-01"), 19, 18), {PAGE: "1", **query})

    what = "a feed: a page ends with a record that is dated after now"
    yield Scenario(8, what, [pages], [{}, {}], skewed, [20, 19, 18])

    def unsorted(_, __, query):
        return found(days(20, 5, 18, 15), {PAGE: "1", **query})

    state = {"at": "2024-01-12"}
    what = "a feed: a page ends with an old record that is out of order"
    yield Scenario(8, what, [pages], [{}, {}], unsorted, [20, 18, 15], state, stays=True)
    what += ", with `__unsorted_feeds`"
    yield Scenario(8, what, [pages], [{"__unsorted_feeds": True}] * 2, unsorted, [20, 18, 15], state)

    whole = stream("all", paged=True)
    changes = stream("changes", incremental_sync=cursor())

    def delegated(read, path, query):
        if path == "/all":
            return 400 if read == 0 and query.get(PAGE) == "2" else found(days(1, 2, 3, 4), {PAGE: "1", **query})
        return found(days((2, 25)), query)

    both = {"type": "StateDelegatingStream", "name": "items", "full_refresh_stream": whole, "incremental_stream": changes}
    what = "the full read of a `StateDelegatingStream` fails"
    yield Scenario(2, what, [both], [{}, {}], delegated, [1, 2, 3, 4])

    parent = stream("parents", name="parents", incremental_sync=cursor())
    kinds = {"type": "ListPartitionRouter", "values": ["x"], "cursor_field": "kind"}
    router = [parents(parent, incremental_dependency=True), kinds]
    beside = stream("items", router=router, incremental_sync=cursor())

    def dependent(read, path, query):
        if path == "/parents":
            return found(days((1, 2)) + (days((2, 8)) if read else []), {k: v for k, v in query.items() if k != OF})
        return [{"id": 10 * int(query[OF]), "at": "2024-01-09", "of": query[OF]}]

    what = "`incremental_dependency` beside another router, and a new parent"
    yield Scenario(10, what, [beside], [{}, {}], dependent, [10, 20])


def of_states():
    by_parent = stream("items", router=parents(stream("parents", name="parents")), incremental_sync=cursor())
    by_parent["state_migrations"] = [{"type": "LegacyToPerPartitionStateMigration"}]

    def migrated(_, path, query):
        children = [{"id": 10 * n + d, "at": f"2024-01-{d:02}", "of": str(n)} for n in (1, 2) for d in (3, 5, 9)]
        return [{"id": 1}, {"id": 2}] if path == "/parents" else found(children, query)

    state = {"1": {"at": "2024-01-09"}, "2": {"at": "2024-01-09"}}
    what = "an older state is migrated: records that are read again"
    yield Scenario(13, what, [by_parent], [{}], migrated, [13, 15, 23, 25], state, repeats=True)

    other = stream("other", name="other", incremental_sync=cursor())
    plain = stream("items", incremental_sync=cursor())
    bad = {"items": {"at": "2024-01-01"}, "other": {"at": "soon"}}
    what = "the state of another stream cannot be read"
    yield Scenario(17, what, [plain, other], [{}], lambda _, __, query: found(days(2, 3), query), [2, 3], bad)
