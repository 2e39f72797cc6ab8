//! What a handler learns from the grant, and what it can ask of it.

use http::{Method, Request, Response};
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::Grant;
use tower_api_key::key::{Environment, KeyKind, KeyRecordBuilder};
use tower_api_key::limits::MemoryLimiter;
use tower_api_key::quota::{OnLimiterFailure, Quota};
use tower_api_key::{ApiKeyLayer, Denial, Profile};

use crate::support::{PROFILE, request, store};

const MINUTE: &[Quota] = &[Quota::new("minute", 5, std::time::Duration::from_secs(60))];

/// Returns the grant with which a request of the one key reached the service.
async fn granted(change: impl FnOnce(KeyRecordBuilder) -> KeyRecordBuilder) -> Grant {
    let profile = Profile { quotas: MINUTE, ..PROFILE };
    let builder = ApiKeyLayer::builder(profile, store(change));
    let layer = builder.limits(MemoryLimiter::new(), OnLimiterFailure::Deny).build().unwrap();
    let handler = service_fn(|request: Request<()>| async move {
        let mut response = Response::new(String::new());
        response.extensions_mut().insert(request.extensions().get::<Grant>().unwrap().clone());
        Ok::<_, std::convert::Infallible>(response)
    });
    let response = layer.layer(handler).oneshot(request(Method::GET, "/")).await.unwrap();
    response.extensions().get::<Grant>().expect("the service was called").clone()
}

#[tokio::test]
async fn a_grant_says_whose_key_it_was() {
    let grant = granted(|key| key.kind("partner").environment("live").scopes(["a", "b"])).await;
    assert_eq!((grant.account().as_str(), grant.key_id().as_str()), ("acme", "key_1"));
    assert_eq!(grant.kind().map(KeyKind::as_str), Some("partner"));
    assert_eq!(grant.environment().map(Environment::as_str), Some("live"));
    assert!(grant.scopes().iter().eq(["a", "b"]) && grant.record().name().is_empty());
    assert!(
        grant.limits().map(|(quota, left)| (quota.name(), left.remaining())).eq([("minute", 4)])
    );
    let shown = format!("{grant:?}");
    assert!(shown.contains("acme") && shown.contains("key_1"), "{shown}");
    let bare = granted(|key| key).await;
    assert!(bare.kind().is_none() && bare.environment().is_none() && bare.scopes().is_empty());
}

#[tokio::test]
async fn a_handler_asks_for_permissions_that_only_it_knows() {
    let grant = granted(|key| key.scopes(["a", "b"])).await;
    assert_eq!((grant.require("a"), grant.require("b")), (Ok(()), Ok(())));
    for (any, passes) in [
        (&["a"][..], true),
        (&["x", "b"], true),
        (&["x", "y"], false),
        (&["A"], false),
        (&[], false),
    ] {
        let asked = grant.require_any(any);
        assert_eq!(asked.is_ok(), passes, "{any:?}");
        if let Err(denial) = asked {
            assert!(matches!(denial, Denial::ScopeMissing { .. }), "{any:?}");
        }
    }
    for scope in ["", "ab", "A", "c"] {
        assert!(matches!(grant.require(scope), Err(Denial::ScopeMissing { .. })), "{scope}");
    }
}
