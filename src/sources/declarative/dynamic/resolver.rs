//! The kinds of resolvers. They differ in the mappings that they allow.

/// Where the values of mappings come from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Resolver {
    /// `HttpComponentsResolver`: a list of the API.
    Http,
    /// `ConfigComponentsResolver`: lists of the config.
    Config,
    /// `ParametrizedComponentsResolver`: a list of the manifest.
    Parametrized,
}
