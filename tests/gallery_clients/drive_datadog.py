"""Datadog's client: a class of errors for some statuses. urllib3 retries by itself what has a Retry-After."""

from datadog_api_client import ApiClient, Configuration
from datadog_api_client.v1.api.monitors_api import MonitorsApi
from datadog_api_client.v1.model.monitor import Monitor
from datadog_api_client.v1.model.monitor_type import MonitorType

from cases import Driver

MONITOR = Monitor(name="load", type=MonitorType("metric alert"), query="avg(last_5m):avg:system.load.1{*} > 2")


def describe(error):
    headers = {name.lower(): value for name, value in (getattr(error, "headers", None) or {}).items()}
    limits = {name: headers.get(f"x-ratelimit-{name}") for name in ("limit", "remaining", "reset", "period", "name")}
    body = getattr(error, "body", None)
    return {"status": getattr(error, "status", None), "body": body, "retry_after": headers.get("retry-after"), **limits}


driver = Driver(describe)


def monitors(pair, **options):
    """Returns the operations for a pair of keys, written `API:APPLICATION`."""
    api, _, application = pair.partition(":")
    keys = {"apiKeyAuth": api, "appKeyAuth": application}
    configuration = Configuration(
        host=driver.base, api_key={name: key for name, key in keys.items() if key}, ssl_ca_cert=driver.ca, **options
    )
    return MonitorsApi(ApiClient(configuration))


def read(pair, **options):
    return lambda: len(monitors(pair, **options).list_monitors())


def write(pair):
    return lambda: monitors(pair).create_monitor(MONITOR).id


def by_token(token):
    configuration = Configuration(host=driver.base, access_token=token, ssl_ca_cert=driver.ca)
    return lambda: len(MonitorsApi(ApiClient(configuration)).list_monitors())


def forbidden(text="Forbidden"):
    return {"error": "ForbiddenException", "status": 403, "body": {"errors": [text]}, "requests": 1}


keys = driver.keys
api, _, application = keys["active"].partition(":")
over = {
    "error": "ApiException",
    "status": 429,
    "body": {"errors": ["Rate limit of 3 requests in 60 seconds reached"]},
    "limit": "3",
    "period": "60",
    "remaining": "0",
    "reset": lambda seconds: 1 <= int(seconds) <= 60,
    "retry_after": None,
}

driver.case("read", read(keys["active"]), error=None, result=1, requests=1)
driver.case("write", write(keys["active"]), error=None, result=1, requests=1)
driver.case("read with a token", by_token(keys["token"]), error=None, result=1, requests=1)
driver.case("missing", read(":"), **forbidden("API key required"))
driver.case("no application key", read(f"{api}:"), **forbidden() | {
    "error": "UnauthorizedException", "status": 401, "body": {"errors": ["Unauthorized"]}})
driver.case("wrong", read(f"{api}:no-key"), **forbidden())
driver.case("of another organisation", read(f"{'0' * 32}:{application}"), **forbidden())
driver.case("revoked", read(keys["revoked"]), **forbidden())
driver.case("unlisted", read(keys["unlisted"]), **forbidden())
driver.case("unscoped reads", read(keys["scoped"]), error=None, result=1)
driver.case("unscoped", write(keys["scoped"]), **forbidden())
driver.use_up(read(keys["tight"]))
driver.case("over limit", read(keys["tight"]), requests=1, **over)
driver.case("over limit, no retries", read(keys["tight"], enable_retry=True, max_retries=0), requests=1, **over)
driver.without_waits()
driver.case(
    "over limit, retries",
    read(keys["tight"], enable_retry=True),
    requests=4,
    waits=lambda waits: len(waits) == 3 and all(1 <= wait <= 60 for wait in waits),
    **over,
)
driver.finish()
