"""Points Stripe's client at the gallery: customers."""

import stripe
from cases import Driver
from keys import wrong

INVALID = {"error": "AuthenticationError", "status": 401, "type": "invalid_request_error", "requests": 1}
LIMITED = {"error": "RateLimitError", "status": 429, "code": "rate_limit", "reason": "global-rate"}


def describe(error):
    return {
        "status": error.http_status,
        "type": error.error.type,
        "code": getattr(error.error, "code", None),
        "doc_url": getattr(error.error, "doc_url", None),
        "message": error.error.message,
        "request_id": error.request_id,
        "reason": error.headers.get("stripe-rate-limited-reason"),
    }


driver = Driver(describe)
if driver.ca:
    stripe.ca_bundle_path = driver.ca


def client(key, **options):
    return stripe.StripeClient(key or "none", base_addresses={"api": driver.base}, **options)


def read(key, **options):
    return [customer.id for customer in client(key, **options).v1.customers.list().data]


def write(key):
    return client(key).v1.customers.create({"name": "Ada"}).id


def masked(key):
    prefix = key[: key.rindex("_") + 1]
    return lambda text: f"{prefix}****{key[-4:]}" in text


def without_key():
    """Sends no header. The client cannot, so its transport removes it."""

    class Transport(stripe.RequestsClient):
        def request(self, method, url, headers, post_data=None):
            headers.pop("Authorization")
            return super().request(method, url, headers, post_data)

    return read(None, http_client=Transport(verify_ssl_certs=True))


keys = driver.keys
driver.case("read", lambda: read(keys["active"]), error=None, result=["cus_demo"], requests=1)
driver.case("write", lambda: write(keys["active"]), error=None, result="cus_demo", requests=1)
driver.case("missing", without_key, code=None, **INVALID)
driver.case("wrong", lambda: read(wrong(keys["active"])), code=None, message=masked(keys["active"]), **INVALID)
driver.case("unlisted", lambda: read(keys["unlisted"]), code=None, message=masked(keys["unlisted"]), **INVALID)
driver.case(
    "revoked",
    lambda: read(keys["revoked"]),
    code="api_key_expired",
    doc_url="https://stripe.com/docs/error-codes/api-key-expired",
    message=masked(keys["revoked"]),
    **INVALID,
)
driver.case(
    "unscoped",
    lambda: write(keys["scoped"]),
    error="PermissionError",
    status=403,
    type="invalid_request_error",
    message=lambda text: "rak_customer_write" in text and masked(keys["scoped"])(text),
    requests=1,
)
driver.case("restricted", lambda: write(keys["restricted"]), error=None, result="cus_demo", requests=1)
driver.case(
    "publishable",
    lambda: read(keys["publishable"]),
    error="PermissionError",
    status=403,
    code="secret_key_required",
    requests=1,
)
driver.use_up(lambda: read(keys["tight"]))
# This style of the client retries nothing by itself.
driver.case("over limit", lambda: read(keys["tight"]), requests=1, **LIMITED)
driver.without_waits()
driver.case(
    "over limit, retries",
    lambda: read(keys["tight"], max_network_retries=2),
    requests=3,
    waits=lambda waits: len(waits) == 2,
    **LIMITED,
)
driver.finish()
