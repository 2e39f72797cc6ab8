//! Whose choice counts: the request's, the key's, the layer's.

use http::StatusCode;
use tower_api_key::key::{Account, KeyRecord};
use tower_api_key::shaping::{Inflection, OnUnshaped, Shape, ShapingFailure, ShapingLayer};

use super::origin::{MAX_BYTES, Origin, json};
use crate::support::{KEY, anonymous, digest};

const BODY: &str = r#"{"name-first":"Ada","birth_date":"1815","id":1}"#;

#[tokio::test]
async fn a_key_chooses_and_a_header_overrides() {
    for (metadata, headers, expected) in [
        (&[][..], &[][..], BODY),
        (&[("inflection", "camel")], &[], r#"{"nameFirst":"Ada","birthDate":"1815","id":1}"#),
        (
            &[("inflection", "camel")],
            &["snake"],
            r#"{"name_first":"Ada","birth_date":"1815","id":1}"#,
        ),
        (&[], &["kebab"], r#"{"name-first":"Ada","birth-date":"1815","id":1}"#),
        (&[("blocklist", "birthDate")], &[], r#"{"name-first":"Ada","id":1}"#),
        (&[("blocklist", "name_first, BIRTH-DATE,"), ("inflection", "snake")], &[], r#"{"id":1}"#),
        (&[("blocklist", "")], &[], BODY),
        (&[("other", "camel")], &[], BODY),
    ] {
        let mut origin = Origin::new(OnUnshaped::Refuse, metadata);
        for value in headers {
            origin = origin.header("key-inflection", value);
        }
        let outcome = origin.answers(json(BODY, &[])).await;
        assert_eq!(outcome.body.as_deref(), Ok(expected), "{metadata:?} {headers:?}");
        assert_eq!(outcome.status, 200);
        assert_eq!(outcome.failures, []);
    }
}

#[tokio::test]
async fn a_header_with_another_value_is_refused_before_the_service_is_called() {
    for values in [&["loud"][..], &["Camel"], &[""], &["camel, snake"], &["camel", "camel"], &["é"]]
    {
        let mut origin = Origin::new(OnUnshaped::Refuse, &[]);
        for value in values {
            let value = http::HeaderValue::from_bytes(value.as_bytes()).unwrap();
            origin.request.headers_mut().append("key-inflection", value);
        }
        let outcome = origin.answers(json(BODY, &[])).await;
        assert_eq!(outcome.status, 400, "{values:?}");
        assert!(outcome.body.unwrap().starts_with(r#"{"error":""#), "the vendor's words");
        assert!(outcome.seen.is_none(), "{values:?}");
    }
}

#[tokio::test]
async fn settings_that_cannot_be_read_are_refused_before_the_service_is_called() {
    for metadata in [
        ("inflection", "Camel"),
        ("inflection", ""),
        ("blocklist", "a..b"),
        ("blocklist", "items[0].ssn"),
        ("blocklist", "id;ssn"),
        ("blocklist", "/id"),
    ] {
        let origin = Origin::new(OnUnshaped::Pass, &[metadata]).header("key-inflection", "snake");
        let outcome = origin.answers(json(BODY, &[])).await;
        assert_eq!(outcome.status, StatusCode::INTERNAL_SERVER_ERROR, "{metadata:?}");
        assert!(outcome.seen.is_none(), "{metadata:?}");
        let [ShapingFailure::KeySettings { key, .. }] = &outcome.failures[..] else {
            panic!("{:?}", outcome.failures);
        };
        assert_eq!(key.as_str(), "key_1");
    }
}

#[tokio::test]
async fn blocklists_add_up() {
    let mut origin = Origin::new(OnUnshaped::Refuse, &[("blocklist", "birthdate")]);
    origin.shaping = origin.shaping.blocklist(["$.id"]).inflection(Inflection::Snake);
    let outcome = origin.answers(json(BODY, &[])).await;
    assert_eq!(outcome.body.unwrap(), r#"{"name_first":"Ada"}"#);
}

#[tokio::test]
async fn a_function_of_the_grant_chooses() {
    let mut origin = Origin::new(OnUnshaped::Refuse, &[]);
    origin.store.add_now(
        digest(KEY),
        KeyRecord::builder("key_2", Account::builder("globex").build().unwrap()).build().unwrap(),
    );
    origin.shaping = ShapingLayer::builder(MAX_BYTES, OnUnshaped::Refuse).shape_by(|grant| {
        let own = if grant.account() == "globex" { "name" } else { "id" };
        Ok(Shape::new().with_blocklist([own, "birthdate"].join(",").parse()?))
    });
    let outcome = origin.answers(json(r#"{"name":1,"id":2,"birthdate":3}"#, &[])).await;
    assert!(matches!(&*outcome.body.unwrap(), r#"{"id":2}"# | r#"{"name":1}"#));

    let mut origin = Origin::new(OnUnshaped::Pass, &[]);
    origin.shaping = ShapingLayer::builder(MAX_BYTES, OnUnshaped::Pass)
        .shape_by(|_| Ok(Shape::new().with_blocklist("a..b".parse()?)));
    let outcome = origin.answers(json(BODY, &[])).await;
    assert_eq!((outcome.status, outcome.seen), (StatusCode::INTERNAL_SERVER_ERROR, None));
}

#[tokio::test]
async fn a_request_without_a_grant_passes_only_where_its_shape_is_set() {
    let nameless = |shape: Option<Shape>| {
        let mut origin = Origin::new(OnUnshaped::Refuse, &[]);
        (origin.optional, origin.request) = (true, anonymous(http::Method::GET, "/"));
        if let Some(shape) = shape {
            origin.shaping = origin.shaping.anonymous(shape);
        }
        origin
    };
    let outcome = nameless(None).answers(json(BODY, &[])).await;
    assert_eq!(outcome.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!((outcome.failures, outcome.seen), (vec![ShapingFailure::NoGrant], None));

    let shape = Shape::new().with_blocklist("birthdate, name-first".parse().unwrap());
    let outcome = nameless(Some(shape)).answers(json(BODY, &[])).await;
    assert_eq!(outcome.body.unwrap(), r#"{"id":1}"#);

    let mut origin = nameless(None);
    let shaping = ShapingLayer::builder(MAX_BYTES, OnUnshaped::Refuse);
    origin.shaping = shaping.blocklist(["birthdate"]);
    let outcome = origin.answers(json(BODY, &[])).await;
    assert_eq!(outcome.body.unwrap(), r#"{"name-first":"Ada","id":1}"#, "for all, with or without");
}

#[test]
fn a_layer_that_cannot_work_does_not_build() {
    let layer = || ShapingLayer::builder(MAX_BYTES, OnUnshaped::Refuse);
    for (builder, expected) in [
        (layer(), "field `blocklist`: the layer would change nothing"),
        (layer().anonymous(Shape::new()), "field `blocklist`: the layer would change nothing"),
        (layer().blocklist([""; 0]), "field `blocklist`: the layer would change nothing"),
        (layer().blocklist(["a", "b."]), "field `blocklist`: blocklist path `b.`"),
        (layer().blocklist(["a[0].b"]), "field `blocklist`: blocklist path `a[0].b`"),
        (layer().inflection_header("a b"), "field `inflection_header`"),
        (
            layer().inflection_metadata("a").shape_by(|_| Ok(Shape::new())),
            "field `shape_by`: the function replaces",
        ),
        (
            ShapingLayer::builder(0, OnUnshaped::Pass).inflection(Inflection::Camel),
            "field `max_bytes`",
        ),
    ] {
        let error = builder.build().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
