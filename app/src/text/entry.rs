//! Words of coming in: setting up, joining, signing in, getting back in.

use super::texts;

texts! {
    entry_name = "Your name";
    entry_name_hint = "As your colleagues know you.";
    entry_organization = "Organization";
    entry_organization_hint = "Whose keys are kept here. It can be changed later.";
    entry_passkey = "Name of this passkey";
    entry_passkey_hint = "Tells your passkeys apart: “Laptop”, “Blue security key”.";
    entry_passkey_first = "My first passkey";
    entry_create = "Create passkey";
    setup = "Set up Keywarden";
    setup_lead = "You become the first owner. Your passkey is how you sign in; there is no password.";
    setup_done = "Keywarden is set up already";
    setup_done_why = "Its owners let everybody else in. Sign in, or ask one of them for an invitation.";
    setup_waiting = "Keywarden is not set up yet";
    setup_waiting_why = "Whoever started the server finds a setup link in its terminal, or in a file that the terminal names. It works for 30 minutes; `keywarden operator setup` on the server's shell makes a new one.";
    setup_link_gone_why = "A setup link works once, for 30 minutes. `keywarden operator setup` on the server's shell makes a new one.";
    join(organization: &str) = "Join {organization}";
    join_lead(name: &str, role: &str) = "{name}, you are invited as {role}. Create a passkey to sign in with; there is no password.";
    join_lead_in(name: &str, role: &str, project: &str) = "{name}, you are invited as {role} of the project {project}. Create a passkey to sign in with; there is no password.";
    link_gone = "This link does not work any more";
    link_gone_why = "Links work once, for a limited time, and can be withdrawn. Ask whoever gave it to you for a new one.";
    sign_in = "Sign in";
    sign_in_to(organization: &str) = "Sign in to {organization}";
    sign_in_lead = "Your passkey says who you are; there is nothing to type.";
    sign_in_do = "Use passkey";
    sign_in_lost = "Lost your passkey? Use a recovery code";
    signed_out = "You are signed out.";
    recover = "Get back in";
    recover_lead = "One of your ten recovery codes lets you create a new passkey. All your other sessions end, and the owners are told.";
    recover_code = "Recovery code";
    recover_code_hint = "Four groups of six characters. Upper and lower case are the same.";
    recover_do = "Use code";
    recover_unknown = "This code is not known or was used. Check the spelling, or take one that you have not used yet.";
    recover_no_code = "No code at hand? The operator of this server can make you a recovery link.";
    recover_link_lead = "This link lets you create a new passkey. It works once; all your other sessions end, and the owners are told.";
    recover_link_do = "Go on";
    enrol = "Create a new passkey";
    enrol_lead = "You are in with a recovery code or link. The only thing that you can do is to create a passkey; after that you are signed in as usual.";
    enrol_done = "Your new passkey works. It cannot approve anything for 24 hours. Remove the passkey that you lost.";
    enrol_cancel = "Sign out instead";
    codes = "Recovery codes";
    codes_lead = "Each of these ten codes lets you back in once, should you lose your passkeys. Nobody can show them to you again.";
    codes_before = "Without a passkey, a recovery code is the only way back in that you have yourself. You can see yours now, once. Have a place ready where you keep them: a password manager, or paper.";
    codes_show = "Show my recovery codes";
    codes_yours = "Your recovery codes";
    codes_print = "To print them, use your browser's print command: the page prints without the rest of the console.";
    codes_stored = "I have stored them";
    codes_not_now = "Later";
    codes_gone = "Your codes are not waiting any more";
    codes_gone_why = "They were shown already, or you came more than ten minutes after your passkey was created. If you have not stored them, make new ones; the old ones then stop working.";
    codes_renew = "Make new codes";
}
