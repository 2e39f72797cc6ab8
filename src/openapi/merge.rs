//! Adding a gate to the operations of a program's document.

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Map, Value, json};

use super::agreement::{adopt_names, agree};
use super::combine::combine;
use super::error::OpenApiError;
use super::gated_operation::GatedOperation;
use super::operation::METHODS;
use super::options::DocumentOptions;
use super::program::ProgramDocument;
use super::security::{self, SourceSchemes};
use super::shared_responses::SharedResponses;
use super::template::PathTemplate;
use crate::error::Denial;

/// The merge of a gate with a program's document.
pub(super) struct DocumentMerge<'a> {
    pub(super) options: &'a DocumentOptions<'a>,
    pub(super) program: ProgramDocument,
    pub(super) sources: Vec<SourceSchemes<'a>>,
    pub(super) shared: SharedResponses,
}

impl<'a> DocumentMerge<'a> {
    /// Prepares the merge: finds the names of the security schemes.
    ///
    /// # Errors
    ///
    /// [`OpenApiError::SecurityScheme`].
    pub(super) fn new(
        options: &'a DocumentOptions<'a>,
        program: ProgramDocument,
    ) -> Result<Self, OpenApiError> {
        let mut sources = security::schemes(&options.gate, &options.prefix);
        if let Some(known) = program.components("securitySchemes") {
            adopt_names(&mut sources, known)?;
        }
        let taken = program.components("responses").into_iter().flat_map(Map::keys).cloned();
        let shared = SharedResponses::new(&options.prefix, taken.collect::<Vec<_>>().into_iter());
        Ok(Self { options, program, sources, shared })
    }

    /// Adds the gate to each operation behind it.
    ///
    /// # Errors
    ///
    /// [`OpenApiError`] for an operation that no route covers, and for one that contradicts the gate.
    pub(super) fn run(mut self) -> Result<Value, OpenApiError> {
        let mut paths = self.program.take_paths();
        for (path, item) in &mut paths {
            if path.starts_with("x-") || !self.options.is_behind(path) {
                continue;
            }
            self.item(path, item)?;
        }
        if self.options.adds_missing {
            self.add_missing(&mut paths);
        }
        self.options.check_handlers(&paths)?;
        let Self { mut program, sources, shared, .. } = self;
        program.add_components("securitySchemes", security::object(&sources));
        program.add_components("responses", shared.into_components());
        Ok(program.finish(paths))
    }

    fn item(&mut self, path: &str, item: &mut Value) -> Result<(), OpenApiError> {
        let refused = |method: &Method, problem: String| OpenApiError::Conflict {
            method: method.clone(),
            path: path.to_owned(),
            problem,
        };
        let Some(template) = self.options.full(path) else {
            return Err(refused(
                &Method::GET,
                "it is no path template: close each brace".to_owned(),
            ));
        };
        if GatedOperation::is_grpc(&self.options.gate, &template) {
            return Ok(());
        }
        let Some(item) = item.as_object_mut().filter(|item| !item.contains_key("$ref")) else {
            let problem = "its path item is a reference: write the item here".to_owned();
            return Err(refused(&Method::GET, problem));
        };
        let common = item.get("parameters").cloned().unwrap_or_default();
        for method in METHODS {
            let Some(written) = item.get_mut(&*method.as_str().to_ascii_lowercase()) else {
                continue;
            };
            let options = self.options;
            let gated = GatedOperation::find(&options.gate, &options.sample, &method, &template);
            let uncovered =
                || OpenApiError::Uncovered { method: method.clone(), path: path.to_owned() };
            let gated = gated.ok_or_else(uncovered)?;
            let Some(written) = written.as_object_mut() else {
                return Err(refused(&method, "it is no object".to_owned()));
            };
            let of_handler = options.refusals_of_handler(&method, path);
            self.operation(written, &common, &gated, &of_handler)
                .map_err(|problem| refused(&method, problem))?;
        }
        Ok(())
    }

    /// Adds the gate to an operation. An error is the problem with its remedy.
    fn operation(
        &mut self,
        written: &mut Map<String, Value>,
        common: &Value,
        gated: &GatedOperation<'_>,
        of_handler: &[&Denial],
    ) -> Result<(), String> {
        let security = gated.security(&self.sources);
        if let Some(own) = written.get("security")
            && !agree(own, &security)
        {
            return Err(
                "its `security` is not that of the gate: remove it from the operation".to_owned()
            );
        }
        written.insert("security".to_owned(), security.into());
        for (name, fact) in gated.facts() {
            match written.get(&name) {
                Some(own) if *own != fact => {
                    return Err(format!("its `{name}` is not that of the gate: remove it"));
                }
                _ => drop(written.insert(name, fact)),
            }
        }
        self.parameters(written, common, gated)?;
        self.request_body(written, gated)?;
        self.responses(written, gated, of_handler)
    }

    fn parameters(
        &self,
        written: &mut Map<String, Value>,
        common: &Value,
        gated: &GatedOperation<'_>,
    ) -> Result<(), String> {
        let mut added = Vec::new();
        for demanded in gated.header_parameters() {
            let name = demanded.get("name").and_then(Value::as_str).unwrap_or_default();
            let own = written.get("parameters").and_then(Value::as_array);
            let mut listed = own.into_iter().chain(common.as_array()).flatten();
            let known = listed.find_map(|parameter| {
                let parameter = self.program.resolve(parameter)?;
                let is_header = parameter.get("in").and_then(Value::as_str) == Some("header");
                let same = parameter.get("name").and_then(Value::as_str);
                let same = same.is_some_and(|other| other.eq_ignore_ascii_case(name));
                (is_header && same).then_some(parameter)
            });
            match known {
                Some(parameter) if parameter.get("required") == Some(&Value::Bool(true)) => {}
                Some(_) => {
                    return Err(format!(
                        "the gate requires the header `{name}`: set `required` to true"
                    ));
                }
                None => added.push(demanded),
            }
        }
        if added.is_empty() {
            return Ok(());
        }
        match written.entry("parameters").or_insert_with(|| json!([])).as_array_mut() {
            Some(parameters) => parameters.extend(added),
            None => return Err("its `parameters` are no list".to_owned()),
        }
        Ok(())
    }

    fn request_body(
        &self,
        written: &mut Map<String, Value>,
        gated: &GatedOperation<'_>,
    ) -> Result<(), String> {
        let Some(media_type) = gated.required_type() else { return Ok(()) };
        let Some(body) = written.get("requestBody") else {
            let body = json!({ "required": true, "content": { media_type: {} } });
            written.insert("requestBody".to_owned(), body);
            return Ok(());
        };
        let content = self.program.resolve(body).and_then(|body| body.get("content")?.as_object());
        let mut listed = content.into_iter().flat_map(Map::keys);
        let is_accepted = |listed: &String| {
            let essence = listed.split(';').next().unwrap_or_default().trim();
            essence.eq_ignore_ascii_case(media_type)
        };
        if listed.all(is_accepted) {
            return Ok(());
        }
        Err(format!(
            "the gate accepts no other media type of its body than `{media_type}`: remove the others"
        ))
    }

    fn responses(
        &mut self,
        written: &mut Map<String, Value>,
        gated: &GatedOperation<'_>,
        of_handler: &[&Denial],
    ) -> Result<(), String> {
        let refusals: BTreeMap<String, Value> = gated
            .refusals(of_handler)
            .into_iter()
            .map(|(status, response)| (status.to_string(), response))
            .collect();
        let added = gated.added_headers();
        let responses = written.entry("responses").or_insert_with(|| json!({}));
        let Some(responses) = responses.as_object_mut() else {
            return Err("its `responses` are no object".to_owned());
        };
        for (status, own) in responses.iter_mut().filter(|(status, _)| !status.starts_with("x-")) {
            let Some(resolved) = self.program.resolve(own) else {
                return Err(format!(
                    "its response {status} refers to another document: write it here"
                ));
            };
            if refusals.get(status) == Some(resolved) {
                continue;
            }
            let combined = combine(resolved, refusals.get(status), &added);
            let combined = combined.ok_or_else(|| format!("its response {status} is no object"))?;
            // A reference stays one if the gate has nothing to add.
            if combined != *resolved {
                *own = combined;
            }
        }
        for (status, refusal) in refusals {
            if !responses.contains_key(&status) {
                let reference = self.shared.reference(&format!("refused-{status}"), refusal);
                responses.insert(status, reference);
            }
        }
        Ok(())
    }

    /// Adds the operations of the gate's routes that the document does not have.
    fn add_missing(&mut self, paths: &mut Map<String, Value>) {
        let options = self.options;
        // By the template without names: a program can call a parameter something else.
        let known: BTreeMap<String, (String, PathTemplate)> = paths
            .keys()
            .filter_map(|path| Some((path.clone(), options.full(path)?)))
            .map(|(path, template)| (template.key.clone(), (path, template)))
            .collect();
        for (own, methods) in options.rows().0 {
            let known = known.get(&own.key);
            let template = known.map_or(&own, |(_, template)| template);
            let path = known.map(|(path, _)| &**path).or_else(|| options.local(&own.text));
            let Some(path) = path.filter(|path| options.is_behind(path)) else { continue };
            let item = paths.entry(path.to_owned()).or_insert_with(|| json!({}));
            let Some(item) = item.as_object_mut() else { continue };
            for method in methods {
                let name = method.as_str().to_ascii_lowercase();
                let found = GatedOperation::find(&options.gate, &options.sample, &method, template);
                if let Some(found) = found.filter(|_| !item.contains_key(&name)) {
                    let of_handler = options.refusals_of_handler(&method, path);
                    item.insert(name, found.object(&self.sources, &of_handler, &mut self.shared));
                }
            }
        }
    }
}
