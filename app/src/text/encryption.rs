//! Encryption keys: what lies under what, rotating it, and rewraps.

use keywarden_domain::rewraps::{Kind, State};

use super::{Text, texts};

texts! {
    encryption = "Encryption keys";
    encryption_lead = "Every value lies under a key of its own. Each key below is wrapped by the one above it, and each can be rotated without touching a value.";
    encryption_tree = "What wraps what";
    encryption_hsm_key = "HSM key";
    encryption_hsm_silent = "The HSM does not answer now.";
    encryption_hsm_wraps(n: u64) = "Wraps {n} key of the keyring." | "Wraps {n} keys of the keyring.";
    encryption_number(number: u32) = "Key {number}";
    encryption_keyring_key = "Keyring key";
    encryption_keyring_wraps(n: u64) = "Wraps {n} project key." | "Wraps {n} project keys.";
    encryption_others(n: u64) = "{n} more key of the keyring serves another purpose." | "{n} more keys of the keyring serve other purposes.";
    encryption_project_keys = "Project keys";
    encryption_project_keys_wrap(n: u64) = "Wrap {n} data key." | "Wrap {n} data keys.";
    encryption_data_keys = "Data keys";
    encryption_data_keys_why = "Each version of a secret has one. Rotate it on the secret's page: that makes a new version of the same value.";
    encryption_uses(uses: &str, most: &str) = "{uses} of {most} uses";
    encryption_made = "Made";
    encryption_rotate = "Rotate";
    encryption_keys_of_hsm = "Keys in the HSM";
    encryption_wraps = "Wraps";
    encryption_wraps_nothing = "Nothing";
    encryption_wraps_keys(n: u64) = "{n} keyring key" | "{n} keyring keys";
    encryption_destroy = "Destroy";
    encryption_newest = "Wraps from now on";
    encryption_ends = "Destroyed by itself";
    encryption_no_projects = "No project has a key yet";
    encryption_no_projects_why = "A project's key is made with its first secret.";
    encryption_project = "Project";

    rewraps = "Rewraps";
    rewrap = "Rewrap";
    rewraps_none = "Nothing was rewrapped yet";
    rewraps_none_why = "A rotation brings what lay under the old key under the new one. How far that is, you see here.";
    rewrap_what = "What";
    rewrap_progress = "Progress";
    rewrap_data_keys_of(project: &str) = "Data keys of {project}";
    rewrap_keyring_keys = "Keyring keys";
    rewrap_project_keys = "Project keys";
    rewrap_running = "Running";
    rewrap_paused = "Paused";
    rewrap_done = "Done";
    rewrap_count(done: &str, total: &str) = "{done} of {total}";
    rewrap_from = "Old key";
    rewrap_to = "New key";
    rewrap_started = "Started";
    rewrap_moved = "Last moved";
    rewrap_ended = "Ended";
    rewrap_skipped(n: u64) = "{n} key did not open." | "{n} keys did not open.";
    rewrap_skipped_why = "They are damaged and were left as they are, and so was the old key. Run keywarden fsck on the server's shell: it names them.";
    rewrap_waits = "Waits for another server.";
    rewrap_waits_why = "It goes on as soon as every running server has taken in the new key.";
    rewrap_reads = "Everything reads and writes as before while this goes on. If a server stops, another one, or its next start, goes on where it was.";
    rewrap_pause = "Pause";
    rewrap_resume = "Resume";
    rewrap_paused_now = "The rewrap rests.";
    rewrap_resumed_now = "The rewrap goes on.";
    rewrap_is(state: &str) = "This rewrap is: {state}. Nothing was changed.";
    rewrap_follow = "Look again every 5 seconds";
    rewrap_follow_stop = "Stop looking again";
    rewrap_following = "This page looks again every 5 seconds until the rewrap ends.";

    encryption_hsm_rotate = "Rotate the HSM key";
    encryption_hsm_rotate_title(seal: &str) = "Rotate the key of {seal}";
    encryption_hsm_rotate_new = "A new AES-256 key is made in the HSM. It cannot leave it.";
    encryption_hsm_rotate_wraps = "Every key of the keyring is wrapped to it at once. Nothing below the keyring changes.";
    encryption_hsm_rotate_old(n: u64) = "The old key stays in the HSM for {n} day, or until you destroy it: copies of the records from before need it." | "The old key stays in the HSM for {n} days, or until you destroy it: copies of the records from before need it.";
    encryption_hsm_rotate_kept = "The old key stays in the HSM until you destroy it: copies of the records from before need it.";
    encryption_hsm_rotated(number: u32) = "Key {number} wraps the keyring now.";
    encryption_hsm_destroy = "Destroy an HSM key";
    encryption_hsm_destroy_title(number: u32, seal: &str) = "Destroy key {number} of {seal}";
    encryption_hsm_destroy_final = "It is erased in the HSM. This cannot be taken back.";
    encryption_hsm_destroy_backups = "Backups and copies of the database from before the rotation can no longer be unsealed by this HSM.";
    encryption_hsm_destroy_word = "The seal's name";
    encryption_hsm_destroy_hint(seal: &str) = "Write {seal} to say that you mean it.";
    encryption_hsm_destroy_wrong(seal: &str) = "Write {seal}, as it is.";
    encryption_hsm_destroyed(number: u32) = "Key {number} is destroyed.";
    encryption_hsm_in_use(n: u64) = "It wraps {n} key of the keyring: rotate the HSM key first." | "It wraps {n} keys of the keyring: rotate the HSM key first.";
    encryption_hsm_gone = "The HSM has no such key, or it is the newest one.";
    encryption_hsm_failed(cause: &str) = "The HSM did not do it: {cause}.";
    encryption_changed = "The keyring changed meanwhile. Try again.";
    encryption_newer = "A newer version of Keywarden has made keys that this one does not know. Use that one.";

    encryption_keyring_rotate = "Rotate a keyring key";
    encryption_keyring_rotate_title(purpose: &str) = "Rotate the key for {purpose}";
    encryption_keyring_rotate_new = "A new key is made and wrapped by every seal of this server. It serves new values at once.";
    encryption_keyring_rotate_projects = "Every project key is rewrapped to it in the background, once all running servers have it. The old key is then destroyed.";
    encryption_keyring_rotate_old = "The old key goes on to verify and open what it made.";
    encryption_keyring_rotated(purpose: &str) = "A new key serves {purpose}.";
    encryption_no_seal = "None of this server's seals wraps the keyring.";
    encryption_under_way = "The rewrap of the last rotation is not done: let it end, or resume it.";

    project_key = "Project key";
    project_key_lead(project: &str) = "Wraps the data keys of every secret in {project}.";
    project_key_none = "This project has no key yet";
    project_key_none_why = "It is made with the project's first secret.";
    project_key_retired = "Only unwraps";
    project_key_rotate = "Rotate the project key";
    project_key_rotate_title(project: &str) = "Rotate the key of {project}";
    project_key_rotate_new = "A new key wraps the data keys of new values at once.";
    project_key_rotate_rewrap = "Data keys under the old one are rewrapped in the background. No value is opened.";
    project_key_rotate_old = "The old key is destroyed once nothing lies under it.";
    project_key_rotated = "The project has a new key.";
    project_key_uses = "Data keys wrapped";

    project_seal = "Seal";
    project_seal_title = "Seal of this project";
    project_seal_none = "No seal of its own";
    project_seal_since = "Since";
    project_seal_present = "Answers";
    project_seal_away = "Away since";
    project_seal_not_here = "Not set on this server";
    project_seal_away_why = "No secret of this project can be read or changed until the seal is back. API keys go on.";
    project_seal_choose = "Choose a seal";
    project_seal_choose_for(project: &str) = "Choose the seal of {project}";
    project_seal_submit = "Use this seal";
    project_seal_pick = "Choose one of these seals.";
    project_seal_wraps = "The keys of this project are wrapped by the seal you choose, all at once. No value is opened.";
    project_seal_waits = "While that seal is away, no secret here can be read or changed. API keys and other projects go on.";
    project_seal_lost = "If the key in that seal is lost, every value in this project is lost for good.";
    project_seal_backups = "No backup and no recovery key opens these values without that seal.";
    project_seal_no_choice = "There is no seal to choose";
    project_seal_no_choice_why = "On the server's shell, keywarden seal offer lets projects name one.";
    project_seal_not_yours = "You cannot choose this seal";
    project_seal_not_yours_why = "An owner or admin chooses it. The page of the project key says which one it is.";
    project_seal_named(seal: &str) = "{seal} wraps the keys of this project now.";
    project_seal_taken = "This project has no seal of its own now.";
    project_seal_changed = "The keys of this project changed meanwhile. Try again.";

    encryption_offered = "Seals of projects";
    encryption_offered_used = "Projects";
    encryption_offered_unused = "No project";
    encryption_offered_keys = "Keys in seals of projects";
    encryption_offered_wraps(n: u64) = "Wraps {n} key of a project" | "Wraps {n} keys of projects";
    encryption_offered_rotate = "Rotate a seal's key";
    encryption_offered_rotate_wraps(n: u64) = "It wraps {n} key of a project now. That key is wrapped to the new one at once. No value changes." | "It wraps {n} keys of projects now. Those are wrapped to the new one at once. No value changes.";
    encryption_offered_rotated(number: u32) = "Key {number} wraps the keys of these projects now.";
    encryption_offered_none = "No project names this seal. There is nothing to wrap.";
    encryption_offered_destroy_backups = "In backups from before the rotation, the values of these projects can no longer be opened.";
    encryption_offered_in_use(n: u64) = "It wraps {n} key of a project: rotate the seal's key first." | "It wraps {n} keys of projects: rotate the seal's key first.";

    data_key_rotate = "Rotate data key";
    data_key_rotate_title(path: &str) = "Rotate the data key of {path}";
    data_key_rotate_version = "A new version with the same value, under a new data key, becomes current. Callers notice nothing.";
    data_key_rotate_old = "The versions before keep theirs until they are destroyed.";
    data_key_rotate_leak = "If the value itself may have leaked, put a new one instead.";
    data_key_rotated(number: i64) = "Version {number} has the same value under a new data key.";
    data_key_no_current = "No current version can be read: put a value instead.";
    data_key_exhausted = "The project's key has wrapped as many data keys as it may: rotate it first.";
}

impl Text {
    /// What a rewrap wraps.
    pub(crate) fn rewrap_kind(self, kind: Kind, project: Option<&str>) -> String {
        match (kind, project) {
            (Kind::DataKeys, project) => self.rewrap_data_keys_of(project.unwrap_or_default()),
            (Kind::KeyringKeys, _) => self.rewrap_keyring_keys().to_owned(),
            (Kind::ProjectKeys, _) => self.rewrap_project_keys().to_owned(),
        }
    }

    /// Whether it goes on.
    pub(crate) fn rewrap_state(self, state: State) -> &'static str {
        match state {
            State::Done => self.rewrap_done(),
            State::Paused => self.rewrap_paused(),
            State::Running => self.rewrap_running(),
        }
    }
}
