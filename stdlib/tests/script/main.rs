//! Scripts over the whole library, in a world without a cluster.

mod bench;
mod example;
mod flow;
