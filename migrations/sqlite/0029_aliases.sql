-- Aliases: what secrets are called by clients of other systems.

-- dialect: aws, azure, conjur, gcp or vault-kv2. folded_name is what that system compares: Azure's is in lower case. Within
-- the environment a name is one secret's, and a secret has one name in a dialect, so that each leads to the other. Names go
-- when their secret is purged.
CREATE TABLE secret_aliases (
    secret_id      TEXT NOT NULL REFERENCES secrets (id),
    environment_id TEXT NOT NULL REFERENCES environments (id),
    dialect        TEXT NOT NULL,
    name           TEXT NOT NULL,
    folded_name    TEXT NOT NULL,
    PRIMARY KEY (secret_id, dialect)
) STRICT;
CREATE UNIQUE INDEX secret_aliases_by_name ON secret_aliases (environment_id, dialect, folded_name);
