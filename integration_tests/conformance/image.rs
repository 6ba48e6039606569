//! The platform's expectations of an image, as far as the Dockerfile shows them.

const DOCKERFILE: &str = include_str!("../../Dockerfile");

/// The values of an instruction or setting in the last stage.
fn values(name: &str) -> Vec<&'static str> {
    let (_, last) = DOCKERFILE.rsplit_once("\nFROM ").unwrap();
    last.lines()
        .filter_map(|line| line.trim().strip_prefix(name))
        .map(|rest| rest.trim_end_matches('\\').trim())
        .collect()
}

/// The platform runs the variable's command instead of the entry point.
#[test]
fn the_entrypoint_is_reported_in_the_environment_as_an_absolute_path() {
    let told = values("AIRBYTE_ENTRYPOINT=");
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with('/'), "{told:?}");
    assert_eq!(values("ENTRYPOINT "), [format!("[\"{}\"]", told[0])]);
}

/// By number, so Kubernetes knows that it is not root.
#[test]
fn the_user_is_airbyte() {
    assert_eq!(values("USER "), ["1000:1000"]);
    assert!(DOCKERFILE.contains("airbyte:x:1000:1000:"));
    assert_eq!(values("WORKDIR "), ["/airbyte"]);
}
