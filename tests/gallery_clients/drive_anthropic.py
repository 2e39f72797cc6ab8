"""Points Anthropic's client at the gallery: models, and messages. The client before version 1 sends another header."""

import anthropic
from cases import Driver
from keys import wrong

OLD = anthropic.__version__.startswith("0.")
QUESTION = {"model": "claude-demo", "max_tokens": 16, "messages": [{"role": "user", "content": "Hello"}]}
INVALID = {"error": "AuthenticationError", "status": 401, "type": "authentication_error"}
LIMITED = {"error": "RateLimitError", "status": 429, "type": "rate_limit_error"}


def describe(error):
    body = error.body
    return {
        "status": error.status_code,
        "type": body["error"]["type"],
        "message": body["error"]["message"],
        "request_id": error.request_id,
        "same_id": body["request_id"] == error.request_id,
        "retry_after": error.response.headers.get("retry-after"),
        "reset": error.response.headers.get("anthropic-ratelimit-requests-reset"),
    }


driver = Driver(describe)


def client(key, headers=None, **options):
    # The client refuses to send a request without a key, so the hook removes it.
    def sent(request):
        driver.count()
        if not key:
            for name in ["authorization", "x-api-key"]:
                request.headers.pop(name, None)

    http = anthropic.DefaultHttpxClient(verify=driver.ca or True, event_hooks={"request": [sent]})
    options |= {"base_url": driver.base, "http_client": http, "default_headers": headers}
    return anthropic.Anthropic(api_key=key or "none", **options)


def read(key, **options):
    return [model.id for model in client(key, **options).models.list()]


def write(key, **options):
    return client(key, **options).messages.create(**QUESTION).content[0].text


def both(key, other):
    """Sends a key in each of the two headers."""
    return {"Authorization": f"Bearer {other}"} if OLD else {"X-Api-Key": other}


keys = driver.keys
active = keys["active"]
driver.case("read", lambda: read(active), error=None, result=["claude-demo"], requests=1)
driver.case("write", lambda: write(active), error=None, result="Hello.", requests=1)
driver.case("both equal", lambda: read(active, headers=both(active, active)), error=None, requests=1)
driver.case(
    "both different",
    lambda: read(active, headers=both(active, keys["scoped"])),
    error="BadRequestError",
    status=400,
    type="invalid_request_error",
    requests=1,
)
driver.case("missing", lambda: read(None), same_id=True, requests=1, **INVALID)
driver.case("wrong", lambda: read(wrong(active)), same_id=True, requests=1, **INVALID)
driver.case("revoked", lambda: read(keys["revoked"]), same_id=True, requests=1, **INVALID)
driver.case("unlisted", lambda: read(keys["unlisted"]), same_id=True, requests=1, **INVALID)
for name, key, version, expected in [
    ("no version", active, "", {"error": "BadRequestError", "status": 400, "type": "invalid_request_error"}),
    ("another version", active, "2020-01-01", {"error": "BadRequestError", "status": 400, "type": "invalid_request_error"}),
    # The key is judged first.
    ("wrong, no version", wrong(active), "", INVALID),
]:
    driver.case(name, lambda: read(key, headers={"anthropic-version": version}), requests=1, **expected)
driver.case(
    "unscoped",
    lambda: write(keys["scoped"]),
    error="PermissionDeniedError",
    status=403,
    type="permission_error",
    requests=1,
)
driver.use_up(lambda: read(keys["tight"]))
driver.case(
    "over limit",
    lambda: read(keys["tight"], max_retries=0),
    reset=lambda text: text.endswith("Z") and len(text) == 20,
    requests=1,
    **LIMITED,
)
driver.without_waits()
driver.case(
    "over limit, retries",
    lambda: read(keys["tight"]),
    waits=lambda waits: len(waits) == 2 and all(50 < wait <= 60 for wait in waits),
    requests=3,
    **LIMITED,
)
read(keys["spent"])
# The newer client has a class for the code. The answer stops both from retrying.
driver.case(
    "spent",
    lambda: read(keys["spent"]),
    error="RateLimitError" if OLD else "EnforcedSpendLimitReachedError",
    status=429,
    type="rate_limit_error",
    retry_after=None,
    requests=1,
)
driver.finish()
