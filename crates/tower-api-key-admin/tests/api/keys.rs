//! Keys: create, show, list, edit, rotate, revoke, delete.

use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn a_key_is_created_shown_edited_rotated_revoked_and_deleted() {
    let world = World::new();
    let operator = world.operator().await;
    let answer = world.ask(
        &operator,
        "PUT /manage/accounts/acme",
        &[("if-none-match", "*")],
        Some(json!({})),
    );
    let answer = answer.await;
    assert_eq!((answer.status.as_u16(), answer.json()["id"].as_str()), (201, Some("acme")));

    let body = json!({
        "account": "acme", "environment": "live", "name": "backup", "scopes": ["users.read"],
        "metadata": { "team": "red" }, "networks": ["10.0.0.0/8"], "owner": "ada",
    });
    let created = world.post(&operator, "/manage/keys", body).await;
    assert_eq!(created.status, 201, "{created:?}");
    assert_eq!(created.header("cache-control"), "no-store");
    let (key, secret) = (created.json()["key"].clone(), created.json()["secret"].clone());
    let (id, secret) = (key["id"].as_str().unwrap(), secret.as_str().unwrap());
    assert_eq!(created.header("location"), format!("keys/{id}"));
    assert_eq!((&key["state"], &key["name"]), (&json!("active"), &json!("backup")));

    let path = format!("/manage/keys/{id}");
    let shown = world.get(&operator, &path).await;
    assert_eq!((shown.status.as_u16(), shown.json()), (200, key.clone()));
    assert!(!shown.text.contains(secret));
    assert_eq!(shown.header("etag"), format!("\"{}\"", key["version"].as_str().unwrap()));
    let found = world.post(&operator, "/manage/who-is", json!({ "secret": secret })).await;
    assert_eq!((found.status.as_u16(), found.json()), (200, key.clone()));
    assert!(!found.text.contains(secret));

    let line = format!("PATCH {path}");
    let edit =
        || Some(json!({ "name": "nightly", "networks": null, "metadata": { "team": null } }));
    let refused = world.ask(&operator, &line, &[], edit()).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (428, "version-missing"));
    let tag = shown.header("etag");
    let edited = world.ask(&operator, &line, &[("if-match", tag)], edit()).await;
    assert_eq!(edited.status, 200, "{edited:?}");
    assert_eq!(
        (&edited.json()["name"], &edited.json()["networks"]),
        (&json!("nightly"), &json!([]))
    );
    assert_eq!(edited.json()["metadata"], json!({}));
    let conflict = world.ask(&operator, &line, &[("if-match", tag)], edit()).await;
    assert_eq!((conflict.status.as_u16(), conflict.code().as_str()), (412, "version-differs"));

    let rotate = format!("{path}/rotate");
    let rotated = world.post(&operator, &rotate, json!({ "overlap_seconds": 60 })).await;
    assert_eq!(rotated.status, 200, "{rotated:?}");
    assert_eq!(rotated.json()["key"]["secrets"].as_array().unwrap().len(), 2);
    assert_eq!(rotated.json()["key"]["secrets"][1]["expires"], world.at(60));

    let end = format!("POST {path}/end-earlier-secrets?reason=moved");
    let ended = world.ask(&operator, &end, &[], None).await;
    assert_eq!(ended.status, 200, "{ended:?}");
    let secrets = &ended.json()["secrets"];
    assert_eq!(
        (&secrets[0]["expires"], &secrets[1]["expires"]),
        (&json!(null), &world.at(0).into())
    );
    let refused = world.ask(&operator, "POST /manage/keys/unknown/end-earlier-secrets", &[], None);
    assert_eq!(refused.await.code(), "not-found");

    let secret = rotated.json()["secret"].as_str().unwrap().to_owned();
    for text in [&*secret, &format!(" {secret}\n"), &format!("Authorization: Bearer {secret}")] {
        let found = world.post(&operator, "/manage/who-is", json!({ "secret": text })).await;
        assert_eq!((found.status.as_u16(), found.json()["id"].as_str()), (200, Some(id)));
    }
    for text in [&secret[..12], &format!("{secret} x"), ""] {
        let missed = world.post(&operator, "/manage/who-is", json!({ "secret": text })).await;
        assert_ne!(missed.status, 200, "{text}");
    }

    let revoke = format!("{path}/revoke");
    let refused = world.post(&operator, &revoke, json!({ "reason": "" })).await;
    assert_eq!(refused.code(), "invalid");
    let revoked = world.post(&operator, &revoke, json!({ "reason": "leaked" })).await;
    assert_eq!((revoked.status.as_u16(), &revoked.json()["state"]), (200, &json!("revoked")));
    let refused = world.post(&operator, &rotate, json!({ "overlap_seconds": 0 })).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (409, "not-active"));

    let deleted = world.ask(&operator, &format!("DELETE {path}?reason=cleanup"), &[], None).await;
    assert_eq!((deleted.status.as_u16(), deleted.text.as_str()), (204, ""));
    assert_eq!(world.get(&operator, &path).await.code(), "not-found");

    let trail = world.get(&operator, &format!("/manage/trail?key={id}")).await.json();
    let lines = trail["data"].as_array().unwrap();
    let actions: Vec<_> = lines.iter().map(|line| line["action"].as_str().unwrap()).collect();
    let all =
        ["key_deleted", "key_revoked", "key_updated", "key_rotated", "key_updated", "key_added"];
    assert_eq!(actions, all);
    assert!(lines.iter().all(|line| line["by"] == "operator"), "{trail}");
    assert_eq!((&lines[1]["reason"], &lines[0]["reason"]), (&json!("leaked"), &json!("cleanup")));
    let ended = json!([{ "field": "earlier secrets", "before": "1 valid", "after": null }]);
    assert_eq!((&lines[2]["reason"], &lines[2]["differences"]), (&json!("moved"), &ended));
    let name = json!({ "field": "name", "before": "backup", "after": "nightly" });
    assert!(lines[4]["differences"].as_array().unwrap().contains(&name), "{trail}");
}
