"""A connector on the Python framework, airbyte-cdk, which reads the same list as our Stripe source.

It follows the framework's guide: a stream on `HttpStream` with its paging, and nothing that would
slow it down. Usage: python cdk_source.py spec | check | discover | read ...
"""

import sys

from airbyte_cdk.entrypoint import launch
from airbyte_cdk.models import ConnectorSpecification
from airbyte_cdk.sources import AbstractSource
from airbyte_cdk.sources.streams.http import HttpStream

PAGE = 100


class Charges(HttpStream):
    """`GET /v1/charges`, 100 a page."""

    name = "charges"
    primary_key = "id"

    def __init__(self, config):
        self._url = config["url"]
        super().__init__()

    @property
    def url_base(self):
        return self._url + "/v1/"

    def path(self, **_):
        return "charges"

    def request_params(self, next_page_token=None, **_):
        return {"limit": PAGE, **(next_page_token or {})}

    def next_page_token(self, response):
        page = response.json()
        return {"starting_after": page["data"][-1]["id"]} if page["has_more"] else None

    def parse_response(self, response, **_):
        yield from response.json()["data"]

    def get_json_schema(self):
        return {"type": "object", "additionalProperties": True, "properties": {}}


class BenchSource(AbstractSource):
    """The connector."""

    def spec(self, logger):
        schema = {"type": "object", "required": ["url"], "properties": {"url": {"type": "string"}}}
        return ConnectorSpecification(connectionSpecification=schema)

    def check_connection(self, logger, config):
        next(iter(Charges(config).read_records("full_refresh")), None)
        return True, None

    def streams(self, config):
        return [Charges(config)]


if __name__ == "__main__":
    launch(BenchSource(), sys.argv[1:])
