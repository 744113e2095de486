//! What has had its day: removed in batches, so that no write holds others up for long.

use crate::{StoreError, Tx, sql};

/// What is swept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sweep {
    /// Ceremonies that expired before an instant.
    Ceremonies,
    /// Steps of the change counter made before an instant.
    Changes,
    /// Decisions last made before an instant.
    Decisions,
    /// Deliveries of messages of before an instant that do not wait.
    Deliveries,
    /// Terminals that asked to be signed in before an instant.
    DeviceGrants,
    /// Service tokens given by exchange that expired before an instant.
    ExchangedServiceTokens,
    /// Spent tokens of other issuers that expired before an instant.
    ExchangedTokens,
    /// Messages of before an instant of which neither a delivery nor a notice is left.
    Messages,
    /// Notices of messages of before an instant.
    Notices,
    /// One-time links that expired before an instant.
    OneTimeLinks,
    /// Posts whose wait for a passkey expired before an instant.
    PendingPosts,
    /// Names of secrets purged before an instant: a node of a version that knows of none leaves them.
    PurgedAliases,
    /// Windows of rate limits that began before an instant, in *seconds*.
    RateWindows,
    /// Sessions that expired before an instant.
    Sessions,
    /// One-time links to values that ended before an instant.
    Shares,
    /// Recovery codes that nobody looked at before an instant.
    UnseenCodes,
    /// Uses of keys in hours before one, in *hours*.
    Usage,
}

impl Sweep {
    /// All kinds, alphabetical.
    pub const ALL: [Self; 17] = [
        Self::Ceremonies,
        Self::Changes,
        Self::Decisions,
        Self::Deliveries,
        Self::DeviceGrants,
        Self::ExchangedServiceTokens,
        Self::ExchangedTokens,
        Self::Messages,
        Self::Notices,
        Self::OneTimeLinks,
        Self::PendingPosts,
        Self::PurgedAliases,
        Self::RateWindows,
        Self::Sessions,
        Self::Shares,
        Self::UnseenCodes,
        Self::Usage,
    ];

    fn statement(self) -> &'static str {
        match self {
            Self::Ceremonies => {
                "DELETE FROM ceremonies WHERE id IN
                     (SELECT id FROM ceremonies WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)"
            }
            Self::Changes => {
                "DELETE FROM changes WHERE at < $1 AND value IN
                     (SELECT value FROM changes ORDER BY value LIMIT $2)"
            }
            Self::Decisions => {
                "DELETE FROM decision_log WHERE digest IN
                     (SELECT digest FROM decision_log WHERE last_at < $1 ORDER BY last_at LIMIT $2)"
            }
            Self::Deliveries => {
                "DELETE FROM deliveries WHERE id IN
                     (SELECT d.id FROM messages m JOIN deliveries d ON d.message_id = m.id
                      WHERE m.at < $1 AND d.state <> 'waiting' ORDER BY m.at LIMIT $2)"
            }
            Self::DeviceGrants => {
                "DELETE FROM device_grants WHERE id IN
                     (SELECT id FROM device_grants WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)"
            }
            Self::ExchangedServiceTokens => {
                "DELETE FROM service_tokens WHERE id IN
                     (SELECT id FROM service_tokens WHERE rule_id IS NOT NULL AND expires_at < $1
                      ORDER BY expires_at LIMIT $2)"
            }
            Self::ExchangedTokens => {
                "DELETE FROM exchanged_tokens WHERE digest IN
                     (SELECT digest FROM exchanged_tokens WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)"
            }
            Self::Messages => {
                "DELETE FROM messages WHERE id IN
                     (SELECT m.id FROM messages m WHERE m.at < $1 AND m.routed_at IS NOT NULL
                      AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.message_id = m.id)
                      AND NOT EXISTS (SELECT 1 FROM notices n WHERE n.message_id = m.id)
                      ORDER BY m.at LIMIT $2)"
            }
            Self::Notices => {
                "DELETE FROM notices WHERE id IN
                     (SELECT n.id FROM messages m JOIN notices n ON n.message_id = m.id
                      WHERE m.at < $1 ORDER BY m.at LIMIT $2)"
            }
            Self::OneTimeLinks => {
                "DELETE FROM one_time_links WHERE id IN
                     (SELECT id FROM one_time_links WHERE expires_at < $1 LIMIT $2)"
            }
            Self::PendingPosts => {
                "DELETE FROM pending_posts WHERE id IN
                     (SELECT id FROM pending_posts WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)"
            }
            Self::PurgedAliases => {
                "DELETE FROM secret_aliases WHERE (secret_id, dialect) IN
                     (SELECT a.secret_id, a.dialect FROM secret_aliases a JOIN secrets s ON s.id = a.secret_id
                      WHERE s.purged_at < $1 LIMIT $2)"
            }
            Self::RateWindows => {
                "DELETE FROM rate_reserves WHERE (key_id, window_start, window_seconds) IN
                     (SELECT key_id, window_start, window_seconds FROM rate_reserves WHERE window_start < $1 LIMIT $2)"
            }
            Self::Sessions => {
                "DELETE FROM sessions WHERE id_hash IN
                     (SELECT id_hash FROM sessions WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)"
            }
            Self::Shares => {
                "DELETE FROM secret_shares WHERE id IN
                     (SELECT id FROM secret_shares WHERE ended_at < $1 ORDER BY ended_at LIMIT $2)"
            }
            Self::UnseenCodes => {
                "DELETE FROM unseen_codes WHERE session_id IN
                     (SELECT session_id FROM unseen_codes WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)"
            }
            Self::Usage => {
                "DELETE FROM key_usage WHERE (hour, value_id, address, agent, workload_id, outcome) IN
                     (SELECT hour, value_id, address, agent, workload_id, outcome FROM key_usage
                      WHERE hour < $1 ORDER BY hour LIMIT $2)"
            }
        }
    }

    /// Removes at most `limit` rows from before `before`, in the unit that the kind says; microseconds unless it does.
    pub async fn run(self, tx: &mut Tx, before: i64, limit: i64) -> Result<u64, StoreError> {
        sql(self.statement()).bind(before).bind(limit).execute(tx).await
    }
}
