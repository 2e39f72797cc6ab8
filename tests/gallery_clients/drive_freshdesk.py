"""The most used client of Freshdesk, and plain HTTP for the fields that it does not read. Neither retries."""

import requests

from freshdesk.api import API

from cases import Driver


class Refused(Exception):
    """A refusal of a plain request."""


def describe(error):
    response = error.args[0] if isinstance(error, Refused) else None
    if response is None:
        return {"message": str(error)}
    names = ("x-ratelimit-total", "x-ratelimit-remaining", "x-ratelimit-used-currentrequest", "x-freshdesk-api-version")
    headers = {name: response.headers.get(name) for name in (*names, "retry-after")}
    return {"status": response.status_code, "code": response.json().get("code"), **headers}


driver = Driver(describe)
# The client takes only domains that have the vendor's name in them.
DOMAIN = driver.base.replace("https://", "freshdesk.com@")


def client(key):
    made = API(DOMAIN, key, verify=driver.ca)
    made._session.trust_env = False
    if key is None:
        made._session.auth = None
    return made


def read(key):
    return lambda: len(client(key).tickets.list_tickets())


def write(key):
    ticket = {"email": "b@example.com", "description": "Hello"}
    return lambda: client(key).tickets.create_ticket("Hello", **ticket).id


def plain(key, query="", **options):
    """Sends a request with `requests`, and returns the headers that tell the limit."""

    def call():
        session = requests.Session()
        session.trust_env, session.verify = False, driver.ca
        method, credential = options.pop("method", "GET"), (key, "X") if key else None
        response = session.request(method, f"{driver.base}/api/v2/tickets{query}", auth=credential, **options)
        if response.status_code >= 400:
            raise Refused(response)
        names = ("total", "remaining", "used-currentrequest")
        return [response.headers.get(f"x-ratelimit-{name}") for name in names]

    return call


keys = driver.keys
unauthorized = {
    "error": "FreshdeskUnauthorized",
    "message": "You have to be logged in to perform this action.",
    "requests": 1,
}
version = {"x-freshdesk-api-version": "latest=v2; requested=v2"}
limited = lambda text: text.startswith("429 Rate Limit Exceeded") and "None" not in text

driver.case("read", read(keys["active"]), error=None, result=1, requests=1)
driver.case("write", write(keys["active"]), error=None, result=1, requests=1)
driver.case("missing", read(None), **unauthorized)
driver.case("wrong", read("no-key"), **unauthorized)
driver.case("revoked", read(keys["revoked"]), **unauthorized)
driver.case("unlisted", read(keys["unlisted"]), **unauthorized)
driver.case("unscoped reads", read(keys["scoped"]), error=None, result=1)
driver.case("unscoped", write(keys["scoped"]), error="FreshdeskAccessDenied", requests=1,
            message="You are not authorized to perform this action.")
driver.case("plain, revoked", plain(keys["revoked"]), error="Refused", status=401, code="invalid_credentials", **version)
driver.case("plain, unscoped", plain(keys["scoped"], method="POST", json={}), error="Refused", status=403,
            code="access_denied", **version)
driver.case("plain, wrong type", plain(keys["active"], method="POST", data="a=b",
            headers={"Content-Type": "application/x-www-form-urlencoded"}), error="Refused", status=415)
driver.case("plain, cost", plain(keys["active"], "?include=requester"), error=None,
            result=lambda headers: headers[2] == "3.0" and headers[0] == "700.0")
driver.use_up(read(keys["tight"]))
driver.case("over limit", read(keys["tight"]), error="FreshdeskRateLimited", requests=1, message=limited)
driver.case("plain, over limit", plain(keys["tight"]), error="Refused", status=429, code=None,
            **version | {"x-ratelimit-remaining": "0.0", "retry-after": lambda seconds: 1 <= int(seconds) <= 60})
driver.finish()
