//! The document of a gate alone, whose operations are those of its route table.

use http::Method;
use serde_json::{Map, Value, json};

use super::error::OpenApiError;
use super::gated_operation::GatedOperation;
use super::options::DocumentOptions;
use super::security;
use super::shared_responses::SharedResponses;
use super::template::PathTemplate;

/// Returns the document.
pub(super) fn make(
    options: &DocumentOptions<'_>,
    title: &str,
    version: &str,
) -> Result<Value, OpenApiError> {
    let sources = security::schemes(&options.gate, &options.prefix);
    let mut shared = SharedResponses::new(&options.prefix, std::iter::empty());
    let mut paths: Map<String, Value> = Map::new();
    let (rows, left_out) = options.rows();
    for (template, methods) in rows {
        let path = options.local(&template.text).filter(|path| options.is_behind(path));
        let Some(path) = path else { continue };
        for method in methods {
            let found = GatedOperation::find(&options.gate, &options.sample, &method, &template);
            let Some(operation) = found else { continue };
            let of_handler = options.refusals_of_handler(&method, path);
            let object = operation.object(&sources, &of_handler, &mut shared);
            let item = paths.entry(path.to_owned()).or_insert_with(|| json!({}));
            if let Some(item) = item.as_object_mut() {
                item.insert(method.as_str().to_ascii_lowercase(), object);
            }
        }
    }
    options.check_handlers(&paths)?;
    let mut document = json!({
        "openapi": "3.1.0",
        "info": { "title": title, "version": version },
        "paths": paths,
        "components": {
            "securitySchemes": security::object(&sources),
            "responses": shared.into_components(),
        },
    });
    if !options.gate.policy.has_routes()
        && let Some(object) = document.as_object_mut()
        && let Some(root) = PathTemplate::new("/")
        && let Some(any) = GatedOperation::find(&options.gate, &options.sample, &Method::GET, &root)
    {
        object.insert("security".to_owned(), any.security(&sources).into());
    }
    if !options.base.is_empty()
        && let Some(object) = document.as_object_mut()
    {
        object.insert("servers".to_owned(), json!([{ "url": options.base }]));
    }
    if !left_out.is_empty()
        && let Some(object) = document.as_object_mut()
    {
        object.insert("x-left-out".to_owned(), left_out.into());
    }
    Ok(document)
}
