"""Points OpenAI's client at the gallery: models, and chat completions."""

import openai
from cases import Driver
from keys import wrong

QUESTION = {"model": "gpt-demo", "messages": [{"role": "user", "content": "Hello"}]}
INVALID = {"status": 401, "type": "invalid_request_error"}
SPENT = {"error": "RateLimitError", "status": 429, "type": "insufficient_quota", "code": "insufficient_quota"}
LIMITED = {"error": "RateLimitError", "status": 429, "type": "requests", "code": "rate_limit_exceeded"}


def describe(error):
    return {
        "status": error.status_code,
        "type": error.type,
        "code": error.code,
        "param": error.param,
        "message": error.message,
        "request_id": error.request_id,
        "retry_after": error.response.headers.get("retry-after"),
        "reset": error.response.headers.get("x-ratelimit-reset-requests"),
    }


driver = Driver(describe)


def client(key, **options):
    # The client refuses to send a request without a key, so the hook removes an empty one.
    def sent(request):
        driver.count()
        if not key:
            del request.headers["authorization"]

    verify = driver.ca or True
    http = openai.DefaultHttpxClient(verify=verify, event_hooks={"request": [sent]})
    return openai.OpenAI(api_key=key or "none", base_url=f"{driver.base}/v1", http_client=http, **options)


def read(key, **options):
    return [model.id for model in client(key, **options).models.list()]


def write(key):
    return client(key).chat.completions.create(**QUESTION).choices[0].message.content


def is_id(text):
    return text is not None and text.startswith("req_") and len(text) == 36


keys = driver.keys
driver.case("read", lambda: read(keys["active"]), error=None, result=["gpt-demo"], requests=1)
driver.case("write", lambda: write(keys["active"]), error=None, result="Hello.", requests=1)
driver.case("missing", lambda: read(None), error="AuthenticationError", code=None, request_id=is_id, requests=1, **INVALID)
for name, key in [
    ("wrong", wrong(keys["active"])),
    ("revoked", keys["revoked"]),
    ("unlisted", keys["unlisted"]),
]:
    shown = f"{key[:8]}****{key[-4:]}"
    driver.case(
        name,
        lambda: read(key),
        error="AuthenticationError",
        code="invalid_api_key",
        message=lambda text: shown in text,
        request_id=is_id,
        requests=1,
        **INVALID,
    )
driver.case(
    "unscoped",
    lambda: write(keys["scoped"]),
    error="AuthenticationError",
    code="missing_scope",
    message=lambda text: "model.request" in text,
    requests=1,
    **INVALID,
)
driver.use_up(lambda: read(keys["tight"]))
driver.case("over limit", lambda: read(keys["tight"], max_retries=0), requests=1, reset=lambda text: text.endswith("s"), **LIMITED)
driver.without_waits()
driver.case(
    "over limit, retries",
    lambda: read(keys["tight"]),
    requests=3,
    waits=lambda waits: len(waits) == 2 and all(50 < wait <= 60 for wait in waits),
    **LIMITED,
)
read(keys["spent"])
# The answer stops the client from retrying.
driver.case("spent", lambda: read(keys["spent"]), requests=1, retry_after=None, waits=[], **SPENT)
driver.finish()
