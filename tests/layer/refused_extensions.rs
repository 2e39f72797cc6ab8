//! What a refusal has in its extensions. Their table is that of the refused request, and so must be nothing else.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::key::{KeyDigest, SharedRecord};
use tower_api_key::store::{KeyStore, MemoryStore, StoreError};
use tower_api_key::{ApiKeyLayer, Denial, Reply, refusal};

use crate::support::{PROFILE, anonymous, request, store};

/// What a layer outside of the gate has left on a request, or the service on its response.
#[derive(Debug, Clone)]
struct Secret(Arc<()>);

/// Answers later, and knows no key.
struct Later;

impl KeyStore for Later {
    fn find(&self, _: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        Reply::later(async {
            tokio::task::yield_now().await;
            Ok(None)
        })
    }
}

#[tokio::test]
async fn a_refusal_has_nothing_of_what_it_refuses_but_the_reason() {
    let assured = |store| ApiKeyLayer::builder(PROFILE, store).build().unwrap();
    let later = ApiKeyLayer::builder(PROFILE, Later).build().unwrap();
    for (layer, request, denial) in [
        (assured(MemoryStore::new()), anonymous(Method::GET, "/"), Denial::CredentialsMissing),
        (assured(MemoryStore::new()), request(Method::GET, "/"), Denial::KeyUnknown),
        (later, request(Method::GET, "/"), Denial::KeyUnknown),
        (assured(store(|key| key)), request(Method::GET, "/"), Denial::InternalError),
    ] {
        let secret = Secret(Arc::new(()));
        let mut request: Request<()> = request;
        request.extensions_mut().insert(secret.clone());
        let left = secret.clone();
        let service = service_fn(move |_: Request<()>| {
            let mut response: Response<Full<Bytes>> = refusal(Denial::InternalError);
            response.extensions_mut().insert(left.clone());
            std::future::ready(Ok::<_, Infallible>(response))
        });
        let response = layer.layer(service).oneshot(request).await.unwrap();
        let extensions = response.extensions();
        assert_eq!(extensions.get::<Denial>(), Some(&denial));
        assert!(extensions.get::<Secret>().is_none(), "{denial:?}");
        assert_eq!(extensions.len(), 1, "{denial:?}");
        assert_eq!(Arc::strong_count(&secret.0), 1, "{denial:?}: it was dropped with the request");
    }
}
