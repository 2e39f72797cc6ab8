//! Who sees policies in the console, and what their forms refuse, over HTTP without a browser.

use std::sync::Arc;

use http::StatusCode;
use sqlx::SqlitePool;
use tower_api_key::policy::{KeyPolicy, PolicySubject};
use tower_api_key::store::{Command, CommandOptions, MemoryStore, Version};
use tower_api_key_admin::management::OwnerPolicy;
use tower_api_key_sqlx::SqlStore;

use crate::doors::{House, text};
use crate::server::add;

async fn save(house: &House, subject: &str) -> Version {
    let subject: PolicySubject = subject.parse().unwrap();
    let policy = KeyPolicy::builder(subject).most_keys(7).build().unwrap();
    let version = Version::of_policy(&policy);
    house.store.apply(Command::SavePolicy(policy), CommandOptions::by("bob")).await.unwrap();
    version
}

#[tokio::test]
async fn bad_input_for_a_policy_is_a_clear_answer_and_changes_nothing() {
    let house = House::new(false).await;
    let cookie = house.session(&house.admin).await;
    let token = house.form_token(&cookie).await;
    let version = save(&house, "all").await;
    let before = house.store.changes(0, 100).await.unwrap().len();
    for (path, body, status) in [
        ("new-policy", "subject=kind&kind=x", 422),
        ("new-policy", "subject=&most_keys=1", 422),
        ("new-policy", "subject=account&account=none&most_keys=1", 422),
        ("new-policy", "subject=account&account=a+b&most_keys=1", 422),
        ("new-policy", "subject=kind&kind=&most_keys=1", 422),
        ("new-policy", "subject=kind&kind=x&longest_life=7+weeks", 422),
        ("new-policy", "subject=kind&kind=x&switch_off_unused=23+hours", 422),
        ("new-policy", "subject=kind&kind=x&most_keys=many", 422),
        ("new-policy", "subject=kind&kind=x&scopes_from=key&more_scopes=a%22b", 422),
        ("new-policy", "subject=kind&kind=x&most_keys=1&reason=a%0Ab%00", 422),
        ("new-policy", "subject=all&most_keys=1", 422),
        ("edit-policy", "id=nothing&most_keys=1&version=00000000000000000000000000000001", 404),
        ("edit-policy", "id=kind:x&most_keys=1&version=00000000000000000000000000000001", 404),
        ("edit-policy", "id=all&most_keys=1&version=zero", 428),
        ("edit-policy", "id=all&most_keys=1&version=00000000000000000000000000000001", 412),
        ("delete-policy", "id=all&reason=&version=00000000000000000000000000000001", 422),
        ("delete-policy", "id=all&reason=x&version=00000000000000000000000000000001", 412),
        ("delete-policy", "id=kind:x&reason=x&version=00000000000000000000000000000001", 404),
    ] {
        let body = format!("form_token={token}&{body}");
        let response = house.post(&format!("/console/{path}"), &cookie, &body).await;
        assert_eq!(response.status().as_u16(), status, "{path} {body}");
    }
    for page in ["edit-policy?id=kind:x", "delete-policy?id=", "policies?after=x"] {
        let response = house.get(&format!("/console/{page}"), &cookie).await;
        assert!(response.status().is_client_error(), "{page}: {}", response.status());
    }
    assert_eq!(house.store.changes(0, 100).await.unwrap().len(), before);
    // A form that is sent twice deletes once, and both times succeeds.
    let body = format!("form_token={token}&id=all&reason=x&once=abc&version={version}");
    for _ in 0..2 {
        let response = house.post("/console/delete-policy", &cookie, &body).await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
    }
}

#[tokio::test]
async fn a_policy_covers_only_the_keys_that_were_chosen() {
    let house = House::new(false).await;
    let cookie = house.session(&house.admin).await;
    let token = house.form_token(&cookie).await;
    let shown = text(house.get("/console/new-policy", &cookie).await).await;
    let choices = shown.split(r#"name="subject""#).skip(1);
    let choices: Vec<_> = choices.filter_map(|choice| choice.split('>').next()).collect();
    assert_eq!(choices.len(), 3);
    assert!(choices.iter().all(|choice| !choice.contains("checked")), "{choices:?}");
    let before = house.store.changes(0, 100).await.unwrap().len();
    for (subject, problem) in [
        ("", "choose which keys the policy covers"),
        ("kind=partner", "choose which keys the policy covers"),
        ("subject=all&kind=partner", "choose the keys of this kind, or leave this field empty"),
        ("subject=all&account=acme", "choose the keys of this account, or leave this field empty"),
        ("subject=account&account=acme&kind=web", "choose the keys of this kind"),
        ("subject=kind&kind=web&account=acme", "choose the keys of this account"),
        ("subject=kind&kind=", "write the kind"),
        ("subject=account&account=+", "write the account"),
        ("subject=all&scopes=inquiry.read", "permissions are chosen"),
        ("subject=all&scopes_from=account&more_scopes=b", "permissions are chosen"),
    ] {
        let body = format!("form_token={token}&most_keys=1&{subject}");
        let response = house.post("/console/new-policy", &cookie, &body).await;
        assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY, "{subject}");
        let page = text(response).await;
        assert!(page.contains(problem), "{subject}: {page}");
    }
    assert_eq!(house.store.changes(0, 100).await.unwrap().len(), before);
    // A list that the page has shown is given up by a choice alone.
    let all = "subject=kind&kind=web&most_keys=1&scopes_from=key&scopes=inquiry.read&more_scopes=b";
    let body = format!("form_token={token}&{all}");
    let response = house.post("/console/new-policy", &cookie, &body).await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    let shown = text(house.get("/console/edit-policy?id=kind:web", &cookie).await).await;
    let value = |name: &str| {
        let start = shown.split_once(&format!(r#"name="{name}" value=""#)).unwrap().1;
        start.split_once('"').unwrap().0.replace(' ', "+")
    };
    let kept = "id=kind:web&most_keys=1&scopes_from=account&scopes=inquiry.read";
    for (more, status) in [("c", 422), ("b", 303)] {
        let (version, scopes) = (value("version"), value("scopes_shown"));
        let body = format!(
            "form_token={token}&{kept}&more_scopes={more}&version={version}&scopes_shown={scopes}"
        );
        let response = house.post("/console/edit-policy", &cookie, &body).await;
        assert_eq!(response.status().as_u16(), status, "{more}");
    }
    let policies = house.store.policies().await.unwrap();
    assert!(policies.iter().all(|policy| policy.scopes().is_none()));
}

#[tokio::test]
async fn a_key_or_an_account_gets_nothing_in_place_of_what_was_written() {
    let house = House::new(false).await;
    let cookie = house.session(&house.admin).await;
    let token = house.form_token(&cookie).await;
    let before = house.store.changes(0, 100).await.unwrap().len();
    let quota = "quota_name=minute&quota_limit=5&quota_window=60";
    for (page, body, problem) in [
        ("new-key", "account=acme&once=a&scopes=inquiry.read", "permissions are chosen"),
        ("new-key", "account=acme&once=b&scopes_from=account&more_scopes=x", "permissions are"),
        ("new-account", &*format!("id=new&{quota}"), "they are written beside"),
        ("new-account", &*format!("id=new&quotas_from=plan&{quota}"), "they are written beside"),
    ] {
        let body = format!("form_token={token}&environment=live&{body}");
        let response = house.post(&format!("/console/{page}"), &cookie, &body).await;
        assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        let page = text(response).await;
        assert!(page.contains(problem), "{body}: {page}");
    }
    assert_eq!(house.store.changes(0, 100).await.unwrap().len(), before);
    let body = format!("form_token={token}&id=new&quotas_from=account&{quota}");
    let response = house.post("/console/new-account", &cookie, &body).await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    // Quotas that the page has shown are given up by a choice alone.
    let shown = text(house.get("/console/edit-account?id=new", &cookie).await).await;
    let value = |name: &str| {
        let start = shown.split_once(&format!(r#"name="{name}" value=""#)).unwrap().1;
        start.split_once('"').unwrap().0.to_owned()
    };
    let quota = quota.replace("window=60", "window=1+minute");
    let quota = format!(
        "{quota}&quota_algorithm=fixed_window&quota_per=account&quota_mode=enforced&quota_failure="
    );
    let (version, quotas) = (value("version"), value("quotas_shown"));
    let body = format!("form_token={token}&id=new&quotas_from=plan&{quota}&version={version}");
    let changed = format!("{body}&quotas_shown={quotas}").replace("limit=5", "limit=6");
    for (body, status) in [(&body, 422), (&changed, 422)] {
        let response = house.post("/console/edit-account", &cookie, body).await;
        assert_eq!(response.status().as_u16(), status, "{body}");
    }
    let body = format!("{body}&quotas_shown={quotas}");
    let response = house.post("/console/edit-account", &cookie, &body).await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER, "{}", text(response).await);
}

#[tokio::test]
async fn owners_and_keys_without_the_scope_see_no_policies_but_those_of_their_own_keys() {
    let owners = OwnerPolicy::at_most_keys(5);
    let store = Arc::new(MemoryStore::new());
    let house = House::over(store, false, |all| all.owners(owners)).await;
    let scopes = ["keys.read", "keys.write", "policies.read", "policies.write"];
    let owner = add(&*house.store, "owner", "acme", |key| key.scopes(scopes).kind("web")).await;
    let staff = add(&*house.store, "clerk", "staff", |key| key.scopes(["keys.read"])).await;
    for subject in ["all", "account:acme", "account:other", "kind:web", "kind:secret"] {
        save(&house, subject).await;
    }
    let (owner, staff) = (house.session(&owner).await, house.session(&staff).await);
    for cookie in [&owner, &staff] {
        for page in ["policies", "policy-review", "edit-policy?id=all", "delete-policy?id=all"] {
            let response = house.get(&format!("/console/{page}"), cookie).await;
            assert_eq!(response.status(), StatusCode::FORBIDDEN, "{page}");
        }
        let token = house.form_token(cookie).await;
        for page in ["new-policy", "edit-policy", "delete-policy"] {
            let body = format!(
                "form_token={token}&subject=kind&kind=x&most_keys=1&id=all&reason=x&version={}",
                "0".repeat(32)
            );
            let response = house.post(&format!("/console/{page}"), cookie, &body).await;
            assert_eq!(response.status(), StatusCode::FORBIDDEN, "{page}");
        }
    }
    // The query names the account of another customer.
    let page = text(house.get("/console/new-key?account=other&kind=secret", &owner).await).await;
    assert!(!page.contains(r#"href="/console/policies""#), "{page}");
    for (subject, shown) in [
        ("For all keys", true),
        ("For the account acme", true),
        ("For the kind web", true),
        ("For the account other", false),
        ("For the kind secret", false),
    ] {
        assert_eq!(page.contains(subject), shown, "{subject}");
    }
    let page = text(house.get("/console/keys", &staff).await).await;
    assert!(!page.contains(r#"href="/console/policies""#));
}

#[tokio::test]
async fn a_policy_that_this_version_cannot_read_closes_no_form_of_a_key() {
    let file = format!("tower-api-key-unread-{}.db", std::process::id());
    let file = std::env::temp_dir().join(file);
    let url = format!("sqlite:{}", file.display());
    let store = SqlStore::builder(&url).create_if_missing(true).connect().await.unwrap();
    let house = House::over(Arc::new(store), false, |all| all).await;
    let cookie = house.session(&house.admin).await;
    let token = house.form_token(&cookie).await;
    add(&*house.store, "key_9", "acme", |key| key).await;
    add(&*house.store, "key_10", "other", |key| key).await;
    save(&house, "account:other").await;
    let page = async |path: &str| house.get(&format!("/console/{path}"), &cookie).await;
    let unread = "The policies cannot be read now";
    for path in ["new-key?account=acme", "edit-key?id=key_9"] {
        assert!(!text(page(path).await).await.contains(unread), "{path}");
    }
    let pool = SqlitePool::connect(&url).await.unwrap();
    let newer = r#"UPDATE tower_api_key_policies SET rules = '{"weekdays":["mon"]}'"#;
    sqlx::query(newer).execute(&pool).await.unwrap();
    let unknown = "INSERT INTO tower_api_key_policies VALUES ('plan:gold', '{\"most_keys\":1}')";
    sqlx::query(unknown).execute(&pool).await.unwrap();
    for path in ["new-key?account=acme", "edit-key?id=key_9"] {
        let response = page(path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert!(text(response).await.contains(unread), "{path}");
    }
    assert_eq!(page("edit-key?id=none").await.status(), StatusCode::NOT_FOUND);
    let create = async |account: &str, once: &str| {
        let more = "environment=live&scopes_from=account";
        let body = format!("form_token={token}&account={account}&once={once}&{more}");
        house.post("/console/new-key", &cookie, &body).await
    };
    // It may cover any key.
    let response = create("acme", "first").await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(text(response).await.contains("cannot read the policy for plan:gold"));

    let response = page("policies").await;
    assert_eq!(response.status(), StatusCode::OK);
    let listed = text(response).await;
    for part in ["Unreadable", "the account other", "plan:gold", "weekdays", "2 policies"] {
        assert!(listed.contains(part), "{part}: {listed}");
    }
    let edit = page("edit-policy?id=account%3Aother").await;
    assert_eq!(edit.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(text(edit).await.contains("delete the policy and set it again"));
    for (id, after) in
        [("plan%3Agold", StatusCode::SERVICE_UNAVAILABLE), ("account%3Aother", StatusCode::OK)]
    {
        assert!(listed.contains(&format!("delete-policy?id={id}")), "{listed}");
        let asked = text(page(&format!("delete-policy?id={id}")).await).await;
        assert!(asked.contains("This server cannot read the policy"), "{asked}");
        let body = format!("form_token={token}&id={id}&version=&once=delete-{id}&reason=too+new");
        for _ in 0..2 {
            let response = house.post("/console/delete-policy", &cookie, &body).await;
            assert_eq!(response.status(), StatusCode::SEE_OTHER, "{id}");
        }
        assert_eq!(create("acme", &format!("a{id}")).await.status(), StatusCode::OK, "{id}");
        assert_eq!(create("other", &format!("o{id}")).await.status(), after, "{id}");
    }
    // A policy that can be read is deleted with the version that the visitor saw.
    save(&house, "account:other").await;
    let body = format!("form_token={token}&id=account%3Aother&version=&once=&reason=x");
    let response = house.post("/console/delete-policy", &cookie, &body).await;
    assert_eq!(response.status(), StatusCode::PRECONDITION_REQUIRED);
    pool.close().await;
    std::fs::remove_file(file).unwrap();
}
