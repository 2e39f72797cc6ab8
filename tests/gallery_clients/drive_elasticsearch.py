"""Points Elasticsearch's client at the gallery: the cluster's name, and documents.

A key is `ID:SECRET`.
"""

from cases import Driver
from keys import wrong
from elasticsearch import Elasticsearch

INVALID = {"error": "AuthenticationException", "status": 401, "type": "security_exception", "requests": 1}
LIMITED = {"error": "ApiError", "status": 429, "type": "es_rejected_execution_exception"}


def describe(error):
    return {
        "status": error.status_code,
        "type": error.error,
        "message": str(error),
        "challenges": error.meta.headers.get("www-authenticate"),
    }


driver = Driver(describe)


def client(key, **options):
    pair = tuple(key.split(":", 1)) if key else None
    certificate = {"ca_certs": driver.ca} if driver.ca else {}
    return Elasticsearch(driver.base, api_key=pair, **certificate, **options)


def read(key, **options):
    return client(key, **options).info()["cluster_name"]


def write(key):
    return client(key).index(index="demo", document={"name": "Ada"})["result"]


keys = driver.keys
driver.case("read", lambda: read(keys["active"]), error=None, result="gallery", requests=1)
driver.case("write", lambda: write(keys["active"]), error=None, result="created", requests=1)
driver.case("missing", lambda: read(None), message=lambda text: "missing authentication credentials" in text, **INVALID)
driver.case("wrong", lambda: read(wrong(keys["active"])), **INVALID)
identifier, _, secret = keys["active"].partition(":")
driver.case("wrong id", lambda: read(f"{wrong(identifier)}:{secret}"), **INVALID)
driver.case("revoked", lambda: read(keys["revoked"]), **INVALID)
driver.case("unlisted", lambda: read(keys["unlisted"]), **INVALID)
driver.case("ping, wrong", lambda: client(wrong(keys["active"])).ping(), error=None, result=False, requests=1)
driver.case(
    "unscoped",
    lambda: write(keys["scoped"]),
    error="AuthorizationException",
    status=403,
    type="security_exception",
    message=lambda text: "write" in text,
    requests=1,
)
driver.use_up(lambda: read(keys["tight"]))
driver.case("over limit, retries", lambda: read(keys["tight"]), requests=4, **LIMITED)
driver.case("over limit", lambda: read(keys["tight"], max_retries=0), requests=1, **LIMITED)
driver.finish()
