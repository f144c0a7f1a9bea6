//! Tells cargo that the embedded scripts are part of the library: the macro that embeds them cannot.

fn main() {
    println!("cargo:rerun-if-changed=rhai");
}
