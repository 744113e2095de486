//! Words of the pages for what went wrong.

use super::texts;

texts! {
    error_not_found = "There is nothing here that you can see";
    error_not_found_why = "The address is wrong, the object is gone, or you have no access to it; Keywarden does not say which. If you expected something, ask an owner of the project for access.";
    error_no_page = "There is nothing to show at this address";
    error_no_page_why = "It only takes what a page of this console sends. Nothing was done.";
    error_form = "The form could not be read";
    error_fault = "Something went wrong on our side";
    error_fault_why = "What you asked for may not have been done. Look before you try again; if it happens again, give the operator this request id:";
    error_no_passkeys = "No passkey works at this address";
    error_no_passkeys_why = "Browsers make no passkeys for the address that this server was given. Nothing was changed. Ask whoever runs it to run keywarden doctor there: it says which setting to mend.";
    error_project_sealed = "This project's seal is away";
    error_project_sealed_why(seal: &str) = "Its secrets open only while the seal {seal} answers, and it does not. Nothing was changed. Ask whoever keeps that seal to bring it back. Other projects go on, and so do this project's API keys.";
    error_unavailable = "Keywarden cannot answer right now";
    error_unavailable_why = "Its records or its HSM cannot be reached. Nothing was changed. Try again in a moment.";
    error_in_doubt = "Keywarden cannot say whether this was done";
    error_in_doubt_why = "Its database went away in the middle. Look whether what you asked for is there before you try again.";
    error_sealed = "This node is sealed";
    error_fault_with(id: &str) = "Something went wrong on our side. Look before you try again; if it happens again, give the operator this request id: {id}";
    error_forbidden = "You can see this, but not do that";
    error_forbidden_why(action: &str) = "You are not allowed to do this ({action}). Your roles do not give it, or a policy takes it away. Nothing was changed. Ask an owner or admin.";
    error_request_access = "Request access";
    error_decision = "Give this decision id to an owner, admin or auditor: they can see why.";
    error_decision_open = "See why it was refused.";
    error_decision_id = "Decision id";
    error_changed = "Somebody changed this";
    error_done_before = "This was done already";
    error_done_before_why = "The same form arrived twice, and the first time counts. If it made a secret value, that was in the first answer and is not shown again: make a new one if you have not stored it.";
    error_done_codes_why = "The same form arrived twice, and the first time counts. Your new codes were in the first answer and are not shown again. If you have not stored them, make new ones: these stop working then.";
    error_done_invitation_why = "The same form arrived twice, and the first time counts. One invitation was made. Its link was in the first answer and is not shown again. If you have not passed it on, withdraw it and invite them anew.";
    error_done_key_why = "The same form arrived twice, and the first time counts. The new value of this key was in the first answer and is not shown again. If you have not stored it, rotate the key to get another, or revoke it.";
    error_done_share_why = "The same form arrived twice, and the first time counts. One link was made. It was in the first answer and is not shown again. If you have not passed it on, withdraw it and make another.";
    error_done_token_why = "The same form arrived twice, and the first time counts. One token was issued. Its value was in the first answer and is not shown again. If you have not stored it, revoke that token and issue another.";
    error_done_look = "Look at it";
    error_other_request = "This form was sent before with other content";
    error_other_request_why = "Nothing was done this time. Open the page again and fill in a fresh form.";
    error_gone = "This form is not waiting any more";
    error_gone_why = "It waited for your passkey for more than ten minutes, was sent already, or belongs to another session. Nothing was done now. Look whether it was done before; if not, fill it in again.";
    error_gone_back = "Back to the form";
    error_request_id = "Request id";
    error_home = "Go to Home";
    error_retry = "Try again";
}
