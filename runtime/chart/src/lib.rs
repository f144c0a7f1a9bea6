//! Renders Helm charts as helm does: bytes in, manifests out.
//!
//! Pure: no files, no network, no clock and no cluster. What a template looks up is handed in. Does not know what becomes of
//! the manifests.
//!
//! [`Chart`] is read from an archive or from files; [`Order`] says with which values, for which release and which cluster it
//! is rendered; [`render()`] answers with [`Rendered`] or with a [`Fault`] in helm's own words. A hostile chart costs bounded
//! time and memory and ends in a fault.

#![expect(
    clippy::float_cmp,
    clippy::format_collect,
    clippy::format_push_string,
    clippy::many_single_char_names,
    clippy::match_same_arms,
    clippy::naive_bytecount,
    clippy::needless_pass_by_value,
    clippy::similar_names,
    clippy::struct_excessive_bools,
    reason = "the rules of Go and of libyaml are followed to the letter, and read best in their own shape"
)]

mod chart;
mod execute;
mod fault;
mod function;
mod known;
mod manifest;
mod order;
mod parse;
mod render;
mod value;
pub mod values;
mod yaml;

pub use chart::{Chart, Crd, Dependency, File, Maintainer, Metadata};
pub use fault::Fault;
pub use manifest::{Direction, Hook, Manifest, by_kind, split};
pub use order::{Bounds, Capabilities, Dialect, Entropy, Lookup, Order, Release};
pub use render::{Rendered, computed_values, render};
