"""Points DeepL's client at the gallery: languages, and translations."""

import deepl
from cases import Driver
from keys import wrong

INVALID = {"error": "AuthorizationException", "status": 403, "requests": 1}
LIMITED = {"error": "TooManyRequestsException", "status": 429}


def describe(error):
    return {"status": error.http_status_code, "message": str(error)}


driver = Driver(describe)


def client(key):
    made = deepl.DeepLClient(key or "none", server_url=f"{driver.base}/", verify_ssl=driver.ca)
    if not key:
        del made.headers["Authorization"]
    return made


def read(key):
    return [language.code for language in client(key).get_source_languages()]


def write(key):
    return client(key).translate_text("Hello", target_lang="DE").text


keys = driver.keys
driver.case("read", lambda: read(keys["active"]), error=None, result=["EN"], requests=1)
driver.case("write", lambda: write(keys["active"]), error=None, result="Hallo", requests=1)
driver.case("free", lambda: read(keys["free"]), error=None, result=["EN"], requests=1)
driver.case("missing", lambda: read(None), **INVALID)
driver.case("wrong", lambda: read(wrong(keys["active"])), **INVALID)
driver.case("revoked", lambda: read(keys["revoked"]), **INVALID)
driver.case("unlisted", lambda: read(keys["unlisted"]), **INVALID)
driver.case("unscoped", lambda: write(keys["scoped"]), **INVALID)
read(keys["spent"])
driver.case("spent", lambda: read(keys["spent"]), error="QuotaExceededException", status=456, requests=1)
driver.use_up(lambda: read(keys["tight"]))
driver.without_waits()
driver.case("over limit, retries", lambda: read(keys["tight"]), requests=6, waits=lambda waits: len(waits) == 5, **LIMITED)
deepl.http_client.max_network_retries = 0
driver.case("over limit", lambda: read(keys["tight"]), requests=1, **LIMITED)
driver.finish()
