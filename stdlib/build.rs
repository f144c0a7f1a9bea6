//! Has the embedded library read again when a file in it changes.

fn main() {
    println!("cargo::rerun-if-changed=rhai");
}
