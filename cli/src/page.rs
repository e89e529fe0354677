//! What the playground asks: findings and an explanation at once, as JSON.

use serde_json::{Map, Value, json};

use crate::check::findings;
use crate::explain::Explanation;
use crate::request::Asked;
use crate::stream::Stream;

/// Answers a question in JSON, `{"text": …, "method": …, "url": …, "user": …}`: what is wrong with the text of a file, and
/// what becomes of the request under its first configuration.
#[must_use]
pub fn answer(question: &str) -> String {
    let question: Value = serde_json::from_str(question).unwrap_or_default();
    let field = |name: &str| question.get(name).and_then(Value::as_str).unwrap_or_default();
    let stream = Stream::of_text(field("text").to_owned());
    let mut asked = Asked::new(field("method").as_bytes(), field("url").as_bytes());
    asked.user = Some(field("user").as_bytes().to_vec()).filter(|user| !user.is_empty()).or(asked.user);
    let findings: Vec<Value> = findings(&stream)
        .iter()
        .map(|finding| {
            json!({
                "level": finding.level.to_string(),
                "line": finding.position.line,
                "column": finding.position.column,
                "message": finding.line(),
            })
        })
        .collect();
    let shareable = stream.configurations.first().and_then(|configuration| {
        let text = configuration.text.as_ref().ok()?;
        without_users(text.as_str())
    });
    let explained =
        stream.accepted().map(|accepted| accepted.first().map(|(_, accepted)| Explanation::new(accepted, &asked)));
    let (explanation, problem) = match explained {
        Ok(explanation) => (explanation.map(|explanation| explanation.json(&asked)), None),
        Err(problem) => (None, Some(problem)),
    };
    // Of what is refused nobody knows what is where.
    let shareable = shareable.filter(|_| explanation.is_some());
    json!({"findings": findings, "explanation": explanation, "problem": problem, "shareable": shareable}).to_string()
}

/// A configuration with one user in the place of all.
fn without_users(text: &str) -> Option<String> {
    let mut configuration: Value = serde_json::from_str(text).ok()?;
    let fields = configuration.as_object_mut()?;
    let rules = fields.get_mut("basic_auth_rules").and_then(Value::as_array_mut);
    rules.into_iter().flatten().for_each(replace_users);
    let lists = fields.get_mut("users").and_then(Value::as_object_mut);
    lists.into_iter().flat_map(Map::values_mut).for_each(replace_users);
    Some(format!("{configuration:#}"))
}

/// Puts one user in the place of those of a rule or a list.
fn replace_users(holder: &mut Value) {
    let Some(fields) = holder.as_object_mut() else { return };
    for (name, value) in fields {
        match name.as_str() {
            "credentials" => *value = json!(["user:password"]),
            // `{SHA}` of `password`.
            "htpasswd" => *value = json!("user:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g="),
            "allow_users" => *value = json!(["user"]),
            // A query may hold a token.
            "htpasswd_fetch" => {
                if let Some(Value::String(path)) = value.get_mut("path") {
                    path.truncate(path.find('?').unwrap_or(path.len()));
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::answer;

    fn ask(text: &str) -> Value {
        let question = json!({"text": text, "method": "GET", "url": "https://shop.test//admin", "user": "a:hunter2"});
        serde_json::from_str(&answer(&question.to_string())).unwrap()
    }

    #[test]
    fn a_question_is_answered_and_what_can_be_shared_holds_no_user() {
        let text = "# hunter2\nusers: {staff: {htpasswd: 'b:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ='}}\nbasic_auth_rules:\n- {prefix: /admin, users: [staff], credentials: ['a:hunter2'], allow_users: [a]}\n- {prefix: /x, htpasswd_fetch: {cluster: c, path: '/u?t=hunter2'}}\n";
        let answered = ask(text);
        assert_eq!(answered["explanation"]["decision"], "accepted as a by rule 0");
        assert_eq!(answered["findings"][0]["line"], 4);
        let shared = answered["shareable"].as_str().unwrap();
        assert!(!shared.contains("hunter2") && !shared.contains("5en6") && !shared.contains("\"a\""), "{shared}");
        assert_eq!(ask(shared)["explanation"]["decision"], "refused for unknown_user by rule 0 with realm istio");
    }

    #[test]
    fn what_is_refused_has_findings_and_is_not_shared() {
        let answered = ask("basic_auth_rules:\n- {prefix: /admin*, credentials: ['a:hunter2']}\n");
        assert_eq!((&answered["findings"][0]["level"], &answered["findings"][0]["line"]), (&json!("error"), &json!(2)));
        assert!(answered["shareable"].is_null() && answered["explanation"].is_null());
        assert!(answered["problem"].as_str().unwrap().contains("`*` is no wildcard here"));
        assert!(ask("").get("problem").is_some());
        assert!(!answer("no JSON").is_empty());
    }
}
