//! The demo's gRPC service, over real TLS: tonic's client and Python's grpcio. Where grpcio is not installed,
//! its test says so, or fails under `tests/run`, which installs it.

use std::process::Command;

use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Code, Request};

use crate::interpreters::{python_with, run};
use crate::server::Demo;
use crate::users_v1::users_client::UsersClient;
use crate::users_v1::{CreateUserRequest, ListUsersRequest, WatchUsersRequest};

const VENDOR: &str = "rest_integrations";

/// Messages of one field or none are written and read by hand, so nothing is generated from the `.proto` file.
const PYTHON: &str = r#"
import json, sys, grpc
demo = json.load(sys.stdin)
keys = demo["named"]
with open(demo["ca"], "rb") as file:
    secure = grpc.ssl_channel_credentials(file.read())
tls = grpc.secure_channel(demo["https"].removeprefix("https://"), secure)
plain = grpc.insecure_channel(demo["http"].removeprefix("http://"))
raw = dict(request_serializer=lambda message: message, response_deserializer=lambda message: message)
method = "/vendors.v1.Users/"

def told(call):
    try:
        answer = call()
        return {"code": 0, "answers": [message.decode("latin-1") for message in answer]}
    except grpc.RpcError as error:
        metadata = list(error.initial_metadata() or []) + list(error.trailing_metadata() or [])
        text = lambda value: value.decode("latin-1") if isinstance(value, bytes) else value
        return {"code": error.code().value[0], "message": error.details(),
                "metadata": {key: text(value) for key, value in metadata}}

def unary(name, authorization, channel=tls, message=b""):
    metadata = [("authorization", authorization)] if authorization else []
    return told(lambda: [channel.unary_unary(method + name, **raw)(message, metadata=metadata, timeout=20)])

def stream(authorization, most):
    def call():
        messages = tls.unary_stream(method + "WatchUsers", **raw)(
            b"", metadata=[("authorization", authorization)], timeout=20)
        answers = [message for _, message in zip(range(most), messages)]
        messages.cancel()
        return answers
    return told(call)

bearer = lambda label: "Bearer " + keys["rest_integrations " + label]
print(json.dumps({
    "list": unary("ListUsers", bearer("active")),
    "create": unary("CreateUser", bearer("active"), message=b"\x0a\x05linus"),
    "watch": stream(bearer("read_only"), 3),
    "missing": unary("ListUsers", None),
    "malformed": unary("ListUsers", "Bearer a b"),
    "unknown": unary("ListUsers", bearer("unlisted")),
    "expired": unary("ListUsers", bearer("expired")),
    "revoked": unary("ListUsers", bearer("revoked")),
    "watch revoked": stream(bearer("revoked"), 1),
    "scope": unary("CreateUser", bearer("read_only"), message=b"\x0a\x05linus"),
    "no such method": unary("DropUsers", bearer("active")),
    "plain": unary("ListUsers", bearer("active"), channel=plain),
    "tight": [unary("ListUsers", bearer("tight")) for _ in range(4)],
    "watch tight": stream(bearer("tight"), 1),
}))
"#;

#[test]
fn python_grpcio() {
    let Some(python) = python_with("grpc") else { return };
    let answers = run(Command::new(python).args(["-c", PYTHON]), &Demo::start(&[]));

    let answer = |name: &str| answers[name]["answers"].to_string();
    assert!(answer("list").contains("ada@rest-acme.example"), "{answers}");
    assert!(answer("create").contains("linus"), "{answers}");
    assert_eq!(answers["watch"]["answers"].as_array().unwrap().len(), 3, "{answers}");
    assert!(answer("watch").contains("linus"), "{answers}");

    let invalid = "Invalid API key provided.";
    let forbidden = "You do not have permission to perform this action.";
    for (name, code, message) in [
        ("missing", 16, "Missing API key."),
        ("malformed", 3, "Malformed Authorization header."),
        ("unknown", 16, invalid),
        ("expired", 16, invalid),
        ("revoked", 16, invalid),
        ("watch revoked", 16, invalid),
        ("scope", 7, forbidden),
        ("no such method", 7, forbidden),
        ("plain", 3, "HTTPS is required."),
        ("watch tight", 8, "Rate limit exceeded."),
    ] {
        let answer = &answers[name];
        assert_eq!(
            (&answer["code"], &answer["message"]),
            (&code.into(), &message.into()),
            "{name}"
        );
    }
    let tight = answers["tight"].as_array().unwrap();
    let codes: Vec<_> = tight.iter().map(|answer| answer["code"].as_u64().unwrap()).collect();
    assert_eq!(codes, [0, 0, 0, 8]);
    let metadata = &tight[3]["metadata"];
    let wait: u64 = metadata["retry-after"].as_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{metadata}");
    assert_eq!(metadata["ratelimit-remaining"], "0");
    let details = metadata["grpc-status-details-bin"].as_str().unwrap();
    assert!(details.contains("type.googleapis.com/google.rpc.RetryInfo"), "{details}");
}

async fn connect(demo: &Demo) -> Channel {
    let authority = std::fs::read_to_string(demo.certificate()).unwrap();
    let trust = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(authority));
    let endpoint = Endpoint::from_shared(demo.https().to_owned()).unwrap();
    endpoint.tls_config(trust).unwrap().connect().await.unwrap()
}

fn call<T>(message: T, authorization: &MetadataValue<Ascii>) -> Request<T> {
    let mut call = Request::new(message);
    call.metadata_mut().insert("authorization", authorization.clone());
    call
}

#[tokio::test]
async fn users_are_read_written_and_watched() {
    let demo = Demo::start(&[]);
    let client = UsersClient::new(connect(&demo).await);
    let authorization = format!("Bearer {}", demo.key(VENDOR, "active"));
    let authorization = MetadataValue::try_from(authorization).unwrap();
    let mut watching = client.clone();
    let watched = watching.watch_users(call(WatchUsersRequest {}, &authorization)).await.unwrap();
    assert_eq!(watched.metadata().get("ratelimit-remaining").unwrap(), "99");
    let mut watched = watched.into_inner();
    for name in ["ada", "grace"] {
        assert_eq!(watched.message().await.unwrap().unwrap().name, name);
    }
    let user = CreateUserRequest { name: "linus".to_owned(), email: "l@example.com".to_owned() };
    let created =
        client.clone().create_user(call(user, &authorization)).await.unwrap().into_inner();
    assert_eq!(watched.message().await.unwrap().unwrap(), created);
    let listed =
        client.clone().list_users(call(ListUsersRequest {}, &authorization)).await.unwrap();
    assert_eq!(listed.into_inner().users.len(), 3);

    let status = client.clone().list_users(ListUsersRequest {}).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::Unauthenticated, "Missing API key."));
}
