"""Google's client of the Maps services: errors by the code in the body, and retries for a time, not a number."""

import base64

import googlemaps

from cases import Driver


def describe(error):
    return {field: getattr(error, field, None) for field in ("status", "message", "status_code")}


driver = Driver(describe)


def client(key, **options):
    made = googlemaps.Client(key=key, base_url=driver.base, **options)
    # What is given to the constructor is overwritten.
    made.requests_kwargs["verify"] = driver.ca
    made.session.trust_env = False
    return made


def read(key, **options):
    return lambda: len(client(key, **options).geocode("Oslo"))


def route(key):
    """Asks another service than `read`. A key can be restricted to some services."""
    return lambda: len(client(key).directions("Oslo", "Bergen"))


def without_a_key():
    """Asks with the two values that some contracts have in place of a key."""
    pair = {"client_id": "gme-none", "client_secret": base64.urlsafe_b64encode(b"none").decode()}
    return len(client(None, **pair).geocode("Oslo"))


def denied(text):
    return {"error": "ApiError", "status": "REQUEST_DENIED", "message": text, "requests": 1}


keys = driver.keys
invalid = denied("The provided API key is invalid.")

driver.case("read", read(keys["active"]), error=None, result=1, requests=1)
driver.case("write", route(keys["active"]), error=None, result=1, requests=1)
driver.case("time zone", lambda: client(keys["active"]).timezone((60, 10))["status"], error=None, result="OK")
driver.case("missing", without_a_key, **denied("You must use an API key to authenticate each request."))
driver.case("wrong", read("AIza-not-a-key"), **invalid)
driver.case("revoked", read(keys["revoked"]), **invalid)
driver.case("unlisted", read(keys["unlisted"]), **invalid)
driver.case("unscoped reads", read(keys["scoped"]), error=None, result=1)
driver.case("unscoped", route(keys["scoped"]), **denied("This API key is not authorized to use this service or API."))
driver.use_up(read(keys["tight"]))
driver.case("over limit, no retries", read(keys["tight"], retry_over_query_limit=False), error="_OverQueryLimit",
            status="OVER_QUERY_LIMIT", requests=1)
# By default it tries for 60 seconds, and then the minute is over.
driver.case("over limit", read(keys["tight"], retry_timeout=2), error="Timeout",
            requests=lambda number: 2 <= number <= 6)
driver.finish()
