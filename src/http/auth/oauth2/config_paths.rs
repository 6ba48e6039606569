//! Where a connector's config keeps its tokens.

/// The places of tokens in a config, as member names joined by dots. A dot within a name has a backslash before it.
///
/// ```
/// use source_http::http::auth::ConfigPaths;
/// let paths = ConfigPaths { refresh_token: "auth.refresh".into(), ..ConfigPaths::default() };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigPaths {
    /// The access token. Default: `credentials.access_token`.
    pub access_token: String,
    /// The refresh token. Default: `credentials.refresh_token`.
    pub refresh_token: String,
    /// When the access token expires, in RFC 3339. Default: `credentials.token_expiry_date`.
    pub token_expiry_date: String,
}

impl Default for ConfigPaths {
    fn default() -> Self {
        Self {
            access_token: "credentials.access_token".to_owned(),
            refresh_token: "credentials.refresh_token".to_owned(),
            token_expiry_date: "credentials.token_expiry_date".to_owned(),
        }
    }
}
