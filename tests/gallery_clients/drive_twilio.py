"""Points Twilio's client at the gallery: messages of an account.

A key is `SID:SECRET`, and `accounts` of the entry has the account of each label.
"""

from cases import Driver
from keys import wrong
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

MESSAGE = "SM00000000000000000000000000000001"
INVALID = {"error": "TwilioRestException", "status": 401, "code": 20003, "requests": 1}


def describe(error):
    # A list raises the base class, with the response as its second argument.
    response = error.args[1] if len(error.args) > 1 and not hasattr(error, "status") else None
    return {
        "status": getattr(error, "status", response and response.status_code),
        "code": getattr(error, "code", None),
        "message": getattr(error, "msg", str(error.args[0])),
        "answer": response and response.text,
    }


driver = Driver(describe)
headers = {}


class Transport(TwilioHttpClient):
    """Keeps the headers of the last answer, which the client hides."""

    def request(self, *arguments, **options):
        if not any(self.pair):
            options["auth"] = None
        response = super().request(*arguments, **options)
        headers.clear()
        headers.update({name.lower(): value for name, value in response.headers.items()})
        return response


def client(key, account):
    sid, _, secret = (key or ":").partition(":")
    transport = Transport()
    transport.pair = (sid, secret)
    transport.session.verify = driver.ca or True
    made = Client(sid or "none", secret or "none", account_sid=account, http_client=transport)
    made.api.base_url = driver.base
    return made


def read(label, key=None, account=None):
    key = driver.keys[label] if key is None else key
    message = client(key, account or driver.entry["accounts"][label]).messages(MESSAGE).fetch()
    return message.sid


def write(label):
    made = client(driver.keys[label], driver.entry["accounts"][label])
    return made.messages.create(to="+15005550006", from_="+15005550006", body="Hello").sid


def of_the_answer():
    """Returns what a caller finds in the headers only."""
    return {"request": headers["twilio-request-id"][:2], "in flight": headers["twilio-concurrent-requests"]}


def observed():
    read("active")
    return of_the_answer()


keys, accounts = driver.keys, driver.entry["accounts"]
driver.case("read", lambda: read("active"), error=None, result=MESSAGE, requests=1)
driver.case("write", lambda: write("active"), error=None, result=MESSAGE, requests=1)
driver.case("headers", observed, error=None, result={"request": "RQ", "in flight": "1"})
driver.case("missing", lambda: read("active", key=""), **INVALID)
driver.case("wrong", lambda: read("active", key=wrong(keys["active"])), **INVALID)
sid, _, secret = keys["active"].partition(":")
driver.case("wrong sid", lambda: read("active", key=f"{wrong(sid)}:{secret}"), **INVALID)
driver.case("revoked", lambda: read("revoked"), **INVALID)
driver.case("unlisted", lambda: read("unlisted"), **INVALID)
driver.case("another account", lambda: read("active", account=accounts["tight"]), **INVALID)
driver.case(
    "list, wrong",
    lambda: client(wrong(keys["active"]), accounts["active"]).messages.list(),
    error="TwilioException",
    status=401,
    answer=lambda text: '"code":20003' in text and "docs/errors/20003" in text,
    requests=1,
)
driver.case("unscoped", lambda: write("scoped"), error="TwilioRestException", status=403, code=70051, requests=1)
driver.use_up(lambda: read("tight"))
# The client never retries an answer.
driver.case("over limit", lambda: read("tight"), error="TwilioRestException", status=429, code=20429, requests=1)
driver.finish()
