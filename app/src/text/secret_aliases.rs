//! Aliases: what clients of other systems call a secret.

use super::texts;

texts! {
    aliases = "Names in other systems";
    aliases_why = "Clients that speak the API of another system ask by these names. A name leads to one secret of the environment, and none is made from the path.";
    aliases_system = "System";
    aliases_name = "Name";
    aliases_none = "It has none. Clients of another system would ask by such a name.";
    aliases_more = "Name it for another system";
    aliases_aws = "AWS Secrets Manager";
    aliases_azure = "Azure Key Vault";
    aliases_conjur = "Conjur";
    aliases_gcp = "Google Cloud Secret Manager";
    aliases_vault = "Vault, KV version 2";
    aliases_edit(system: &str) = "Name in {system}";
    aliases_edit_lead = "Who asks by this name needs a role that reads the secret, as by its path. Save it empty to take the name away.";
    aliases_aws_hint = "1 to 512 letters a to z, digits and / _ + = . @ - in upper or lower case.";
    aliases_azure_hint = "1 to 127 letters a to z, digits and dashes. Upper and lower case are the same there.";
    aliases_gcp_hint = "1 to 255 letters a to z, digits, dashes and underscores.";
    aliases_path_hint = "Names between single slashes, as in prod/db/password. Use at most 512 bytes, no two dots in a row and no blanks at the ends.";
    aliases_wrong = "There is no such name in this system.";
    aliases_taken = "Another secret of this environment has this name, perhaps a deleted one. Choose another name.";
    aliases_given(system: &str, name: &str) = "{system}: it is called {name}.";
    aliases_gone(system: &str) = "{system}: it has no name any more.";
}
