//! JSON Patch (RFC 6902) as the service accepts it: `add` and `replace`, on the patchable paths.

use serde_json::Value;

use super::answer::ErrorAnswer;
use super::rules::{self, PathTarget};

/// A JSON Patch document whose operations are well-formed, with patchable paths and values of the right
/// types.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PatchDocument(Vec<DocumentOperation>);

/// One operation of a document.
#[derive(Debug, Clone, PartialEq)]
struct DocumentOperation {
    op: OpKind,
    path: String,
    target: PathTarget,
    value: Value,
}

/// The kind of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OpKind {
    Add,
    Replace,
}

impl PatchDocument {
    /// Parses the body of a request.
    pub(super) fn parse(body: &[u8]) -> Result<Self, ErrorAnswer> {
        let malformed = |inner, message: &str| ErrorAnswer::bad("MalformedPatch", inner, message);
        let value: Value = serde_json::from_slice(body)
            .map_err(|error| malformed("NotJson", &format!("the body is no JSON: {error}")))?;
        let Value::Array(operations) = value else {
            return Err(malformed("NotAnArray", "the body must be a JSON array of operations"));
        };
        if operations.is_empty() {
            return Err(malformed("EmptyDocument", "the document has no operation"));
        }
        operations.into_iter().map(DocumentOperation::read).collect::<Result<_, _>>().map(Self)
    }

    /// Returns the document without the operations on a member or within it.
    #[must_use]
    pub(super) fn without(mut self, pointer: &str) -> Self {
        let is_within = |path: &str| {
            path.strip_prefix(pointer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.0.retain(|operation| !is_within(&operation.path));
        self
    }

    /// Returns whether it sets status or substatus.
    pub(super) fn moves_status(&self) -> bool {
        self.0.iter().any(|operation| matches!(operation.path.as_str(), "/status" | "/substatus"))
    }

    /// Applies the operations in order. After an error the referral may be partly changed, so the caller
    /// passes a copy.
    pub(super) fn apply(self, referral: &mut Value) -> Result<(), ErrorAnswer> {
        self.0.into_iter().try_for_each(|operation| operation.apply(referral))
    }
}

impl DocumentOperation {
    fn read(operation: Value) -> Result<Self, ErrorAnswer> {
        let malformed = |inner, message: &str| ErrorAnswer::bad("MalformedPatch", inner, message);
        let Value::Object(mut members) = operation else {
            return Err(malformed("NotAnOperation", "an operation must be a JSON object"));
        };
        let Some(Value::String(path)) = members.remove("path") else {
            return Err(malformed("PathMissing", "an operation has no \"path\""));
        };
        let op = match members.get("op").and_then(Value::as_str) {
            Some("add") => OpKind::Add,
            Some("replace") => OpKind::Replace,
            _ => {
                return Err(malformed("OperationNotSupported", "\"op\" must be add or replace").about(&path));
            }
        };
        let target = rules::target(&path)?;
        let value = members
            .remove("value")
            .ok_or_else(|| malformed("ValueMissing", "an operation has no \"value\"").about(&path))?;
        let value = rules::accept(target, &path, value)?;
        Ok(Self { op, path, target, value })
    }

    fn apply(self, referral: &mut Value) -> Result<(), ErrorAnswer> {
        let refuse =
            |inner, message: &str| Err(ErrorAnswer::bad("InvalidPath", inner, message).about(&self.path));
        let (parent, name) = self.path.rsplit_once('/').expect("patchable paths begin with a slash");
        match (self.target, referral.pointer_mut(parent)) {
            (PathTarget::End(_), _) if self.op == OpKind::Replace => {
                refuse("TargetMissing", "what comes after the last element cannot be replaced")
            }
            (PathTarget::End(_), Some(Value::Array(list))) => {
                list.push(self.value);
                Ok(())
            }
            (PathTarget::End(_), _) => refuse("ListMissing", "there is no list to add to"),
            (_, Some(Value::Object(members))) => {
                let current = members.get(name);
                if self.op == OpKind::Replace && current.is_none() {
                    return refuse("TargetMissing", "a member that is missing cannot be replaced");
                }
                if self.target == PathTarget::Parent && current.is_some_and(|current| !current.is_null()) {
                    return refuse("ParentExists", "the object is there already, and would be emptied");
                }
                members.insert(name.to_owned(), self.value);
                Ok(())
            }
            _ => refuse("ParentMissing", "the object around the member is missing"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Checks the result of a document: the referral afterwards, or the code of the refusal.
    fn check(referral: Value, document: Value, wanted: Result<Value, &str>) {
        let mut after = referral.clone();
        let got = PatchDocument::parse(document.to_string().as_bytes())
            .and_then(|parsed| parsed.apply(&mut after))
            .map(|()| after)
            .map_err(|refusal| refusal.inner);
        assert_eq!(got, wanted, "{document} on {referral}");
    }

    fn one(op: &str, path: &str, value: Value) -> Value {
        json!([{ "op": op, "path": path, "value": value }])
    }

    #[test]
    fn add_and_replace_as_rfc_6902_has_them() {
        let member = json!({ "email": "ann@example.com" });
        for (referral, document, wanted) in [
            // replace: the target must exist, null counts
            (
                json!({"statusReason": "a"}),
                one("replace", "/statusReason", json!("b")),
                Ok(json!({"statusReason": "b"})),
            ),
            (
                json!({"statusReason": null}),
                one("replace", "/statusReason", json!("b")),
                Ok(json!({"statusReason": "b"})),
            ),
            (json!({}), one("replace", "/statusReason", json!("b")), Err("TargetMissing")),
            (json!({"details": {}}), one("replace", "/details/notes", json!("b")), Err("TargetMissing")),
            (json!({}), one("replace", "/details/notes", json!("b")), Err("ParentMissing")),
            // add: creates or overwrites, the parent must be an object
            (json!({}), one("add", "/statusReason", json!("b")), Ok(json!({"statusReason": "b"}))),
            (
                json!({"statusReason": "a"}),
                one("add", "/statusReason", json!("b")),
                Ok(json!({"statusReason": "b"})),
            ),
            (
                json!({"details": {}}),
                one("add", "/details/notes", json!(null)),
                Ok(json!({"details": {"notes": null}})),
            ),
            (json!({}), one("add", "/details/notes", json!("b")), Err("ParentMissing")),
            (json!({"details": null}), one("add", "/details/notes", json!("b")), Err("ParentMissing")),
            (json!({"details": []}), one("add", "/details/notes", json!("b")), Err("ParentMissing")),
            // parents that are missing
            (json!({}), one("add", "/details", json!({})), Ok(json!({"details": {}}))),
            (json!({"details": null}), one("add", "/details", json!({})), Ok(json!({"details": {}}))),
            (json!({"details": null}), one("replace", "/details", json!({})), Ok(json!({"details": {}}))),
            (json!({"details": {"notes": "a"}}), one("add", "/details", json!({})), Err("ParentExists")),
            (json!({}), one("add", "/details/requirements", json!({})), Err("ParentMissing")),
            // the end of a list
            (json!({"team": []}), one("add", "/team/-", member.clone()), Ok(json!({"team": [member]}))),
            (json!({"team": [1]}), one("add", "/team/-", member.clone()), Ok(json!({"team": [1, member]}))),
            (json!({"team": null}), one("add", "/team/-", member.clone()), Err("ListMissing")),
            (json!({}), one("add", "/team/-", member.clone()), Err("ListMissing")),
            (json!({"team": [1]}), one("replace", "/team/-", member.clone()), Err("TargetMissing")),
            (json!({}), one("add", "/team", json!([member])), Ok(json!({"team": [member]}))),
            // in order
            (
                json!({}),
                json!([
                    { "op": "add", "path": "/details", "value": {} },
                    { "op": "add", "path": "/details/notes", "value": "n" },
                    { "op": "replace", "path": "/details/notes", "value": "m" },
                ]),
                Ok(json!({"details": {"notes": "m"}})),
            ),
        ] {
            check(referral, document, wanted);
        }
    }

    #[test]
    fn what_is_no_document() {
        for (body, wanted) in [
            ("", "NotJson"),
            ("{", "NotJson"),
            ("{}", "NotAnArray"),
            ("null", "NotAnArray"),
            ("[]", "EmptyDocument"),
            ("[1]", "NotAnOperation"),
            (r#"[{"op":"add","value":1}]"#, "PathMissing"),
            (r#"[{"op":"add","path":7,"value":1}]"#, "PathMissing"),
            (r#"[{"op":"remove","path":"/statusReason"}]"#, "OperationNotSupported"),
            (r#"[{"op":"test","path":"/statusReason","value":"a"}]"#, "OperationNotSupported"),
            (r#"[{"op":"move","from":"/status","path":"/statusReason"}]"#, "OperationNotSupported"),
            (r#"[{"op":"Add","path":"/statusReason","value":"a"}]"#, "OperationNotSupported"),
            (r#"[{"path":"/statusReason","value":"a"}]"#, "OperationNotSupported"),
            (r#"[{"op":"add","path":"/statusReason"}]"#, "ValueMissing"),
            (r#"[{"op":"add","path":"/team/0","value":{}}]"#, "IndexedPath"),
            (r#"[{"op":"add","path":"/name","value":"a"}]"#, "PathNotPatchable"),
            (r#"[{"op":"add","path":"/statusReason","value":1}]"#, "WrongType"),
            (r#"[{"op":"add","path":"/details/dealValue","value":1e400}]"#, "NotJson"),
        ] {
            let got = PatchDocument::parse(body.as_bytes()).map_err(|refusal| refusal.inner);
            assert_eq!(got.map(drop), Err(wanted), "{body}");
        }
    }
}
