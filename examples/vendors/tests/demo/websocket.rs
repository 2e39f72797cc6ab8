//! The demo's WebSocket, over real TLS: Python's websockets and curl. Where websockets is not installed, its test
//! says so, or fails under `tests/run`, which installs it.

use std::process::Command;

use crate::interpreters::{python_with, run};
use crate::server::Demo;

const VENDOR: &str = "rest_integrations";

/// Works with the versions 10 and later, which name two things differently.
const PYTHON: &str = r#"
import asyncio, inspect, json, ssl, sys
import websockets
demo = json.load(sys.stdin)
keys = demo["named"]
trust = ssl.create_default_context(cafile=demo["ca"])
at = "/v1/users/live"
tls, plain = demo["https"].replace("https", "wss"), demo["http"].replace("http", "ws")
class_or_function = websockets.connect
names = inspect.signature(getattr(class_or_function, "__init__", class_or_function)).parameters
extra = "additional_headers" if "additional_headers" in names else "extra_headers"

def connect(offer, bearer=None, url=tls):
    headers = {"Authorization": "Bearer " + bearer} if bearer else {}
    options = {extra: headers, "subprotocols": offer or None}
    if url == tls:
        options["ssl"] = trust
    return websockets.connect(url + at, **options)

async def told(*arguments, **options):
    try:
        async with connect(*arguments, **options) as socket:
            users = [json.loads(await socket.recv()) for _ in range(2)]
            return {"status": 101, "protocol": socket.subprotocol, "users": users}
    except Exception as error:
        response = getattr(error, "response", None)
        status = getattr(error, "status_code", None) or getattr(response, "status_code", None)
        return {"status": status, "error": repr(error)}

async def main():
    key = lambda label: "api-key." + keys["rest_integrations " + label]
    offer = lambda label: ["users.v1", key(label)]
    answers = {
        "protocol": await told(offer("active")),
        "bearer": await told(["users.v1"], keys["rest_integrations read_only"]),
        "bearer alone": await told([], keys["rest_integrations read_only"]),
        "only the key": await told([key("active")]),
        "missing": await told(["users.v1"]),
        "malformed": await told(["users.v1", key("active"), key("revoked")]),
        "unknown": await told(offer("unlisted")),
        "revoked": await told(offer("revoked")),
        "plain": await told(offer("active"), url=plain),
    }
    async with connect(offer("tight")) as first:
        await first.recv()
        answers["second of one"] = await told(offer("tight"))
    print(json.dumps(answers))

asyncio.run(main())
"#;

#[test]
fn python_websockets() {
    let Some(python) = python_with("websockets") else { return };
    let answers = run(Command::new(python).args(["-c", PYTHON]), &Demo::start(&[]));
    for (name, status, protocol) in [
        ("protocol", 101, Some("users.v1")),
        ("bearer", 101, Some("users.v1")),
        ("bearer alone", 101, None),
        // Not every client minds that no protocol was selected.
        ("only the key", 101, None),
        ("missing", 401, None),
        ("malformed", 400, None),
        ("unknown", 401, None),
        ("revoked", 401, None),
        ("plain", 400, None),
        ("second of one", 429, None),
    ] {
        let answer = &answers[name];
        let got = (answer["status"].as_u64(), answer["protocol"].as_str());
        assert_eq!(got, (Some(status), protocol), "{name}: {answer}");
        if status == 101 {
            assert_eq!(answer["users"][1]["name"], "grace", "{name}: {answer}");
        }
    }
}

/// The command of the documentation. curl waits for more until its time is up.
#[test]
fn curl_shows_the_handshake() {
    let demo = Demo::start(&[]);
    let offer = format!("Sec-WebSocket-Protocol: users.v1, api-key.{}", demo.key(VENDOR, "active"));
    let upgrade = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"];
    let output = Command::new("curl")
        .args(["-q", "-siN", "--http1.1", "--max-time", "2", "--noproxy", "*", "--cacert"])
        .arg(demo.certificate())
        .args(upgrade.iter().flat_map(|line| ["-H", line]))
        .args(["-H", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "-H", &offer])
        .arg(format!("{}/v1/users/live", demo.https()))
        .output()
        .expect("these tests need curl");
    let answer = String::from_utf8_lossy(&output.stdout).to_ascii_lowercase();
    assert!(answer.starts_with("http/1.1 101 switching protocols\r\n"), "{answer}");
    assert!(answer.contains("\r\nsec-websocket-protocol: users.v1\r\n"), "{answer}");
    assert!(answer.contains(r#""name":"grace""#), "{answer}");
}
