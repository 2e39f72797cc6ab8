//! Saving and deleting policies.

use tower_api_key::policy::{KeyPolicy, KeyPolicyBuilder};
use tower_api_key::store::{
    Action, Command, CommandOptions, Difference, KeyManager, ManageError, Precondition, Version,
};

use crate::manager::{Manager, day, days, key};

fn policy(rules: impl FnOnce(KeyPolicyBuilder) -> KeyPolicyBuilder) -> KeyPolicy {
    rules(KeyPolicy::builder("kind:personal".parse().unwrap())).build().unwrap()
}

#[tokio::test]
async fn every_change_of_a_policy_is_a_line_of_the_trail() {
    let manager = Manager::new();
    manager.set("kind:personal", |it| it.longest_life(days(90))).await;
    manager.set("kind:personal", |it| it.longest_life(days(30)).most_keys(2)).await;
    manager.delete("kind:personal").await;
    manager.set("account:acme", |it| it.scopes([""; 0])).await;
    let text = |text: &str| Some(text.to_owned());
    let lines: Vec<_> = manager.trail().await.into_iter().collect();
    let told: Vec<_> = lines.iter().map(|line| (line.action, line.account.as_str())).collect();
    let (saved, deleted) = (Action::PolicySaved, Action::PolicyDeleted);
    assert_eq!(told, [(saved, ""), (saved, ""), (deleted, ""), (saved, "acme")]);
    let subject = text("kind:personal");
    assert_eq!(
        lines[1].differences,
        [
            Difference::new("policy", subject.clone(), subject),
            Difference::new("longest_life", text("7776000 s"), text("2592000 s")),
            Difference::new("most_keys", None, text("2")),
        ]
    );
    assert_eq!(lines[3].differences[1], Difference::new("scopes", None, text("")));
}

#[tokio::test]
async fn of_two_editors_who_saw_the_same_policy_one_succeeds() {
    let manager = Manager::new();
    let save = async |policy: &KeyPolicy, precondition| {
        let options = CommandOptions::by("ada").when(precondition);
        manager.store.apply(Command::SavePolicy(policy.clone()), options).await
    };
    let first = policy(|it| it.most_keys(1));
    save(&first, Precondition::Absent).await.unwrap();
    let seen = Precondition::Version(Version::of_policy(&first));
    let second = policy(|it| it.most_keys(2));
    let applied = save(&second, seen).await.unwrap();
    assert_eq!(applied.policy, Some(second.clone()));
    for precondition in [seen, Precondition::Absent] {
        let refused = save(&first, precondition).await;
        assert!(matches!(refused, Err(ManageError::PreconditionFailed)));
    }
    assert_eq!(manager.store.policies().await.unwrap().iter().collect::<Vec<_>>(), [&second]);
}

#[tokio::test]
async fn a_policy_outlives_its_account_and_an_unknown_one_is_not_found() {
    let manager = Manager::new();
    manager.set("account:acme", KeyPolicyBuilder::require_expiry).await;
    assert_eq!(manager.add(key("k").expires(day(1))).await, "");
    manager.store.delete_account("acme", "ada").await.unwrap();
    assert_eq!(manager.add(key("k")).await, "expires");
    let delete = Command::DeletePolicy("all".parse().unwrap());
    let refused = manager.store.apply(delete, CommandOptions::by("ada")).await;
    assert!(matches!(refused, Err(ManageError::NotFound)));
    manager.delete("account:acme").await;
    assert_eq!(manager.add(key("k")).await, "");
}

#[tokio::test]
async fn a_new_policy_takes_nothing_from_keys_that_exist() {
    let manager = Manager::new();
    assert_eq!(manager.add(key("k").scopes(["admin"])).await, "");
    let before = manager.store.get("k").await.unwrap();
    manager.set("all", |it| it.longest_life(days(1)).scopes(["read"]).most_keys(0)).await;
    assert_eq!(manager.store.get("k").await.unwrap(), before);
}
