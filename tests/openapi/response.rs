//! Whether an answer is in a document as it is.

use serde_json::Value;

use super::provoked::Answered;

/// Follows a reference to a component.
pub(super) fn resolved<'a>(document: &'a Value, response: &'a Value) -> &'a Value {
    let reference = response["$ref"].as_str();
    reference.map_or(response, |it| document.pointer(it.trim_start_matches('#')).unwrap())
}

/// Checks the status, the headers and the body of a refusal.
pub(super) fn check_refusal(document: &Value, operation: &Value, answer: &Answered, place: &str) {
    let status = answer.parts.status.as_u16().to_string();
    let denial = answer.denial.as_ref().unwrap();
    let place = format!("{place}: {denial:?} {status} {}", answer.body);
    let response = operation["responses"].get(&status);
    let response = response.unwrap_or_else(|| panic!("{place} is not in the document"));
    let response = resolved(document, response);
    check_headers(response, answer, &place, true);
    let Some(content_type) = answer.parts.headers.get("content-type") else {
        assert_eq!(answer.body, "", "{place}");
        return;
    };
    let essence = content_type.to_str().unwrap().split(';').next().unwrap();
    let media = &response["content"];
    let media = media.get(essence).or_else(|| media.get("*/*"));
    let media = media.unwrap_or_else(|| panic!("{place}: {essence} is not in the document"));
    let body = if essence.ends_with("json") {
        serde_json::from_str(&answer.body).unwrap()
    } else {
        Value::from(&*answer.body)
    };
    if let Some(schema) = media.get("schema") {
        let validator = jsonschema::validator_for(schema).unwrap();
        let errors: Vec<String> = validator.iter_errors(&body).map(|it| it.to_string()).collect();
        assert!(errors.is_empty(), "{place}: {errors:?} {schema}");
        let examples = media["examples"].as_object().unwrap();
        for example in examples.values() {
            assert!(validator.is_valid(&example["value"]), "{place}: {example}");
        }
    }
}

/// Checks the headers that the gate adds to a response of the service.
pub(super) fn check_success(document: &Value, operation: &Value, answer: &Answered, place: &str) {
    assert_eq!(answer.body, "served", "{place}");
    let response = resolved(document, &operation["responses"]["2XX"]);
    check_headers(response, answer, place, false);
}

fn check_headers(response: &Value, answer: &Answered, place: &str, is_refusal: bool) {
    let documented = &response["headers"];
    for (name, value) in &answer.parts.headers {
        // These keep a response out of caches, depending on the source of the key.
        let about_caches = ["vary", "cache-control"].contains(&name.as_str()) && !is_refusal;
        if ["content-type", "content-length"].contains(&name.as_str()) || about_caches {
            continue;
        }
        let header = documented.get(name.as_str());
        // A quota of a key's own has a header of its own name.
        let of_quota = name.as_str().starts_with("x-left-");
        if header.is_none() && of_quota || name == "x-path" {
            continue;
        }
        let header = header.unwrap_or_else(|| panic!("{place}: {name} is not in the document"));
        let text = value.to_str().unwrap();
        match header["schema"]["type"].as_str().unwrap() {
            "integer" => assert!(text.parse::<u64>().is_ok(), "{place}: {name}: {text}"),
            "number" => assert!(text.parse::<f64>().is_ok(), "{place}: {name}: {text}"),
            kind => assert_eq!(kind, "string"),
        }
    }
    for (name, header) in documented.as_object().into_iter().flatten() {
        let is_there = answer.parts.headers.contains_key(name.as_str());
        assert!(is_there || header["required"] == false, "{place}: {name} is missing");
    }
}
