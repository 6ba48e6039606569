//! The answer to `spec`: the settings of a source.

use serde::Serialize;
use serde_json::Value;

/// A source's specification.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ConnectorSpecification {
    /// JSON Schema (draft 7) of the config. Members with `airbyte_secret: true` are secrets.
    #[serde(rename = "connectionSpecification")]
    pub connection_specification: Value,
    /// Where the connector is documented.
    #[serde(rename = "documentationUrl", skip_serializing_if = "Option::is_none")]
    pub documentation_url: Option<String>,
    /// Where its changes are listed.
    #[serde(rename = "changelogUrl", skip_serializing_if = "Option::is_none")]
    pub changelog_url: Option<String>,
    /// Old flag, still read by old platforms.
    #[serde(rename = "supportsIncremental", skip_serializing_if = "Option::is_none")]
    pub supports_incremental: Option<bool>,
    /// Always false for a source.
    #[serde(rename = "supportsNormalization")]
    pub supports_normalization: bool,
    /// Always false for a source.
    #[serde(rename = "supportsDBT")]
    pub supports_dbt: bool,
    /// For destinations.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub supported_destination_sync_modes: Vec<String>,
    /// How the platform runs an OAuth consent for this source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advanced_auth: Option<AdvancedAuth>,
    /// The version of the protocol that is spoken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol_version: Option<String>,
}

impl ConnectorSpecification {
    /// A specification with only the form of the config.
    ///
    /// ```
    /// use serde_json::json;
    /// use source_http::protocol::ConnectorSpecification;
    ///
    /// let spec = ConnectorSpecification {
    ///     documentation_url: Some("https://example.com/docs".into()),
    ///     ..ConnectorSpecification::new(json!({
    ///         "type": "object",
    ///         "required": ["token"],
    ///         "properties": {"token": {"type": "string", "airbyte_secret": true}},
    ///     }))
    /// };
    /// assert_eq!(spec.connection_specification["required"][0], "token");
    /// ```
    #[must_use]
    pub fn new(connection_specification: Value) -> Self {
        Self { connection_specification, ..Self::default() }
    }
}

/// How the platform runs an OAuth consent.
#[derive(Debug, Clone, Serialize)]
pub struct AdvancedAuth {
    /// `oauth2.0` or `oauth1.0`.
    pub auth_flow_type: String,
    /// Path of the config member that selects this flow.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub predicate_key: Vec<String>,
    /// The value that member must have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub predicate_value: Option<String>,
    /// The flow itself, as the protocol defines it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oauth_config_specification: Option<Value>,
}
