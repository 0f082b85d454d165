//! The tags that Ovenbird reads and writes. The first three are the article's contract.

/// `true`, exactly: cleanup may consider this image.
pub const AUTO_CLEANUP: &str = "AutoCleanup";
/// When an inventory last saw the image in use (RFC 3339, `Z`).
pub const LAST_USED: &str = "LastUsed";
/// When the last complete inventory that covered the image began (RFC 3339, `Z`).
pub const LAST_USED_RUNTIME: &str = "LastUsedRuntime";
/// The name that the AWS console shows.
pub const NAME: &str = "Name";
/// The service that an image or instance belongs to.
pub const SERVICE: &str = "ovenbird:service";
/// The environment that an instance was launched for.
pub const ENVIRONMENT: &str = "ovenbird:environment";
/// The bake that created the resource; written in the create call, so that nothing is ever lost.
pub const BAKE: &str = "ovenbird:bake";
/// On an image: the key of its last layer.
pub const KEY: &str = "ovenbird:key";
/// On a snapshot: the key of the layer that it holds.
pub const LAYER: &str = "ovenbird:layer";
/// On a layer's snapshot: the key of the layer below it, if there is one.
pub const PARENT: &str = "ovenbird:parent";
/// On an image: the digest of its file tree, its identity.
pub const TREE: &str = "ovenbird:tree";
/// On an image: the image that the bake started from.
pub const BASE: &str = "ovenbird:base";
/// On our own copy of a public image: the id of the original.
pub const BASE_OF: &str = "ovenbird:base-of";
/// On our own copy of a base that had to be encrypted: the key, as it was asked for.
pub const BASE_KEY: &str = "ovenbird:base-key";
/// On our own base that is no copy: `launch`, of an image of an instance of the original, which was booted once and sealed.
pub const OWNED_BY: &str = "ovenbird:owned-by";
/// On an instance: how its provisioning ended.
pub const STATE: &str = "ovenbird:state";
