//! Scripts over the whole library, in a world without a cluster.

#[cfg(test)]
mod bench;
#[cfg(test)]
mod example;
#[cfg(test)]
mod flow;
#[cfg(test)]
mod istio;
