//! The requests of a case: keys in an order, over and over.

use std::convert::Infallible;

use http::{Request, Response};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand::seq::SliceRandom;
use tower::Service;

use crate::harness::Case;
use crate::subject::{Authorize, Keys, request, timed};

/// Returns all keys in random order, the same one each time.
pub(crate) fn shuffled(keys: &Keys) -> Vec<&String> {
    let mut order: Vec<&String> = keys.texts.iter().collect();
    order.shuffle(&mut SmallRng::seed_from_u64(7));
    order
}

/// Makes requests with these keys, over and over.
pub(crate) fn feed<'a>(
    texts: &'a [&'a String],
    write: Authorize,
) -> impl FnMut() -> Request<()> + 'a {
    feed_from(0, texts, write)
}

/// Makes requests with these keys, over and over, from one of them on. Two cases over the same keys begin half a turn
/// apart, so that neither finds in the cache what the other has just read.
pub(crate) fn feed_from<'a>(
    first: usize,
    texts: &'a [&'a String],
    write: Authorize,
) -> impl FnMut() -> Request<()> + 'a {
    let mut texts = texts.iter().cycle().skip(first);
    move || request("/v1/users", texts.next().and_then(|text| write(text)))
}

/// Times a service that lets all of these requests pass.
pub(crate) fn accepting<'a, S, B>(
    name: &str,
    service: &'a mut S,
    mut next: impl FnMut() -> Request<()> + 'a,
) -> Case<'a>
where
    S: Service<Request<()>, Response = Response<B>, Error = Infallible>,
{
    Case::new(name, move |operations| timed(service, 200, operations, &mut next))
}
