//! Promises on changes of policies: made whole and once, with a line of the trail.

use std::time::Duration;

use super::policies::{LIFE, delete_policy, of_account, of_kind, policy};
use super::support::{BY, done, is_not_found};
use crate::policy::KeyPolicyBuilder;
use crate::store::{
    Action, Applied, Change, Command, CommandOptions, Difference, IdempotencyKey, KeyManager,
    ManageError, Precondition, Version,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) async fn policies_come_back_as_they_were_saved(store: &dyn KeyManager) {
    assert!(done(store.policies().await, "listing policies").is_empty(), "there is no policy yet");
    let every = policy(of_account("kept"), |policy| {
        let policy = policy.longest_life(LIFE).switch_off_unused(30 * DAY).most_keys(7);
        policy.scopes(["read", "write"]).remind_of_rotation(90 * DAY)
    });
    let one = policy(of_kind("kept"), KeyPolicyBuilder::require_expiry);
    let by = CommandOptions::by(BY);
    for policy in [&every, &one] {
        let applied = done(store.apply(Command::SavePolicy(policy.clone()), by).await, "saving");
        assert_eq!(applied.policy.as_ref(), Some(policy), "the policy that a change returns");
    }
    let kept = done(store.policies().await, "listing policies");
    assert_eq!(kept.iter().collect::<Vec<_>>(), [&every, &one], "the policies that were saved");

    let other = policy(of_kind("kept"), |policy| policy.scopes([""; 0]));
    done(store.apply(Command::SavePolicy(other.clone()), by).await, "replacing a policy");
    let kept = done(store.policies().await, "listing policies");
    assert_eq!(kept.iter().collect::<Vec<_>>(), [&every, &other], "a policy replaces another");
    delete_policy(store, of_account("kept")).await;
    delete_policy(store, of_kind("kept")).await;
    assert!(done(store.policies().await, "listing policies").is_empty(), "all were deleted");
    let answer = store.apply(Command::DeletePolicy(of_kind("kept")), by).await;
    is_not_found(answer, "deleting a policy again");
}

pub(super) async fn of_two_changes_of_a_policy_only_the_first_is_made(store: &dyn KeyManager) {
    let most = |most| policy(of_account("raced"), |policy| policy.most_keys(most));
    let (save, by) = (|number| Command::SavePolicy(most(number)), CommandOptions::by(BY));
    let absent = by.when(Precondition::Absent);
    done(store.apply(save(1), absent).await, "saving a new policy");
    let is_refused = |answer: Result<Applied, ManageError>, what| {
        assert!(
            matches!(answer, Err(ManageError::PreconditionFailed)),
            "{what} has to fail with `PreconditionFailed`: {answer:?}"
        );
    };
    is_refused(store.apply(save(2), absent).await, "saving another new policy");
    let seen = by.when(Precondition::Version(Version::of_policy(&most(1))));
    done(store.apply(save(2), seen).await, "changing the version that was seen");
    is_refused(store.apply(save(3), seen).await, "changing an old version");
    let deletion = || Command::DeletePolicy(of_account("raced"));
    is_refused(store.apply(deletion(), seen).await, "deleting an old version");

    let once = by.once(IdempotencyKey::new("policy", &[9; 32]));
    let first = done(store.apply(save(4), once).await, "saving once");
    let again = done(store.apply(save(4), once).await, "saving again");
    assert!(!first.replayed && again.replayed, "the second command is a replay");
    assert_eq!(again.policy, Some(most(4)), "the policy that a replay returns");
    done(store.apply(deletion(), by).await, "deleting a policy");
}

pub(super) async fn the_trail_shows_changes_of_policies(store: &dyn KeyManager) {
    let lines = done(store.changes(0, usize::MAX).await, "listing changes");
    let before = lines.last().map_or(0, |line| line.sequence);
    let by = CommandOptions::by("ada").because("a new rule");
    for subject in [of_account("told"), of_kind("told")] {
        let saved = policy(subject.clone(), |policy| policy.most_keys(5));
        done(store.apply(Command::SavePolicy(saved), by).await, "saving a policy");
        done(store.apply(Command::DeletePolicy(subject), by).await, "deleting a policy");
    }
    let lines = done(store.changes(before, usize::MAX).await, "listing changes");
    let told: Vec<_> = lines.iter().map(|line| (line.action, &*line.account)).collect();
    let (saved, deleted) = (Action::PolicySaved, Action::PolicyDeleted);
    assert_eq!(
        told,
        [(saved, "told"), (deleted, "told"), (saved, ""), (deleted, "")],
        "the action and account of each line"
    );
    let is_by_ada = |line: &Change| {
        line.by == "ada" && line.reason.as_deref() == Some("a new rule") && line.key.is_none()
    };
    assert!(lines.iter().all(is_by_ada), "the author and reason, and no key: {lines:?}");
    let (subject, five) = (Some("account:told".to_owned()), Some("5".to_owned()));
    let expected = [
        Difference::new("policy", None, subject.clone()),
        Difference::new("most_keys", None, five.clone()),
    ];
    let differences = |place: usize| lines.get(place).map(|line| line.differences.clone());
    assert_eq!(differences(0).as_deref(), Some(&expected[..]), "what a saved policy changed");
    let expected =
        [Difference::new("policy", subject, None), Difference::new("most_keys", five, None)];
    assert_eq!(differences(1).as_deref(), Some(&expected[..]), "what a deleted policy changed");
}
