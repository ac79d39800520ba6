//! Where in the world somebody comes from.

use echomingle::core::region::Region;
use serde_json::json;

/// What the platform says of a request from this region: the value of the header that workerd takes it from
/// (`cfBlobHeader` in `tests/common/workerd.capnp`).
pub(crate) fn cf_blob(region: Region) -> String {
    let (continent, longitude) = match region {
        Region::Wnam => ("NA", "-122.4"),
        Region::Enam => ("NA", "-74.0"),
        Region::Sam => ("SA", "-46.6"),
        Region::Weur => ("EU", "2.3"),
        Region::Eeur => ("EU", "30.5"),
        Region::Apac => ("AS", "139.7"),
        Region::Oc => ("OC", "151.2"),
        Region::Afr => ("AF", "3.4"),
        Region::Me => ("AS", "46.7"),
    };
    json!({"continent": continent, "longitude": longitude}).to_string()
}
