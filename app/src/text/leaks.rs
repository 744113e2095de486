//! "Found a key?": what to do with a value that leaked.

use super::texts;

texts! {
    leaks = "Found a key?";
    leaks_lead = "The value of a key or a secret, or a service token, turned up in a log, a chat or a repository? Paste it, and learn whose it is and what to do. It is not kept, and nobody else sees what you typed.";
    leaks_value = "Value";
    leaks_value_hint = "A key's value, or the line that holds it; of a secret the value alone.";
    leaks_look_up = "Look it up";
    leaks_found = "Whose it is";
    leaks_works = "This value works.";
    leaks_works_why = "Whoever has it can use it. Rotate with no overlap if its callers can change over now; else revoke it as compromised.";
    leaks_old_works_why = "Whoever has it can use it. It is an old value that works until its overlap ends: stop it now, and the key goes on with its current value.";
    leaks_stopped = "This value does not work any more.";
    leaks_stopped_why = "Nothing needs to be done about it.";
    leaks_more = "There is more here that is yours to act on: take this value out, and look the rest up.";
    leaks_many = "This holds too many values to look all of them up, so none was. Look it up in parts.";
    leaks_unknown = "This is no value that you may know of.";
    leaks_unknown_why = "It is not one of ours, or its key is not yours to act on. The look-up is in the record, so that those who may can follow it up.";
    leaks_guessable = "It could be guessed, so it was not compared with what secrets hold: that is told of 16 to 512 characters without blanks only.";
    leaks_too_many = "You asked about many values: this one was not compared with what secrets hold. Wait a minute, then look it up again.";
    leaks_holding = "Secrets with this value";
    leaks_in_use = "This is a secret's current value.";
    leaks_in_use_why = "Whoever has it may use it where its service takes it. Change it there, then put the new value here.";
    leaks_was_in_use = "A secret held this value.";
    leaks_was_in_use_why = "It is nobody's current value here. See that its service does not take it any more.";
    leaks_current = "Current";
    leaks_yes = "yes";
    leaks_no = "no";
    leaks_look_at = "Look at the key";
    leaks_look_at_workload = "Look at the workload";
    leaks_token_works_why = "Whoever has it can do what its workload may. Issue another token, change the service over, and revoke this one; or revoke it at once.";
    leaks_token_short_why = "Whoever has it can do what it may, until it ends by itself. To stop it now, revoke it by the API, or deactivate its workload.";
}
