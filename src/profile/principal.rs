//! Response headers that say who the key spoke for.

/// Adds a header to every response to an authenticated request. The name is the gate's: a header that the
/// service behind sets under it is replaced, and removed where the gate has no value that HTTP allows, and from
/// answers to requests without a key.
///
/// ```
/// use tower_api_key::profile::{PrincipalHeader, PrincipalValue};
///
/// const ID: PrincipalHeader = PrincipalHeader {
///     name: "request-id",
///     value: PrincipalValue::RequestId("req_"),
/// };
/// # use tower_api_key::vendors;
/// assert!(vendors::PERSONA.principal_headers.contains(&ID));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrincipalHeader<'a> {
    /// The header's name, in any case.
    pub name: &'a str,
    /// Its value.
    pub value: PrincipalValue<'a>,
}

/// Chooses the value of a [`PrincipalHeader`].
///
/// ```
/// # use bytes::Bytes;
/// # use http::{Request, Response};
/// # use http_body_util::Full;
/// # use tower::{Layer, ServiceExt, service_fn};
/// # use tower_api_key::key::{Account, KeyHasher, KeyRecord};
/// # use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore, vendors};
/// use tower_api_key::profile::{PrincipalHeader, PrincipalValue};
///
/// const PLAN: PrincipalHeader =
///     PrincipalHeader { name: "x-plan", value: PrincipalValue::Metadata("plan") };
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let profile = Profile { principal_headers: &[PLAN], ..vendors::REST_INTEGRATIONS };
/// # let (store, acme) = (MemoryStore::new(), Account::builder("acme").build()?);
/// let record = KeyRecord::builder("key_1", acme).metadata("plan", "gold").build()?;
/// # store.add_now(KeyHasher::sha256().digest(b"0123456789abcdef"), record);
/// # let builder = ApiKeyLayer::builder(profile, store).without_limits().assume_https();
/// # let service = builder.build()?.layer(service_fn(|_: Request<()>| async {
/// #     Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::default()))
/// # }));
/// # let request = Request::get("/").header("authorization", "Bearer 0123456789abcdef").body(())?;
/// assert_eq!(service.oneshot(request).await?.headers()["x-plan"], "gold");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PrincipalValue<'a> {
    /// This prefix and 32 hexadecimal digits that no other request has.
    RequestId(&'a str),
    /// The account's id.
    Account,
    /// The key's environment, if it has one.
    Environment,
    /// The key's id.
    KeyId,
    /// The record's metadata of this name, if it has one.
    Metadata(&'a str),
}
