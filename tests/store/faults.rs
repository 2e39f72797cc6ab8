//! The suite of stores can fail: a sound store with any one planted fault does not pass it.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tower_api_key::store::{Action, KeyManager, KeyState, MemoryStore, NewKey};
use tower_api_key::testing::{Promise, STORE_PROMISES, store_suite};

use crate::faulty::Faulty;
use crate::support::{account, digest};

/// What is wrong with a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    FindsByHalfADigest,
    LeavesTheSecretOfAFailedAdd,
    RotationEndsTheOldSecretAtOnce,
    RotationGivesTheOldSecretNoEnd,
    RotationProlongsAnOldSecret,
    RotatesAgainstAPolicy,
    EndsNoEarlierSecret,
    EndsTheNewestSecretToo,
    ServesRevokedKeys,
    RevokesTheNewestSecretOnly,
    DeletesTheNewestSecretOnly,
    AccountsReachNoKeys,
    NotesAnEarlierUse,
    AskingIsAUse,
    KnowsNewestSecretsOnly,
    ForgetsADescription,
    TakesNoLongName,
    ForgetsTheAudience,
    WritesAnotherForm,
    RoundsInstants,
    ForgetsWhenAKeyWasMade,
    IgnoresTheAccount,
    IgnoresTheOwner,
    IgnoresTheKind,
    IgnoresTheEnvironment,
    IgnoresTheState,
    TakesAnEmptyChoiceForNone,
    PagesSkipAKey,
    PagesRepeatAKey,
    PagesHaveNoEnd,
    SortsWithoutCase,
    LosesUpdates,
    LeavesHalfAnUpdate,
    UpdatesUnrevoke,
    RotationRevives,
    Rotates(KeyState),
    RefusesARotationAndKeepsTheSecret,
    RefusesARotationAndEndsTheOldSecret,
    TakesAnyAuthor(Action),
    AnUnknownIdIsAFailure,
    UpdatesResurrect,
    NotesOfUseResurrect,
    ForceRevokesNothing,
    ForceRevokesOtherOwners,
    ForceReachesOtherAccounts,
    ForceReachesOtherAudiences,
    ForceRevokesThoughItFails,
    ImportsOverwrite,
    ImportsTakeASecret,
    ImportsCountSkippedSecrets,
    ImportsRevoke,
    NewKeysBringTheirAccount,
    ForgetsThePlan,
    DeletedAccountsKeepTheirKeys,
    DeletedAccountsComeBack,
    PagesSkipAnAccount,
    PagesOfAccountsHaveNoEnd,
    NoLineFor(Action),
    ALineForAFailure,
    ForgetsWho,
    TrailHasNoEnd,
    IgnoresTheTag,
    IgnoresTheTail,
    RotationForgetsTheTail,
    IgnoresThePrefix,
    IgnoresTheExpiry,
    IgnoresTheOrder,
    IgnoresTheTrailsFilter,
    PagesOfTheTrailRepeatALine,
    IgnoresVersions,
    SavesOverAnAccount,
    MakesAReplayAgain,
    ForgetsTheReason,
    IgnoresTheMostKeys,
    AddsToADeletedAccount,
    ForgetsARuleOfAPolicy,
    AddsAgainstAPolicy,
    UpdatesAgainstAPolicy,
    CountsNoKeysForAPolicy,
    ImportsAgainstAPolicy,
    SavesOverAPolicy,
    GivesANinthSecret,
    ForgetsARefund,
}

/// Each fault with the promise that it breaks.
const FAULTS: &[(Fault, &str)] = &[
    (Fault::FindsByHalfADigest, "all_256_bits_count"),
    (Fault::LeavesTheSecretOfAFailedAdd, "one_secret_has_one_key"),
    (Fault::RotationEndsTheOldSecretAtOnce, ROTATED),
    (Fault::RotationGivesTheOldSecretNoEnd, ROTATED),
    (Fault::RotationProlongsAnOldSecret, ROTATED),
    (Fault::ServesRevokedKeys, ALL_SECRETS),
    (Fault::RevokesTheNewestSecretOnly, ALL_SECRETS),
    (Fault::DeletesTheNewestSecretOnly, ALL_SECRETS),
    (Fault::AccountsReachNoKeys, ALL_SECRETS),
    (Fault::NotesAnEarlierUse, "uses_are_noted"),
    (Fault::AskingIsAUse, "uses_are_noted"),
    (Fault::KnowsNewestSecretsOnly, "uses_are_noted"),
    (Fault::ForgetsADescription, "everything_set_comes_back"),
    (Fault::TakesNoLongName, "the_longest_texts_are_kept"),
    (Fault::ForgetsTheAudience, "everything_set_comes_back"),
    (Fault::WritesAnotherForm, "everything_set_comes_back"),
    (Fault::RoundsInstants, "everything_set_comes_back"),
    (Fault::ForgetsWhenAKeyWasMade, "everything_set_comes_back"),
    (Fault::IgnoresTheAccount, FILTERED),
    (Fault::IgnoresTheOwner, FILTERED),
    (Fault::IgnoresTheKind, FILTERED),
    (Fault::IgnoresTheEnvironment, FILTERED),
    (Fault::IgnoresTheState, FILTERED),
    (Fault::TakesAnEmptyChoiceForNone, FILTERED),
    (Fault::PagesSkipAKey, PAGED),
    (Fault::PagesRepeatAKey, PAGED),
    (Fault::PagesHaveNoEnd, PAGED),
    (Fault::SortsWithoutCase, PAGED),
    (Fault::LosesUpdates, "no_update_is_lost"),
    (Fault::LeavesHalfAnUpdate, "an_update_holds_whole_or_not_at_all"),
    (Fault::UpdatesUnrevoke, "a_revoked_key_stays_revoked"),
    (Fault::RotationRevives, "a_revoked_key_stays_revoked"),
    (Fault::Rotates(KeyState::Revoked), DEAD),
    (Fault::Rotates(KeyState::Expired), DEAD),
    (Fault::Rotates(KeyState::Disabled), DEAD),
    (Fault::RefusesARotationAndKeepsTheSecret, DEAD),
    (Fault::RefusesARotationAndEndsTheOldSecret, DEAD),
    (Fault::TakesAnyAuthor(Action::KeyAdded), FORGED),
    (Fault::TakesAnyAuthor(Action::KeyUpdated), FORGED),
    (Fault::TakesAnyAuthor(Action::KeyRotated), FORGED),
    (Fault::TakesAnyAuthor(Action::KeyRevoked), FORGED),
    (Fault::TakesAnyAuthor(Action::KeyDeleted), FORGED),
    (Fault::TakesAnyAuthor(Action::AccountSaved), FORGED),
    (Fault::TakesAnyAuthor(Action::AccountDeleted), FORGED),
    (Fault::AnUnknownIdIsAFailure, FORGED),
    (Fault::UpdatesResurrect, "a_deleted_key_stays_deleted"),
    (Fault::NotesOfUseResurrect, "a_deleted_key_stays_deleted"),
    (Fault::ForceRevokesNothing, FORCE),
    (Fault::ForceRevokesOtherOwners, FORCE),
    (Fault::ForceReachesOtherAccounts, FORCE),
    (Fault::ForceReachesOtherAudiences, FORCE),
    (Fault::ForceRevokesThoughItFails, FORCE),
    (Fault::ImportsOverwrite, "an_import_adds_what_is_new"),
    (Fault::ImportsTakeASecret, "an_import_adds_what_is_new"),
    (Fault::ImportsCountSkippedSecrets, "an_import_adds_what_is_new"),
    (Fault::ImportsRevoke, "an_import_adds_what_is_new"),
    (Fault::NewKeysBringTheirAccount, "keys_inherit_from_their_account"),
    (Fault::ForgetsThePlan, "accounts_are_on_plans"),
    (Fault::DeletedAccountsKeepTheirKeys, "a_deleted_account_takes_its_keys"),
    (Fault::DeletedAccountsComeBack, "a_deleted_account_takes_its_keys"),
    (Fault::PagesSkipAnAccount, "accounts_are_paged"),
    (Fault::PagesOfAccountsHaveNoEnd, "accounts_are_paged"),
    (Fault::NoLineFor(Action::KeyAdded), TRAIL),
    (Fault::NoLineFor(Action::KeyUpdated), TRAIL),
    (Fault::NoLineFor(Action::KeyRotated), TRAIL),
    (Fault::NoLineFor(Action::KeyRevoked), TRAIL),
    (Fault::NoLineFor(Action::KeyDeleted), TRAIL),
    (Fault::NoLineFor(Action::AccountSaved), TRAIL),
    (Fault::NoLineFor(Action::AccountDeleted), TRAIL),
    (Fault::ALineForAFailure, TRAIL),
    (Fault::ForgetsWho, TRAIL),
    (Fault::TrailHasNoEnd, TRAIL),
    (Fault::IgnoresTheTag, FILTERED),
    (Fault::IgnoresTheTail, TAILS),
    (Fault::RotationForgetsTheTail, TAILS),
    (Fault::IgnoresThePrefix, FILTERED),
    (Fault::IgnoresTheExpiry, FILTERED),
    (Fault::IgnoresTheOrder, "lists_have_the_order_of_the_filter"),
    (Fault::IgnoresTheTrailsFilter, "the_trail_of_a_key_is_paged_from_its_end"),
    (Fault::PagesOfTheTrailRepeatALine, "the_trail_of_a_key_is_paged_from_its_end"),
    (Fault::IgnoresVersions, "a_change_under_an_old_version_is_refused"),
    (Fault::SavesOverAnAccount, "of_two_new_accounts_with_one_id_only_the_first_is_saved"),
    (Fault::MakesAReplayAgain, "a_command_that_is_sent_again_is_made_once"),
    (Fault::ForgetsTheReason, "the_trail_shows_why_and_what"),
    (Fault::EndsNoEarlierSecret, "earlier_secrets_end_and_the_newest_works_on"),
    (Fault::EndsTheNewestSecretToo, "earlier_secrets_end_and_the_newest_works_on"),
    (Fault::RotatesAgainstAPolicy, "no_rotation_keeps_a_secret_beyond_its_longest_life"),
    (Fault::IgnoresTheMostKeys, "an_owner_has_no_more_keys_than_allowed"),
    (Fault::GivesANinthSecret, "a_key_has_at_most_eight_valid_secrets"),
    (Fault::ForgetsARefund, "a_refund_of_quota_has_a_line"),
    (Fault::AddsToADeletedAccount, "a_key_may_require_that_its_account_exists"),
    (Fault::ForgetsARuleOfAPolicy, "policies_come_back_as_they_were_saved"),
    (Fault::AddsAgainstAPolicy, "a_new_key_obeys_the_policies"),
    (Fault::UpdatesAgainstAPolicy, "a_changed_key_obeys_the_policies"),
    (Fault::CountsNoKeysForAPolicy, "an_account_has_no_more_keys_than_a_policy_allows"),
    (Fault::ImportsAgainstAPolicy, "an_import_obeys_the_policies"),
    (Fault::SavesOverAPolicy, "of_two_changes_of_a_policy_only_the_first_is_made"),
    (Fault::NoLineFor(Action::PolicySaved), "the_trail_shows_changes_of_policies"),
    (Fault::NoLineFor(Action::PolicyDeleted), "the_trail_shows_changes_of_policies"),
];

const DEAD: &str = "only_keys_that_serve_are_rotated";
const FORGED: &str = "no_line_is_forged";
const ROTATED: &str = "a_rotated_key_has_two_secrets";
const ALL_SECRETS: &str = "what_holds_for_a_key_holds_for_all_its_secrets";
const FILTERED: &str = "lists_are_filtered";
const TAILS: &str = "keys_are_found_by_the_tails_of_their_secrets";
const PAGED: &str = "lists_are_paged";
const FORCE: &str = "force_revokes_the_owners_others";
const TRAIL: &str = "the_trail_has_a_line_for_each_change";

/// Returns the promise that a run breaks, `None` if it keeps all.
fn broken_promise(run: impl Future<Output = ()>) -> Option<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let run = catch_unwind(AssertUnwindSafe(|| runtime.block_on(run)));
    let message = *run.err()?.downcast::<String>().unwrap();
    let name = message.strip_prefix("the promise `").and_then(|rest| rest.split_once('`'));
    Some(name.unwrap_or_else(|| panic!("no promise is named: {message}")).0.to_owned())
}

/// Checks each promise on a store of its own, as each test does; returns those that are broken.
fn broken_by(fault: Fault) -> Vec<&'static str> {
    let is_broken = |promise: &&Promise<dyn KeyManager>| {
        let store = Faulty::new(MemoryStore::new(), fault);
        let broken = broken_promise(promise.check(&store));
        assert!(broken.as_deref().is_none_or(|name| name == promise.name()), "{broken:?}");
        broken.is_some()
    };
    STORE_PROMISES.iter().filter(is_broken).map(Promise::name).collect()
}

#[test]
fn the_wrapper_itself_keeps_every_promise() {
    assert_eq!(broken_by(Fault::None), [""; 0]);
    let store = Faulty::new(MemoryStore::new(), Fault::None);
    assert_eq!(broken_promise(store_suite(&store)), None, "all on one store");
}

#[test]
fn every_planted_fault_breaks_its_promise() {
    let mut wrong = Vec::new();
    for (fault, promise) in FAULTS {
        let broken = broken_by(*fault);
        if broken.first() != Some(promise) {
            wrong.push(format!("{fault:?} breaks {broken:?}, and not {promise} first"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_promise_is_broken_by_some_fault() {
    let told = |name: &&str| !FAULTS.iter().any(|(_, promise)| promise == name);
    let names = STORE_PROMISES.iter().map(Promise::name).filter(told);
    assert_eq!(names.collect::<Vec<_>>(), ["the_store_is_empty"], "has a test of its own");
}

#[test]
fn a_store_that_is_not_empty_is_refused() {
    let store = MemoryStore::new();
    let record = tower_api_key::key::KeyRecord::builder("key_1", account("acme")).build().unwrap();
    let key = NewKey::new(digest("somebody's"), record);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(store.add(key, "ada")).unwrap();
    assert_eq!(broken_promise(store_suite(&store)).as_deref(), Some("the_store_is_empty"));
    assert_eq!(store.len(), 1, "nothing was written");
}
